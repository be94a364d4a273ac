//! What was evicted for the size of a source is not found, and what came after is.

use cordwood_engine::Order;
use cordwood_query::TimeBounds;
use cordwood_store::Retention;
use proptest::prelude::*;

use crate::oracle::{Step, steps, take};
use crate::stages::{Asked, check};
use crate::support::fixture::{Fixture, sources};
use crate::support::question::question;
use crate::support::stage_text::stages;

/// Lets a source have a part of what it takes.
fn limit(fixture: &mut Fixture, source: usize, percent: u64) {
    let id = sources()[source].id;
    let taken = fixture.store.snapshot().disk_bytes();
    let taken = taken.get(&id).copied().unwrap_or(0);
    fixture.store.set_retention(Retention {
        size_limits: [(id, taken * percent / 100)].into(),
        ..Retention::default()
    });
    fixture.store.compact().expect("a compaction");
    let snapshot = fixture.store.snapshot();
    let Some(evicted) = snapshot.evictions().get(&id) else {
        return;
    };
    fixture.rows.retain(|row| {
        row.source.id != id
            || row.id.timestamp >= evicted.before
            || row.id.sequence > evicted.up_to_sequence
    });
}

fn asked() -> impl Strategy<Value = Asked> {
    let filter = prop_oneof![Just("*".to_owned()), question()];
    let stages = prop_oneof![
        Just(String::new()),
        Just(" | stats count() by level".to_owned()),
        stages(),
    ];
    (filter, stages)
        .prop_map(|(filter, stages)| Asked {
            filter,
            stages,
            order: Order::NewestFirst,
            range: TimeBounds::ALL,
            rows_max: 40,
        })
        .prop_filter("the parser refuses what has no meaning", |asked| {
            cordwood_query::parse(&format!("{}{}", asked.filter, asked.stages)).is_ok()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_left_is_found(
        before in steps(),
        source in 0usize..2,
        percent in 0u64..100,
        after in steps(),
        questions in proptest::collection::vec(asked(), 30),
    ) {
        let mut fixture = Fixture::new(8);
        take(&mut fixture, &before);
        take(&mut fixture, &[Step::Flush]);
        limit(&mut fixture, source, percent);
        fixture.store.set_retention(Retention::default());
        take(&mut fixture, &after);
        for asked in &questions {
            check(&fixture, asked)?;
        }
    }
}
