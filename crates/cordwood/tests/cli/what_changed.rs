//! `what-changed`: what it prints, and mistakes.

use crate::process::Directory;

/// Two hours of events, every twenty seconds; in the second, the host `h7` fails.
fn with_events(directory: &Directory) {
    let events = (0..360).map(|number| {
        let (hour, minute, second) = (8 + number / 180, number / 3 % 60, number % 3 * 20);
        let host = number % 9;
        let level = if hour == 9 && host == 7 { "error" } else { "info" };
        format!(
            "{{\"dt\":\"2026-03-27T{hour:02}:{minute:02}:{second:02}Z\",\"level\":\"{level}\",\"host\":\"h{host}\"}}\n"
        )
    });
    directory.write("events.json", events.collect::<String>());
    directory.run(&["source", "create", "web"]).succeeded();
    directory
        .run(&["import", "events.json", "--source", "web"])
        .succeeded();
}

#[test]
fn what_changed_is_told_with_the_query_that_shows_it() {
    let directory = Directory::new();
    let _server = directory.serve();
    with_events(&directory);
    let window = [
        "--from",
        "2026-03-27T09:00:00Z",
        "--to",
        "2026-03-27T09:59:59Z",
    ];
    let ask = |more: &[&str]| directory.run(&[&["what-changed"], &window[..], more].concat());

    let told = ask(&[]).succeeded();
    let mut lines = told.stdout.lines();
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("1. 20 of 20 events of host=h7 are errors (100 %), 0 of 20 before"),
        "{told:?}"
    );
    let query = lines.next().unwrap().trim();
    let query = query
        .strip_prefix("cordwood query '")
        .and_then(|query| query.strip_suffix('\''));
    let found = directory
        .run(&["query", query.unwrap(), "--total", "--limit", "1"])
        .succeeded();
    assert!(found.stderr.starts_with("1 event of 20"), "{found:?}");
    assert!(
        told.stderr
            .starts_with("180 events from 2026-03-27T09:00:00.000Z"),
        "{told:?}"
    );

    let json = ask(&[
        "--json",
        "--baseline-from",
        "2026-03-27T08:00Z",
        "--baseline-to",
        "2026-03-27T08:30Z",
    ]);
    let json = json.succeeded().json();
    assert_eq!(json["data"]["causes"][0]["values"][0]["value"], "h7");
    assert_eq!(json["meta"]["complete"], true);

    let empty = ask(&["--baseline", "last-week"]).succeeded();
    assert!(
        empty.stdout.starts_with("Nothing explains a change."),
        "{empty:?}"
    );
    assert!(
        empty.stderr.contains("the baseline has no events"),
        "{empty:?}"
    );

    let wrong = ask(&["--baseline", "yesterday", "--baseline-from", "now-1h"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let wrong = ask(&["host:h7 | stats count()"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("there can be no stages"), "{wrong:?}");
}
