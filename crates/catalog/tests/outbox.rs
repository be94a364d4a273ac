//! The outbox: written once, taken in order, settled once, forgotten after its time; all of it there after reopening.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use cordwood_catalog::{
    Catalog, ChannelContent, ChannelId, Delivery, DeliveryState, NewNotice, Random, Secret,
    Settlement, check,
};
use cordwood_event::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

fn open(dir: &Path) -> Catalog {
    Catalog::open(&dir.join("catalog.db"), at(0)).unwrap()
}

fn channel(catalog: &Catalog, name: &str) -> ChannelId {
    let content = ChannelContent {
        name: name.to_owned(),
        kind: "slack".to_owned(),
        settings: "{}".to_owned(),
        secrets: Secret::new("{\"url\":\"s3cr3t\"}"),
        per_minute: 20,
        is_default: true,
        is_paused: false,
    };
    catalog.create_channel(None, content, at(0)).unwrap().id
}

fn notice(channel: ChannelId, key: &str) -> NewNotice {
    NewNotice {
        channel,
        incident: None,
        rule: None,
        kind: "opened".to_owned(),
        idempotency_key: key.to_owned(),
        notice: format!("{{\"title\":\"{key}\"}}"),
    }
}

fn delivery(is_delivered: bool) -> Delivery {
    Delivery {
        at: at(1),
        took_ms: 12,
        status: Some(if is_delivered { 200 } else { 503 }),
        response: if is_delivered { "ok" } else { "no" }.to_owned(),
        is_delivered,
    }
}

fn first_keys(catalog: &Catalog) -> Vec<String> {
    let waiting = catalog.first_waiting().unwrap();
    waiting
        .into_iter()
        .map(|waiting| waiting.notice.idempotency_key)
        .collect()
}

#[test]
fn a_key_is_written_once_and_channels_wait_apart() {
    let dir = TempDir::new().unwrap();
    let mut catalog = open(dir.path());
    let (a, b) = (channel(&catalog, "a"), channel(&catalog, "b"));
    let notices = [notice(a, "1"), notice(b, "2"), notice(a, "3")];
    assert_eq!(catalog.write_notices(&notices, at(1)).unwrap(), 3);
    assert_eq!(catalog.write_notices(&notices, at(2)).unwrap(), 0);
    // To a channel that is gone, nothing is written, and nothing fails.
    assert_eq!(
        catalog
            .write_notices(&[notice(ChannelId(99), "4")], at(2))
            .unwrap(),
        0
    );
    assert_eq!(first_keys(&catalog), ["1", "2"]);
    drop(catalog);
    catalog = open(dir.path());
    let first = catalog.first_waiting().unwrap().remove(0);
    assert_eq!(
        (first.created_at, first.due_at, first.attempts),
        (at(1), at(1), 0)
    );
    let retry = Settlement::Retry { at: at(60) };
    catalog
        .settle_notice(first.id, &delivery(false), retry, at(2))
        .unwrap();
    let again = catalog.first_waiting().unwrap().remove(0);
    assert_eq!(
        (again.id, again.due_at, again.attempts),
        (first.id, at(60), 1)
    );
    catalog
        .settle_notice(first.id, &delivery(true), Settlement::Delivered, at(3))
        .unwrap();
    // Settled twice, as when somebody deletes the channel meanwhile, it stays what it was.
    catalog
        .settle_notice(first.id, &delivery(false), Settlement::Failed, at(4))
        .unwrap();
    assert_eq!(first_keys(&catalog), ["2", "3"]);
    let log = catalog.delivery_log(a, None, 10).unwrap();
    assert_eq!(log[1].state, DeliveryState::Delivered);
    assert_eq!(log[1].deliveries, [delivery(false), delivery(true)]);
    let health = catalog.channel_health(a).unwrap();
    assert_eq!(
        (health.delivered_at, health.failed_at, health.waiting),
        (Some(at(3)), Some(at(2)), 1)
    );
    assert_eq!(health.failure.as_deref(), Some("no"));
    catalog.delete_channel(a).unwrap();
    assert_eq!(first_keys(&catalog), ["2"]);
    drop(catalog);
    assert_eq!(check(&dir.path().join("catalog.db")).unwrap(), [""; 0]);
}

#[test]
fn a_digest_takes_the_place_of_what_it_tells_of() {
    let dir = TempDir::new().unwrap();
    let catalog = open(dir.path());
    let a = channel(&catalog, "a");
    let notices: Vec<NewNotice> = (0..5)
        .map(|number| notice(a, &number.to_string()))
        .collect();
    catalog.write_notices(&notices, at(1)).unwrap();
    let first = catalog.first_waiting().unwrap().remove(0);
    let retry = Settlement::Retry { at: at(60) };
    catalog
        .settle_notice(first.id, &delivery(false), retry, at(2))
        .unwrap();
    // What was tried already may have arrived, and is no part of it.
    let untried = catalog.untried(a, 3).unwrap();
    let keys: Vec<&str> = untried
        .iter()
        .map(|waiting| waiting.notice.idempotency_key.as_str())
        .collect();
    assert_eq!(keys, ["1", "2", "3"]);
    let ids: Vec<_> = untried.iter().map(|waiting| waiting.id).collect();
    let digest = notice(a, "digest");
    catalog.digest_notices(&ids, &digest, at(3)).unwrap();
    catalog.digest_notices(&ids, &digest, at(4)).unwrap();
    let log = catalog.delivery_log(a, None, 10).unwrap();
    let states: Vec<_> = log
        .iter()
        .map(|notice| (notice.idempotency_key.as_str(), notice.state))
        .collect();
    let (waiting, digested) = (DeliveryState::Waiting, DeliveryState::Digested);
    let expected = [
        ("digest", waiting),
        ("4", waiting),
        ("3", digested),
        ("2", digested),
        ("1", digested),
        ("0", waiting),
    ];
    assert_eq!(states, expected);
    assert!(
        log[2..5]
            .iter()
            .all(|notice| notice.digest == Some(log[0].id))
    );
    let page = catalog.delivery_log(a, Some(log[2].id), 2).unwrap();
    assert_eq!(page, log[3..5]);
}

#[test]
fn the_log_forgets_what_is_settled_and_old() {
    let dir = TempDir::new().unwrap();
    let catalog = open(dir.path());
    let a = channel(&catalog, "a");
    catalog
        .write_notices(
            &[notice(a, "old"), notice(a, "new"), notice(a, "waits")],
            at(1),
        )
        .unwrap();
    for (key, settled_at) in [("old", 10), ("new", 20)] {
        let first = catalog.first_waiting().unwrap().remove(0);
        assert_eq!(first.notice.idempotency_key, key);
        catalog
            .settle_notice(
                first.id,
                &delivery(true),
                Settlement::Delivered,
                at(settled_at),
            )
            .unwrap();
    }
    catalog
        .log_trial(&notice(a, "trial"), &delivery(false), at(15))
        .unwrap();
    assert_eq!(catalog.forget_deliveries(at(20), 1).unwrap(), 1);
    assert_eq!(catalog.forget_deliveries(at(20), 10).unwrap(), 1);
    assert_eq!(catalog.forget_deliveries(at(20), 10).unwrap(), 0);
    let log = catalog.delivery_log(a, None, 10).unwrap();
    let keys: Vec<&str> = log
        .iter()
        .map(|notice| notice.idempotency_key.as_str())
        .collect();
    assert_eq!(keys, ["waits", "new"]);
}

#[test]
fn names_are_unique_for_each_client_and_keys_are_made_once() {
    #[derive(Debug)]
    struct Sevens;
    impl Random for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
    #[derive(Debug)]
    struct Eights;
    impl Random for Eights {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(8);
        }
    }
    let dir = TempDir::new().unwrap();
    let catalog = open(dir.path());
    let id = channel(&catalog, "Ops");
    let known = catalog.channel(id).unwrap();
    let mut content = known.content.clone();
    content.name = "OPS".to_owned();
    assert!(
        catalog
            .create_channel(None, content.clone(), at(1))
            .is_err()
    );
    let client = catalog.clients()[0].id;
    catalog
        .create_channel(Some(client), content.clone(), at(1))
        .unwrap();
    assert!(
        catalog
            .create_channel(Some(client), content, at(1))
            .is_err()
    );
    assert!(!format!("{known:?}").contains("s3cr3t"));
    assert_eq!(catalog.server_key("links", &Sevens).unwrap(), [7; 32]);
    drop(catalog);
    let catalog = open(dir.path());
    assert_eq!(catalog.server_key("links", &Eights).unwrap(), [7; 32]);
    assert_eq!(catalog.server_key("other", &Eights).unwrap(), [8; 32]);
    assert_eq!(catalog.channel(id).unwrap(), known);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever comes of attempts, the notices of a channel are settled in the order they were written, each once.
    #[test]
    fn notices_of_a_channel_keep_their_order(outcomes in proptest::collection::vec(0..3u8, 1..40)) {
        let dir = TempDir::new().unwrap();
        let catalog = open(dir.path());
        let a = channel(&catalog, "a");
        let notices: Vec<NewNotice> = (0..10).map(|number| notice(a, &number.to_string())).collect();
        catalog.write_notices(&notices, at(1)).unwrap();
        let (mut expected, mut attempts) = (0, 0);
        for outcome in outcomes {
            let first = catalog.first_waiting().unwrap();
            let Some(first) = first.first() else {
                prop_assert_eq!(expected, 10);
                break;
            };
            prop_assert_eq!(&first.notice.idempotency_key, &expected.to_string());
            prop_assert_eq!(first.attempts, attempts);
            let settlement = [Settlement::Delivered, Settlement::Failed, Settlement::Retry { at: at(9) }];
            let settlement = settlement[usize::from(outcome)];
            catalog.settle_notice(first.id, &delivery(outcome == 0), settlement, at(2)).unwrap();
            (expected, attempts) = match outcome {
                2 => (expected, attempts + 1),
                _ => (expected + 1, 0),
            };
        }
    }
}
