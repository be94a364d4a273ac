//! The four workflows that agents know, step by step as they know them, against something planted: every argument comes from the prompt of the
//! workflow or from an answer before, and what is planted is arrived at from answers alone. How large each answer is is printed
//! (`--nocapture`), and held to what an answer may take.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::agent::{ANSWER_BYTES_MAX, Agent};
use crate::corpus::incident::{HOURS, Incident, lines};
use crate::server::Server;

const EVENTS: u64 = 20_000;
const HOUR_MS: u64 = 3_600_000;

/// What holds the lock that everything waits for, in a source that nobody complains about.
const MIGRATION: &str = "20260327-title-index";

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// A workflow being played, with the sizes of its answers.
struct Workflow<'s> {
    agent: Agent<'s>,
    name: &'static str,
    /// What the prompt of the workflow says to do.
    prompt: String,
    sizes: RefCell<Vec<(String, usize)>>,
}

impl<'s> Workflow<'s> {
    /// Asks for the prompt, as a person would who begins it.
    fn begin(server: &'s Server, name: &'static str, arguments: Value) -> Workflow<'s> {
        let agent = Agent::new(server, &server.api_token);
        let given = json!({"name": name, "arguments": arguments});
        let prompt = agent.ask("prompts/get", given)["result"].clone();
        let prompt = text(&prompt["messages"][0]["content"]["text"]).to_owned();
        Workflow {
            agent,
            name,
            prompt,
            sizes: RefCell::default(),
        }
    }

    /// Calls a tool that the prompt names, and records how large its answer is.
    fn ask(&self, tool: &str, arguments: Value) -> Value {
        let named = format!("`{tool}`");
        assert!(self.prompt.contains(&named), "{}: {named}", self.name);
        let found = self.agent.found(tool, arguments.clone());
        let bytes = found.to_string().len();
        assert!(
            bytes <= ANSWER_BYTES_MAX,
            "{tool} {arguments}: {bytes} bytes"
        );
        self.sizes.borrow_mut().push((tool.to_owned(), bytes));
        found
    }

    /// Tells how large the answers were.
    fn finish(self) {
        let sizes = self.sizes.into_inner();
        for (tool, bytes) in &sizes {
            println!("{}: {tool}: {bytes} bytes", self.name);
        }
        let all: usize = sizes.iter().map(|(_, bytes)| bytes).sum();
        println!("{}: {} answers, {all} bytes", self.name, sizes.len());
        // A dozen answers of which none is full are what a workflow takes.
        assert!(all <= 12 * ANSWER_BYTES_MAX / 2, "{}: {all}", self.name);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("a list: {value}"))
}

fn send(server: &Server, token: &str, events: &[Value]) {
    let authorization = format!("Authorization: Bearer {token}");
    let headers = [&*authorization, "Content-Type: application/json"];
    for events in events.chunks(5_000) {
        let stored = server.send("POST /", &headers, json!(events).to_string().as_bytes());
        assert_eq!(stored.status, 202, "{stored:?}");
    }
}

/// A server with hours of events. In the last of them a migration takes a lock in `orders-db`, requests of `cart-api` time out for it,
/// `gateway` answers with 502, and that is what is complained about.
fn struck() -> Server {
    let server = Server::start();
    let made = server.rest("POST /api/v1/sources", r#"{"name": "orders-db"}"#);
    let database = made.json()["data"]["attributes"]["token"].clone();
    let start = now_ms() - HOURS * HOUR_MS;
    let lines = lines(Incident::DependencyTimeout, 1, EVENTS, start);
    let mut events: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let is_victim = |event: &&Value| {
        event["service"] == "cart-api"
            && event["message"] == "timeout after 3000ms calling orders-db"
            && event["dt"].as_u64().unwrap() > start + (HOURS - 1) * HOUR_MS
    };
    let mut refused = Vec::new();
    let mut locked = Vec::new();
    for victim in events.iter().filter(is_victim) {
        let (dt, request) = (victim["dt"].as_u64().unwrap(), &victim["request_id"]);
        refused.push(json!({"dt": dt + 5, "service": "gateway", "level": "error", "status": 502, "path": victim["path"],
            "message": "upstream cart-api answered 500", "request_id": request}));
        locked.push(
            json!({"dt": dt - 2_990, "service": "orders-db", "level": "warn", "request_id": request,
            "message": format!("lock wait on table orders, held by migration {MIGRATION}")}),
        );
    }
    assert!(locked.len() > 20, "{} victims", locked.len());
    events.extend(refused);
    send(&server, &server.source_token, &events);
    send(&server, text(&database), &locked);
    let opened = json!({"name": "gateway answers 502", "cause": "more than 5 answers of 502 in 5 minutes", "severity": "critical",
        "query": "service:gateway status:502", "from": "now-1h", "to": "now", "labels": {"service": "gateway"}});
    let opened = server.rest("POST /api/v1/incidents", &opened.to_string());
    assert_eq!(opened.status, 201, "{opened:?}");
    server
}

#[test]
fn an_incident_is_investigated_to_its_cause() {
    let server = struck();
    let played = Workflow::begin(&server, "incident_investigation", json!({}));
    // The details of the incident, and which service is affected.
    let open = played.ask("incidents", json!({"action": "list", "status": "open"}));
    let incident = text(&open["data"][0]["id"]).to_owned();
    let shown = played.ask("incidents", json!({"action": "show", "incident": incident}));
    let details = &shown["data"]["attributes"];
    let service = text(&details["labels"]["service"]);
    let (from, to) = (&details["from"], &details["to"]);
    // Its logs around the incident, and of these what failed, the first failure first.
    let query = format!("service:{service}");
    let logs = played.ask(
        "betterstack_query_logs",
        json!({"query": query, "from": from, "to": to}),
    );
    assert!(list(&logs["data"]).len() > 10, "{logs}");
    let failed = format!("service:{service} level:(error OR fatal) status:502");
    let failed = json!({"query": failed, "from": from, "to": to, "order": "oldest_first"});
    let failures = played.ask("betterstack_query_logs", failed.clone());
    let first = &failures["data"][0];
    assert_eq!(
        first["message"], "upstream cart-api answered 500",
        "{failures}"
    );
    // What failures say alike.
    let patterns = played.ask(
        "logs_patterns",
        json!({"query": failed["query"], "from": from, "to": to}),
    );
    let said = text(&patterns["data"][0]["attributes"]["pattern"]);
    assert!(said.contains("upstream cart-api answered"), "{patterns}");
    // One of the requests through all services: who was the first, and where the time went.
    let traced = played.ask(
        "logs_trace",
        json!({"value": first["request_id"], "from": from, "to": to}),
    );
    let services: Vec<&str> = list(&traced["trace"]["services"])
        .iter()
        .map(|service| text(&service["service"]))
        .collect();
    assert_eq!(services, ["orders-db", "cart-api", "gateway"], "{traced}");
    let gap = &traced["trace"]["gaps"][0];
    assert!(gap["duration_ms"].as_f64().unwrap() > 2_900.0, "{traced}");
    let earliest = &traced["data"][0]["event"];
    assert_eq!(gap["after"], earliest["_id"], "{traced}");
    let cause = text(&earliest["message"]).to_owned();
    assert!(cause.contains(MIGRATION), "{traced}");
    let around = played.ask(
        "logs_context",
        json!({"id": earliest["_id"], "within": "1m"}),
    );
    assert!(list(&around["data"]).contains(earliest), "{around}");
    // The other side: what was before the incident, and what else has changed.
    let suspected = json!({"query": format!("\"{cause}\""), "stages": "stats count() as waits, min(dt) as since"});
    let suspected = played.ask("logs_stats", suspected);
    assert!(
        text(&suspected["data"][0]["since"]) > text(from)
            && suspected["data"][0]["waits"].as_u64() > Some(20),
        "{suspected}"
    );
    let changed = played.ask("logs_what_changed", json!({"from": from, "to": to}));
    let causes = changed["data"]["causes"].to_string();
    for (field, value) in Incident::DependencyTimeout.cause() {
        let part = format!("\"field\":\"{field}\",\"value\":\"{value}\"");
        let turned = format!("\"value\":\"{value}\",\"field\":\"{field}\"");
        assert!(
            causes.contains(&part) || causes.contains(&turned),
            "{changed}"
        );
    }
    // The summary, where whoever opens the incident finds it.
    let summary = format!(
        "{service} fails because of {}: {cause} ({})",
        services.join(", which fails "),
        text(&earliest["_id"])
    );
    played.ask(
        "incidents",
        json!({"action": "comment", "incident": incident, "content": summary}),
    );
    let report = played.ask(
        "incidents",
        json!({"action": "report", "incident": incident}),
    );
    let report = text(&report["data"]["markdown"]);
    assert!(
        report.contains(MIGRATION) && report.contains("gateway answers 502"),
        "{report}"
    );
    played.finish();
}

#[test]
fn the_services_with_elevated_errors_are_found() {
    let server = struck();
    let played = Workflow::begin(&server, "error_rate_monitoring", json!({}));
    let errors = json!({"query": "level:error", "from": "now-1h"});
    let found = played.ask("betterstack_query_logs", errors);
    assert!(list(&found["data"]).len() > 10, "{found}");
    // Which services, in this hour and in the one before.
    let by_service = |from: &str, to: &str| {
        let stages = "stats count() as errors by service | sort by errors desc | limit 20";
        let range =
            json!({"query": "level:(error OR fatal)", "stages": stages, "from": from, "to": to});
        played.ask("logs_stats", range)["data"].clone()
    };
    let (now, before) = (by_service("now-1h", "now"), by_service("now-2h", "now-1h"));
    let errors_of = |rows: &Value, service: &str| {
        let row = list(rows).iter().find(|row| row["service"] == service);
        row.and_then(|row| row["errors"].as_u64()).unwrap_or(0)
    };
    let elevated: Vec<&str> = list(&now)
        .iter()
        .map(|row| text(&row["service"]))
        .filter(|service| errors_of(&now, service) > 2 * errors_of(&before, service).max(10))
        .collect();
    let mut sorted = elevated.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["cart-api", "gateway"], "{now} before {before}");
    let changed = played.ask("logs_what_changed", json!({"from": "now-1h"}));
    let worse: Vec<&str> = list(&changed["data"]["services"])
        .iter()
        .map(|service| text(&service["service"]["value"]))
        .collect();
    assert!(
        elevated.iter().all(|service| worse.contains(service)),
        "{changed}"
    );
    // Which errors these are: the commonest pattern of each service, and an event of it.
    let mut said = Vec::new();
    for service in &elevated {
        let filter = format!("level:(error OR fatal) service:{service}");
        let patterns = played.ask("logs_patterns", json!({"query": filter, "from": "now-1h"}));
        let query = &patterns["data"][0]["attributes"]["query"];
        let query = format!("service:{service} ({})", text(query));
        let events = played.ask(
            "betterstack_query_logs",
            json!({"query": query, "from": "now-1h"}),
        );
        let messages = list(&events["data"])
            .iter()
            .map(|event| text(&event["message"]));
        said.push(messages.collect::<Vec<_>>().join("; "));
    }
    let said = said.join("; ");
    assert!(said.contains("upstream cart-api answered 500"), "{said}");
    assert!(
        said.contains("timeout after 3000ms calling orders-db"),
        "{said}"
    );
    // What is known of it.
    let open = played.ask("incidents", json!({"action": "list", "status": "open"}));
    let query = text(&open["data"][0]["attributes"]["query"]);
    assert!(
        elevated.iter().any(|service| query.contains(service)),
        "{open}"
    );
    let watched = played.ask("alerts", json!({"action": "list"}));
    assert_eq!(watched["data"], json!([]));
    played.finish();
}

#[test]
fn logging_for_a_new_client_is_set_up() {
    let server = Server::start();
    let services = [("API", "node"), ("web", "docker"), ("workers", "python")];
    let named: Vec<String> = services
        .iter()
        .map(|(service, platform)| format!("{service} ({platform})"))
        .collect();
    let arguments = json!({"client": "Acme", "services": named.join(", ")});
    let played = Workflow::begin(&server, "new_client_setup", arguments);
    let before = played.ask("betterstack_list_sources", json!({}));
    assert_eq!(before["data"].as_array().map(Vec::len), Some(1), "{before}");
    let mut sources = Vec::new();
    for (service, platform) in services {
        let name = format!("Acme {service}");
        let made = played.ask(
            "betterstack_create_source",
            json!({"name": name, "platform": platform}),
        );
        let id = text(&made["data"]["id"]).to_owned();
        assert_eq!(made["data"]["attributes"]["platform"], platform, "{made}");
        let silent = played.ask("source_health", json!({"source_id": id}));
        let problems = silent["data"][0]["problems"].to_string();
        assert!(problems.contains("Nothing was ever sent"), "{silent}");
        // The token is handed on, and the service sends.
        let token = text(&made["data"]["attributes"]["token"]).to_owned();
        let event = json!({"level": "error", "message": "first error", "service": service});
        send(&server, &token, &[event]);
        let flowing = json!({"query": "*", "source_id": id, "from": "now-15m"});
        let flowing = played.ask("betterstack_query_logs", flowing);
        assert_eq!(flowing["data"][0]["message"], "first error");
        let heard = played.ask("source_health", json!({"source_id": id}));
        assert_eq!(heard["data"][0]["problems"], json!([]), "{heard}");
        sources.push(id);
    }
    let fields = played.ask("logs_fields", json!({"source_id": sources.join(",")}));
    assert!(fields["data"].to_string().contains("service"), "{fields}");
    // Alerts, each tried before it is made.
    let rules = [
        (
            "Acme errors",
            json!({"query": "level:(error OR fatal)", "condition": {"type": "threshold", "operator": "higher_than", "value": 10}, "group_by": ["service"]}),
        ),
        (
            "Acme silent",
            json!({"query": "*", "condition": {"type": "absence", "of": "members"}, "group_by": ["_source"], "window_s": 900}),
        ),
    ];
    for (name, rule) in rules {
        let with = |members: Value| {
            let mut whole = rule.as_object().unwrap().clone();
            whole.insert("source_id".to_owned(), json!(sources));
            whole.extend(members.as_object().unwrap().clone());
            Value::Object(whole)
        };
        let tested = played.ask("alerts", with(json!({"action": "back_test", "days": 1})));
        let episodes = &tested["data"]["attributes"]["episodes"];
        assert_eq!(*episodes, json!([]), "{tested}");
        played.ask("alerts", with(json!({"action": "create", "name": name})));
    }
    let alerts = played.ask("alerts", json!({"action": "list"}));
    assert_eq!(list(&alerts["data"]).len(), 2, "{alerts}");
    // A question of every day, saved, found again and asked.
    let question = json!({"action": "create", "name": "Acme errors", "query": "level:error", "from": "now-1h",
        "visibility": "shared", "source_id": sources});
    played.ask("saved_queries", question);
    let named = json!({"action": "show", "saved_query": "Acme errors"});
    let saved = played.ask("saved_queries", named);
    let saved = &saved["data"]["attributes"];
    let asked = json!({"query": saved["query"], "from": saved["from"], "source_id": list(&saved["source_id"])
        .iter().map(text).collect::<Vec<_>>().join(",")});
    let found = played.ask("betterstack_query_logs", asked);
    let errors: u64 = list(&found["data"])
        .iter()
        .map(|event| event["_repeated"]["count"].as_u64().unwrap_or(1))
        .sum();
    assert_eq!(errors, 3, "{found}");
    let listed = played.ask("betterstack_list_sources", json!({}));
    let flowing = list(&listed["data"]).iter().filter(|source| {
        sources.contains(&text(&source["id"]).to_owned())
            && source["attributes"]["records_count"] == 1
            && text(&source["attributes"]["token"]).starts_with("xxxx...")
    });
    assert_eq!(flowing.count(), 3, "{listed}");
    played.finish();
}

/// Among failures of everybody one address tries many users, is held up for a while, is let in at last, and makes itself an owner.
fn broken_into() -> Server {
    let server = Server::start();
    let now = now_ms();
    let event = |minutes_ago: u64, level: &str, message: &str, ip: &str, user: &str| {
        let dt = now - minutes_ago * 60_000;
        json!({"dt": dt, "message": message, "level": level, "client_ip": ip, "user": user, "service": "auth"})
    };
    let mut events = Vec::new();
    for n in 0..120u64 {
        let (ip, user) = (format!("10.0.0.{}", n % 40), format!("user-{}", n % 40));
        events.push(event(200 - n, "info", "login ok", &ip, &user));
        if n % 10 == 0 {
            events.push(event(200 - n, "warn", "authentication failed", &ip, &user));
        }
        let tried = format!("admin-{n}");
        let failed = "authentication failed";
        events.push(event(130 - n, "warn", failed, "203.0.113.9", &tried));
        if n % 20 == 7 {
            let limited = "rate limit exceeded for logins";
            events.push(event(130 - n, "warn", limited, "203.0.113.9", &tried));
        }
    }
    let inside = [
        "login ok",
        "role changed to owner",
        "configuration changed: audit export turned off",
    ];
    for (step, message) in (0..).zip(inside) {
        events.push(event(5 - step, "info", message, "203.0.113.9", "admin-7"));
    }
    send(&server, &server.source_token, &events);
    server
}

#[test]
fn the_address_that_broke_in_is_found() {
    let server = broken_into();
    let played = Workflow::begin(&server, "security_log_review", json!({}));
    let day = "now-24h";
    let search = |query: &str| {
        let asked = json!({"query": query, "from": day, "order": "oldest_first"});
        played.ask("betterstack_query_logs", asked)
    };
    // Failed authentication: by whom, and how often.
    let failures = r#""authentication failed" OR "invalid token" OR "unauthorized""#;
    let fields = played.ask("logs_fields", json!({"query": failures, "from": day}));
    assert!(
        fields["fields"].to_string().contains("client_ip"),
        "{fields}"
    );
    let stages = "stats count() as failures, count_distinct(user) as users by client_ip | sort by failures desc | limit 20";
    let by_address = played.ask(
        "logs_stats",
        json!({"query": failures, "from": day, "stages": stages}),
    );
    let worst = &by_address["data"][0];
    let address = text(&worst["client_ip"]).to_owned();
    assert_eq!((&*address, &worst["users"]), ("203.0.113.9", &json!(120)));
    // Unusual access is the same address.
    let unusual = search(r#"level:warn AND "rate limit""#);
    assert!(!list(&unusual["data"]).is_empty(), "{unusual}");
    assert!(
        list(&unusual["data"])
            .iter()
            .all(|event| event["client_ip"] == *address)
    );
    // Escalation of privileges, and what admins did.
    let escalated = search(r#"sudo OR "permission denied" OR "role changed" OR "added to group""#);
    let escalation = &escalated["data"][0];
    assert_eq!(escalation["client_ip"], *address, "{escalated}");
    let user = text(&escalation["user"]).to_owned();
    let acts = search(&format!(
        r#"user:{user} OR user:root OR "configuration changed""#
    ));
    let acts = acts["data"].to_string();
    assert!(acts.contains("audit export turned off"), "{acts}");
    // How the address got there: a success after many failures, and what came of it.
    let traced = played.ask("logs_trace", json!({"value": user, "from": day}));
    let said: Vec<&str> = list(&traced["data"])
        .iter()
        .map(|traced| text(&traced["event"]["message"]))
        .collect();
    assert_eq!(said.first(), Some(&"authentication failed"), "{traced}");
    let let_in = said.iter().position(|message| *message == "login ok");
    let owner = said.iter().position(|message| message.contains("owner"));
    assert!(let_in.is_some() && let_in < owner, "{traced}");
    let around = played.ask(
        "logs_context",
        json!({"id": escalation["_id"], "same": "client_ip"}),
    );
    assert!(list(&around["data"]).len() > 3, "{around}");
    played.finish();
}
