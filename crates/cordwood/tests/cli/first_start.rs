//! The first five minutes: start, send what the greeting says, find it, stop, start again.

use std::os::unix::fs::PermissionsExt;

use crate::process::Directory;

#[test]
fn the_greeting_leads_to_a_first_event() {
    let directory = Directory::new();
    let server = directory.serve();
    let url = server.url.clone();
    let (greeting, log) = server.stop();

    let token = greeting.lines().nth(2).unwrap().trim().to_owned();
    assert_eq!(token.len(), 24, "{greeting}");
    for wanted in [
        &*format!("curl -X POST {url}/"),
        &*format!("Authorization: Bearer {token}"),
        "cordwood query hello\n",
        &*format!("'{url}/api/v1/query?query=hello'"),
        "$(cat ./cordwood-data/cli-token)",
    ] {
        assert!(greeting.contains(wanted), "{wanted}\n{greeting}");
    }
    assert!(!log.contains(&token), "the log holds the token");

    let server = directory.serve();
    assert_eq!(
        server.ingest(&token, r#"{"message":"Hello, Cordwood"}"#),
        202
    );
    let found = directory.run(&["query", "hello"]).succeeded();
    let events = found.json_lines();
    assert_eq!(events.len(), 1, "{found:?}");
    assert_eq!(events[0]["message"], "Hello, Cordwood");
    assert_eq!(events[0]["_source"], "default");
    let (second_greeting, _) = server.stop();
    assert_eq!(second_greeting, "", "the token is shown once");

    let cli_token = directory.path().join("cordwood-data/cli-token");
    let mode = std::fs::metadata(cli_token).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_acknowledged_event_survives_a_kill() {
    let directory = Directory::new();
    let server = directory.serve();
    let created = directory
        .run(&["source", "create", "web", "--json"])
        .succeeded();
    let token = created.json()["data"]["attributes"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(server.ingest(&token, r#"{"message":"still here"}"#), 202);
    server.kill();

    let _server = directory.serve();
    let found = directory.run(&["query", "still here"]).succeeded();
    assert_eq!(found.json_lines().len(), 1, "{found:?}");
}
