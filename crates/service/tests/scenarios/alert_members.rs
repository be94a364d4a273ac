//! Rosters: who is expected, and who was taken out of service on purpose and is missed no longer.

use std::collections::BTreeMap;
use std::time::Duration;

use cordwood_service::{Access, AlertMember, Error, RetiredMember};

use crate::alerts::{MANY_ERRORS, SILENT_HOSTS, Watch};
use crate::ledger::MINUTE;

fn beat(host: &str) -> String {
    format!(r#""level":"info","message":"beat","host":"{host}""#)
}

fn host(name: &str) -> BTreeMap<String, Option<String>> {
    [("host".to_owned(), Some(name.to_owned()))].into()
}

/// Two hosts that are expected, as `alert` has them.
fn watch_two(alert: &str) -> Watch {
    let watch = Watch::new();
    watch.alert("silent", alert);
    watch.pass_with(MINUTE * 8, |watch| {
        for name in ["web-1", "web-2"] {
            watch.send(1, &beat(name), Duration::ZERO);
        }
    });
    watch
}

fn members(watch: &Watch) -> Vec<AlertMember> {
    let service = watch.ledger.service();
    service
        .alert_members(&watch.ledger.admin(), "silent")
        .unwrap()
}

fn names(watch: &Watch) -> Vec<String> {
    let members = members(watch).into_iter();
    let names = members.map(|member| member.group[0].1.clone().unwrap_or_default());
    names.collect()
}

fn retire(watch: &Watch, name: &str, reason: &str) -> Result<RetiredMember, Error> {
    let service = watch.ledger.service();
    service.retire_member(&watch.ledger.admin(), "silent", &host(name), reason)
}

fn one_beats(watch: &Watch) {
    watch.send(1, &beat("web-1"), Duration::ZERO);
}

#[test]
fn a_silent_member_that_is_retired_has_its_incident_resolved_with_the_reason() {
    let mut watch = watch_two(SILENT_HOSTS);
    watch.pass_with(MINUTE * 10, one_beats);
    assert_eq!(watch.told(), ["silent: web-2"]);
    assert!(members(&watch)[1].silent_since.is_some());
    let retired = retire(&watch, "web-2", "replaced by web-9").unwrap();
    let incident = watch.incidents().remove(0);
    assert_eq!(retired.resolved, Some(incident.id.0));
    let admin = watch.ledger.admin();
    let by = incident.resolved.map(|deed| deed.by);
    assert_eq!(by.as_deref(), Some(admin.token_name()));
    let service = watch.ledger.service();
    let timeline = service.incident_timeline(&admin, &incident.id.0.to_string());
    let timeline = timeline.unwrap().into_iter();
    let said: Vec<(&str, String)> = timeline
        .map(|entry| (entry.entry.kind.name(), entry.entry.text))
        .collect();
    let expected = "host web-2 was taken out of service: replaced by web-9";
    assert!(said.contains(&("retired", expected.to_owned())), "{said:?}");
    assert_eq!(watch.shown("silent").status.is_firing, Some(false));
    assert_eq!(names(&watch), ["web-1"]);
    // Neither time nor a restart brings it back.
    watch.pass_with(MINUTE * 20, one_beats);
    watch.ledger.reopen();
    watch.pass_with(MINUTE * 20, one_beats);
    assert_eq!(watch.told(), ["silent: web-2 ✓"]);
}

#[test]
fn a_member_that_is_retired_before_anybody_misses_it_is_never_missed() {
    let watch = watch_two(SILENT_HOSTS);
    // What it sent just before is still in the windows of the next checks.
    let retired = retire(&watch, "web-2", "").unwrap();
    assert_eq!(retired.resolved, None);
    watch.pass_with(MINUTE * 20, one_beats);
    assert_eq!(watch.told(), [""; 0]);
    assert_eq!(names(&watch), ["web-1"]);
}

#[test]
fn a_retired_member_that_sends_again_is_expected_again() {
    let watch = watch_two(SILENT_HOSTS);
    retire(&watch, "web-2", "rebuilt").unwrap();
    watch.pass_with(MINUTE * 10, one_beats);
    watch.send(1, &beat("web-2"), Duration::ZERO);
    watch.pass_with(MINUTE * 2, one_beats);
    assert_eq!(names(&watch), ["web-1", "web-2"]);
    watch.pass_with(MINUTE * 10, one_beats);
    assert_eq!(watch.told(), ["silent: web-2"]);
}

#[test]
fn an_incident_of_several_goes_on_without_the_one_that_is_retired() {
    let of_all = SILENT_HOSTS.replace(
        r#""recovery_s": 0"#,
        r#""recovery_s": 0, "incident_per": "rule""#,
    );
    let watch = watch_two(&of_all);
    watch.pass(MINUTE * 10);
    assert_eq!(watch.told(), ["silent"]);
    let first = retire(&watch, "web-1", "sold").unwrap();
    assert_eq!(
        (first.resolved, watch.told()),
        (None, vec!["silent".to_owned()])
    );
    let second = retire(&watch, "web-2", "sold too").unwrap();
    assert!(second.resolved.is_some());
    assert_eq!(watch.told(), ["silent ✓"]);
}

#[test]
fn what_cannot_be_retired_is_said() {
    let watch = watch_two(SILENT_HOSTS);
    watch.alert("many errors", MANY_ERRORS);
    let error = retire(&watch, "web-22", "").unwrap_err();
    assert_eq!(error.to_string(), "member `web-22` was not found");
    assert_eq!(error.hint().as_deref(), Some("did you mean web-2, web-1?"));
    let (service, admin) = (watch.ledger.service(), watch.ledger.admin());
    let pod = [("pod".to_owned(), None)].into();
    for group in [BTreeMap::new(), pod] {
        let error = service.retire_member(&admin, "silent", &group, "");
        assert!(matches!(error, Err(Error::InvalidValues(_))), "{error:?}");
    }
    let long = "x".repeat(1001);
    assert!(retire(&watch, "web-1", &long).is_err());
    let error = service.retire_member(&admin, "many errors", &host("web-1"), "");
    assert!(matches!(error, Err(Error::Conflict { .. })), "{error:?}");
    let error = service.alert_members(&admin, "many errors");
    assert!(matches!(error, Err(Error::Conflict { .. })), "{error:?}");
}

#[test]
fn a_roster_is_another_clients_secret() {
    let mut watch = watch_two(SILENT_HOSTS);
    let theirs = watch.ledger.create_client("theirs");
    let them = watch.ledger.caller(Access::Admin, &[theirs]);
    let service = watch.ledger.service();
    let told = service.alert_members(&them, "silent").unwrap_err();
    let nobodys = service.alert_members(&them, "nobody").unwrap_err();
    let words = told.to_string().replace("silent", "nobody");
    assert_eq!((told.code(), words), (nobodys.code(), nobodys.to_string()));
    let told = service.retire_member(&them, "silent", &host("web-1"), "");
    assert!(matches!(told, Err(Error::NotFound { .. })), "{told:?}");
}
