//! `incidents` and `silences`: opened, taken care of, kept, reported; and muted.

use crate::process::Directory;

#[test]
fn the_life_of_an_incident() {
    let directory = Directory::new();
    let _server = directory.serve();
    directory.write(
        "a.ndjson",
        "{\"level\":\"error\",\"message\":\"disk full\"}\n",
    );
    directory
        .run(&["import", "a.ndjson", "--source", "default"])
        .succeeded();
    let opened = directory.run(&[
        "incidents",
        "open",
        "Disk full",
        "--severity",
        "critical",
        "--query",
        "level:error",
        "--from",
        "now-1h",
        "--label",
        "team=db",
        "--link",
        "https://wiki.example/disk",
    ]);
    let opened = opened.succeeded().stdout;
    assert!(opened.starts_with("Incident 1 is open."), "{opened}");
    let listed = directory.run(&["incidents", "list", "--label", "team=db"]);
    let listed = listed.succeeded().stdout;
    assert!(
        listed.contains("started") && listed.contains("Disk full"),
        "{listed}"
    );
    for (verb, said) in [
        (vec!["incidents", "ack", "1", "--by", "ann"], "acknowledged"),
        (vec!["incidents", "assign", "1", "ann"], "assigned to ann"),
        (
            vec!["incidents", "comment", "1", "moving files"],
            "incident 1",
        ),
        (
            vec!["incidents", "escalate", "1", "--to", "db"],
            "acknowledged",
        ),
        (vec!["incidents", "resolve", "1"], "resolved"),
        (vec!["incidents", "reopen", "1"], "started"),
    ] {
        let answer = directory.run(&verb).succeeded().stdout;
        assert!(answer.contains(said), "{verb:?}: {answer}");
    }
    let found = directory
        .run(&["query", "level:error", "--json"])
        .succeeded();
    let event = found.json_lines()[0]["_id"].as_str().unwrap().to_owned();
    let kept = directory.run(&["incidents", "events", "1", "--keep", &event, "--keep", "x"]);
    let kept = kept.succeeded().stdout;
    assert!(kept.contains("1 more") && kept.contains("`x`"), "{kept}");
    let events = directory.run(&["incidents", "events", "1"]).succeeded();
    assert!(events.stdout.contains("disk full"), "{events:?}");

    directory.run(&["incidents", "open", "Slow"]).succeeded();
    directory.run(&["incidents", "merge", "1", "2"]).succeeded();
    let shown = directory
        .run(&["incidents", "show", "1"])
        .succeeded()
        .stdout;
    for said in ["team=db", "for ann", "moving files", "incident 2 is"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let report = directory.run(&["incidents", "report", "1"]).succeeded();
    assert!(
        report.stdout.starts_with("# Incident 1: Disk full"),
        "{report:?}"
    );
    let output = ["incidents", "report", "1", "--output", "report.md"];
    directory.run(&output).succeeded();
    let wrong = directory.run(&["incidents", "open", "x", "--severity", "awful"]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("severity: has to be info"),
        "{wrong:?}"
    );
    let unknown = directory.run(&["incidents", "show", "99"]);
    assert!(unknown.stderr.contains("was not found"), "{unknown:?}");
}

#[test]
fn silences() {
    let directory = Directory::new();
    let _server = directory.serve();
    let all = directory.run(&["silences", "add", "--for", "2h"]);
    assert_eq!(all.code, Some(1));
    assert!(all.stderr.contains("--everything"), "{all:?}");
    let add = [
        "silences",
        "add",
        "--label",
        "team=d*",
        "--for",
        "2h",
        "--comment",
        "patching",
    ];
    let added = directory.run(&add).succeeded().stdout;
    assert!(added.starts_with("Silence 1 is active."), "{added}");
    let weekly = [
        "silences",
        "add",
        "--everything",
        "--weekly",
        "mon-fri 22:00-06:00 Europe/Berlin",
        "--lets-pass",
        "critical",
    ];
    directory.run(&weekly).succeeded();
    let listed = directory.run(&["silences", "list"]).succeeded().stdout;
    for said in [
        "team=d*",
        "patching",
        "everything",
        "mon,tue,wed,thu,fri 22:00-06:00 Europe/Berlin",
    ] {
        assert!(listed.contains(said), "{said}: {listed}");
    }
    let open = ["incidents", "open", "slow", "--label", "team=db"];
    let opened = directory.run(&open).succeeded().stdout;
    assert!(opened.contains("holds back its notices"), "{opened}");
    directory.run(&["silences", "end", "1"]).succeeded();
    let ended = directory.run(&["silences", "list", "--state", "ended"]);
    assert!(ended.succeeded().stdout.contains("patching"));
    let wrong = directory.run(&["silences", "add", "--weekly", "someday 1-2"]);
    assert_eq!(wrong.code, Some(2));
}
