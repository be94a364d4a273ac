//! The engine against the one-event matcher: random events, random questions, rows in every place a store
//! keeps them.

use crate::support::document::{Document, document, wide_document};
use crate::support::fixture::{Fixture, newest, sorted, sources};
use crate::support::question::question;
use cordwood_engine::{Account, Order, SearchAnswer, SearchRequest, Total};
use cordwood_event::{Event, Timestamp};
use cordwood_query::TimeBounds;
use proptest::prelude::*;

/// Few enough for several blocks of a few dozen events.
const BLOCK_ROWS: usize = 8;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Append(usize, Vec<Document>),
    /// Everything so far becomes a segment.
    Flush,
    /// What a text means goes, in one source or both.
    Delete(String, Option<usize>, TimeBounds),
    /// What is deleted goes from the files too.
    Purge,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => (0usize..2, proptest::collection::vec(document(), 1..12))
            .prop_map(|(source, documents)| Step::Append(source, documents)),
        1 => (0usize..2, proptest::collection::vec(wide_document(), 1..3))
            .prop_map(|(source, documents)| Step::Append(source, documents)),
        2 => Just(Step::Flush),
    ];
    proptest::collection::vec(step, 1..9)
}

/// Steps, and deletions among them.
pub(crate) fn steps_with_deletions() -> impl Strategy<Value = Vec<Step>> {
    let source = proptest::option::of(0usize..2);
    let range = prop_oneof![
        Just(TimeBounds::ALL),
        (0i64..40, 0i64..40).prop_map(|(first, last)| TimeBounds {
            first: Timestamp::from_nanos(first),
            last: Timestamp::from_nanos(last),
        }),
    ];
    let deletion = prop_oneof![
        4 => (question(), source, range)
            .prop_map(|(text, source, range)| Step::Delete(text, source, range)),
        1 => Just(Step::Purge),
    ];
    let steps = (steps(), proptest::collection::vec(deletion, 0..3));
    let steps = steps.prop_map(|(steps, deletions)| [steps, deletions].concat());
    (steps, steps_after()).prop_map(|(before, after)| [before, after].concat())
}

/// Often none: then all that stands is what was deleted before.
fn steps_after() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![Just(Vec::new()), steps()]
}

pub(crate) fn take(fixture: &mut Fixture, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Append(source, documents) => fixture.append(&sources()[*source], documents),
            Step::Flush => fixture.store.flush().expect("a flush"),
            Step::Delete(text, source, range) => match source {
                Some(source) => fixture.delete(text, &sources()[*source..=*source], *range),
                None => fixture.delete(text, &sources(), *range),
            },
            Step::Purge => fixture.purge(),
        }
    }
}

#[derive(Clone, Debug)]
struct Asked {
    text: String,
    order: Order,
    limit: usize,
    total: Total,
    range: TimeBounds,
    only_source: Option<usize>,
    after_sequence: Option<u64>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let order = proptest::sample::select(&[Order::NewestFirst, Order::OldestFirst][..]);
    let total = proptest::sample::select(&[Total::NotAsked, Total::Count][..]);
    let range = prop_oneof![
        2 => Just(TimeBounds::ALL),
        1 => (0i64..40, 0i64..40).prop_map(|(first, last)| TimeBounds {
            first: Timestamp::from_nanos(first),
            last: Timestamp::from_nanos(last),
        }),
    ];
    let only_source = proptest::option::weighted(0.2, 0usize..2);
    let after_sequence = proptest::option::weighted(0.3, 0u64..60);
    let (of_question, bounds) = (
        (question(), order, total),
        (range, only_source, after_sequence),
    );
    (of_question, 0usize..30, bounds).prop_map(
        |((text, order, total), limit, (range, only_source, after_sequence))| Asked {
            text,
            order,
            limit,
            total,
            range,
            only_source,
            after_sequence,
        },
    )
}

fn request(asked: &Asked) -> SearchRequest {
    let mut searched = sources();
    if let Some(only) = asked.only_source {
        searched = vec![searched.swap_remove(only)];
    }
    SearchRequest {
        sources: searched,
        order: asked.order,
        total: asked.total,
        range: asked.range,
        after_sequence: asked.after_sequence,
        ..newest(&asked.text, asked.limit)
    }
}

fn events(answer: &SearchAnswer) -> Vec<Event> {
    answer.events.iter().cloned().map(sorted).collect()
}

/// Every block is counted once, whatever becomes of it.
pub(crate) fn blocks_add_up(account: &Account) -> bool {
    let blocks = account.blocks;
    let sum = blocks.pruned()
        + blocks.counted_whole
        + blocks.beyond_limit
        + blocks.read
        + blocks.unreadable
        + blocks.unreached;
    sum == blocks.total
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn finds_what_the_matcher_finds(
        steps in steps_with_deletions(),
        questions in proptest::collection::vec(asked(), 60),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, &steps);
        let snapshot = fixture.store.snapshot();
        for asked in &questions {
            let request = request(asked);
            let expected = fixture.expected(&request);
            let answer = fixture.engine.search(&snapshot, &request).expect("an answer");
            prop_assert!(answer.account.is_complete(), "{:?}", answer.account);
            prop_assert!(blocks_add_up(&answer.account), "{asked:?}: {:?}", answer.account.blocks);
            if request.total == Total::Count {
                prop_assert_eq!(answer.total, Some(expected.len() as u64), "total of {:?}", asked);
            }
            let page = &expected[..expected.len().min(asked.limit)];
            prop_assert_eq!(&events(&answer)[..], page, "events of {:?}", asked);
            let follows = asked.limit > 0 && expected.len() > asked.limit;
            prop_assert_eq!(answer.next, page.last().filter(|_| follows).map(|last| last.id));
        }
    }

    #[test]
    fn pages_show_one_set_while_events_arrive(
        before in steps(),
        meanwhile in proptest::collection::vec(steps(), 6),
        asked in asked(),
        page_size in 1usize..7,
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, &before);
        let mut request = SearchRequest { limit: page_size, ..request(&asked) };
        let expected = fixture.expected(&request);
        let mut seen = Vec::new();
        let mut meanwhile = meanwhile.iter();
        loop {
            let snapshot = fixture.store.snapshot();
            let answer = fixture.engine.search(&snapshot, &request).expect("an answer");
            seen.extend(events(&answer));
            if request.total == Total::Count {
                prop_assert_eq!(answer.total, Some(expected.len() as u64));
            }
            let Some(next) = answer.next else { break };
            prop_assert_eq!(answer.events.len(), page_size);
            request.after = Some(next);
            request.up_to_sequence = Some(answer.up_to_sequence);
            if let Some(steps) = meanwhile.next() {
                take(&mut fixture, steps);
            }
        }
        prop_assert_eq!(seen, expected, "{:?}", asked);
    }
}
