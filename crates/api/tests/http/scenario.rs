//! Scenario files: requests and expected answers, run in order against a fresh server.
//!
//! A step is a request (line, headers, empty line, body), a line `=> STATUS`, headers and a body
//! expected of the answer, and a line `---`. `{name}` stands for a variable: `{source_token}` and
//! `{api_token}` are set, `{deep}` is an array in 199 others, others are set by the first answer in which they stand as a whole text. An
//! expected JSON object may leave members out; `"{*}"` is anything but null. `(empty)` is an empty body. Each answer is held
//! against the OpenAPI document too.

use std::collections::HashMap;
use std::fs;
use std::panic;
use std::path::Path;

use serde_json::Value;

use crate::client::Answer;
use crate::openapi::Document;
use crate::server::Server;

type Variables = HashMap<String, String>;

struct Step<'a> {
    request_line: &'a str,
    headers: Vec<&'a str>,
    body: &'a str,
    status: u16,
    expected_headers: Vec<&'a str>,
    expected_body: &'a str,
}

#[test]
fn scenarios() {
    let sql = match cfg!(feature = "sql") {
        true => "scenarios-with-sql",
        false => "scenarios-without-sql",
    };
    let directories = ["scenarios", sql].map(|name| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        fs::read_dir(tests.join(name)).unwrap()
    });
    let paths = directories.into_iter().flatten();
    let paths: Vec<_> = paths.map(|entry| entry.unwrap().path()).collect();
    assert!(!paths.is_empty());
    let failed: Vec<_> = paths
        .iter()
        .filter(|path| panic::catch_unwind(|| run(path)).is_err())
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

fn run(path: &Path) {
    let server = Server::start();
    let document = Document::of(&server);
    let mut variables = Variables::from([
        ("source_token".into(), server.source_token.clone()),
        ("api_token".into(), server.api_token.clone()),
        (
            "deep".into(),
            format!("{}{}", "[".repeat(200), "]".repeat(200)),
        ),
    ]);
    let text = fs::read_to_string(path).unwrap();
    for (index, step) in text.split("\n---\n").enumerate() {
        let step = without_comments(step);
        if step.trim().is_empty() {
            continue;
        }
        let place = format!("{} step {}:\n{step}", path.display(), index + 1);
        let step = parse(step.trim(), &place);
        let answer = check(&server, &mut variables, &step, &place);
        document.check(&fill(step.request_line, &variables), &answer, &place);
    }
}

fn without_comments(step: &str) -> String {
    let lines = step.lines().filter(|line| !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

fn parse<'a>(step: &'a str, place: &str) -> Step<'a> {
    let (request, expected) = step
        .split_once("\n=> ")
        .unwrap_or_else(|| panic!("no answer expected in {place}"));
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut head = head.lines();
    let (expected_head, expected_body) = expected.split_once("\n\n").unwrap_or((expected, ""));
    let mut expected_head = expected_head.lines();
    Step {
        request_line: head.next().unwrap(),
        headers: head.collect(),
        body: body.trim_end(),
        status: expected_head.next().unwrap().trim().parse().unwrap(),
        expected_headers: expected_head.collect(),
        expected_body: expected_body.trim(),
    }
}

fn check(server: &Server, variables: &mut Variables, step: &Step<'_>, place: &str) -> Answer {
    let filled = |text: &str| fill(text, variables);
    let headers: Vec<String> = step.headers.iter().map(|header| filled(header)).collect();
    let headers: Vec<&str> = headers.iter().map(|header| &**header).collect();
    let body = filled(step.body);
    let answer = server.send(&filled(step.request_line), &headers, body.as_bytes());
    assert_eq!(answer.status, step.status, "{place}\n{answer:?}");
    assert!(
        answer.header("x-request-id").is_some(),
        "{place}\n{answer:?}"
    );
    for header in &step.expected_headers {
        let (name, value) = header.split_once(": ").unwrap();
        let value = fill(value, variables);
        assert_eq!(
            answer.header(name),
            Some(&*value),
            "{name} in {place}\n{answer:?}"
        );
    }
    check_body(&answer, variables, step.expected_body, place);
    answer
}

fn check_body(answer: &Answer, variables: &mut Variables, expected: &str, place: &str) {
    match expected {
        "" => {}
        "(empty)" => assert_eq!(answer.body, "", "{place}"),
        json if json.starts_with('{') => {
            let expected: Value =
                serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {place}"));
            if let Err(difference) = compare(&answer.json(), &expected, variables) {
                panic!("{difference} in {place}\n{}", answer.body);
            }
        }
        text => assert_eq!(answer.body.trim(), fill(text, variables), "{place}"),
    }
}

/// Whether `found` has all that is expected.
fn compare(found: &Value, expected: &Value, variables: &mut Variables) -> Result<(), String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (name, expected) in expected {
                let found = found.get(name).ok_or(format!("no `{name}`"))?;
                compare(found, expected, variables).map_err(|what| format!("{name}: {what}"))?;
            }
            Ok(())
        }
        (Value::Array(found), Value::Array(expected)) => {
            if found.len() != expected.len() {
                return Err(format!("{} elements, not {}", found.len(), expected.len()));
            }
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                compare(found, expected, variables).map_err(|what| format!("[{index}] {what}"))?;
            }
            Ok(())
        }
        (found, Value::String(expected)) => compare_text(found, expected, variables),
        (found, expected) if found == expected => Ok(()),
        (found, expected) => Err(format!("{found}, not {expected}")),
    }
}

fn compare_text(found: &Value, expected: &str, variables: &mut Variables) -> Result<(), String> {
    if expected == "{*}" {
        return if found.is_null() {
            Err("null".into())
        } else {
            Ok(())
        };
    }
    let name = expected
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    if let (Some(name), Some(text)) = (name, found.as_str())
        && !name.contains(['{', '"', ':'])
        && !variables.contains_key(name)
    {
        variables.insert(name.into(), text.into());
        return Ok(());
    }
    let expected = fill(expected, variables);
    if found.as_str() == Some(&expected) {
        Ok(())
    } else {
        Err(format!("{found}, not {expected:?}"))
    }
}

fn fill(text: &str, variables: &Variables) -> String {
    let mut filled = text.to_owned();
    for (name, value) in variables {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    filled
}
