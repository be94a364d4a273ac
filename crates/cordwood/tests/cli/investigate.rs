//! `query --histogram`, `fields`, `context` and `trace`: what one asks next.

use crate::process::Directory;

fn with_events(directory: &Directory) {
    let mut lines = String::new();
    for number in 0..120 {
        let (minute, second) = (number / 60, number % 60);
        let level = if number % 10 == 0 { "error" } else { "info" };
        lines.push_str(&format!(
            "{{\"dt\":\"2026-03-27T08:{minute:02}:{second:02}Z\",\"level\":\"{level}\",\"message\":\"event {number}\",\
             \"host\":\"h{}\",\"service\":\"shop\",\"request_id\":\"req-{:04}\"}}\n",
            number % 2,
            number / 3,
        ));
    }
    directory.write("events.json", lines);
    directory.run(&["source", "create", "web"]).succeeded();
    directory
        .run(&["import", "events.json", "--source", "web"])
        .succeeded();
}

#[test]
fn what_one_asks_next() {
    let directory = Directory::new();
    let _server = directory.serve();
    with_events(&directory);

    let bars = directory
        .run(&["query", "", "--histogram", "--interval", "1m"])
        .succeeded();
    let lines: Vec<&str> = bars.stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("2026-03-27 08:00:00 60 ███"),
        "{bars:?}"
    );
    assert!(
        bars.stderr.starts_with("120 events in intervals of 1m in "),
        "{bars:?}"
    );
    let json = directory
        .run(&["query", "level:error", "--histogram", "--json"])
        .succeeded();
    assert_eq!(json.json()["data"]["total"], 12);
    let mistake = directory.run(&["query", "level:(", "--histogram"]);
    assert!(mistake.stderr.contains("level:("), "{mistake:?}");

    let fields = directory.run(&["fields"]).succeeded();
    assert!(fields.stdout.starts_with("FIELD "), "{fields:?}");
    assert!(fields.stdout.contains("h0 (60), h1 (60)"), "{fields:?}");
    assert!(
        fields
            .stderr
            .starts_with("120 events match of 120 in the range"),
        "{fields:?}"
    );
    let named = directory
        .run(&["fields", "level:error", "--field", "host", "--json"])
        .succeeded();
    assert_eq!(named.json()["data"][0]["values"][0]["events"], 12);

    let found = directory
        .run(&["query", "\"event 60\""])
        .succeeded()
        .json_lines();
    let id = found[0]["_id"].as_str().unwrap();
    let context = directory
        .run(&["context", id, "--before", "2", "--after", "1"])
        .succeeded();
    let lines: Vec<&str> = context.stdout.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[2].starts_with("> 2026-03-27T08:01:00.000Z ERROR"),
        "{context:?}"
    );
    assert!(lines[3].contains("event 61"), "{context:?}");
    assert!(context.stderr.contains("more on both sides"), "{context:?}");
    let none = directory.run(&["context", "0123456789abcdef-1"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("was not found"), "{none:?}");

    for subject in [id, "req-0020"] {
        let trace = directory.run(&["trace", subject]).succeeded();
        assert!(
            trace.stdout.contains("shop ERROR event 60 [request_id]"),
            "{trace:?}"
        );
        assert!(trace.stdout.contains("SERVICE"), "{trace:?}");
        assert!(
            trace
                .stderr
                .starts_with("3 of 3 events with req-0020 over 2.00 s"),
            "{trace:?}"
        );
    }
    let json = directory.run(&["trace", "req-0020", "--json"]).succeeded();
    assert_eq!(json.json()["trace"]["total"], 3);
}
