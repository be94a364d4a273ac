//! `query`: formats, pages, accounts and mistakes.

use crate::process::{Directory, Output};

/// A directory with a source of 2500 events, a second apart, the last with odd characters.
fn with_events(directory: &Directory) {
    let mut lines = String::new();
    for number in 0..2_500 {
        let (hour, minute, second) = (number / 3_600, number / 60 % 60, number % 60);
        let level = if number % 10 == 0 { "error" } else { "info" };
        lines.push_str(&format!(
            "{{\"dt\":\"2026-03-27T{hour:02}:{minute:02}:{second:02}Z\",\"level\":\"{level}\",\
             \"message\":\"event {number}\",\"http\":{{\"status\":{}}}}}\n",
            200 + number % 3
        ));
    }
    lines.push_str("{\"dt\":\"2026-03-28T00:00:00Z\",\"message\":\"a\\u001b[2J,\\\"b\\\"\"}\n");
    directory.write("events.json", lines);
    directory.run(&["source", "create", "web"]).succeeded();
    directory
        .run(&["import", "events.json", "--source", "web"])
        .succeeded();
}

#[test]
fn queries() {
    let directory = Directory::new();
    let _server = directory.serve();
    with_events(&directory);
    let query = |arguments: &[&str]| directory.run(&[&["query"], arguments].concat());

    // A pipe gets JSON lines, as the server wrote them: the time first, the newest first.
    let newest = query(&["level:error", "--limit", "2"]).succeeded();
    assert!(
        newest
            .stdout
            .starts_with("{\"dt\":\"2026-03-27T00:41:30.000Z\",\"level\":\"error\""),
        "{newest:?}"
    );
    assert_eq!(newest.stdout.lines().count(), 2);
    assert!(
        newest
            .stderr
            .starts_with("2 events, and more (--limit N shows them) in "),
        "{newest:?}"
    );

    // Pages are turned up to the limit.
    let all = query(&[
        "event", "--limit", "10000", "--order", "oldest", "--source", "web",
    ]);
    let events = all.succeeded().json_lines();
    let numbers: Vec<String> = (0..2_500).map(|number| format!("event {number}")).collect();
    assert!(
        events
            .iter()
            .map(|event| &event["message"])
            .eq(numbers.iter())
    );
    let some = query(&["event", "--limit", "1234"]).succeeded();
    assert_eq!(some.stdout.lines().count(), 1_234);

    let counted = query(&["http.status:200", "--total", "--limit", "1"]).succeeded();
    assert!(counted.stderr.starts_with("1 event of 834"), "{counted:?}");
    let ranged = query(&[
        "",
        "--from",
        "2026-03-27T00:10:00Z",
        "--to",
        "2026-03-27T00:10:09Z",
        "--limit",
        "50",
    ]);
    let count = ranged.succeeded().stdout.lines().count();
    assert!((9..=10).contains(&count), "{count}");

    let csv = query(&["dt:2026-03-28", "--output", "csv"]).succeeded();
    assert!(
        csv.stdout.starts_with("dt,level,message,_id,_source\r\n"),
        "{csv:?}"
    );
    assert!(csv.stdout.contains(",\"a\u{1b}[2J,\"\"b\"\"\","), "{csv:?}");
    let lines = query(&["dt:2026-03-28", "--output", "lines"]).succeeded();
    assert_eq!(
        lines.stdout,
        "2026-03-28T00:00:00.000Z -     web a\\u{1b}[2J,\"b\"\n"
    );
    let table = query(&["event 7", "--output", "table", "--limit", "1"]).succeeded();
    assert!(table.stdout.starts_with("DT "), "{table:?}");
    assert!(table.stdout.contains("http.status="), "{table:?}");

    let account = query(&["event", "--json", "--limit", "3"]).succeeded();
    assert_eq!(account.json_lines().len(), 3);
    let meta: serde_json::Value = serde_json::from_str(&account.stderr).unwrap();
    assert_eq!(
        (&meta["events"], &meta["has_more"]),
        (&3.into(), &true.into())
    );
}

#[test]
fn stages_make_tables() {
    let directory = Directory::new();
    let _server = directory.serve();
    with_events(&directory);
    let query = |arguments: &[&str]| directory.run(&[&["query"], arguments].concat());

    let by_status =
        "dt:2026-03-27 | stats count() by http.status, dt:15m | sort by dt, http.status";
    let piped = query(&[by_status]).succeeded();
    assert!(
        piped.stdout.starts_with(
            "{\"http.status\":200,\"dt\":\"2026-03-27T00:00:00.000Z\",\"count()\":300}\n"
        ),
        "{piped:?}"
    );
    assert_eq!(piped.stdout.lines().count(), 9);
    assert!(piped.stderr.starts_with("9 table rows in "), "{piped:?}");

    let table = query(&[by_status, "--output", "table", "--limit", "2"]).succeeded();
    assert_eq!(
        table.stdout,
        "http.status  dt                count()\n\
         \x20       200  2026-03-27 00:00      300\n\
         \x20       201  2026-03-27 00:00      300\n"
    );
    assert!(
        table
            .stderr
            .starts_with("2 table rows, and more (--limit N shows them) in "),
        "{table:?}"
    );
    let csv = query(&["* | top 1 level", "--output", "csv"]).succeeded();
    assert_eq!(csv.stdout, "level,count()\r\ninfo,2250\r\n");
    let lines = query(&["* | top 1 level", "--output", "lines"]).succeeded();
    assert_eq!(lines.stdout, "level=info count()=2250\n");

    // Beyond the events of one page there are rows of a table.
    let all = query(&["* | stats count() by message", "--limit", "10000"]).succeeded();
    assert_eq!(all.stdout.lines().count(), 2_501);
    let account = query(&["* | stats count() by message", "--json"]).succeeded();
    let meta: serde_json::Value = serde_json::from_str(&account.stderr).unwrap();
    assert_eq!(
        (&meta["rows"], &meta["has_more"]),
        (&1000.into(), &true.into())
    );

    let parsed = query(&["event | parse \"event <n:number>\" | where n >= 2498"]).succeeded();
    let numbers: Vec<_> = parsed
        .json_lines()
        .iter()
        .map(|event| event["n"].clone())
        .collect();
    assert_eq!(numbers, [2_499, 2_498]);
    let sorted = query(&["event | sort by dt", "--limit", "1"]).succeeded();
    assert!(
        sorted.stderr.starts_with("1 event, and more "),
        "{sorted:?}"
    );

    let mistake = query(&["* | stats cuont() by level"]);
    assert_eq!(mistake.code, Some(1), "{mistake:?}");
    assert!(
        mistake.stderr.contains("Did you mean `count`?"),
        "{mistake:?}"
    );
}

#[test]
fn a_query_is_explained_without_being_run() {
    let directory = Directory::new();
    let _server = directory.serve();
    with_events(&directory);
    let plan = directory
        .run(&[
            "query",
            "level:error | stats count() by http.status",
            "--explain",
        ])
        .succeeded();
    assert!(
        plan.stdout.starts_with("query: level:error | stats"),
        "{plan:?}"
    );
    for expected in [
        "PRUNING",
        "all sources asked for",
        "in each block",
        "\ncost: ",
    ] {
        assert!(plan.stdout.contains(expected), "{expected}: {plan:?}");
    }
    let plan = directory.run(&["query", "nothing", "--explain", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&plan.succeeded().stdout).unwrap();
    assert_eq!(plan["data"]["pruning"][0]["step"], "source");
    assert_eq!(plan["meta"]["query"], "nothing");
    let mistake = directory.run(&["query", "level:", "--explain"]);
    assert!(mistake.stderr.contains('^'), "{mistake:?}");
}

#[test]
fn nothing_found_comes_with_a_reason() {
    let directory = Directory::new();
    let _server = directory.serve();
    with_events(&directory);
    let nothing = directory
        .run(&["query", "level:error sevice:billing"])
        .succeeded();
    assert_eq!(nothing.stdout, "");
    assert!(nothing.stderr.contains("sevice:billing"), "{nothing:?}");
}

#[test]
fn mistakes_are_pointed_out() {
    let directory = Directory::new();
    let _server = directory.serve();
    let query = |arguments: &[&str]| directory.run(&[&["query"], arguments].concat());
    let failed = |output: Output| {
        assert_eq!(output.code, Some(1), "{output:?}");
        assert_eq!(output.stdout, "");
        output.stderr
    };

    let unclosed = failed(query(&["level:error AND (a"]));
    assert!(unclosed.contains("\n  level:error AND (a\n"), "{unclosed}");
    assert!(unclosed.contains('^'), "{unclosed}");
    let as_json = failed(query(&["level:error AND (a", "--json"]));
    let as_json: serde_json::Value = serde_json::from_str(&as_json).unwrap();
    assert_eq!(as_json["code"], "invalid_query");
    assert!(as_json["position"]["start"].is_u64(), "{as_json}");

    let no_source = failed(query(&["x", "--source", "defualt"]));
    assert!(
        no_source.contains("Source `defualt` was not found"),
        "{no_source}"
    );
    assert!(no_source.contains("did you mean default?"), "{no_source}");
    let no_time = failed(query(&["x", "--from", "yesteryear"]));
    assert!(no_time.contains("yesteryear"), "{no_time}");
}
