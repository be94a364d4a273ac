//! `compact` and `backup`, with and without a server.

use crate::process::Directory;

fn sources_and_events(directory: &Directory, data_dir: &str) -> usize {
    let found = directory.run(&["query", "--data-dir", data_dir, "--output", "json"]);
    found.succeeded().json_lines().len()
}

#[test]
fn a_backup_is_a_data_directory() {
    let directory = Directory::new();
    let server = directory.serve();
    directory.write("a.log", "one\ntwo\nthree\n");
    directory
        .run(&["import", "a.log", "--source", "default"])
        .succeeded();
    let made = directory.run(&["backup", "copy"]).succeeded();
    assert!(
        made.stdout.starts_with("copy holds 3 events in 1 segments"),
        "{made:?}"
    );
    let again = directory.run(&["backup", "copy"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("must be empty"), "{again:?}");
    directory.write("b.log", "four\n");
    directory
        .run(&["import", "b.log", "--source", "default"])
        .succeeded();
    let as_json = directory
        .run(&["backup", "second", "--json"])
        .succeeded()
        .json();
    assert_eq!(as_json["data"]["events"], 4);
    server.stop();

    for (copy, events) in [("copy", 3), ("second", 4)] {
        assert!(directory.path().join(copy).join("backup-complete").exists());
        let checked = directory.run(&["check", "--data-dir", copy]).succeeded();
        assert!(!checked.stdout.contains("note"), "{checked:?}");
        let restored = directory.serve_with(&["--data-dir", copy]);
        assert_eq!(sources_and_events(&directory, copy), events);
        restored.stop();
    }
}

#[test]
fn compact() {
    let directory = Directory::new();
    let server = directory.serve();
    let nothing = directory.run(&["compact"]).succeeded();
    assert_eq!(nothing.stdout, "There was nothing to merge.\n");
    for name in ["a.log", "b.log"] {
        directory.write(name, format!("{name}\n"));
        directory
            .run(&["import", name, "--source", "default"])
            .succeeded();
        directory.run(&["compact"]).succeeded();
    }
    let metrics = ureq::get(format!("{}/metrics", server.url)).call().unwrap();
    let metrics = metrics.into_body().read_to_string().unwrap();
    assert!(
        metrics.contains("\ncordwood_store_merges_total 1\n"),
        "{metrics}"
    );
    let in_use = directory.run(&["compact", "--offline"]);
    assert!(
        in_use.stderr.contains("in use by another process"),
        "{in_use:?}"
    );
    assert_eq!(sources_and_events(&directory, "cordwood-data"), 2);
    server.stop();

    let offline = directory
        .run(&["compact", "--offline", "--json"])
        .succeeded()
        .json();
    assert_eq!(offline["data"]["events_removed"], 0);
    let none = directory.run(&["compact", "--offline", "--data-dir", "elsewhere"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("was not found"), "{none:?}");
    assert!(!directory.path().join("elsewhere").exists());
    directory.run(&["check"]).succeeded();
}
