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
    directory.run(&["alerts", "pause", "1"]).succeeded();
    let shown = directory.run(&["alerts", "show", "1"]).succeeded().stdout;
    assert!(shown.contains("paused"), "{shown}");
    directory.run(&["alerts", "remove", "1"]).succeeded();
}
