//! Incidents from their opening to the report: what is kept with them, who may see them, and what they say.

use cordwood_service::{
    Access, Caller, Cancel, Error, Incident, IncidentExplanation, IncidentStatus, IncidentsRequest,
    NewDeletion, NewIncident, SearchRequest, Severity, SourceChanges,
};

use crate::ledger::{HOUR, Ledger, MINUTE};

fn new(name: &str) -> NewIncident {
    NewIncident {
        name: name.to_owned(),
        cause: "because".to_owned(),
        ..NewIncident::default()
    }
}

fn open_as(ledger: &Ledger, caller: &Caller, new: &NewIncident) -> Incident {
    ledger.service().open_incident(caller, new).unwrap().0
}

fn id_of(incident: &Incident) -> String {
    incident.id.0.to_string()
}

/// Sends events and gives their ids.
fn send(ledger: &Ledger, token: &str, events: &[&str]) -> Vec<String> {
    ledger
        .send(token, &format!("[{}]", events.join(",")))
        .unwrap();
    let request = SearchRequest {
        order: cordwood_service::Order::OldestFirst,
        ..SearchRequest::default()
    };
    let cancel = Cancel::default();
    let answer = ledger.service().search(&ledger.admin(), &request, &cancel);
    let events = answer.unwrap().events;
    events.iter().map(|event| event.id.to_string()).collect()
}

fn pin(ledger: &Ledger, incident: &Incident, events: &[String]) -> usize {
    let (admin, cancel) = (ledger.admin(), Cancel::default());
    let service = ledger.service();
    let pinned = service.pin_incident_events(&admin, &id_of(incident), events, &cancel);
    pinned.unwrap().kept
}

fn kept(ledger: &Ledger, incident: &Incident) -> Vec<String> {
    let events = ledger
        .service()
        .incident_events(&ledger.admin(), &id_of(incident));
    let events = events.unwrap();
    events.into_iter().map(|event| event.event).collect()
}

#[test]
fn kept_events_outlive_retention_and_restarts() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let admin = ledger.admin();
    let events = send(
        &ledger,
        token.reveal(),
        &[r#"{"message":"boom","user":{"name":"ann"}}"#],
    );
    let incident = open_as(&ledger, &admin, &new("down"));
    assert_eq!(pin(&ledger, &incident, &events), 1);
    assert_eq!(pin(&ledger, &incident, &events), 0);
    let changes = SourceChanges {
        retention_days: Some(Some(1)),
        ..SourceChanges::default()
    };
    let changed = ledger.service().update_source(&admin, "web", &changes);
    changed.unwrap();
    ledger.advance(HOUR * 48);
    ledger.reopen();
    let gone = ledger
        .service()
        .event(&admin, &events[0], &Cancel::default());
    assert!(matches!(gone, Err(Error::EventNotFound { .. })), "{gone:?}");
    let kept = kept(&ledger, &incident);
    assert_eq!(kept.len(), 1);
    assert!(kept[0].contains(r#""user":{"name":"ann"}"#), "{kept:?}");
}

/// Who deletes personal data deletes it here too, also where retention has taken the event.
#[test]
fn a_deletion_takes_kept_events_that_match() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let admin = ledger.admin();
    let events = send(
        &ledger,
        token.reveal(),
        &[
            r#"{"message":"ann was here","user":"ann"}"#,
            r#"{"message":"bob was here","user":"bob"}"#,
        ],
    );
    let incident = open_as(&ledger, &admin, &new("down"));
    assert_eq!(pin(&ledger, &incident, &events), 2);
    let changes = SourceChanges {
        retention_days: Some(Some(1)),
        ..SourceChanges::default()
    };
    let changed = ledger.service().update_source(&admin, "web", &changes);
    changed.unwrap();
    ledger.advance(HOUR * 48);
    let deletion = NewDeletion {
        query: "user:ann".to_owned(),
        sources: vec!["web".to_owned()],
        ..NewDeletion::default()
    };
    let deleted = ledger
        .service()
        .delete_events(&admin, &deletion, &Cancel::default());
    deleted.unwrap();
    let kept = kept(&ledger, &incident);
    assert_eq!(kept.len(), 1);
    assert!(kept[0].contains("bob"), "{kept:?}");
    let timeline = ledger
        .service()
        .incident_timeline(&admin, &id_of(&incident));
    let timeline = timeline.unwrap();
    let last = timeline.last().unwrap();
    assert_eq!(last.entry.text, "1 event that was kept is deleted");
}

#[test]
fn an_event_of_another_client_is_not_kept() {
    let mut ledger = Ledger::new();
    let (ours, theirs) = (ledger.create_client("ours"), ledger.create_client("theirs"));
    let token = ledger.create_source_of("web", Some(theirs)).token;
    let events = send(&ledger, token.reveal(), &[r#"{"message":"secret"}"#]);
    let of_us = NewIncident {
        client: Some(ours),
        ..new("down")
    };
    let incident = open_as(&ledger, &ledger.admin(), &of_us);
    // Not even by who sees both: the incident is read by the other client.
    let (admin, cancel) = (ledger.admin(), Cancel::default());
    let service = ledger.service();
    let pinned = service.pin_incident_events(&admin, &id_of(&incident), &events, &cancel);
    let pinned = pinned.unwrap();
    assert_eq!((pinned.kept, pinned.refused.len()), (0, 1));
    assert!(kept(&ledger, &incident).is_empty());
}

type ActOnIncident = fn(&Ledger, &Caller, &str) -> Result<(), Error>;

#[test]
fn an_incident_of_another_client_is_as_good_as_none() {
    let mut ledger = Ledger::new();
    let (ours, theirs) = (ledger.create_client("ours"), ledger.create_client("theirs"));
    let us = ledger.caller(Access::Admin, &[ours]);
    let them = ledger.caller(Access::Admin, &[theirs]);
    let hidden = open_as(&ledger, &them, &new("secret"));
    let own = open_as(&ledger, &us, &new("own"));
    let acts: [ActOnIncident; 14] = [
        |ledger, caller, id| ledger.service().incident(caller, id).map(drop),
        |ledger, caller, id| ledger.service().incident_timeline(caller, id).map(drop),
        |ledger, caller, id| ledger.service().incident_events(caller, id).map(drop),
        |ledger, caller, id| ledger.service().incident_comments(caller, id).map(drop),
        |ledger, caller, id| ledger.service().incident_explanation(caller, id).map(drop),
        |ledger, caller, id| ledger.service().related_incidents(caller, id).map(drop),
        |ledger, caller, id| ledger.service().incident_report(caller, id).map(drop),
        |ledger, caller, id| {
            let acknowledged = ledger.service().acknowledge_incident(caller, id, None);
            acknowledged.map(drop)
        },
        |ledger, caller, id| {
            let resolved = ledger.service().resolve_incident(caller, id, None);
            resolved.map(drop)
        },
        |ledger, caller, id| ledger.service().reopen_incident(caller, id, None).map(drop),
        |ledger, caller, id| {
            let commented = ledger.service().comment_on_incident(caller, id, "hm");
            commented.map(drop)
        },
        |ledger, caller, id| {
            let ids = [id.to_owned()];
            let own = ledger
                .service()
                .list_incidents(caller, &IncidentsRequest::default());
            let own = id_of(&own?.incidents[0]);
            ledger
                .service()
                .merge_incidents(caller, &own, &ids)
                .map(drop)
        },
        |ledger, caller, id| {
            let (events, cancel) = (["1-1".to_owned()], Cancel::default());
            let service = ledger.service();
            let pinned = service.pin_incident_events(caller, id, &events, &cancel);
            pinned.map(drop)
        },
        |ledger, caller, id| ledger.service().delete_incident(caller, id),
    ];
    for act in acts {
        let told = act(&ledger, &us, &id_of(&hidden)).unwrap_err();
        let expected = act(&ledger, &us, "4711").unwrap_err();
        let words = told.to_string().replace(&id_of(&hidden), "4711");
        assert_eq!(
            (told.code(), words),
            (expected.code(), expected.to_string())
        );
    }
    let listed = ledger
        .service()
        .list_incidents(&us, &IncidentsRequest::default());
    let listed = listed.unwrap();
    assert_eq!((listed.total, listed.incidents[0].id), (1, own.id));
    let of_them = IncidentsRequest {
        client: Some(theirs),
        ..IncidentsRequest::default()
    };
    let listed = ledger.service().list_incidents(&us, &of_them).unwrap();
    assert_eq!(listed.total, 0);
    let hidden = ledger.service().incident(&them, &id_of(&hidden)).unwrap();
    assert_eq!(hidden.status(), IncidentStatus::Started);
}

#[test]
fn an_incident_is_reopened_within_a_day() {
    let ledger = Ledger::new();
    let admin = ledger.admin();
    let service = ledger.service();
    let keyed = NewIncident {
        key: Some("disk".to_owned()),
        ..new("down")
    };
    let id = id_of(&open_as(&ledger, &admin, &keyed));
    service.resolve_incident(&admin, &id, Some("ann")).unwrap();
    ledger.advance(HOUR * 23);
    let reopened = service.reopen_incident(&admin, &id, None).unwrap();
    assert_eq!(reopened.status(), IncidentStatus::Started);
    service.resolve_incident(&admin, &id, None).unwrap();
    // With another of its key open, there would be two.
    let other = id_of(&open_as(&ledger, &admin, &keyed));
    assert_ne!(other, id);
    let refused = service.reopen_incident(&admin, &id, None);
    assert!(
        matches!(refused, Err(Error::Conflict { .. })),
        "{refused:?}"
    );
    service.resolve_incident(&admin, &other, None).unwrap();
    ledger.advance(HOUR * 24 + MINUTE);
    let refused = service.reopen_incident(&admin, &id, None);
    assert!(
        matches!(refused, Err(Error::Conflict { .. })),
        "{refused:?}"
    );
}

#[test]
fn pages_follow_one_another_while_incidents_open() {
    let ledger = Ledger::new();
    let admin = ledger.admin();
    for number in 0..7 {
        open_as(&ledger, &admin, &new(&format!("old {number}")));
        ledger.advance(MINUTE);
    }
    let mut request = IncidentsRequest {
        per_page: Some(3),
        ..IncidentsRequest::default()
    };
    let mut names = Vec::new();
    loop {
        let page = ledger.service().list_incidents(&admin, &request).unwrap();
        names.extend(page.incidents.into_iter().map(|incident| incident.name));
        open_as(&ledger, &admin, &new("new"));
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => break,
        }
    }
    let expected: Vec<String> = (0..7).rev().map(|number| format!("old {number}")).collect();
    assert_eq!(names, expected);
}

#[test]
fn a_comment_is_changed_by_who_wrote_it() {
    let ledger = Ledger::new();
    let client = ledger.create_source("web").source.client;
    let (ann, bob) = (
        ledger.caller(Access::Write, &[client]),
        ledger.caller(Access::Write, &[client]),
    );
    let service = ledger.service();
    let id = id_of(&open_as(&ledger, &ann, &new("down")));
    let comment = service.comment_on_incident(&ann, &id, "one").unwrap();
    let comment = comment.id.0.to_string();
    let refused = service.edit_incident_comment(&bob, &id, &comment, "two");
    assert!(
        matches!(refused, Err(Error::Conflict { .. })),
        "{refused:?}"
    );
    let refused = service.delete_incident_comment(&bob, &id, &comment);
    assert!(
        matches!(refused, Err(Error::Conflict { .. })),
        "{refused:?}"
    );
    let edited = service.edit_incident_comment(&ann, &id, &comment, "two");
    assert_eq!(edited.unwrap().entry.text, "two");
    let admin = ledger.admin();
    service
        .delete_incident_comment(&admin, &id, &comment)
        .unwrap();
    let timeline = service.incident_timeline(&ann, &id).unwrap();
    let last = timeline.last().unwrap();
    assert_eq!(
        (last.entry.kind.name(), last.entry.text.as_str()),
        ("comment_deleted", "")
    );
}

/// What changed is found out in the background, kept, and shared causes make incidents related.
#[test]
fn what_changed_is_kept_with_the_incident() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let admin = ledger.admin();
    let well: Vec<String> = (0..600)
        .map(|n| format!(r#"{{"message":"ok","level":"info","host":"h{}"}}"#, n % 3))
        .collect();
    ledger
        .send(token.reveal(), &format!("[{}]", well.join(",")))
        .unwrap();
    ledger.advance(MINUTE * 30);
    let bad: Vec<String> = (0..300)
        .map(|n| {
            let level = if n % 3 == 1 { "error" } else { "info" };
            format!(
                r#"{{"message":"ok","level":"{level}","host":"h{}"}}"#,
                n % 3
            )
        })
        .collect();
    ledger
        .send(token.reveal(), &format!("[{}]", bad.join(",")))
        .unwrap();
    ledger.advance(MINUTE);
    let watched = NewIncident {
        query: Some("level:error".to_owned()),
        severity: Some(Severity::Critical),
        ..new("errors")
    };
    let first = open_as(&ledger, &admin, &watched);
    ledger.advance(MINUTE);
    let second = open_as(&ledger, &admin, &watched);
    let service = ledger.service();
    service.explain_incidents().unwrap();
    let explanation = service
        .incident_explanation(&admin, &id_of(&first))
        .unwrap();
    let IncidentExplanation::Known(answer) = explanation else {
        panic!("{explanation:?}");
    };
    let cause = answer.causes.first().unwrap();
    let values: Vec<&str> = cause
        .values
        .iter()
        .map(|value| value.value.as_str())
        .collect();
    assert_eq!(values, ["h1"], "{:?}", answer.causes);
    assert!(!answer.account.windows.current.from.to_string().is_empty());
    let related = service.related_incidents(&admin, &id_of(&first)).unwrap();
    assert_eq!(related.len(), 1);
    assert_eq!(related[0].incident.id, second.id);
    assert_eq!(
        related[0].reasons,
        ["what changed has host=h1 in both", "it began 1 min after"]
    );
    let report = service.incident_report(&admin, &id_of(&first)).unwrap();
    assert!(report.contains("host=h1"), "{report}");

    // A deletion may have been about what this tells of: it is found out again.
    let deletion = NewDeletion {
        query: "host:h1".to_owned(),
        sources: vec!["web".to_owned()],
        ..NewDeletion::default()
    };
    service
        .delete_events(&admin, &deletion, &Cancel::default())
        .unwrap();
    service.explain_incidents().unwrap();
    let report = service.incident_report(&admin, &id_of(&first)).unwrap();
    assert!(!report.contains("host=h1"), "{report}");
}

#[test]
fn nothing_out_of_logs_breaks_out_of_the_report() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let admin = ledger.admin();
    let events = send(
        &ledger,
        token.reveal(),
        &[r#"{"message":"```\n# Owned\n````"}"#],
    );
    let incident = open_as(
        &ledger,
        &admin,
        &NewIncident {
            cause: "<script>alert(1)</script>\n# Owned".to_owned(),
            labels: [("a".to_owned(), "`# Owned`".to_owned())].into(),
            ..new("*down* [x](http://evil)")
        },
    );
    let id = id_of(&incident);
    pin(&ledger, &incident, &events);
    let service = ledger.service();
    service
        .comment_on_incident(&admin, &id, "one\n# Owned")
        .unwrap();
    service
        .acknowledge_incident(&admin, &id, Some("ann"))
        .unwrap();
    ledger.advance(HOUR);
    service.resolve_incident(&admin, &id, None).unwrap();
    let report = service.incident_report(&admin, &id).unwrap();
    let headings: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with('#'))
        .collect();
    assert_eq!(
        headings,
        [
            "# Incident 1: \\*down\\* \\[x\\](http://evil)",
            "## Impact",
            "## Timeline",
            "## What changed when it began",
            "## Events",
            "## Comments",
            "## Related incidents",
            "## Open questions",
        ]
    );
    assert!(report.contains("1 h 0 min"), "{report}");
    assert!(report.contains("acknowledged by"), "{report}");
    assert!(!report.contains("<script>"), "{report}");
}
