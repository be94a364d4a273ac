//! `check`: good directories, directories in use, and none.

use crate::process::Directory;

#[test]
fn check() {
    let directory = Directory::new();
    let none = directory.run(&["check"]);
    assert_eq!(none.code, Some(1));
    assert!(
        none.stderr
            .contains("There is no data directory ./cordwood-data"),
        "{none:?}"
    );

    let server = directory.serve();
    directory.write("a.log", "one\ntwo\n");
    directory
        .run(&["import", "a.log", "--source", "default"])
        .succeeded();
    let in_use = directory.run(&["check"]);
    assert_eq!(in_use.code, Some(1));
    assert!(
        in_use.stderr.contains("in use by another process"),
        "{in_use:?}"
    );
    server.stop();

    let good = directory.run(&["check"]).succeeded();
    assert!(
        good.stdout.ends_with("./cordwood-data is in good order.\n"),
        "{good:?}"
    );
    let as_json = directory.run(&["check", "--json"]).succeeded().json();
    assert_eq!(as_json["data"]["problems"], serde_json::json!([]));
    assert!(!as_json["data"]["verified"].as_array().unwrap().is_empty());
}

#[test]
fn damage_is_reported() {
    let directory = Directory::new();
    directory.serve().stop();
    let catalog = directory.path().join("cordwood-data/catalog.db");
    let bytes = std::fs::metadata(&catalog).unwrap().len();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&catalog)
        .unwrap();
    file.set_len(bytes / 2).unwrap();
    drop(file);
    let damaged = directory.run(&["check"]);
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
}
