//! Scans against the one-event matcher: the same events, their values by columns, from every place a store keeps them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use cordwood_engine::{
    Extent, FieldKinds, Fields, Gather, Order, ScanRequest, ScannedRows, SearchRequest, Unread,
    Wanted, WindowLimit,
};
use cordwood_event::{Event, EventId, Scalar, json, path};
use cordwood_query::Target;
use cordwood_store::column::ScalarKind;
use proptest::prelude::*;

use crate::oracle::{steps, take};
use crate::support::fixture::{Fixture, newest};
use crate::support::question::question;

const FIELDS: [&str; 4] = ["status", "items", "user.name", "level"];

/// By id, the source, the values of the fields, and the event as JSON.
type Rows = BTreeMap<EventId, (u64, Vec<Option<String>>, String)>;

struct AsText;

fn text_of(value: Scalar<'_>) -> String {
    let mut text = String::new();
    json::write_value(&mut text, value);
    text
}

impl Gather for AsText {
    type Gathered = Rows;

    fn gather(&self, rows: &ScannedRows<'_>) -> Result<Rows, Unread> {
        let mut ids = Vec::new();
        rows.each_id(&mut |id| ids.push(id));
        assert_eq!(ids.len(), rows.len());
        let mut values = vec![Vec::new(); ids.len()];
        for field in 0..FIELDS.len() {
            let mut row = 0;
            rows.each_value(field, &mut |value| {
                values[row].push(value.map(text_of));
                row += 1;
            })?;
        }
        let mut events = Vec::new();
        let mut whole = Vec::new();
        rows.each_event(&mut |event| {
            events.push(written(event));
            let mut text = String::new();
            json::write_event(&mut text, event, &rows.source().name);
            whole.push(text);
        })?;
        let mut at_once = Vec::new();
        rows.write_each(&mut String::new(), &mut |_, text| {
            at_once.push(std::mem::take(text))
        })?;
        assert_eq!(at_once, whole);
        let source = rows.source().id.0;
        let rows = ids.into_iter().zip(values.into_iter().zip(events));
        Ok(rows
            .map(|(id, (values, event))| (id, (source, values, event)))
            .collect())
    }
}

fn written(event: &Event) -> String {
    let mut event = event.clone();
    event.fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut text = String::new();
    json::write_event(&mut text, &event, "");
    text
}

/// The values a field has in an event: none, the one, or several as an array.
fn values_of(event: &Event, name: &str) -> Option<String> {
    if let (Target::Level, Some(level)) = (Target::named(name), event.level) {
        return Some(text_of(Scalar::Str(level.name())));
    }
    let field = cordwood_query::FieldName::new(name);
    let mut fields: Vec<_> = event.fields.iter().collect();
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut values = Vec::new();
    for (path, value) in fields {
        let is_own = name != "level" || &**path == "level";
        if let Some(reach) = field.reach(path).filter(|_| is_own) {
            reach.each_value(value.as_scalar(), &mut |value| values.push(text_of(value)));
        }
    }
    match values.len() {
        0 | 1 => values.pop(),
        _ => Some(format!("[{}]", values.join(","))),
    }
}

fn expected(fixture: &Fixture, request: &SearchRequest) -> Rows {
    let events = fixture.expected(request).into_iter();
    let rows = events.map(|event| {
        let values = FIELDS.map(|name| values_of(&event, name)).to_vec();
        (event.id, (event.source.0, values, written(&event)))
    });
    rows.collect()
}

fn scanned(fixture: &Fixture, search: SearchRequest, extent: Extent) -> Rows {
    let request = ScanRequest {
        search,
        extent,
        fields: FIELDS.map(Target::named).to_vec(),
    };
    let mut rows = Rows::new();
    let hand_on = &mut |part: Rows| {
        rows.extend(part);
        ControlFlow::Continue(())
    };
    let snapshot = fixture.store.snapshot();
    let account = fixture
        .engine
        .scan(&snapshot, &request, &Arc::new(AsText), hand_on);
    assert!(account.expect("a scan").is_complete());
    rows
}

/// The ids that a scan in order gives: windows in the order they come, each sorted.
fn scanned_in_order(
    fixture: &Fixture,
    search: SearchRequest,
    bytes_max: u64,
) -> (Vec<EventId>, Rows) {
    let order = search.order;
    let request = ScanRequest {
        search,
        extent: Extent::All,
        fields: FIELDS.map(Target::named).to_vec(),
    };
    let limit = WindowLimit {
        bytes_max,
        bytes_of: |rows: &Rows| rows.len() as u64 * 100,
    };
    let (mut ids, mut all, mut progress) = (Vec::new(), Rows::new(), 0.0);
    let snapshot = fixture.store.snapshot();
    let hand_on = &mut |window: cordwood_engine::Window<Rows>| {
        let rows: Rows = window.gathered.into_iter().flatten().collect();
        match order {
            Order::OldestFirst => ids.extend(rows.keys()),
            Order::NewestFirst => ids.extend(rows.keys().rev()),
        }
        all.extend(rows);
        assert!(window.progress >= progress && window.progress <= 1.0);
        progress = window.progress;
        ControlFlow::Continue(())
    };
    let account =
        fixture
            .engine
            .scan_in_order(&snapshot, &request, &Arc::new(AsText), limit, hand_on);
    assert!(account.expect("a scan").is_complete());
    (ids, all)
}

type Kinds = BTreeMap<Box<str>, Vec<ScalarKind>>;

/// The kinds that the values of the events have, by path.
fn kinds(fixture: &Fixture, request: &SearchRequest) -> Kinds {
    let mut values: BTreeMap<Box<str>, Vec<ScalarKind>> = BTreeMap::new();
    for event in fixture.expected(request) {
        for (path, value) in &event.fields {
            let kind = ScalarKind::of(value.as_scalar());
            values.entry(path.clone()).or_default().push(kind);
        }
    }
    let all = |kinds: Vec<ScalarKind>| {
        let all = ScalarKind::ALL.into_iter();
        all.filter(|kind| kinds.contains(kind)).collect()
    };
    values
        .into_iter()
        .map(|(path, kinds)| (path, all(kinds)))
        .collect()
}

fn kinds_of(fields: &Fields) -> Kinds {
    let has = |kinds: &FieldKinds| {
        let all = ScalarKind::ALL.into_iter();
        all.filter(|kind| kinds.has(*kind)).collect()
    };
    let paths = fields.paths.iter();
    paths
        .map(|(path, kinds)| (path.clone(), has(kinds)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn scans_find_what_matches(steps in steps(), text in question(), limit in 0usize..9, is_newest in any::<bool>()) {
        let mut fixture = Fixture::new(8);
        take(&mut fixture, &steps);
        let order = if is_newest { Order::NewestFirst } else { Order::OldestFirst };
        let request = SearchRequest { order, ..newest(&text, limit) };
        prop_assert_eq!(scanned(&fixture, request.clone(), Extent::All), expected(&fixture, &request));
        let first: Vec<EventId> = fixture.expected(&request).iter().map(|event| event.id).take(limit).collect();
        let found = scanned(&fixture, request, Extent::First);
        prop_assert_eq!(found.len(), first.len());
        prop_assert!(first.iter().all(|id| found.contains_key(id)));
    }

    /// However little a window may hold, all rows come once, and in order.
    #[test]
    fn scans_in_order_are_in_order(steps in steps(), text in question(), bytes_max in 1u64..2000, is_newest in any::<bool>()) {
        let mut fixture = Fixture::new(8);
        take(&mut fixture, &steps);
        let order = if is_newest { Order::NewestFirst } else { Order::OldestFirst };
        let request = SearchRequest { order, ..newest(&text, 3) };
        let (ids, rows) = scanned_in_order(&fixture, request.clone(), bytes_max);
        let wanted: Vec<EventId> = fixture.expected(&request).iter().map(|event| event.id).collect();
        prop_assert_eq!(ids, wanted);
        prop_assert_eq!(rows, expected(&fixture, &request));
    }

    /// What was asked before is known, in part or of blocks that are gone meanwhile.
    #[test]
    fn fields_are_known_with_their_kinds(steps in steps(), asked in 0usize..9) {
        let mut fixture = Fixture::new(8);
        let one = Wanted::Named(["user.name".to_owned()].into());
        let (before, after) = steps.split_at(asked.min(steps.len()));
        for (steps, first) in [(before, &one), (after, &Wanted::All)] {
            take(&mut fixture, steps);
            let request = newest("*", 0);
            let snapshot = fixture.store.snapshot();
            fixture.engine.fields(&snapshot, &request, first).expect("fields");
            let expected = kinds(&fixture, &request);
            let found = fixture.engine.fields(&snapshot, &request, &Wanted::All).expect("fields");
            prop_assert_eq!(kinds_of(&found), expected);
            let named = fixture.engine.fields(&snapshot, &request, &one).expect("fields");
            prop_assert!(named.paths.keys().all(|found| path::name(found) == "user.name"));
            prop_assert!(named.paths.iter().all(|(path, kinds)| found.paths.get(path) == Some(kinds)));
        }
    }
}
