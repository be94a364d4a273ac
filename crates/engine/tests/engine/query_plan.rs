//! What a plan says is left is what the question then reads.

use cordwood_engine::{
    Account, MatchBounds, Order, Pruning, QueryPlan, SearchRequest, StagePlace, Staged,
    StagedRequest, Total,
};
use cordwood_event::Timestamp;
use cordwood_query::{TimeBounds, parse};
use cordwood_store::Snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::oracle::{steps_with_deletions, take};
use crate::support::document::Document;
use crate::support::fixture::{Fixture, filter, newest, sources};
use crate::support::question::question;
use crate::support::stage_text::stages;

/// Few enough for several blocks of a few dozen events.
const BLOCK_ROWS: usize = 8;

/// Parts under way when enough rows are found: two for each of two threads.
const PARTS_UNDER_WAY: u64 = 4;

fn plan(fixture: &Fixture, snapshot: &Snapshot, request: &SearchRequest) -> QueryPlan {
    let request = StagedRequest {
        search: request.clone(),
        stages: Vec::new(),
        rows_max: 0,
    };
    fixture.engine.explain(snapshot, &request)
}

fn ruled_out(plan: &QueryPlan, by: Pruning) -> u64 {
    let step = plan.steps.iter().find(|step| step.by == by);
    let step = step.expect("all steps are there");
    step.before.blocks - step.after.blocks
}

/// What the account says of a run that looked at every block.
fn check_exhaustive(plan: &QueryPlan, account: &Account) -> Result<(), TestCaseError> {
    let blocks = account.blocks;
    prop_assert!(account.is_complete());
    prop_assert_eq!(blocks.beyond_limit, 0);
    let steps = [
        (Pruning::Time, blocks.pruned_by_time),
        (Pruning::Snapshot, blocks.pruned_by_sequence),
        (Pruning::TokenMap, blocks.pruned_by_tokens),
        (Pruning::Deletions, blocks.pruned_by_deletion),
        (Pruning::MinMax, blocks.pruned_by_statistics),
        (Pruning::Fields, blocks.pruned_by_absent_column),
    ];
    for (step, pruned) in steps {
        prop_assert_eq!(ruled_out(plan, step), pruned, "{:?}: {:?}", step, blocks);
    }
    // A dictionary of which nothing is counted is read before it rules a block out.
    let by_dictionary = ruled_out(plan, Pruning::Dictionaries);
    prop_assert!(by_dictionary <= blocks.pruned_by_dictionary);
    let read = blocks.read + blocks.pruned_by_dictionary - by_dictionary;
    prop_assert_eq!(plan.left.read.blocks, read, "{:?} of {:?}", blocks, plan);
    let unread = plan.left.counted.blocks + plan.left.by_templates.blocks;
    prop_assert_eq!(unread, blocks.counted_whole, "{:?}", blocks);
    prop_assert!(account.rows_scanned <= plan.left.read.rows + plan.left.open_rows);
    Ok(())
}

/// What holds of every plan.
fn check_sums(plan: &QueryPlan) -> Result<(), TestCaseError> {
    let order: Vec<Pruning> = plan.steps.iter().map(|step| step.by).collect();
    prop_assert_eq!(order, Pruning::ALL);
    for steps in plan.steps.windows(2) {
        prop_assert_eq!(steps[0].after, steps[1].before);
    }
    let last = plan.steps.last().expect("there are steps").after;
    let left = plan.left;
    let ways = [left.counted, left.by_templates, left.read];
    prop_assert_eq!(ways.iter().map(|way| way.blocks).sum::<u64>(), last.blocks);
    prop_assert_eq!(ways.iter().map(|way| way.rows).sum::<u64>(), last.rows);
    prop_assert!(left.read.bytes <= last.bytes);
    // Those that clauses on time rule out, and not the range, are among them.
    let mut asked = None;
    for clause in &plan.clauses {
        let blocks = clause.blocks_without_words
            + clause.blocks_with_none
            + clause.blocks_with_all
            + clause.blocks_by_templates
            + clause.blocks_open;
        prop_assert_eq!(blocks, *asked.get_or_insert(blocks), "{:?}", clause);
        prop_assert!(plan.steps[2].after.blocks <= blocks && blocks <= plan.steps[0].after.blocks);
        prop_assert!(clause.bytes <= left.read.bytes);
    }
    let MatchBounds { at_least, at_most } = plan.matches;
    prop_assert!(at_least <= plan.estimate.matches && plan.estimate.matches <= at_most);
    prop_assert!(plan.estimate.blocks <= left.read.blocks);
    Ok(())
}

fn range() -> impl Strategy<Value = TimeBounds> {
    prop_oneof![
        2 => Just(TimeBounds::ALL),
        1 => (0i64..40, 0i64..40).prop_map(|(first, last)| TimeBounds {
            first: Timestamp::from_nanos(first),
            last: Timestamp::from_nanos(last),
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_count_reads_the_blocks_that_are_left(
        steps in steps_with_deletions(),
        questions in proptest::collection::vec((question(), range(), 0u64..60, 0u64..60), 30),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, &steps);
        let snapshot = fixture.store.snapshot();
        for (text, range, seen, known) in questions {
            let request = SearchRequest {
                total: Total::Count,
                range,
                up_to_sequence: (seen > 0).then_some(seen),
                after_sequence: (known > 30).then(|| known - 30),
                ..newest(&text, 0)
            };
            let plan = plan(&fixture, &snapshot, &request);
            let answer = fixture.engine.search(&snapshot, &request).expect("an answer");
            check_sums(&plan)?;
            check_exhaustive(&plan, &answer.account)?;
            prop_assert_eq!(plan.range, answer.account.range);
            prop_assert!(!plan.stops_early);
            prop_assert!(
                answer.account.bytes_scanned <= plan.left.read.bytes,
                "{}: {} of {:?}", text, answer.account.bytes_scanned, plan.left,
            );
            let total = answer.total.expect("it was asked for");
            let MatchBounds { at_least, at_most } = plan.matches;
            prop_assert!(at_least <= total && total <= at_most, "{}: {}, {:?}", text, total, plan.matches);
            if plan.is_from_metadata() {
                prop_assert_eq!(answer.account.bytes_scanned, 0);
                prop_assert_eq!(answer.account.rows_scanned, 0);
            }
        }
    }

    #[test]
    fn the_first_events_read_no_more_blocks_than_are_left(
        steps in steps_with_deletions(),
        questions in proptest::collection::vec((question(), 0usize..12, any::<bool>(), any::<bool>()), 30),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, &steps);
        let snapshot = fixture.store.snapshot();
        for (text, limit, is_oldest, is_counted) in questions {
            let mut request = newest(&text, limit);
            request.order = if is_oldest { Order::OldestFirst } else { Order::NewestFirst };
            request.total = if is_counted { Total::Count } else { Total::NotAsked };
            loop {
                let plan = plan(&fixture, &snapshot, &request);
                let answer = fixture.engine.search(&snapshot, &request).expect("an answer");
                check_sums(&plan)?;
                let blocks = answer.account.blocks;
                prop_assert_eq!(plan.steps[0].after.blocks, blocks.total);
                prop_assert!(blocks.read <= plan.left.read.blocks + PARTS_UNDER_WAY, "{}", text);
                let unread = plan.left.counted.blocks + plan.left.by_templates.blocks;
                let left = plan.left.read.blocks + unread;
                prop_assert!(blocks.read + blocks.counted_whole <= left);
                prop_assert_eq!(plan.stops_early, !is_counted);
                let Some(next) = answer.next else { break };
                request.after = Some(next);
            }
        }
    }

    #[test]
    fn stages_read_the_blocks_that_are_left(
        steps in steps_with_deletions(),
        questions in proptest::collection::vec((question(), stages(), range()), 30),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, &steps);
        let snapshot = fixture.store.snapshot();
        for (filter, stages, range) in questions {
            let text = format!("{filter}{stages}");
            // Such as a percentile of a name; and what has no stages is a search.
            let Ok(parsed) = parse(&text) else { continue };
            if parsed.query.stages.is_empty() {
                continue;
            }
            let request = StagedRequest {
                search: SearchRequest {
                    filter: parsed.query.filter,
                    range,
                    ..newest("*", 0)
                },
                stages: parsed.query.stages,
                rows_max: 1000,
            };
            let plan = fixture.engine.explain(&snapshot, &request);
            let answer = fixture.engine.run_stages(&snapshot, &request).expect("an answer");
            check_sums(&plan)?;
            if answer.account.blocks.beyond_limit == 0 {
                check_exhaustive(&plan, &answer.account)?;
                let gives_events = matches!(answer.result, Staged::Events { .. });
                prop_assert!(
                    gives_events || answer.account.bytes_scanned <= plan.left.read.bytes,
                    "{}: {} of {:?}", text, answer.account.bytes_scanned, plan.left,
                );
            } else {
                prop_assert!(plan.stops_early, "{}", text);
            }
        }
    }
}

/// Four blocks of four events, each with a word, a number and a level of its own.
fn four_blocks() -> Fixture {
    let mut fixture = Fixture::new(4);
    for block in 0..4i64 {
        let event = |row: i64| {
            let level = if block == 3 { "error" } else { "info" };
            let Value::Object(fields) = json!({
                "message": format!("took {row}{block} ms for word{block} of any"),
                "service": if block < 2 { "api" } else { "web" },
                "status": 100 * block + row,
                "level": level,
            }) else {
                unreachable!("it is an object");
            };
            Document {
                time: 10 * block + row,
                fields,
            }
        };
        let documents: Vec<Document> = (0..4).map(event).collect();
        fixture.append(&sources()[usize::from(block == 3)], &documents);
        fixture.store.flush().expect("a flush");
    }
    fixture
}

/// `after` gives the blocks left after each step.
fn check(text: &str, after: [u64; 8]) -> QueryPlan {
    let fixture = four_blocks();
    let request = SearchRequest {
        total: Total::Count,
        ..newest(text, 0)
    };
    let plan = plan(&fixture, &fixture.store.snapshot(), &request);
    let found: Vec<u64> = plan.steps.iter().map(|step| step.after.blocks).collect();
    assert_eq!(found, after, "{text}");
    assert_eq!(plan.steps[0].before.blocks, 4);
    assert_eq!(plan.steps[0].before.segments, 4);
    assert_eq!(plan.steps[0].before.rows, 16);
    plan
}

#[test]
fn each_step_leaves_out_its_blocks() {
    check("*", [4; 8]);
    check("_source:first", [3; 8]);
    check(
        "dt:<\"1970-01-01T00:00:00.000000015Z\"",
        [4, 2, 2, 2, 2, 2, 2, 2],
    );
    check("word2", [4, 4, 4, 1, 1, 1, 1, 1]);
    check("status:>250", [4, 4, 4, 4, 4, 1, 1, 1]);
    check("nothing:*", [4, 4, 4, 4, 4, 4, 0, 0]);
    check("_source:first word1 status:>50", [3, 3, 3, 1, 1, 1, 1, 1]);
}

/// A value is counted where 32 rows have each.
#[test]
fn counted_values_rule_out_and_answer() {
    let mut fixture = Fixture::new(128);
    for block in ["web", "api"] {
        let event = |row: i64| {
            let Value::Object(fields) = json!({"service": format!("{block}-{}", row % 2)}) else {
                unreachable!("it is an object");
            };
            Document { time: row, fields }
        };
        fixture.append(&sources()[0], &(0..128).map(event).collect::<Vec<_>>());
        fixture.store.flush().expect("a flush");
    }
    let snapshot = fixture.store.snapshot();
    let request = SearchRequest {
        total: Total::Count,
        ..newest("service:web-1", 0)
    };
    let plan = plan(&fixture, &snapshot, &request);
    assert_eq!(ruled_out(&plan, Pruning::TokenMap), 1, "{plan:?}");
    let request = SearchRequest {
        filter: filter("service:/^w.*1$/"),
        ..request
    };
    let plan = self::plan(&fixture, &snapshot, &request);
    assert_eq!(ruled_out(&plan, Pruning::Dictionaries), 1, "{plan:?}");
    assert_eq!((plan.left.counted.blocks, plan.left.counted.rows), (1, 128));
    assert_eq!((plan.matches.at_least, plan.matches.at_most), (64, 64));
}

#[test]
fn a_plan_says_how_what_is_left_is_answered() {
    let plan = check("level:error OR level:info", [4; 8]);
    assert!(plan.is_from_metadata());
    assert_eq!(plan.left.counted.blocks, 4);
    assert_eq!((plan.matches.at_least, plan.matches.at_most), (16, 16));
    assert_eq!(plan.estimate.blocks, 0);

    let plan = check("status:>250 message:word3", [4, 4, 4, 1, 1, 1, 1, 1]);
    let clause = &plan.clauses[1];
    assert_eq!(clause.clause, "message:word3");
    assert_eq!(clause.blocks_without_words, 3);
    assert!(plan.clauses[0].blocks_with_none > 0);
    assert_eq!(plan.clauses[0].blocks_with_all, 1);
    assert_eq!(plan.clauses[0].bytes, 0, "it is decided without a column");
}

/// A limit is reached before the last block, be it a limit of what differs; what is sorted or counted first takes all of them.
#[test]
fn a_plan_says_whether_the_first_rows_are_enough() {
    let stops_early = |text: &str| {
        let fixture = four_blocks();
        let request = StagedRequest {
            search: newest("*", 0),
            stages: parse(text).expect("a query").query.stages,
            rows_max: 1000,
        };
        let snapshot = fixture.store.snapshot();
        fixture.engine.explain(&snapshot, &request).stops_early
    };
    assert!(stops_early("* | limit 2"));
    assert!(stops_early("* | dedup service | limit 1 | fields status"));
    assert!(!stops_early("* | stats count() by service | limit 1"));
    assert!(!stops_early("* | sort by status | limit 1"));
}

#[test]
fn stages_are_placed_where_they_run() {
    let places = |text: &str| -> Vec<(String, StagePlace)> {
        let parsed = parse(text).expect("a query");
        let request = StagedRequest {
            search: newest("*", 0),
            stages: parsed.query.stages,
            rows_max: 10,
        };
        let fixture = four_blocks();
        let plan = fixture.engine.explain(&fixture.store.snapshot(), &request);
        let stages = plan.stages.into_iter();
        stages.map(|stage| (stage.stage, stage.place)).collect()
    };
    use StagePlace::{Block, Filter, InOrder, Row, Table};
    let cases: [(&str, &[(&str, StagePlace)]); 3] = [
        (
            "* | where status:>1 | stats count() by service | limit 2",
            &[
                ("where status:>1", Filter),
                ("stats count() by service", Block),
                ("limit 2", Table),
            ],
        ),
        (
            "* | parse \"took <a> ms\" | where a:1* | limit 3 | stats count() by a",
            &[
                ("parse \"took <a> ms\"", Row),
                ("where a:1*", Row),
                ("limit 3", InOrder),
                ("stats count() by a", InOrder),
            ],
        ),
        // `fields` lets the stages behind it take rows as long as they ask for nothing else.
        (
            "* | fields status, service | sort by status | limit 1",
            &[
                ("sort by status", InOrder),
                ("limit 1", InOrder),
                ("fields status, service", InOrder),
            ],
        ),
    ];
    for (text, expected) in cases {
        let expected = expected
            .iter()
            .map(|(stage, place)| ((*stage).to_owned(), *place));
        assert_eq!(places(text), expected.collect::<Vec<_>>(), "{text}");
    }
}
