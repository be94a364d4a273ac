//! `cordwood mcp` over standard input and output, with a server and with a data directory, and `cordwood audit`, which tells of it.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Directory, Output, lines_of};

/// An answer that is not there by then does not come.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// The two ways: to the server that uses the directory, and straight to the data.
const WAYS: [&[&str]; 2] = [&["mcp"], &["mcp", "--data", "cordwood-data"]];

/// `cordwood mcp`, and what its client says and hears.
struct Conversation {
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
    log: Receiver<String>,
}

impl Conversation {
    fn begin(directory: &Directory, arguments: &[&str]) -> Conversation {
        let mut command = directory.command(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        Conversation {
            input: child.stdin.take().unwrap(),
            answers: lines_of(child.stdout.take().unwrap()),
            log: lines_of(child.stderr.take().unwrap()),
            child,
        }
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
    }

    /// The next message.
    fn hear(&self) -> Value {
        let line = self.answers.recv_timeout(ANSWER_TIMEOUT);
        message(&line.unwrap_or_else(|_| panic!("no answer; {:?}", self.log.try_iter().last())))
    }

    /// The answer to a request: with `result`, or `error`.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.say(&request(1, method, params));
        let answer = self.hear();
        assert_eq!(answer["id"], 1, "{answer}");
        answer
    }

    fn initialize(&mut self) -> Value {
        let answer = self.ask("initialize", hello());
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        answer
    }

    /// What a call finds.
    fn found(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        assert_ne!(answer["result"]["isError"], true, "{tool}: {answer}");
        answer["result"]["structuredContent"].clone()
    }

    /// Ends the input; what comes after it.
    fn end(self) -> Output {
        drop(self.input);
        let mut child = self.child;
        let status = child.wait().unwrap();
        Output {
            code: status.code(),
            stdout: self.answers.iter().collect::<Vec<_>>().join("\n"),
            stderr: self.log.iter().collect::<Vec<_>>().join("\n"),
        }
    }
}

fn request(id: u64, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn hello() -> Value {
    json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}})
}

/// A line of standard output, on which nothing but messages of the protocol may stand.
fn message(line: &str) -> Value {
    let message: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    assert_eq!(message["jsonrpc"], "2.0", "{message}");
    message
}

/// A directory with an event, and the server on it.
fn with_an_event(directory: &Directory) -> crate::process::Server {
    let server = directory.serve();
    directory.write("event.json", r#"{"message":"from afar","level":"error"}"#);
    directory
        .run(&["import", "event.json", "--source", "default"])
        .succeeded();
    server
}

/// A new API token.
fn token_of(directory: &Directory, access: &str) -> String {
    let create = ["token", "create", "agent", "--access", access, "--json"];
    let created = directory.run(&create).succeeded().json();
    let token = created["data"]["attributes"]["token"].as_str().unwrap();
    token.to_owned()
}

/// A conversation to its end: nothing comes of it but answers.
fn converse(directory: &Directory, way: &[&str]) {
    let mut agent = Conversation::begin(directory, way);
    let hello = agent.initialize();
    assert_eq!(hello["result"]["serverInfo"]["name"], "cordwood", "{hello}");
    assert_eq!(hello["result"]["protocolVersion"], "2025-06-18");
    let found = agent.found("betterstack_query_logs", json!({"query": "level:error"}));
    assert_eq!(found["data"][0]["message"], "from afar", "{found}");
    assert_eq!(found["meta"]["complete"], true, "{found}");
    let refused = agent.ask(
        "tools/call",
        json!({"name": "betterstack_query_logs", "arguments": {"query": "("}}),
    );
    assert_eq!(refused["result"]["isError"], true, "{refused}");
    let ended = agent.end();
    assert_eq!(ended.code, Some(0), "{way:?}: {ended:?}");
    ended.stdout.lines().map(message).for_each(drop);
    let noise = ended.stderr.to_lowercase();
    assert!(!noise.contains("panic"), "{way:?}: {ended:?}");
}

#[test]
fn an_agent_asks_through_a_server_and_without_one() {
    let directory = Directory::new();
    let server = with_an_event(&directory);
    converse(&directory, WAYS[0]);
    let log = directory.run(&["audit"]).succeeded().stdout;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(lines[0].starts_with("ID "), "{log}");
    let refused = [
        "betterstack_query_logs",
        "invalid_query",
        r#"{"query":"("}"#,
    ];
    assert!(refused.iter().all(|part| lines[1].contains(part)), "{log}");
    assert!(lines[2].contains(" answered "), "{log}");

    let last = directory
        .run(&["audit", "--limit", "1", "--json"])
        .succeeded();
    let last = last.json();
    assert_eq!(last["data"].as_array().unwrap().len(), 1, "{last}");
    let id = last["data"][0]["id"].as_str().unwrap();
    let before = directory.run(&["audit", "--before", id]).succeeded().stdout;
    assert_eq!(before.lines().count(), 2, "{before}");
    let wrong = directory.run(&["audit", "--limit", "0"]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stderr.contains("it has to be 1 to 500"), "{wrong:?}");

    let in_use = directory.run(WAYS[1]);
    assert_eq!(in_use.code, Some(1), "{in_use:?}");
    assert!(in_use.stderr.contains("A server is using it"), "{in_use:?}");
    assert_eq!(in_use.stdout, "");
    server.stop();
    converse(&directory, WAYS[1]);
    // What was called without a server is in the same log.
    let _server = directory.serve();
    let log = directory.run(&["audit"]).succeeded().stdout;
    assert_eq!(log.lines().count(), 5, "{log}");
}

#[test]
fn a_token_that_may_only_read_sees_no_tool_that_writes() {
    let directory = Directory::new();
    let server = with_an_event(&directory);
    let token = token_of(&directory, "read");
    let check = |way: &[&str]| {
        let mut agent = Conversation::begin(&directory, &[way, &["--token", &token]].concat());
        agent.initialize();
        let listed = agent.ask("tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().unwrap().clone();
        let names: Vec<&str> = tools
            .iter()
            .filter_map(|tool| tool["name"].as_str())
            .collect();
        assert!(names.contains(&"betterstack_query_logs"), "{names:?}");
        assert!(!names.contains(&"betterstack_create_source"), "{names:?}");
        for tool in &tools {
            assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        }
        let found = agent.found("logs_stats", json!({"stages": "stats count()"}));
        assert_eq!(found["data"][0]["count()"], 1, "{found}");
        assert_eq!(agent.end().code, Some(0));
    };
    check(WAYS[0]);
    let audit = directory.run(&["audit", "--token", &token]);
    assert_eq!(audit.code, Some(1), "{audit:?}");
    server.stop();
    check(WAYS[1]);
}

/// As `printf … | cordwood mcp` does: the input ends before the answers are there.
#[test]
fn what_was_asked_before_the_input_ended_is_answered() {
    let directory = Directory::new();
    let server = with_an_event(&directory);
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call = json!({"name": "betterstack_query_logs", "arguments": {"query": "level:error"}});
    let messages = [
        request(1, "initialize", hello()),
        initialized,
        request(2, "tools/call", call),
    ];
    let input: String = messages
        .iter()
        .map(|message| format!("{message}\n"))
        .collect();
    let check = |way: &[&str]| {
        let output = directory.run_with_input(way, input.as_bytes()).succeeded();
        let answers: Vec<Value> = output.stdout.lines().map(message).collect();
        assert_eq!(answers.len(), 2, "{output:?}");
        let found = &answers[1]["result"]["structuredContent"]["data"];
        assert_eq!(found[0]["message"], "from afar", "{output:?}");
        let silent = directory.run(way).succeeded();
        assert_eq!(silent.stdout, "", "{silent:?}");
    };
    check(WAYS[0]);
    server.stop();
    check(WAYS[1]);
}

/// The version that has no `initialize`: each request says who asks, and how.
#[test]
fn the_version_without_sessions_is_spoken_too() {
    let directory = Directory::new();
    let server = with_an_event(&directory);
    let check = |way: &[&str]| {
        let mut agent = Conversation::begin(&directory, way);
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let arguments = json!({"query": "level:error"});
        let call = json!({"name": "betterstack_query_logs", "arguments": arguments, "_meta": meta});
        let answer = agent.ask("tools/call", call);
        let found = &answer["result"]["structuredContent"]["data"];
        assert_eq!(found[0]["message"], "from afar", "{answer}");
        assert_eq!(agent.end().code, Some(0));
    };
    check(WAYS[0]);
    server.stop();
    check(WAYS[1]);
}

/// Clients close the input of what they have started, and send a signal two seconds later: what is asked for longer is written down all the
/// same, and the directory is closed in good order.
#[test]
fn a_call_that_a_signal_breaks_off_is_in_the_log() {
    let directory = Directory::new();
    let server = directory.serve();
    let event = format!("{{\"message\":\"a{}b\"}}\n", "x".repeat(400));
    directory.write("events.json", event.repeat(20_000));
    directory
        .run(&["import", "events.json", "--source", "default"])
        .succeeded();
    server.stop();
    let mut agent = Conversation::begin(&directory, WAYS[1]);
    agent.initialize();
    let slow: Vec<String> = (0..30)
        .map(|n| format!("/(a|x)*(x|b)*[0-9]{{9}}/ OR /q{n}[a-z ]{{{}}}[0-9]/", n + 5))
        .collect();
    let arguments = json!({"query": slow.join(" OR "), "stages": "stats count()"});
    let call = json!({"name": "logs_stats", "arguments": arguments, "_meta": {"progressToken": 1}});
    agent.say(&request(2, "tools/call", call));
    let progress = agent.hear();
    assert_eq!(progress["method"], "notifications/progress", "{progress}");
    let id = agent.child.id().to_string();
    let signal = Command::new("kill").args(["-s", "TERM", &id]).status();
    assert!(signal.unwrap().success());
    let ended = agent.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let _server = directory.serve();
    let log = directory.run(&["audit"]).succeeded().stdout;
    assert!(log.contains(" cancelled "), "{log}");
}

#[test]
fn a_conversation_that_cannot_be_says_why_to_the_agent_and_to_who_started_it() {
    let directory = Directory::new();
    let server = with_an_event(&directory);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let nowhere = format!("http://{}", free.unwrap());
    let cases: [(&[&str], &str); 2] = [
        (&["mcp", "--token", "wrong"], "token"),
        (&["mcp", "--url", &nowhere], "No answer from"),
    ];
    for (arguments, sentence) in cases {
        let mut agent = Conversation::begin(&directory, arguments);
        let answer = agent.ask("initialize", hello());
        let told = answer["error"]["message"].as_str().unwrap();
        assert!(told.contains(sentence), "{answer}");
        let ended = agent.end();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(sentence), "{ended:?}");
        assert_eq!(ended.stdout, "", "{ended:?}");
    }
    server.stop();
    std::fs::create_dir(directory.path().join("photos")).unwrap();
    directory.write("photos/beach.jpg", "no log");
    let cases: [(&[&str], &str); 3] = [
        (
            &["mcp", "--data", "cordwood-data", "--token", "wrong"],
            "The API token is none of this data directory",
        ),
        (
            &["mcp", "--data", "photos"],
            "photos is no data directory of Cordwood",
        ),
        (
            &["mcp", "--data", "nowhere"],
            "nowhere is no data directory of Cordwood",
        ),
    ];
    for (arguments, sentence) in cases {
        let output = directory.run(arguments);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(sentence), "{output:?}");
        assert_eq!(output.stdout, "", "{output:?}");
    }
    let left = std::fs::read_dir(directory.path().join("photos")).unwrap();
    assert_eq!(left.count(), 1, "something was made in a foreign directory");
}
