//! `saved`: save, list, show, run and delete.

use crate::process::Directory;

#[test]
fn saved_queries() {
    let directory = Directory::new();
    let _server = directory.serve();
    directory.write(
        "a.ndjson",
        "{\"level\":\"error\",\"service\":\"web\"}\n{\"level\":\"info\",\"service\":\"web\"}\n",
    );
    directory
        .run(&["import", "a.ndjson", "--source", "default"])
        .succeeded();
    let listed = directory.run(&["saved", "list"]).succeeded().stdout;
    assert!(listed.contains("Errors by service"), "{listed}");
    assert_eq!(listed.lines().count(), 7);
    let table = directory.run(&["saved", "run", "errors by service", "--output", "csv"]);
    assert_eq!(
        table.succeeded().stdout,
        "service,errors,events\r\nweb,1,2\r\n"
    );

    let save = [
        "saved",
        "save",
        "failures",
        "level:error",
        "--from",
        "now-1h",
        "--shared",
    ];
    let saved = directory.run(&save).succeeded();
    assert!(saved.stdout.contains("saved run \"failures\""), "{saved:?}");
    let shown = directory
        .run(&["saved", "show", "failures"])
        .succeeded()
        .stdout;
    assert!(
        shown.contains("level:error") && shown.contains("now-1h"),
        "{shown}"
    );
    let found = directory
        .run(&["query", "--saved", "failures", "--json"])
        .succeeded();
    assert_eq!(found.json_lines().len(), 1);
    let taken = directory.run(&save);
    assert_eq!(taken.code, Some(1));
    assert!(taken.stderr.contains("already been taken"), "{taken:?}");
    let replace = ["saved", "save", "failures", "service:web", "--replace"];
    directory.run(&replace).succeeded();
    let found = directory
        .run(&["saved", "run", "failures", "--output", "json"])
        .succeeded();
    assert_eq!(found.json_lines().len(), 2);

    let wrong = directory.run(&["saved", "save", "x", "level:error |"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains('^'), "{wrong:?}");
    let both = directory.run(&["query", "x", "--saved", "failures"]);
    assert_eq!(both.code, Some(2));
    directory.run(&["saved", "delete", "failures"]).succeeded();
    let gone = directory.run(&["saved", "show", "failures"]);
    assert!(gone.stderr.contains("was not found"), "{gone:?}");
}
