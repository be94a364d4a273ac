//! What a user does wrong is answered with a sentence and the next step, never with a panic.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::process::Directory;

#[test]
fn bad_usage_has_exit_code_2() {
    let directory = Directory::new();
    let cases: [&[&str]; 5] = [
        &["frobnicate"],
        &["serve", "--frobnicate"],
        &["import", "--source", "web"],
        &["query", "x", "--order", "upwards"],
        &["source", "rotate-token", "web", "--overlap", "soon"],
    ];
    for arguments in cases {
        let output = directory.run(arguments);
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.stderr.contains("error:"), "{output:?}");
    }
    assert!(
        std::fs::read_dir(directory.path())
            .unwrap()
            .next()
            .is_none()
    );
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let directory = Directory::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    directory.write("a-file", "");
    directory.write("bad.toml", "listne = \"127.0.0.1:0\"\n");
    let cases: [(&[&str], &[&str]); 5] = [
        (&["--listen", &taken], &["Cannot listen on", "--listen"]),
        (
            &["--listen", "nowhere"],
            &["`nowhere` is no address to listen on"],
        ),
        (
            &["--listen", "127.0.0.1:0", "--data-dir", "a-file"],
            &["Cannot open the data directory a-file", "--data-dir"],
        ),
        (
            &["--config", "bad.toml"],
            &["bad.toml is not a valid configuration", "listne"],
        ),
        (&["--config", "none.toml"], &["Cannot read none.toml"]),
    ];
    // The port stays taken until here.
    let _held = TcpListener::bind("127.0.0.1:0").unwrap();
    for (arguments, wanted) in cases {
        let output = directory.run(arguments);
        assert_eq!(output.code, Some(1), "{arguments:?} {output:?}");
        for part in wanted {
            assert!(output.stderr.contains(part), "{part}\n{}", output.stderr);
        }
    }
}

/// To go on without the bucket would find less than there is.
#[cfg(not(feature = "bucket"))]
#[test]
fn a_bucket_in_a_build_without_is_refused() {
    let directory = Directory::new();
    directory.write(
        "bucket.toml",
        "[bucket]\nname = \"logs\"\naccess_key = \"AKIDEXAMPLE\"\nsecret_key = \"wJalrXUtnFEMI\"\n",
    );
    std::fs::create_dir(directory.path().join("data")).unwrap();
    let with_bucket = ["--config", "bucket.toml", "--data-dir", "data"];
    for verb in [&["serve", "--listen", "127.0.0.1:0"][..], &["check"]] {
        let output = directory.run(&[verb, &with_bucket].concat());
        assert_eq!(output.code, Some(1), "{output:?}");
        let wanted = "cargo build --release --features bucket";
        assert!(output.stderr.contains(wanted), "{output:?}");
        assert!(!output.stderr.contains("wJalrXUtnFEMI"), "{output:?}");
    }
}

#[test]
fn one_data_directory_has_one_server() {
    let directory = Directory::new();
    let _server = directory.serve();
    let second = directory.run(&["--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(1));
    assert!(
        second.stderr.contains("in use by another process"),
        "{second:?}"
    );
    directory.run(&["source", "list"]).succeeded();
}

#[test]
fn a_client_without_a_server_says_what_to_do() {
    let directory = Directory::new();
    let no_token = directory.run(&["query", "x"]);
    assert_eq!(no_token.code, Some(1));
    assert!(no_token.stderr.contains("No API token"), "{no_token:?}");

    directory.serve().stop();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{free}");
    let no_server = directory.run(&["query", "x", "--url", &url]);
    assert_eq!(no_server.code, Some(1));
    assert!(
        no_server.stderr.contains(&format!("No answer from {url}")),
        "{no_server:?}"
    );
    assert!(
        no_server.stderr.contains("`cordwood serve` starts it"),
        "{no_server:?}"
    );
    let as_json = directory.run(&["query", "x", "--url", &url, "--json"]);
    let as_json: serde_json::Value = serde_json::from_str(&as_json.stderr).unwrap();
    assert!(
        as_json["errors"].as_str().unwrap().starts_with("No answer"),
        "{as_json}"
    );
    let no_url = directory.run(&["query", "x", "--url", "localhost"]);
    assert!(
        no_url.stderr.contains("is no URL of a server"),
        "{no_url:?}"
    );
}

#[test]
fn settings_come_from_the_file_then_the_environment_then_the_command_line() {
    let directory = Directory::new();
    directory.write(
        "cordwood.toml",
        "data_dir = \"from-file\"\nlisten = \"127.0.0.1:0\"\n",
    );
    directory.serve().stop();
    assert!(directory.path().join("from-file/cli-token").exists());
    let mut command = directory.command(&["check"]);
    let output = command
        .env("CORDWOOD_DATA_DIR", "from-environment")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("from-environment"), "{stderr}");
    let mut command = directory.command(&["check", "--data-dir", "from-line"]);
    let output = command
        .env("CORDWOOD_DATA_DIR", "from-environment")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("from-line"), "{stderr}");
}

#[test]
fn the_directory_of_the_server_is_for_its_user_alone() {
    let directory = Directory::new();
    directory.serve().stop();
    let data_dir = std::fs::metadata(directory.path().join("cordwood-data")).unwrap();
    assert_eq!(data_dir.permissions().mode() & 0o077, 0);
}
