//! Exports over HTTP: started, watched, and downloaded in pieces that are the whole byte for byte.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Answer;
use crate::openapi::Document;
use crate::server::Server;

/// Starts an export and waits until it is over.
fn export(server: &Server, body: &Value) -> Value {
    let document = Document::of(server);
    let started = server.rest("POST /api/v1/exports", &body.to_string());
    assert_eq!(started.status, 202, "{started:?}");
    document.check("POST /api/v1/exports", &started, "a new export");
    let id = started.json()["data"]["id"].as_str().unwrap().to_owned();
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let request_line = format!("GET /api/v1/exports/{id}");
        let answer = server.rest(&request_line, "");
        document.check(&request_line, &answer, "an export");
        let export = answer.json()["data"].clone();
        let state = export["attributes"]["state"].as_str().unwrap().to_owned();
        if !matches!(state.as_str(), "queued" | "running") {
            return export;
        }
        assert!(Instant::now() < give_up, "{export}");
        std::thread::yield_now();
    }
}

fn download(server: &Server, export: &Value, headers: &[&str]) -> Answer {
    let id = export["id"].as_str().unwrap();
    let authorization = format!("Authorization: Bearer {}", server.api_token);
    let headers = [&[&*authorization], headers].concat();
    server.send(&format!("GET /api/v1/exports/{id}/file"), &headers, b"")
}

fn server_with_events() -> Server {
    let server = Server::start();
    let events =
        (0..500).map(|event| json!({"dt": 1_774_605_600 + event, "message": format!("é {event}")}));
    let body = Value::from(events.collect::<Vec<_>>()).to_string();
    assert_eq!(server.ingest(&[], body.as_bytes()).status, 202);
    server
}

#[test]
fn a_download_goes_on_where_it_ended() {
    let server = server_with_events();
    let done = export(&server, &json!({"query": "message:é"}));
    assert_eq!(done["attributes"]["events"], 500);
    assert_eq!(done["attributes"]["complete"], true);
    let whole = download(&server, &done, &[]);
    let length = whole.body.len();
    assert_eq!(whole.status, 200);
    assert_eq!(whole.header("content-length"), Some(&*length.to_string()));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-type"), Some("application/x-ndjson"));
    let named = whole.header("content-disposition").unwrap();
    assert!(
        named.starts_with("attachment; filename=\"cordwood-export-"),
        "{named}"
    );
    assert_eq!(done["attributes"]["bytes"], length);
    let etag = whole.header("etag").unwrap().to_owned();
    // Every line begins with ASCII: pieces that end there are texts.
    let cut = whole.body.find("\n{").unwrap() + 1;
    let mut pieces = whole.body.split_at(cut).0.to_owned();
    let rest = download(
        &server,
        &done,
        &[
            &format!("Range: bytes={cut}-"),
            &format!("If-Range: {etag}"),
        ],
    );
    assert_eq!(rest.status, 206);
    let place = format!("bytes {cut}-{}/{length}", length - 1);
    assert_eq!(rest.header("content-range"), Some(&*place));
    pieces.push_str(&rest.body);
    assert_eq!(pieces, whole.body);
    let of_another = ["Range: bytes=5-", "If-Range: \"another\""];
    assert_eq!(download(&server, &done, &of_another).status, 200);
    let beyond = download(&server, &done, &[&format!("Range: bytes={length}-")]);
    assert_eq!(beyond.failure(), (416, "range_not_satisfiable".to_owned()));
}

#[test]
fn exports_are_listed_and_removed() {
    let server = server_with_events();
    let done = export(
        &server,
        &json!({"query": "* | stats count() as n", "format": "csv"}),
    );
    assert_eq!(download(&server, &done, &[]).body, "n\r\n500\r\n");
    let listed = server.rest("GET /api/v1/exports", "").json();
    assert_eq!(listed["data"][0], done);
    let path = format!("/api/v1/exports/{}", done["id"].as_str().unwrap());
    assert_eq!(server.rest(&format!("DELETE {path}"), "").status, 204);
    let gone = server.rest(&format!("GET {path}"), "");
    assert_eq!(gone.failure(), (404, "not_found".to_owned()));
    assert_eq!(download(&server, &done, &[]).status, 404);
    assert_eq!(
        server.rest("GET /api/v1/exports", "").json()["data"],
        json!([])
    );
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let server = Server::start();
    let refused = |body: Value| {
        let answer = server.rest("POST /api/v1/exports", &body.to_string());
        (answer.status, answer.json())
    };
    let (status, answer) = refused(json!({"format": "xml", "compression": "rar", "order": "any"}));
    assert_eq!((status, &answer["code"]), (422, &json!("invalid_values")));
    let wrong = answer["invalid_values"].as_object().unwrap();
    let wrong: Vec<&String> = wrong.keys().collect();
    assert_eq!(wrong, ["compression", "format", "order"]);
    let (status, answer) = refused(json!({"query": "level:"}));
    assert_eq!((status, &answer["code"]), (400, &json!("invalid_query")));
    assert!(answer["position"].is_object());
    let (status, answer) = refused(json!({"querry": "x"}));
    assert_eq!(
        (status, &answer["invalid_attributes"]),
        (422, &json!(["querry"]))
    );
}

#[test]
fn evidence_names_its_key() {
    let server = server_with_events();
    let answer = server.rest("GET /api/v1/evidence-key", "").json();
    let key = answer["data"]["attributes"]["public_key"].as_str().unwrap();
    let done = export(&server, &json!({"evidence": true}));
    let file = download(&server, &done, &[]).body;
    let header: Value = serde_json::from_str(file.lines().next().unwrap()).unwrap();
    assert_eq!(header["public_key"], key);
    assert_eq!(header["export"], done["id"]);
}
