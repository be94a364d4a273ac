//! `channels`: make, try, list, look at what came of it, remove; secrets from files, standard input and the environment.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use serde_json::Value;

use crate::process::Directory;

/// Takes `count` requests; their `Authorization` and bodies.
fn receive(count: usize) -> (String, thread::JoinHandle<Vec<(String, Value)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let receiver = thread::spawn(move || {
        let take = |_| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut authorization, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let Some((name, value)) = line.split_once(": ") else {
                    if line.trim().is_empty() {
                        break;
                    }
                    continue;
                };
                match name.to_ascii_lowercase().as_str() {
                    "authorization" => authorization = value.trim().to_owned(),
                    "content-length" => length = value.trim().parse().unwrap(),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nthank";
            stream.write_all(answer).unwrap();
            (authorization, serde_json::from_slice(&body).unwrap())
        };
        (0..count).map(take).collect()
    });
    (url, receiver)
}

#[test]
fn channels() {
    let directory = Directory::new();
    directory.write(
        "cordwood.toml",
        "public_url = \"https://logs.example.com/\"\n[outbound]\nallow = [\"127.0.0.1\"]\n",
    );
    directory.write("secret.txt", "Bearer from-a-file\n");
    let _server = directory.serve();
    let (url, receiver) = receive(2);
    let add = [
        "channels",
        "add",
        "webhook",
        "ops",
        "--hook",
        &url,
        "--default",
        "--header",
        "X-Team: payments",
        "--authorization",
        "@secret.txt",
    ];
    let added = directory.run(&add).succeeded();
    assert!(added.stdout.contains("channels test \"ops\""), "{added:?}");
    let tried = directory.run(&["channels", "test", "ops"]).succeeded();
    assert_eq!(tried.stdout, "Delivered (answer 200): thank\n");
    let shown = directory
        .run(&["channels", "show", "ops"])
        .succeeded()
        .stdout;
    assert!(
        shown.contains("(set, not shown)") && !shown.contains("from-a-file"),
        "{shown}"
    );

    let input = [
        "channels",
        "add",
        "ntfy",
        "phone",
        "--topic",
        "acme",
        "--endpoint",
        &url,
        "--access-token",
        "-",
    ];
    directory
        .run_with_input(&input, b"tk_from-stdin\n")
        .succeeded();
    directory.run(&["channels", "test", "phone"]).succeeded();
    let received = receiver.join().unwrap();
    assert_eq!(received[0].0, "Bearer from-a-file");
    assert_eq!(received[0].1["data"]["title"], "A test of ops");
    assert_eq!(
        (received[1].0.as_str(), &received[1].1["topic"]),
        ("Bearer tk_from-stdin", &"acme".into())
    );

    let unset = [
        "channels",
        "add",
        "pagerduty",
        "duty",
        "--routing-key",
        "env:NOT_SET",
    ];
    let refused = directory.run(&unset);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("no variable NOT_SET"),
        "{refused:?}"
    );
    let wrong = directory.run(&["channels", "add", "slack", "ops", "--hook", "nowhere"]);
    assert!(wrong.stderr.contains("`url` has to be a URL"), "{wrong:?}");

    let log = directory
        .run(&["channels", "deliveries", "ops"])
        .succeeded()
        .stdout;
    assert!(
        log.contains("A test of ops") && log.contains("delivered"),
        "{log}"
    );
    directory.run(&["channels", "pause", "ops"]).succeeded();
    let listed = directory.run(&["channels", "list"]).succeeded().stdout;
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(listed.contains("ops    webhook  true     true"), "{listed}");
    // Nobody listens any more.
    let failed = directory.run(&["channels", "test", "phone"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("did not arrive"), "{failed:?}");
    directory.run(&["channels", "resume", "ops"]).succeeded();
    directory.run(&["channels", "remove", "ops"]).succeeded();
    assert_eq!(directory.run(&["channels", "show", "ops"]).code, Some(1));
}

#[test]
fn the_configuration_says_what_may_be_reached() {
    let directory = Directory::new();
    directory.write("cordwood.toml", "[outbound]\nallow = [\"10.0.0.0/33\"]\n");
    let refused = directory.run(&["channels", "list"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("10.0.0.0/33"), "{refused:?}");
}
