//! The page for users keeps its word.

use cordwood_query::{limits, parse};

const PAGE: &str = include_str!("../../../../docs/query-language.md");

#[test]
fn every_query_of_the_page_is_good() {
    let mut count = 0;
    for block in PAGE.split("```query\n").skip(1) {
        let queries = block.split("```").next().unwrap();
        for query in queries.lines() {
            let parsed = parse(query).unwrap_or_else(|said| panic!("{query}: {said}"));
            assert_eq!(parsed.hints, vec![], "{query}");
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn the_limits_of_the_page_are_those_of_the_parser() {
    for limit in [
        format!("{} KiB", limits::TEXT_BYTES_MAX / 1024),
        format!("{} deep", limits::NESTING_MAX),
        "1 024 alternatives".to_owned(),
        format!("{} regular", limits::REGEX_COUNT_MAX),
        format!("{} KiB compiled", limits::REGEX_BYTES_MAX / 1024),
        format!("{} stages", limits::STAGES_MAX),
        format!("{} columns", limits::AGGREGATES_MAX),
        format!("{} fields", limits::GROUP_KEYS_MAX),
        format!("names at most {}", limits::NAMES_MAX),
        format!("captures at most {}", limits::CAPTURES_MAX),
        "1 000 000 rows".to_owned(),
        "1 024 bytes".to_owned(),
    ] {
        let page = PAGE.replace('\n', " ");
        assert!(page.contains(&limit), "{limit}");
    }
    assert_eq!(limits::ALTERNATIVES_MAX, 1024);
    assert_eq!(limits::ROWS_MAX, 1_000_000);
    assert_eq!(limits::CAPTURED_NUMBER_BYTES_MAX, 1024);
}
