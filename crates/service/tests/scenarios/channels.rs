//! Channels, and what comes to them: over a real socket, with a clock of our own.

use std::time::Duration;

use cordwood_service::{
    Access, Caller, Channel, ChannelChanges, ChannelKind, ChannelOwner, ClientId, DeliveryState,
    Error, Incident, LoggedNotice, NewIncident,
};
use serde_json::{Map, Value, json};

use crate::ledger::{HOUR, Ledger, MINUTE};
use crate::receiver::Receiver;

fn object(value: Value) -> Option<Map<String, Value>> {
    value.as_object().cloned()
}

fn webhook(name: &str, url: &str) -> ChannelChanges {
    ChannelChanges {
        name: Some(name.to_owned()),
        settings: object(json!({"url": url})),
        is_default: Some(true),
        ..ChannelChanges::default()
    }
}

fn create(ledger: &Ledger, new: &ChannelChanges) -> Channel {
    let owner = ChannelOwner::Client(None);
    let made = ledger
        .service()
        .create_channel(&ledger.admin(), owner, ChannelKind::Webhook, new);
    made.unwrap()
}

fn open(ledger: &Ledger, name: &str) -> Incident {
    let new = NewIncident {
        name: name.to_owned(),
        cause: "because".to_owned(),
        ..NewIncident::default()
    };
    ledger
        .service()
        .open_incident(&ledger.admin(), &new)
        .unwrap()
        .0
}

fn log(ledger: &Ledger, channel: &Channel) -> Vec<LoggedNotice> {
    let (admin, id) = (ledger.admin(), channel.id.to_string());
    ledger
        .service()
        .deliveries(&admin, &id, None, None)
        .unwrap()
        .notices
}

/// Waits until delivery has written what came of the newest notices: the receiver knows earlier than the log.
fn settled(
    ledger: &Ledger,
    channel: &Channel,
    is_it: impl Fn(&[LoggedNotice]) -> bool,
) -> Vec<LoggedNotice> {
    for _ in 0..2000 {
        let log = log(ledger, channel);
        if is_it(&log) {
            return log;
        }
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
    panic!("never written: {:#?}", log(ledger, channel));
}

/// Waits until the server counts so: it counts what delivery has written a moment later.
fn wait_for_count(ledger: &Ledger, line: &str) {
    for _ in 0..2000 {
        if ledger.service().metrics_text().contains(line) {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    panic!("{line}: {}", ledger.service().metrics_text());
}

fn states(log: &[LoggedNotice]) -> Vec<DeliveryState> {
    log.iter().map(|notice| notice.state).collect()
}

fn messages(error: Error) -> Vec<String> {
    let Error::InvalidValues(values) = error else {
        panic!("{error:?}");
    };
    values
        .into_iter()
        .map(|value| format!("{}: {}", value.field, value.message))
        .collect()
}

#[test]
fn an_incident_is_told_in_order_and_once() {
    let mut ledger = Ledger::new();
    let receiver = Receiver::start();
    let channel = create(&ledger, &webhook("ops", &receiver.url));
    let incident = open(&ledger, "checkout fails");
    let opened = receiver.next();
    assert_eq!(opened.told(), "opened: checkout fails");
    let link = opened.body["data"]["links"]["acknowledge"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = link
        .strip_prefix("http://127.0.0.1:4747/acknowledge/")
        .unwrap();
    let seen = ledger.service().incident_by_link(token).unwrap();
    assert_eq!((seen.id, seen.acknowledged), (incident.id, None));
    let acknowledged = ledger.service().acknowledge_by_link(token).unwrap();
    assert_eq!(acknowledged.acknowledged.unwrap().by, "link in a notice");
    // Again, as a mail program or an impatient finger does.
    ledger.service().acknowledge_by_link(token).unwrap();
    assert_eq!(receiver.next().told(), "acknowledged: checkout fails");
    let (admin, id) = (ledger.admin(), incident.id.0.to_string());
    ledger
        .service()
        .resolve_incident(&admin, &id, None)
        .unwrap();
    let resolved = receiver.next();
    assert_eq!(resolved.told(), "resolved: checkout fails");
    assert_ne!(opened.key, resolved.key);
    let is_done = |log: &[LoggedNotice]| states(log) == [DeliveryState::Delivered; 3];
    let log = settled(&ledger, &channel, is_done);
    assert_eq!(log[2].idempotency_key, opened.key);
    assert_eq!(log[2].deliveries[0].response, "ok");
    ledger.reopen();
    let last = open(&ledger, "another");
    assert_eq!(receiver.next().told(), format!("opened: {}", last.name));
    assert!(receiver.others().is_empty());
    ledger.advance(HOUR * 24 * 8);
    for wrong in [token, "", "00"] {
        let error = ledger.service().acknowledge_by_link(wrong).unwrap_err();
        assert_eq!(error.code(), "not_found", "{wrong}");
    }
}

#[test]
fn what_is_not_taken_is_tried_again_under_the_same_name() {
    let mut ledger = Ledger::new();
    let receiver = Receiver::start();
    let channel = create(&ledger, &webhook("ops", &receiver.url));
    receiver.answer_next("503 Service Unavailable", "not now");
    receiver.answer_next("429 Too Many Requests\r\nretry-after: 600", "slow down");
    let incident = open(&ledger, "first");
    let (admin, id) = (ledger.admin(), incident.id.0.to_string());
    ledger
        .service()
        .resolve_incident(&admin, &id, None)
        .unwrap();
    let key = receiver.next().key;
    let tried = |count: usize| move |log: &[LoggedNotice]| log[1].deliveries.len() == count;
    let log = settled(&ledger, &channel, tried(1));
    assert_eq!(states(&log), [DeliveryState::Waiting; 2]);
    let wait = |log: &[LoggedNotice]| log[1].due_at.unwrap().as_nanos() - ledger.now().as_nanos();
    assert_eq!(wait(&log), 15_000_000_000);
    let health = ledger
        .service()
        .channel(&admin, "ops")
        .unwrap()
        .health
        .unwrap();
    assert_eq!(
        (health.waiting, health.failure.as_deref()),
        (2, Some("not now"))
    );
    ledger.advance(Duration::from_secs(15));
    assert_eq!(receiver.next().key, key);
    let log = settled(&ledger, &channel, tried(2));
    assert_eq!(wait(&log), 600_000_000_000);
    // Over a restart too, and the second does not overtake the first.
    ledger.reopen();
    ledger.advance(MINUTE * 10);
    let (first, second) = (receiver.next(), receiver.next());
    assert_eq!(
        (first.key, first.body["data"]["kind"].as_str()),
        (key, Some("opened"))
    );
    assert_eq!(second.told(), "resolved: first");
    let log = settled(&ledger, &channel, |log| {
        states(log) == [DeliveryState::Delivered; 2]
    });
    let statuses: Vec<_> = log[1]
        .deliveries
        .iter()
        .map(|delivery| delivery.status)
        .collect();
    assert_eq!(statuses, [Some(503), Some(429), Some(200)]);
    wait_for_count(&ledger, "cordwood_notices_delivered_total 2");
}

#[test]
fn what_is_refused_is_given_up_and_shown() {
    let ledger = Ledger::new();
    let receiver = Receiver::start();
    let channel = create(&ledger, &webhook("ops", &receiver.url));
    receiver.answer_next("404 Not Found", "no such hook");
    open(&ledger, "first");
    open(&ledger, "second");
    assert_eq!(receiver.next().told(), "opened: first");
    assert_eq!(receiver.next().told(), "opened: second");
    let expected = [DeliveryState::Delivered, DeliveryState::Failed];
    settled(&ledger, &channel, |log| states(log) == expected);
    let shown = ledger
        .service()
        .channel(&ledger.admin(), "ops")
        .unwrap()
        .health
        .unwrap();
    assert_eq!(shown.failure.as_deref(), Some("no such hook"));
    assert!(shown.delivered_at.is_some() && shown.failed_at.is_some() && shown.waiting == 0);
    assert!(
        ledger
            .service()
            .metrics_text()
            .contains("cordwood_notices_failed_total 1")
    );
    // After thirty days the log is empty; the channel remembers how it did.
    ledger.advance(HOUR * 24 * 31);
    settled(&ledger, &channel, <[LoggedNotice]>::is_empty);
}

#[test]
fn too_many_become_one() {
    let ledger = Ledger::new();
    let receiver = Receiver::start();
    let limited = ChannelChanges {
        per_minute: Some(2),
        ..webhook("ops", &receiver.url)
    };
    let channel = create(&ledger, &limited);
    for number in 0..7 {
        open(&ledger, &format!("number {number}"));
    }
    assert_eq!(receiver.next().told(), "opened: number 0");
    assert_eq!(receiver.next().told(), "opened: number 1");
    settled(&ledger, &channel, |log| {
        states(log)
            .iter()
            .filter(|state| **state == DeliveryState::Delivered)
            .count()
            == 2
    });
    ledger.advance(MINUTE);
    let digest = receiver.next();
    assert_eq!(digest.told(), "digest: 5 notices at once");
    let cause = digest.body["data"]["cause"].as_str().unwrap();
    assert_eq!(cause.lines().count(), 5, "{cause}");
    assert!(cause.contains("error opened: number 6"), "{cause}");
    assert_eq!(digest.body["data"]["value"], "5 opened");
    let log = settled(&ledger, &channel, |log| {
        log[0].state == DeliveryState::Delivered
    });
    let (digest, digested) = (log[0].id, &log[1..6]);
    assert!(
        digested.iter().all(|notice| notice.digest == Some(digest)),
        "{digested:#?}"
    );
    assert!(receiver.others().is_empty());
}

#[test]
fn a_paused_channel_waits_and_a_test_does_not() {
    let ledger = Ledger::new();
    let receiver = Receiver::start();
    let channel = create(&ledger, &webhook("ops", &receiver.url));
    let (service, admin) = (ledger.service(), ledger.admin());
    let pause = |is_paused| ChannelChanges {
        is_paused: Some(is_paused),
        ..ChannelChanges::default()
    };
    receiver.answer_next("500 Internal Server Error", "");
    open(&ledger, "before");
    let key = receiver.next().key;
    settled(&ledger, &channel, |log| log[0].deliveries.len() == 1);
    service.update_channel(&admin, "ops", &pause(true)).unwrap();
    ledger.advance(HOUR);
    open(&ledger, "meanwhile");
    let trial = service.test_channel(&admin, "OPS").unwrap();
    assert_eq!(
        (trial.is_delivered, trial.status, trial.response.as_str()),
        (true, Some(200), "ok")
    );
    assert_eq!(receiver.next().told(), "test: A test of ops");
    service
        .update_channel(&admin, "ops", &pause(false))
        .unwrap();
    assert_eq!(receiver.next().key, key);
    receiver.answer_next("403 Forbidden", "go away");
    let trial = service.test_channel(&admin, "ops").unwrap();
    assert_eq!(
        (trial.is_delivered, trial.status, trial.response.as_str()),
        (false, Some(403), "go away")
    );
    let log = settled(&ledger, &channel, |log| {
        !states(log).contains(&DeliveryState::Waiting)
    });
    assert_eq!(
        states(&log),
        [
            DeliveryState::Failed,
            DeliveryState::Delivered,
            DeliveryState::Delivered
        ]
    );
    let pages = service.deliveries(&admin, "ops", None, Some(2)).unwrap();
    let rest = service
        .deliveries(&admin, "ops", pages.next, Some(2))
        .unwrap();
    assert_eq!(
        (pages.notices.len(), rest.notices.len(), rest.next),
        (2, 1, None)
    );
}

/// In no answer, no log, no metric and no error; and the provider that repeats it is not repeated.
#[test]
fn secrets_go_in_and_do_not_come_out() {
    let ledger = Ledger::new();
    let receiver = Receiver::start();
    let secret = "Bearer hunter2-s3cr3t";
    let new = ChannelChanges {
        secrets: object(json!({"authorization": secret})),
        ..webhook("ops", &receiver.url)
    };
    let made = create(&ledger, &new);
    let (service, admin) = (ledger.service(), ledger.admin());
    assert_eq!(made.secrets, ["authorization"]);
    receiver.answer_next("401 Unauthorized", &format!("{secret} is not welcome"));
    let trial = service.test_channel(&admin, "ops").unwrap();
    assert_eq!(trial.response, "… is not welcome");
    receiver.answer_next("500 Internal Server Error", secret);
    open(&ledger, "first");
    receiver.next();
    settled(&ledger, &made, |log| !log[0].deliveries.is_empty());
    let wrong = ChannelChanges {
        secrets: object(
            json!({"authorization": format!("{secret}\n"), "signing_secret": "s3cr3t"}),
        ),
        ..ChannelChanges::default()
    };
    let told = [
        format!("{made:?}"),
        format!("{:?}", service.list_channels(&admin)),
        format!("{:?}", service.channel(&admin, "ops")),
        format!("{:?}", service.deliveries(&admin, "ops", None, None)),
        format!("{trial:?}"),
        format!("{:?}", service.update_channel(&admin, "ops", &wrong)),
        format!("{service:?}"),
        service.metrics_text(),
    ];
    for text in told {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[test]
fn secrets_go_nowhere_else() {
    let ledger = Ledger::new();
    let receiver = Receiver::start();
    let new = ChannelChanges {
        secrets: object(json!({"authorization": "Bearer s3cr3t"})),
        ..webhook("ops", &receiver.url)
    };
    create(&ledger, &new);
    let (service, admin) = (ledger.service(), ledger.admin());
    let change = |settings: Value, secrets: Value| {
        let changes = ChannelChanges {
            settings: object(settings),
            secrets: object(secrets),
            ..ChannelChanges::default()
        };
        service.update_channel(&admin, "ops", &changes)
    };
    let elsewhere = json!({"url": "https://evil.example/collect"});
    let error = change(elsewhere.clone(), json!({})).unwrap_err();
    let expected = "secrets: have to be given again where `url` changes: they would be sent there";
    assert_eq!(messages(error), [expected]);
    // The same URL is no change, and other settings are free.
    let same = json!({"url": receiver.url, "method": "PUT"});
    let changed = change(same, json!({})).unwrap();
    assert_eq!(changed.settings["method"], "PUT");
    let changed = change(elsewhere, json!({"authorization": "Bearer other"})).unwrap();
    assert_eq!(changed.settings["url"], "https://evil.example/collect");
    let changed = change(
        json!({"url": receiver.url, "method": null}),
        json!({"authorization": null}),
    )
    .unwrap();
    assert_eq!(
        (changed.secrets.len(), changed.settings.get("method")),
        (0, None)
    );
}

#[test]
fn the_network_of_the_server_is_closed() {
    let ledger = Ledger::new();
    // 127.0.0.1 is what the tests allow.
    create(&ledger, &webhook("inside", "http://127.0.0.2:9/"));
    let trial = ledger
        .service()
        .test_channel(&ledger.admin(), "inside")
        .unwrap();
    assert!(!trial.is_delivered && trial.status.is_none());
    assert!(
        trial
            .response
            .contains("[outbound] allow = [\"127.0.0.2\"]"),
        "{trial:?}"
    );
}

#[test]
fn what_cannot_be_is_refused_all_at_once() {
    let ledger = Ledger::new();
    let wrong = ChannelChanges {
        name: Some("17".to_owned()),
        settings: object(json!({"url": "nowhere", "methd": "PUT"})),
        secrets: object(json!({"token": "x"})),
        per_minute: Some(0),
        ..ChannelChanges::default()
    };
    let (service, admin) = (ledger.service(), ledger.admin());
    let owner = ChannelOwner::Client(None);
    let create =
        |new: &ChannelChanges| service.create_channel(&admin, owner, ChannelKind::Webhook, new);
    assert_eq!(
        messages(create(&wrong).unwrap_err()),
        [
            "name: can't be a number, which would be taken for an id",
            "per_minute: has to be 1 to 60",
            "settings: `url` has to be a URL such as https://example.com/hook",
            "settings: `methd` means nothing for a channel of this kind",
            "secrets: `token` means nothing for a channel of this kind",
        ]
    );
    create(&webhook("ops", "https://example.com")).unwrap();
    let error = create(&webhook("OPS", "https://example.com")).unwrap_err();
    assert_eq!(messages(error), ["name: has already been taken"]);
    for number in 1..100 {
        create(&webhook(
            &format!("channel {number}"),
            "https://example.com",
        ))
        .unwrap();
    }
    let error = create(&webhook("one more", "https://example.com")).unwrap_err();
    assert_eq!(
        messages(error),
        ["channels: are 100, the most there may be"]
    );
}

fn hidden(ledger: &Ledger, caller: &Caller, name: &str) {
    let (service, change) = (ledger.service(), ChannelChanges::default());
    let answers = [
        service.channel(caller, name).map(drop),
        service.update_channel(caller, name, &change).map(drop),
        service.delete_channel(caller, name),
        service.test_channel(caller, name).map(drop),
        service.deliveries(caller, name, None, None).map(drop),
    ];
    for answer in answers {
        let message = format!("channel `{name}` was not found");
        assert_eq!(answer.unwrap_err().to_string(), message);
    }
}

#[test]
fn a_client_knows_nothing_of_the_channels_of_another() {
    let mut ledger = Ledger::new();
    let receiver = Receiver::start();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let (service, admin) = (ledger.service(), ledger.admin());
    let of = |caller: &Caller, owner: ChannelOwner, name: &str| {
        service.create_channel(
            caller,
            owner,
            ChannelKind::Webhook,
            &webhook(name, &receiver.url),
        )
    };
    let client = |id: ClientId| ChannelOwner::Client(Some(id));
    let our_writer = ledger.caller(Access::Write, &[ours]);
    let their_admin = ledger.caller(Access::Admin, &[theirs]);
    of(&our_writer, ChannelOwner::Client(None), "ours").unwrap();
    let hidden_one = of(&admin, client(theirs), "theirs").unwrap();
    of(&admin, ChannelOwner::Provider, "for all").unwrap();
    hidden(&ledger, &our_writer, "theirs");
    hidden(&ledger, &our_writer, &hidden_one.id.to_string());
    hidden(&ledger, &our_writer, "4711");
    let error = of(&our_writer, client(theirs), "x").unwrap_err();
    assert_eq!(messages(error), ["client_id: does not exist"]);
    // Of the provider's a client sees that it is there.
    let names = |caller: &Caller| -> Vec<String> {
        let channels = service.list_channels(caller).unwrap();
        channels.into_iter().map(|channel| channel.name).collect()
    };
    assert_eq!(names(&our_writer), ["for all", "ours"]);
    assert_eq!(names(&admin), ["for all", "ours", "theirs"]);
    let shown = service.channel(&their_admin, "for all").unwrap();
    assert!(shown.settings.is_empty() && shown.health.is_none());
    let refused = [
        of(&their_admin, ChannelOwner::Provider, "x").map(drop),
        service.delete_channel(&their_admin, "for all"),
        service.test_channel(&their_admin, "for all").map(drop),
        service
            .deliveries(&their_admin, "for all", None, None)
            .map(drop),
    ];
    for answer in refused {
        assert_eq!(answer.unwrap_err().code(), "forbidden");
    }
    // Both are told of what happens to ours, and nobody else's is.
    let new = NewIncident {
        client: Some(ours),
        name: "fails".to_owned(),
        ..NewIncident::default()
    };
    service.open_incident(&admin, &new).unwrap();
    let (one, other) = (receiver.next(), receiver.next());
    assert_eq!(
        (one.told(), other.told()),
        ("opened: fails".to_owned(), "opened: fails".to_owned())
    );
    assert_ne!(one.key, other.key);
    assert!(log(&ledger, &hidden_one).is_empty());
}
