//! `delete`: counts, asks, deletes, and waits.

use crate::process::Directory;

fn events(directory: &Directory) -> usize {
    let found = directory.run(&["query", "--output", "json"]);
    found.succeeded().json_lines().len()
}

#[test]
fn delete() {
    let directory = Directory::new();
    let server = directory.serve();
    directory.write(
        "a.ndjson",
        "{\"user\":\"ann\"}\n{\"user\":\"ann\"}\n{\"user\":\"bob\"}\n",
    );
    directory
        .run(&["import", "a.ndjson", "--source", "default"])
        .succeeded();
    let of_ann = ["delete", "user:ann", "--source", "default"];
    let with = |more: &[&'static str]| [&of_ann, more].concat();

    let counted = directory.run(&with(&["--dry-run"])).succeeded();
    assert_eq!(counted.stdout, "2 events match user:ann.\n");
    let unasked = directory.run(&of_ann);
    assert_eq!(unasked.code, Some(1));
    assert!(
        unasked.stderr.contains("2 events match user:ann."),
        "{unasked:?}"
    );
    assert!(unasked.stderr.contains("--yes deletes"), "{unasked:?}");
    assert_eq!(events(&directory), 3);

    let deleted = directory.run(&with(&["--yes", "--wait"])).succeeded();
    assert!(
        deleted.stdout.starts_with("2 events are hidden; 2 of "),
        "{deleted:?}"
    );
    assert_eq!(events(&directory), 1);
    let none = directory
        .run(&with(&["--yes", "--json"]))
        .succeeded()
        .json();
    assert_eq!(none["data"]["attributes"]["events_hidden"], 0);

    let staged = directory.run(&["delete", "user:bob | limit 1", "--source", "1", "--yes"]);
    assert_eq!(staged.code, Some(1));
    assert!(staged.stderr.contains("no stages"), "{staged:?}");
    assert!(staged.stderr.contains("^^^"), "{staged:?}");
    let all = ["delete", "*", "--source", "default", "--yes"];
    let refused = directory.run(&all);
    assert!(refused.stderr.contains("`everything`"), "{refused:?}");
    let nowhere = directory.run(&["delete", "user:bob", "--yes"]);
    assert_eq!(nowhere.code, Some(2));
    assert_eq!(events(&directory), 1);
    directory
        .run(&[&all[..], &["--everything"]].concat())
        .succeeded();
    assert_eq!(events(&directory), 0);
    server.stop();
    directory.run(&["check"]).succeeded();
}
