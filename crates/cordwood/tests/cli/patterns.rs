//! `patterns`: the table, JSON, and mistakes.

use crate::process::Directory;

#[test]
fn patterns() {
    let directory = Directory::new();
    let _server = directory.serve();
    let mut lines = String::new();
    for number in 0..60 {
        let (level, message) = match number % 3 {
            0 => ("error", format!("connection refused by 10.0.0.{number}")),
            _ => ("info", format!("event {number} took {number}ms")),
        };
        lines.push_str(&format!(
            "{{\"dt\":\"2026-03-27T00:{number:02}:00Z\",\"level\":\"{level}\",\"message\":\"{message}\"}}\n"
        ));
    }
    directory.write("events.json", lines);
    directory.run(&["source", "create", "web"]).succeeded();
    directory
        .run(&["import", "events.json", "--source", "web"])
        .succeeded();

    let table = directory.run(&["patterns", "--source", "web"]).succeeded();
    let shown: Vec<&str> = table.stdout.lines().collect();
    let [heading, events, refused] = &*shown else {
        panic!("{table:?}");
    };
    assert!(heading.ends_with("LEVEL  PATTERN"), "{heading}");
    assert!(events.trim_start().starts_with("40    66.7%"), "{events}");
    assert!(
        events.ends_with("info   event <num> took <num>ms"),
        "{events}"
    );
    assert!(
        refused.ends_with("error  connection refused by <ip>"),
        "{refused}"
    );
    assert!(
        table.stderr.starts_with("2 patterns of 60 events in "),
        "{table:?}"
    );

    let new = directory.run(&["patterns", "--from", "2026-03-27T00:00:00Z", "--limit", "1"]);
    let new = new.succeeded();
    assert!(new.stdout.contains("40*"), "{new:?}");
    assert!(
        new.stderr
            .contains("the commonest 1 (--limit N shows more)"),
        "{new:?}"
    );

    let json = directory
        .run(&["patterns", "level:error", "--json"])
        .succeeded();
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let query = json["data"][0]["attributes"]["query"]
        .as_str()
        .expect("a query");
    let found = directory.run(&["query", query, "--total", "--limit", "1"]);
    assert!(
        found.succeeded().stderr.starts_with("1 event of 20"),
        "{query}"
    );

    let wrong = directory.run(&["patterns", "level:error | stats count()"]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stderr.contains("is a stage"), "{wrong:?}");
}
