//! Incidents and silences as the catalog keeps them: lists against a naive filter, timelines against what was done, whatever the order.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use cordwood_catalog::{
    Author, Catalog, ChannelContent, ChannelId, ClientId, Entry, EntryId, EntryKind, Error,
    Incident, IncidentChange, IncidentFilter, IncidentId, IncidentStatus, KEPT_EVENT_BYTES_MAX,
    KEPT_EVENTS_MAX, KeptEvent, Link, NewIncident, NewNotice, NewSilence, Opened, Secret, Severity,
};
use cordwood_event::{SourceId, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(1_800_000_000_000_000_000 + seconds * 1_000_000_000)
}

fn shelf() -> (TempDir, Catalog) {
    let dir = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&dir.path().join("catalog.db"), at(0)).unwrap();
    (dir, catalog)
}

fn new(name: &str) -> NewIncident {
    NewIncident {
        client: ClientId(1),
        rule: None,
        group: None,
        episode: None,
        key: None,
        name: name.to_owned(),
        cause: "because".to_owned(),
        severity: Severity::Error,
        started_at: at(0),
        opened_by: "ops".to_owned(),
        opened_with: None,
        assignee: None,
        muted_by: None,
        is_told: true,
        labels: BTreeMap::new(),
        links: Vec::new(),
        channels: Vec::new(),
        evidence: "{}".to_owned(),
        events: Vec::new(),
    }
}

fn event(id: &str, seconds: i64) -> KeptEvent {
    KeptEvent {
        event_id: id.to_owned(),
        dt: at(seconds),
        source: SourceId(7),
        source_name: "shop".to_owned(),
        event: format!("{{\"message\":\"{id}\"}}"),
    }
}

fn ann() -> Author {
    Author::named("ann")
}

fn comment(text: &str) -> Entry {
    Entry {
        kind: EntryKind::Comment,
        author: "ops".to_owned(),
        token: None,
        text: text.to_owned(),
    }
}

fn opened(catalog: &Catalog, new: &NewIncident) -> IncidentId {
    let opened = catalog.open_incident(new, |_| Vec::new(), at(0)).unwrap();
    assert!(matches!(opened, Opened::New(_)), "{new:?}");
    opened.id()
}

fn changed(catalog: &Catalog, id: IncidentId, change: &IncidentChange, seconds: i64) -> bool {
    let by = &ann();
    catalog
        .change_incident(id, change, by, &[], at(seconds))
        .unwrap()
}

fn kinds(catalog: &Catalog, id: IncidentId) -> Vec<&'static str> {
    let timeline = catalog.timeline(&[id]).unwrap();
    timeline
        .iter()
        .map(|entry| entry.entry.kind.name())
        .collect()
}

#[test]
fn an_incident_is_read_as_it_was_opened() {
    let (dir, catalog) = shelf();
    let new = NewIncident {
        labels: BTreeMap::from([("team".to_owned(), "a\n\"b\"".to_owned())]),
        links: vec![Link {
            title: "runbook".to_owned(),
            url: "https://wiki.example/1".to_owned(),
        }],
        channels: vec![3, 1],
        severity: Severity::Critical,
        assignee: Some("ann".to_owned()),
        key: Some("disk-1".to_owned()),
        events: vec![event("b", 2), event("a", 1)],
        ..new("disk full")
    };
    let id = opened(&catalog, &new);
    drop(catalog);
    let catalog = Catalog::open(&dir.path().join("catalog.db"), at(9)).unwrap();
    let incident = catalog.incident(id).unwrap().unwrap();
    assert_eq!(
        incident,
        Incident {
            id,
            client: ClientId(1),
            rule: None,
            group: None,
            episode: None,
            key: new.key.clone(),
            name: "disk full".to_owned(),
            cause: "because".to_owned(),
            severity: Severity::Critical,
            started_at: at(0),
            opened_by: "ops".to_owned(),
            acknowledged: None,
            resolved: None,
            assignee: new.assignee.clone(),
            merged_into: None,
            muted_by: None,
            is_told: true,
            labels: new.labels.clone(),
            links: new.links.clone(),
            channels: vec![3, 1],
            evidence: "{}".to_owned(),
            what_changed: None,
            updated_at: at(0),
        }
    );
    assert_eq!(kinds(&catalog, id), ["opened"]);
    let kept = catalog.kept_events(&[id]).unwrap();
    assert_eq!(kept, [event("a", 1), event("b", 2)]);
    assert!(catalog.incident(IncidentId(99)).unwrap().is_none());
}

#[test]
fn a_key_opens_one_incident_at_a_time() {
    let (_dir, catalog) = shelf();
    let new = NewIncident {
        key: Some("disk".to_owned()),
        ..new("disk full")
    };
    let first = opened(&catalog, &new);
    let again = catalog.open_incident(&new, |_| Vec::new(), at(1)).unwrap();
    assert_eq!(again, Opened::Known(first));
    assert!(changed(&catalog, first, &IncidentChange::Resolve, 2));
    let second = opened(&catalog, &new);
    assert_ne!(second, first);
    // Two with one key would be open.
    assert!(!changed(&catalog, first, &IncidentChange::Reopen, 3));
    assert!(changed(&catalog, second, &IncidentChange::Resolve, 4));
    assert!(changed(&catalog, first, &IncidentChange::Reopen, 5));
    assert_eq!(kinds(&catalog, first), ["opened", "resolved", "reopened"]);
}

#[test]
fn what_is_done_already_changes_nothing() {
    let (_dir, catalog) = shelf();
    let id = opened(&catalog, &new("down"));
    let links = vec![Link {
        title: "t".to_owned(),
        url: "u".to_owned(),
    }];
    let cases = [
        (IncidentChange::Acknowledge, "acknowledged"),
        (IncidentChange::Assign(Some("ann".to_owned())), "assigned"),
        (IncidentChange::Assign(None), "assigned"),
        (IncidentChange::Severity(Severity::Info), "severity_changed"),
        (IncidentChange::Rename("up".to_owned()), "changed"),
        (
            IncidentChange::Label(BTreeMap::from([("a".to_owned(), "b".to_owned())])),
            "changed",
        ),
        (IncidentChange::Link(links), "changed"),
        (IncidentChange::Resolve, "resolved"),
        (IncidentChange::Reopen, "reopened"),
    ];
    let mut expected = vec!["opened"];
    for (change, kind) in &cases {
        assert!(changed(&catalog, id, change, 1), "{change:?}");
        assert!(!changed(&catalog, id, change, 2), "{change:?}");
        expected.push(kind);
    }
    assert_eq!(kinds(&catalog, id), expected);
    // A resolved one is not acknowledged, and one that was told is not told.
    assert!(changed(&catalog, id, &IncidentChange::Resolve, 3));
    assert!(!changed(&catalog, id, &IncidentChange::Acknowledge, 4));
    assert!(!changed(&catalog, id, &IncidentChange::Tell, 5));
    let unknown =
        catalog.change_incident(IncidentId(99), &IncidentChange::Resolve, &ann(), &[], at(6));
    assert!(matches!(unknown, Err(Error::NotFound { kind: "incident" })));
}

fn channel(catalog: &Catalog) -> ChannelId {
    let content = ChannelContent {
        name: "ops".to_owned(),
        kind: "slack".to_owned(),
        settings: "{}".to_owned(),
        secrets: Secret::new("{}"),
        per_minute: 20,
        is_default: true,
        is_paused: false,
    };
    let channel = catalog.create_channel(Some(ClientId(1)), content, at(0));
    channel.unwrap().id
}

fn notice(channel: ChannelId, key: &str) -> NewNotice {
    NewNotice {
        channel,
        incident: None,
        rule: None,
        kind: "opened".to_owned(),
        idempotency_key: key.to_owned(),
        notice: "{}".to_owned(),
    }
}

/// Notices are written with what they tell of, each with the number of the incident, and not where nothing happened.
#[test]
fn notices_are_written_with_what_they_tell_of() {
    let (_dir, catalog) = shelf();
    let channel = channel(&catalog);
    let keyed = NewIncident {
        key: Some("disk".to_owned()),
        ..new("disk full")
    };
    let open = |key: &str| {
        let notices = |_| vec![notice(channel, key)];
        catalog.open_incident(&keyed, notices, at(0)).unwrap().id()
    };
    let id = open("opened");
    assert_eq!(open("opened again"), id);
    let tell = |change: &IncidentChange, key: &str| {
        let notices = [notice(channel, key)];
        let changed = catalog.change_incident(id, change, &ann(), &notices, at(1));
        changed.unwrap();
    };
    tell(&IncidentChange::Acknowledge, "acknowledged");
    tell(&IncidentChange::Acknowledge, "acknowledged again");
    tell(&IncidentChange::Resolve, "resolved");
    tell(&IncidentChange::Acknowledge, "acknowledged too late");
    let waiting = catalog.untried(channel, 100).unwrap();
    let keys: Vec<&str> = waiting
        .iter()
        .map(|waiting| waiting.notice.idempotency_key.as_str())
        .collect();
    assert_eq!(keys, ["opened", "acknowledged", "resolved"]);
    let mut incidents = waiting.iter().map(|waiting| waiting.notice.incident);
    assert!(incidents.all(|incident| incident == Some(id)));
}

#[test]
fn two_who_resolve_at_once_make_one_entry() {
    let (_dir, catalog) = shelf();
    let id = opened(&catalog, &new("down"));
    let resolved = std::thread::scope(|scope| {
        let threads =
            [0; 8].map(|_| scope.spawn(|| changed(&catalog, id, &IncidentChange::Resolve, 1)));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(resolved.iter().filter(|resolved| **resolved).count(), 1);
    assert_eq!(kinds(&catalog, id), ["opened", "resolved"]);
}

#[test]
fn merged_incidents_point_to_the_one() {
    let (_dir, catalog) = shelf();
    let [a, b, c] = ["a", "b", "c"].map(|name| opened(&catalog, &new(name)));
    let by = &ann();
    assert!(catalog.merge_incident(a, b, by, at(1)).unwrap());
    assert!(!catalog.merge_incident(a, b, by, at(2)).unwrap());
    assert!(!catalog.merge_incident(b, b, by, at(2)).unwrap());
    // The one it is a part of is not made a part of it.
    assert!(!catalog.merge_incident(b, a, by, at(2)).unwrap());
    assert!(catalog.merge_incident(b, c, by, at(3)).unwrap());
    let merged = catalog.incidents_merged_into(c).unwrap();
    assert_eq!(merged.iter().map(|one| one.id).collect::<Vec<_>>(), [a, b]);
    assert!(merged.iter().all(|one| one.resolved.is_some()));
    assert_eq!(kinds(&catalog, c), ["opened", "merged"]);
    assert!(changed(&catalog, a, &IncidentChange::Reopen, 4));
    assert_eq!(catalog.incidents_merged_into(c).unwrap().len(), 1);
    catalog.delete_incident(c).unwrap();
    assert_eq!(catalog.incident(b).unwrap().unwrap().merged_into, None);
}

#[test]
fn kept_events_have_limits_and_go_when_they_are_deleted() {
    let (_dir, catalog) = shelf();
    let id = opened(&catalog, &new("down"));
    let large = KeptEvent {
        event: "x".repeat(KEPT_EVENT_BYTES_MAX + 1),
        ..event("large", 0)
    };
    let entry = Entry {
        kind: EntryKind::EventsKept,
        ..comment("")
    };
    let keep = |events: &[KeptEvent]| catalog.keep_events(id, events, &entry, at(1)).unwrap();
    assert_eq!(keep(&[large]), 0);
    assert_eq!(keep(&[event("a", 1), event("a", 1)]), 1);
    assert_eq!(keep(&[event("a", 1)]), 0);
    let many: Vec<KeptEvent> = (0..200).map(|n| event(&format!("e{n}"), n)).collect();
    assert_eq!(keep(&many), KEPT_EVENTS_MAX - 1);
    assert_eq!(
        kinds(&catalog, id),
        ["opened", "events_kept", "events_kept"]
    );

    let of_source = |first, last| {
        catalog
            .kept_events_of(SourceId(7), at(first), at(last))
            .unwrap()
    };
    let found: Vec<(IncidentId, String)> = of_source(0, 1)
        .into_iter()
        .map(|(incident, event)| (incident, event.event_id))
        .collect();
    let expected = ["a", "e0", "e1"].map(|event| (id, event.to_owned()));
    assert_eq!(found, expected);
    let stays = |_: IncidentId, _: &str| None;
    for time in [at(2), at(3)] {
        catalog
            .delete_kept_events(&found, &stays, "ann", time)
            .unwrap();
    }
    assert!(of_source(0, 1).is_empty());
    assert_eq!(
        catalog.kept_events(&[id]).unwrap().len(),
        KEPT_EVENTS_MAX - 3
    );
    let timeline = catalog.timeline(&[id]).unwrap();
    assert_eq!(timeline.len(), 4);
    let last = timeline.last().unwrap();
    assert_eq!(last.entry.text, "3 events that were kept are deleted");
}

#[test]
fn silences_end_by_themselves_or_are_ended() {
    let (_dir, catalog) = shelf();
    let new = |ends: Option<i64>| NewSilence {
        client: None,
        silence: "{}".to_owned(),
        ends_at: ends.map(at),
        comment: "patching".to_owned(),
        author: "ops".to_owned(),
    };
    let [short, long, weekly] =
        [Some(10), Some(100), None].map(|end| catalog.create_silence(&new(end), at(0)).unwrap());
    let standing = |seconds| {
        let standing = catalog.standing_silences(at(seconds)).unwrap();
        let ids = standing.iter().map(|silence| silence.id);
        ids.collect::<Vec<_>>()
    };
    assert_eq!(standing(9), [short, long, weekly]);
    assert_eq!(standing(10), [long, weekly]);
    catalog.end_silence(weekly, at(11)).unwrap();
    catalog.end_silence(weekly, at(20)).unwrap();
    assert_eq!(standing(12), [long]);
    let ended = catalog.silence(weekly).unwrap().unwrap();
    assert_eq!(ended.ended_at, Some(at(11)));
    catalog.update_silence(short, &new(Some(50))).unwrap();
    assert_eq!(standing(12), [short, long]);
    let all = catalog.silences().unwrap();
    assert!(
        all.iter()
            .map(|silence| silence.id)
            .eq([weekly, long, short])
    );
}

#[derive(Clone, Debug)]
enum Step {
    Change(usize, IncidentChange),
    Comment(usize),
    Edit(usize),
    Delete(usize),
    Merge(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        Just(IncidentChange::Acknowledge),
        Just(IncidentChange::Resolve),
        Just(IncidentChange::Reopen),
        proptest::option::of("[ab]").prop_map(IncidentChange::Assign),
        proptest::sample::select(Severity::ALL.to_vec()).prop_map(IncidentChange::Severity),
    ];
    prop_oneof![
        4 => (0usize..3, change).prop_map(|(incident, change)| Step::Change(incident, change)),
        2 => (0usize..3).prop_map(Step::Comment),
        1 => (0usize..9).prop_map(Step::Edit),
        1 => (0usize..9).prop_map(Step::Delete),
        1 => (0usize..3, 0usize..3).prop_map(|(one, into)| Step::Merge(one, into)),
    ]
}

/// Does a step and returns what has to have been added to the timelines.
fn take(
    catalog: &Catalog,
    incidents: &[IncidentId],
    comments: &mut Vec<EntryId>,
    step: &Step,
    now: i64,
) -> usize {
    match step {
        Step::Change(incident, change) => {
            usize::from(changed(catalog, incidents[*incident], change, now))
        }
        Step::Comment(incident) => {
            let incident = incidents[*incident];
            let id = catalog.add_to_timeline(incident, &comment("hm"), &[], at(now));
            comments.push(id.unwrap());
            1
        }
        Step::Edit(index) => {
            if let Some(comment) = comments.get(*index) {
                let _ = catalog.edit_comment(*comment, "edited", at(now));
            }
            0
        }
        Step::Delete(index) => {
            if let Some(comment) = comments.get(*index) {
                let _ = catalog.delete_comment(*comment, at(now));
            }
            0
        }
        Step::Merge(one, into) => {
            let by = &ann();
            let is_merged = catalog.merge_incident(incidents[*one], incidents[*into], by, at(now));
            2 * usize::from(is_merged.unwrap())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is done, and however the clock runs, entries stay, in the order in which they were written.
    #[test]
    fn a_timeline_only_grows(steps in proptest::collection::vec((step(), -5i64..5), 1..40)) {
        let (_dir, catalog) = shelf();
        let incidents = ["a", "b", "c"].map(|name| opened(&catalog, &new(name)));
        let mut comments = Vec::new();
        let mut before = catalog.timeline(&incidents).unwrap();
        prop_assert_eq!(before.len(), 3);
        for (step, now) in &steps {
            let added = take(&catalog, &incidents, &mut comments, step, *now);
            let after = catalog.timeline(&incidents).unwrap();
            prop_assert_eq!(after.len(), before.len() + added, "{:?}", step);
            for (was, is) in before.iter().zip(&after) {
                prop_assert_eq!((was.id, was.incident, was.at), (is.id, is.incident, is.at));
                let is_comment = was.entry.kind == EntryKind::Comment;
                prop_assert!(was.entry == is.entry || is_comment, "{:?}", step);
            }
            before = after;
        }
    }

    /// A page of a filter is what a naive filter finds there.
    #[test]
    fn a_filter_finds_what_fits(
        made in proptest::collection::vec((0i64..6, 0usize..4, "[ab]{1,2}", 0u8..3, proptest::option::of("[xy]")), 0..12),
        statuses in proptest::sample::subsequence(vec![IncidentStatus::Started, IncidentStatus::Acknowledged, IncidentStatus::Resolved], 0..3),
        severities in proptest::sample::subsequence(Severity::ALL.to_vec(), 0..3),
        (from, to) in (proptest::option::of(0i64..6), proptest::option::of(0i64..6)),
        text in proptest::option::of("[AaBb]"),
        label in proptest::option::of(proptest::collection::vec("[xy]", 0..2)),
        is_acknowledged in proptest::option::of(any::<bool>()),
        (page, size) in (0usize..3, 1usize..5),
    ) {
        let (_dir, catalog) = shelf();
        for (started, severity, name, done, label) in &made {
            let labels = label.iter().map(|value| ("team".to_owned(), value.clone()));
            let id = opened(&catalog, &NewIncident {
                started_at: at(*started),
                severity: Severity::ALL[*severity],
                labels: labels.collect(),
                cause: String::new(),
                ..new(name)
            });
            if *done > 0 { changed(&catalog, id, &IncidentChange::Acknowledge, 1); }
            if *done > 1 { changed(&catalog, id, &IncidentChange::Resolve, 1); }
        }
        let filter = IncidentFilter {
            clients: Some(vec![ClientId(1)]),
            from: from.map(at),
            to: to.map(at),
            statuses: statuses.clone(),
            is_acknowledged,
            severities: severities.clone(),
            labels: label.iter().map(|values| ("team".to_owned(), values.clone())).collect(),
            text: text.clone(),
            ..IncidentFilter::default()
        };
        let mut fitting: Vec<Incident> = catalog.incidents(&IncidentFilter::default(), 0, 100).unwrap();
        prop_assert_eq!(fitting.len(), made.len());
        fitting.retain(|one| {
            let team = one.labels.get("team");
            from.is_none_or(|from| one.started_at >= at(from))
                && to.is_none_or(|to| one.started_at <= at(to))
                && (statuses.is_empty() || statuses.contains(&one.status()))
                && is_acknowledged.is_none_or(|wanted| one.acknowledged.is_some() == wanted)
                && (severities.is_empty() || severities.contains(&one.severity))
                && label.as_ref().is_none_or(|values| team.is_some_and(|team| values.is_empty() || values.contains(team)))
                && text.as_ref().is_none_or(|text| one.name.contains(&text.to_lowercase()))
        });
        fitting.sort_by_key(|one| std::cmp::Reverse((one.started_at, one.id)));
        prop_assert_eq!(usize::try_from(catalog.count_incidents(&filter).unwrap()).unwrap(), fitting.len());
        let by_number = catalog.incidents(&filter, page * size, size).unwrap();
        let expected: Vec<Incident> = fitting.iter().skip(page * size).take(size).cloned().collect();
        prop_assert_eq!(&by_number, &expected);
        if let Some(last) = expected.last() {
            let after = IncidentFilter { after: Some((last.started_at, last.id)), ..filter.clone() };
            let next = catalog.incidents(&after, 0, size).unwrap();
            prop_assert_eq!(next, fitting.iter().skip(page * size + expected.len()).take(size).cloned().collect::<Vec<_>>());
        }
        let others = IncidentFilter { clients: Some(vec![ClientId(2)]), ..filter };
        prop_assert!(catalog.incidents(&others, 0, 9).unwrap().is_empty());
    }
}
