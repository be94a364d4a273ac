//! The OpenAPI document: whole in itself, true of the router, and true of every answer of the scenario files.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::client::Answer;
use crate::server::Server;

/// The document of a server, to hold answers against.
pub(crate) struct Document(Value);

impl Document {
    pub(crate) fn of(server: &Server) -> Document {
        let answer = server.send("GET /api/openapi.json", &[], b"");
        assert_eq!(answer.status, 200, "{answer:?}");
        Document(answer.json())
    }

    /// Method, path and description of each operation.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        paths.flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, operation)| (&**method, &**path, operation))
        })
    }

    /// The operation that a request line goes to; one whose path has no parameter before one that has.
    fn operation(&self, request_line: &str) -> Option<&Value> {
        let (method, target) = request_line.split_once(' ')?;
        let path = target.split('?').next()?;
        let mut fitting: Vec<_> = self
            .operations()
            .filter(|(other, template, _)| {
                other.eq_ignore_ascii_case(method) && fits(template, path)
            })
            .collect();
        fitting.sort_by_key(|(_, template, _)| template.matches('{').count());
        fitting.first().map(|(_, _, operation)| *operation)
    }

    /// Fails if the JSON of an answer is not what the document says of it.
    pub(crate) fn check(&self, request_line: &str, answer: &Answer, place: &str) {
        let is_json = answer.header("content-type") == Some("application/json");
        let Some(operation) = self.operation(request_line).filter(|_| is_json) else {
            return;
        };
        let responses = &operation["responses"];
        let documented = responses.get(answer.status.to_string());
        let Some(response) = documented.or_else(|| responses.get("default")) else {
            return;
        };
        let schema = response.pointer("/content/application~1json/schema");
        let schema = schema.unwrap_or_else(|| panic!("no schema for {place}"));
        let whole = json!({"allOf": [schema], "components": self.0["components"]});
        let validator = jsonschema::validator_for(&whole).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&answer.json())
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:?} in {place}\n{}", answer.body);
    }

    /// The names of the members of an object, those of the objects it is put together of among them.
    fn members_of(&self, schema: &Value) -> BTreeSet<String> {
        let schema = self.resolved(schema);
        let own = schema["properties"].as_object().into_iter().flatten();
        let mut members: BTreeSet<String> = own.map(|(name, _)| name.clone()).collect();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            members.extend(self.members_of(part));
        }
        members
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.0.pointer(name.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template
            .zip(path)
            .all(|(expected, found)| expected.starts_with('{') || expected == found)
}

#[test]
fn every_operation_is_described() {
    let server = Server::start();
    let document = Document::of(&server);
    let mut ids = BTreeSet::new();
    for (method, path, operation) in document.operations() {
        let place = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{place}");
        assert!(operation["tags"][0].is_string(), "{place}");
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        let responses = operation["responses"].as_object().unwrap();
        assert!(!responses.is_empty(), "{place}");
        for response in responses.values() {
            assert!(response["description"].is_string(), "{place}");
        }
    }
    for needed in [
        "query_get",
        "sources_create",
        "sources_create_v2",
        "ingest_post",
    ] {
        assert!(ids.contains(needed), "{needed}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let server = Server::start();
    let document = Document::of(&server);
    let mut references = Vec::new();
    gather_references(&document.0, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.0.pointer(pointer).is_some(), "{reference}");
    }
}

fn gather_references(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(
                members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            members
                .values()
                .for_each(|member| gather_references(member, references));
        }
        Value::Array(elements) => {
            elements
                .iter()
                .for_each(|element| gather_references(element, references));
        }
        _ => {}
    }
}

/// What the API tells without a token is told by design, not by neglect.
#[test]
fn every_endpoint_of_the_api_wants_a_token() {
    let server = Server::start();
    let document = Document::of(&server);
    for (method, path, operation) in document.operations() {
        if !path.starts_with("/api/v") {
            continue;
        }
        assert!(operation["security"][0]["api_token"].is_array(), "{path}");
        let request_line = format!("{} {}", method.to_uppercase(), path.replace(['{', '}'], ""));
        let answer = server.send(&request_line, &[], b"");
        assert_eq!(
            answer.failure(),
            (401, "unauthenticated".to_owned()),
            "{request_line}"
        );
    }
}

/// Each documented member of a body is read: sent as an object of objects, which no member is, it is refused for its value and not as
/// unknown.
#[test]
fn every_member_of_a_body_is_read() {
    let server = Server::start();
    let document = Document::of(&server);
    let mut checked = 0;
    for (method, path, operation) in document.operations() {
        let content = &operation["requestBody"]["content"]["application/json"];
        let members = document.members_of(&content["schema"]);
        let path = path.replace("{source}", "default").replace(['{', '}'], "");
        let request_line = format!("{} {path}", method.to_uppercase());
        for name in &members {
            let body: Map<String, Value> = [(name.clone(), json!({"a": {"b": "c"}}))]
                .into_iter()
                .collect();
            let answer = server.rest(&request_line, &Value::from(body).to_string());
            let refused = answer.json();
            let is_refused_for_its_value = refused["parameter"] == json!(name)
                || !refused["invalid_values"][name].is_null()
                || answer.status == 501;
            assert!(
                is_refused_for_its_value,
                "`{name}` of {request_line}: {answer:?}"
            );
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
}
