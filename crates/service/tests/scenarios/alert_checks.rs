//! The checks of an alert that are kept: what was asked, what was found, what came of it, and why it was not.

use std::time::Duration;

use cordwood_service::rules::{Effect, Value};
use cordwood_service::{Access, AlertChanges, CheckPage, Error};

use crate::alerts::{ERROR, MANY_ERRORS, Watch};
use crate::ledger::MINUTE;

fn checks(watch: &Watch, before: Option<u64>, limit: Option<u32>) -> CheckPage {
    let service = watch.ledger.service();
    let checks = service.alert_checks(&watch.ledger.admin(), "many errors", before, limit);
    checks.unwrap()
}

#[test]
fn what_a_check_saw_when_something_happened_is_kept() {
    let mut watch = Watch::new();
    let by_host = MANY_ERRORS.replace(
        r#""window_s": 60"#,
        r#""window_s": 60, "group_by": ["host"]"#,
    );
    watch.alert("many errors", &by_host);
    watch.pass(MINUTE * 3);
    assert_eq!(
        checks(&watch, None, None).checks,
        [],
        "nothing has happened"
    );
    watch.send(6, ERROR, Duration::ZERO);
    watch.send(2, &ERROR.replace("web-1", "api-1"), Duration::ZERO);
    watch.pass(MINUTE * 4);
    // Written down, and read after a restart.
    watch.ledger.reopen();
    let page = checks(&watch, None, None);
    assert_eq!(page.next, None);
    let seen: Vec<_> = page
        .checks
        .iter()
        .map(|check| check.seen.clone().unwrap())
        .collect();
    let [closed, opened] = seen.as_slice() else {
        panic!("{seen:?}");
    };
    assert!(
        matches!(closed.effects[..], [Effect::Recovered(_)]),
        "{closed:?}"
    );
    let [Effect::Opened(of)] = &opened.effects[..] else {
        panic!("{opened:?}");
    };
    assert_eq!(
        (of.group.name(), of.limit.as_str()),
        ("web-1".to_owned(), "above 5")
    );
    assert!(opened.asked.contains("level:error"), "{}", opened.asked);
    assert_eq!(opened.to(), page.checks[1].at);
    let window = opened.to().as_nanos() - opened.from().as_nanos();
    assert_eq!(window, 60_000_000_000);
    assert_eq!(opened.groups, 2);
    let values: Vec<(String, Option<Value>)> = opened
        .values
        .iter()
        .map(|(group, value)| (group.name(), value.clone()))
        .collect();
    // The one that fired comes first.
    let expected = [("web-1", 6.0), ("api-1", 2.0)];
    assert_eq!(
        values,
        expected.map(|(name, value)| (name.to_owned(), Some(Value::Number(value))))
    );
    assert_eq!((&opened.failure, &opened.partly_heard), (&None, &None));
}

#[test]
fn checks_that_failed_are_kept_with_the_reason_and_come_page_by_page() {
    let watch = Watch::new();
    watch.alert("many errors", MANY_ERRORS);
    watch.pass(MINUTE);
    let (service, admin) = (watch.ledger.service(), watch.ledger.admin());
    let of_shop = AlertChanges {
        sources: Some(vec!["shop".to_owned()]),
        ..AlertChanges::default()
    };
    service
        .update_alert(&admin, "many errors", &of_shop)
        .unwrap();
    service.delete_source(&admin, "shop").unwrap();
    watch.pass(MINUTE * 5);
    let all = checks(&watch, None, None).checks;
    assert_eq!(all.len(), 5);
    for check in &all {
        let failure = check.seen.as_ref().and_then(|seen| seen.failure.clone());
        assert!(
            failure.unwrap().contains("none of the sources"),
            "{check:?}"
        );
    }
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = checks(&watch, before, Some(2));
        assert!(page.checks.len() <= 2);
        found.extend(page.checks);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(found, all);
    let limit = service.alert_checks(&watch.ledger.admin(), "many errors", None, Some(0));
    assert!(matches!(limit, Err(Error::InvalidValues(_))), "{limit:?}");
}

#[test]
fn checks_are_another_clients_secret() {
    let mut watch = Watch::new();
    watch.alert("many errors", MANY_ERRORS);
    let theirs = watch.ledger.create_client("theirs");
    let them = watch.ledger.caller(Access::Admin, &[theirs]);
    let service = watch.ledger.service();
    let told = service.alert_checks(&them, "many errors", None, None);
    assert!(matches!(told, Err(Error::NotFound { .. })), "{told:?}");
}
