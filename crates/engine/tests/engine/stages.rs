//! Stages against the naive evaluator: random events, random stages, rows in every place a store keeps them.

use cordwood_engine::{
    Cell, Order, SearchRequest, SearchedSource, Staged, StagedAnswer, StagedRequest, Table,
};
use cordwood_event::{Event, Timestamp};
use cordwood_query::{TimeBounds, parse};
use proptest::prelude::*;

use crate::oracle::{Step, blocks_add_up, steps_with_deletions, take};
use crate::support::fixture::{Fixture, newest, sorted, sources};
use crate::support::naive::{Circumstances, Rows, apply};
use crate::support::question::question;
use crate::support::stage_text::stages;

const BLOCK_ROWS: usize = 8;
/// Times of the events are so many nanoseconds apart, that intervals have a meaning.
const TICK: i64 = 1_000_000;

fn spread(steps: Vec<Step>) -> Vec<Step> {
    let spread = |step| match step {
        Step::Append(source, mut documents) => {
            documents
                .iter_mut()
                .for_each(|document| document.time *= TICK);
            Step::Append(source, documents)
        }
        Step::Delete(text, source, range) => {
            let spread =
                |time: Timestamp| Timestamp::from_nanos(time.as_nanos().saturating_mul(TICK));
            let range = TimeBounds {
                first: spread(range.first),
                last: spread(range.last),
            };
            Step::Delete(text, source, range)
        }
        other => other,
    };
    steps.into_iter().map(spread).collect()
}

#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) filter: String,
    pub(crate) stages: String,
    pub(crate) order: Order,
    pub(crate) range: TimeBounds,
    pub(crate) rows_max: usize,
}

fn asked() -> impl Strategy<Value = Asked> {
    let order = proptest::sample::select(&[Order::NewestFirst, Order::OldestFirst][..]);
    let range = prop_oneof![
        2 => Just(TimeBounds::ALL),
        1 => (0i64..40, 0i64..40).prop_map(|(first, last)| TimeBounds {
            first: Timestamp::from_nanos(first * TICK),
            last: Timestamp::from_nanos(last * TICK),
        }),
    ];
    let filter = prop_oneof![Just("*".to_owned()), question()];
    (filter, stages(), order, range, 0usize..40)
        .prop_map(|(filter, stages, order, range, rows_max)| Asked {
            filter,
            stages,
            order,
            range,
            rows_max,
        })
        // Such as a percentile of a name, or a name given twice.
        .prop_filter("the parser refuses what has no meaning", |asked| {
            parse(&text(asked)).is_ok()
        })
}

fn text(asked: &Asked) -> String {
    format!("{}{}", asked.filter, asked.stages)
}

fn request(asked: &Asked) -> StagedRequest {
    let text = text(asked);
    let parsed = parse(&text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
    StagedRequest {
        search: SearchRequest {
            filter: parsed.query.filter,
            order: asked.order,
            range: asked.range,
            ..newest("*", 0)
        },
        stages: parsed.query.stages,
        rows_max: asked.rows_max,
    }
}

/// What the naive evaluator makes of the events that match.
fn expected(fixture: &Fixture, request: &StagedRequest) -> Rows {
    let mut search = request.search.clone();
    let leading = request.stages.iter().map_while(|stage| match stage {
        cordwood_query::Stage::Where(filter) => Some(filter.clone()),
        _ => None,
    });
    let of_leading = cordwood_query::Filter::and(leading.collect());
    let bounds = search
        .filter
        .time_bounds(search.now)
        .intersection(of_leading.time_bounds(search.now));
    let range = search.range.intersection(bounds);
    let whole = cordwood_query::Filter::and(vec![search.filter.clone(), of_leading]);
    let is_searched = |source: &SearchedSource| whole.admits_source(source.id, &source.name);
    let everything = SearchRequest {
        filter: cordwood_query::Filter::All,
        range: TimeBounds::ALL,
        sources: search
            .sources
            .iter()
            .filter(|source| is_searched(source))
            .cloned()
            .collect(),
        ..search.clone()
    };
    search.limit = usize::MAX;
    let data = fixture
        .expected(&everything)
        .iter()
        .fold(TimeBounds::NONE, |data, event| {
            let time = event.id.timestamp;
            data.hull(TimeBounds {
                first: time,
                last: time,
            })
        });
    let range = TimeBounds {
        first: if range.first == Timestamp::MIN {
            data.first
        } else {
            range.first
        },
        last: if range.last == Timestamp::MAX {
            data.last
        } else {
            range.last
        },
    };
    let name = |event: &Event| {
        sources()
            .iter()
            .find(|source| source.id == event.source)
            .map(|source| source.name.clone())
    };
    let events = fixture.expected(&search).into_iter().map(|event| {
        let name = name(&event).unwrap_or_default();
        (event, name)
    });
    let around = Circumstances {
        now: search.now,
        range: (!range.is_empty()).then_some(range),
    };
    apply(&request.stages, Rows::Events(events.collect()), around)
}

fn is_same(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        // The naive sum is rounded at every step.
        (Cell::Float(a), Cell::Float(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1e4),
        _ => a == b,
    }
}

/// Sums of numbers as far apart as these are not worth comparing: the naive one loses the small ones.
fn is_huge(cell: &Cell) -> bool {
    matches!(cell, Cell::Float(float) if float.abs() >= 1e15)
}

pub(crate) fn check(fixture: &Fixture, asked: &Asked) -> Result<StagedAnswer, TestCaseError> {
    let request = request(asked);
    let expected = expected(fixture, &request);
    let answer = fixture
        .engine
        .run_stages(&fixture.store.snapshot(), &request)
        .expect("an answer");
    prop_assert!(answer.account.is_complete(), "{:?}", answer.account);
    prop_assert!(
        blocks_add_up(&answer.account),
        "{asked:?}: {:?}",
        answer.account.blocks
    );
    match (&answer.result, expected) {
        (Staged::Events { events, .. }, Rows::Events(expected)) => {
            let found: Vec<Event> = events.iter().cloned().map(sorted).collect();
            let page = expected
                .into_iter()
                .take(asked.rows_max)
                .map(|(event, _)| sorted(event));
            prop_assert_eq!(found, page.collect::<Vec<_>>(), "events of {:?}", asked);
        }
        (
            Staged::Table(Table {
                columns,
                rows,
                more,
            }),
            Rows::Table(expected),
        ) => {
            prop_assert_eq!(columns, &expected.columns);
            prop_assert_eq!(
                *more,
                expected.rows.len() > asked.rows_max,
                "more of {:?}",
                asked
            );
            let shown = &expected.rows[..expected.rows.len().min(asked.rows_max)];
            let are_same = rows.len() == shown.len()
                && rows.iter().zip(shown).all(|(a, b)| {
                    a.iter()
                        .zip(b)
                        .all(|(a, b)| is_same(a, b) || is_huge(a) && is_huge(b))
                });
            prop_assert!(
                are_same,
                "{asked:?}\n found    {rows:?}\n expected {shown:?}"
            );
        }
        (found, expected) => prop_assert!(false, "{asked:?}: {found:?} for {expected:?}"),
    }
    Ok(answer)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn stages_make_what_the_naive_evaluator_makes(
        steps in steps_with_deletions(),
        questions in proptest::collection::vec(asked(), 60),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, &spread(steps));
        for asked in &questions {
            check(&fixture, asked)?;
        }
    }
}
