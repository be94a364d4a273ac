//! `alerts`: made, listed, tried on the past, and what is known of their checks and members.

use crate::process::Directory;

#[test]
fn alerts() {
    let directory = Directory::new();
    let _server = directory.serve();
    let add = [
        "alerts",
        "add",
        "many errors",
        "--client",
        "default",
        "--query",
        "level:error",
        "--above",
        "50",
        "--by",
        "service",
    ];
    let added = directory.run(&add).succeeded().stdout;
    assert!(added.starts_with("Alert 1 is checked"), "{added}");
    let stranger = ["alerts", "add", "x", "--client", "acme", "--any"];
    let refused = directory.run(&stranger);
    assert!(refused.stderr.contains("no client `acme`"), "{refused:?}");
    let silent = [
        "alerts",
        "add",
        "silent hosts",
        "--absent-members",
        "--by",
        "host",
    ];
    directory.run(&silent).succeeded();
    let listed = directory.run(&["alerts", "list"]).succeeded().stdout;
    for said in ["many errors", "silent hosts", "level:error", "new"] {
        assert!(listed.contains(said), "{said}: {listed}");
    }
    let history = directory.run(&["alerts", "history", "many errors", "--limit", "5"]);
    let history = history.succeeded().stdout;
    assert!(history.starts_with("No check is kept"), "{history}");
    let members = directory.run(&["alerts", "members", "silent hosts"]);
    let members = members.succeeded().stdout;
    assert!(members.starts_with("Nobody is expected"), "{members}");
    let none = directory.run(&["alerts", "members", "many errors"]);
    assert!(none.stderr.contains("keeps no roster"), "{none:?}");
    let unknown = directory.run(&["alerts", "retire", "silent hosts", "host=web-3"]);
    assert!(
        unknown.stderr.contains("`web-3` was not found"),
        "{unknown:?}"
    );
    let wrong = directory.run(&["alerts", "retire", "silent hosts", "web-3"]);
    assert_eq!(wrong.code, Some(2));
    // What is not named of an alert that is there stays as it is.
    let again = [
        "alerts",
        "back-test",
        "1",
        "--above",
        "1",
        "--days",
        "1",
        "--json",
    ];
    directory.run(&again).succeeded();
    directory.run(&["alerts", "pause", "1"]).succeeded();
    let shown = directory.run(&["alerts", "show", "1"]).succeeded().stdout;
    assert!(shown.contains("paused"), "{shown}");
    directory.run(&["alerts", "remove", "1"]).succeeded();
}

#[test]
fn templates() {
    let directory = Directory::new();
    let _server = directory.serve();
    let run = |arguments: &[&str]| {
        let all = [&["alerts", "templates"], arguments].concat();
        directory.run(&all)
    };
    let said = |arguments: &[&str], expected: &[&str]| {
        let told = run(arguments).succeeded().stdout;
        for expected in expected {
            assert!(
                told.contains(expected),
                "{expected} of {arguments:?}: {told}"
            );
        }
    };
    said(&["list"], &["There are no templates."]);
    let add = ["add", "errors", "--query", "level:error", "--above", "5"];
    said(&add, &["Template 1 is made."]);
    said(&["list"], &["errors", "level:error"]);
    said(&["show", "errors"], &["TEMPLATE", "level:error", "version"]);
    said(&["clients", "errors"], &["default", "none"]);
    assert_eq!(run(&["apply", "errors"]).code, Some(2), "for whom?");
    said(&["apply", "errors", "--all"], &["default", "applied"]);
    let pause = ["alerts", "pause", "errors"];
    directory.run(&pause).succeeded();
    // The query is not named, and stays.
    said(
        &["change", "errors", "--above", "7"],
        &["carried", "as_template"],
    );
    said(&["show", "1"], &["level:error", "7.0"]);
    said(
        &["change", "errors", "--source", "nowhere"],
        &["refused", "it has no source `nowhere`"],
    );
    said(
        &["put-back", "errors", "--client", "default"],
        &["refused", "source_names"],
    );
    let clients = run(&["clients", "errors", "--json"]).succeeded().json();
    assert_eq!(clients["data"][0]["attributes"]["state"], "drifted");
    said(&["remove", "errors"], &["Its alerts stay"]);
    let shown = directory.run(&["alerts", "show", "errors"]).succeeded();
    assert!(shown.stdout.contains("manual"), "{shown:?}");
}
