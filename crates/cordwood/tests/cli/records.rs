//! `source` and `token`: their answers for people and for programs.

use crate::process::Directory;

#[test]
fn sources() {
    let directory = Directory::new();
    let server = directory.serve();
    let create = ["source", "create", "shop", "--platform", "node", "--json"];
    let created = directory.run(&create).succeeded().json();
    let attributes = &created["data"]["attributes"];
    assert_eq!(created["data"]["id"], "2");
    assert_eq!(attributes["platform"], "javascript");
    let token = attributes["token"].as_str().unwrap();
    assert_eq!(server.ingest(token, r#"{"message":"x"}"#), 202);

    let rotate = [
        "source",
        "rotate-token",
        "shop",
        "--overlap",
        "0s",
        "--json",
    ];
    let rotated = directory.run(&rotate).succeeded().json();
    let new_token = rotated["data"]["attributes"]["token"].as_str().unwrap();
    assert_eq!(server.ingest(token, r#"{"message":"x"}"#), 403);
    assert_eq!(server.ingest(new_token, r#"{"message":"x"}"#), 202);

    directory.run(&["source", "pause", "shop"]).succeeded();
    assert_eq!(server.ingest(new_token, r#"{"message":"x"}"#), 403);
    let listed = directory.run(&["source", "list"]).succeeded().stdout;
    let line = listed.lines().find(|line| line.contains("shop")).unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells[..4], ["2", "shop", "javascript", "2"], "{listed}");
    assert!(
        line.contains("paused") && !line.contains(new_token),
        "{listed}"
    );
    directory.run(&["source", "resume", "2"]).succeeded();
    let update = ["source", "update", "shop", "--max-size", "2GiB", "--json"];
    let updated = directory.run(&update).succeeded().json();
    assert_eq!(updated["data"]["attributes"]["disk_bytes_max"], 2u64 << 30);
    let update = [
        "source",
        "update",
        "shop",
        "--max-size",
        "unlimited",
        "--json",
    ];
    let updated = directory.run(&update).succeeded().json();
    assert!(updated["data"]["attributes"]["disk_bytes_max"].is_null());
    assert_eq!(server.ingest(new_token, r#"{"message":"x"}"#), 202);

    let shown = directory
        .run(&["source", "show", "src-2"])
        .succeeded()
        .stdout;
    assert!(
        shown.contains("shop") && !shown.contains(new_token),
        "{shown}"
    );
    directory.run(&["source", "delete", "shop"]).succeeded();
    let gone = directory.run(&["source", "show", "shop", "--json"]);
    assert_eq!(gone.code, Some(1));
    assert!(
        gone.stderr.contains("\"code\":\"source_not_found\""),
        "{gone:?}"
    );
}

#[test]
fn tokens() {
    let directory = Directory::new();
    let server = directory.serve();
    let create = ["token", "create", "reader", "--json"];
    let created = directory.run(&create).succeeded().json();
    let token = created["data"]["attributes"]["token"].as_str().unwrap();
    assert_eq!(created["data"]["attributes"]["access"], "read");

    // From another machine: with a URL and a token, and no data directory.
    let elsewhere = Directory::new();
    let with_token = |arguments: &[&str]| {
        let remote = ["--url", &server.url, "--token", token];
        elsewhere.run(&[&remote, arguments].concat())
    };
    with_token(&["source", "list"]).succeeded();
    let refused = with_token(&["source", "create", "x"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused
            .stderr
            .contains("needs an API token with admin access"),
        "{refused:?}"
    );

    directory.run(&["token", "revoke", "reader"]).succeeded();
    let revoked = with_token(&["source", "list"]);
    assert!(revoked.stderr.contains("Invalid API token"), "{revoked:?}");
    let listed = directory.run(&["token", "list"]).succeeded().stdout;
    assert!(
        listed.contains("command line") && !listed.contains(token),
        "{listed}"
    );
}

#[test]
fn a_client_is_named_or_the_error_says_which_there_are() {
    let directory = Directory::new();
    let _server = directory.serve();
    directory
        .run(&["source", "create", "a", "--client", "default"])
        .succeeded();
    let wrong = directory.run(&["source", "create", "b", "--client", "acme"]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("There is no client `acme`"),
        "{wrong:?}"
    );
    assert!(wrong.stderr.contains("There are: default."), "{wrong:?}");
}
