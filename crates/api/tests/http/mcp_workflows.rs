//! The four workflows, played as an agent plays them: every argument comes from the workflow or from an answer before, and what is planted is
//! arrived at. The sizes of the answers are printed (`--nocapture`) and held to what answers may take.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::corpus::incident::{HOURS, Incident, lines};
use crate::server::Server;

const EVENTS: u64 = 20_000;
const HOUR_MS: u64 = 3_600_000;

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// A server with hours of events, in the last of which something went wrong.
fn struck(incident: Incident) -> Server {
    let server = Server::start();
    let start = now_ms() - HOURS * HOUR_MS;
    for lines in lines(incident, 1, EVENTS, start).chunks(5_000) {
        let body = format!("[{}]", lines.join(","));
        let stored = server.ingest(&["Content-Type: application/json"], body.as_bytes());
        assert_eq!(stored.status, 202, "{stored:?}");
    }
    server
}

/// Asks, and records the size of the answer.
fn ask(agent: &Agent<'_>, workflow: &str, tool: &str, arguments: Value) -> Value {
    let found = agent.found(tool, arguments.clone());
    println!(
        "{workflow}: {tool} {arguments}: {} bytes",
        found.to_string().len()
    );
    found
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}"))
}

/// The values of a cause as `field=value`.
fn values(cause: &Value) -> Vec<String> {
    let values = ["values", "alike"]
        .into_iter()
        .filter_map(|list| cause[list].as_array());
    values
        .flatten()
        .map(|value| format!("{}={}", text(&value["field"]), text(&value["value"])))
        .collect()
}

#[test]
fn an_incident_is_investigated_to_its_cause() {
    let server = struck(Incident::DependencyTimeout);
    let agent = Agent::new(&server, &server.api_token);
    let ask = |tool: &str, arguments: Value| ask(&agent, "incident", tool, arguments);
    let changed = ask("logs_what_changed", json!({"from": "now-1h"}));
    let cause = &changed["data"]["causes"][0];
    for (field, value) in Incident::DependencyTimeout.cause() {
        assert!(
            values(cause).contains(&format!("{field}={value}")),
            "{cause}"
        );
    }
    let shown_by = &cause["shown_by"];
    let shown = json!({"query": shown_by["query"], "from": shown_by["from"], "to": shown_by["to"], "order": "oldest_first"});
    let events = ask("betterstack_query_logs", shown.clone());
    let first = events["data"][0].clone();
    assert_eq!(first["upstream"], "orders-db", "{events}");
    let query = json!({"query": shown_by["query"], "from": shown_by["from"], "to": shown_by["to"]});
    let patterns = ask("logs_patterns", query);
    let said = text(&patterns["data"][0]["attributes"]["pattern"]).to_owned();
    assert!(said.contains("timeout after"), "{patterns}");
    let around = ask("logs_context", json!({"id": first["_id"], "within": "1m"}));
    assert!(
        around["data"].as_array().unwrap().contains(&first),
        "{around}"
    );
    // Before the incident the same was rare.
    let filter = text(&shown_by["query"]);
    let by_time = ask(
        "logs_stats",
        json!({"query": filter, "stages": "timechart 1h count()", "from": "now-5h"}),
    );
    let counts: Vec<u64> = by_time["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["count()"].as_u64().unwrap())
        .collect();
    let last: u64 = counts.iter().rev().take(2).sum();
    let before: u64 = counts.iter().rev().skip(2).sum();
    assert!(last > before, "{by_time}");
}

#[test]
fn the_service_with_elevated_errors_is_found() {
    let server = struck(Incident::DependencyTimeout);
    let agent = Agent::new(&server, &server.api_token);
    let ask = |tool: &str, arguments: Value| ask(&agent, "error rates", tool, arguments);
    let range = json!({"from": "now-1h", "query": "level:(error OR fatal)", "stages": "stats count() as errors by service | sort by errors desc | limit 20"});
    let by_service = ask("logs_stats", range);
    assert!(
        by_service["data"].as_array().unwrap().len() > 1,
        "{by_service}"
    );
    let changed = ask("logs_what_changed", json!({"from": "now-1h"}));
    let service = text(&changed["data"]["services"][0]["service"]["value"]).to_owned();
    assert_eq!(service, "cart-api", "{changed}");
    let filter = format!("level:(error OR fatal) service:{service}");
    let patterns = ask("logs_patterns", json!({"query": filter, "from": "now-1h"}));
    let said = text(&patterns["data"][0]["attributes"]["pattern"]);
    assert!(said.contains("timeout after"), "{patterns}");
    let open = ask("incidents", json!({"action": "list", "status": "open"}));
    assert_eq!(open["data"], json!([]));
}

#[test]
fn logging_for_a_new_client_is_set_up() {
    let server = Server::start();
    let agent = Agent::new(&server, &server.api_token);
    let ask = |tool: &str, arguments: Value| ask(&agent, "new client", tool, arguments);
    ask("betterstack_list_sources", json!({}));
    for (service, platform) in [("Acme API", "node"), ("Acme web", "docker")] {
        let made = ask(
            "betterstack_create_source",
            json!({"name": service, "platform": platform}),
        );
        let id = text(&made["data"]["id"]).to_owned();
        let silent = ask("source_health", json!({"source_id": id}));
        assert!(
            silent["data"][0]["problems"]
                .to_string()
                .contains("Nothing was ever sent"),
            "{silent}"
        );
        let authorization = format!(
            "Authorization: Bearer {}",
            text(&made["data"]["attributes"]["token"])
        );
        let event = json!({"level": "error", "message": "first error", "service": service});
        let sent = server.send(
            "POST /",
            &[&authorization, "Content-Type: application/json"],
            event.to_string().as_bytes(),
        );
        assert_eq!(sent.status, 202, "{sent:?}");
        let flowing = ask(
            "betterstack_query_logs",
            json!({"query": "*", "source_id": id, "from": "now-15m"}),
        );
        assert_eq!(flowing["data"][0]["message"], "first error");
        let heard = ask("source_health", json!({"source_id": id}));
        assert_eq!(heard["data"][0]["problems"], json!([]), "{heard}");
    }
    let rule = json!({"query": "level:(error OR fatal)", "condition": {"type": "threshold", "operator": "higher_than", "value": 10}, "group_by": ["service"]});
    let with = |members: Value| {
        let mut whole = rule.clone();
        whole
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        whole
    };
    let tested = ask("alerts", with(json!({"action": "back_test", "days": 1})));
    assert_eq!(
        tested["data"]["attributes"]["episodes"],
        json!([]),
        "{tested}"
    );
    ask(
        "alerts",
        with(json!({"action": "create", "name": "Acme errors"})),
    );
    let alerts = ask("alerts", json!({"action": "list"}));
    assert_eq!(alerts["data"][0]["attributes"]["name"], "Acme errors");
    ask(
        "saved_queries",
        json!({"action": "create", "name": "Acme errors", "query": "level:error", "from": "now-1h", "visibility": "shared"}),
    );
    let saved = ask(
        "saved_queries",
        json!({"action": "show", "saved_query": "Acme errors"}),
    );
    assert_eq!(saved["data"]["attributes"]["query"], "level:error");
}

/// Among failures of everybody one address tries many users, and is let in at last.
#[test]
fn the_address_that_broke_in_is_found() {
    let server = Server::start();
    let now = now_ms();
    let event = |minutes_ago: u64, message: &str, level: &str, ip: &str, user: &str| json!({"dt": now - minutes_ago * 60_000, "message": message, "level": level, "client_ip": ip, "user": user, "service": "auth"});
    let mut events = Vec::new();
    for n in 0..120u64 {
        events.push(event(
            200 - n,
            "login ok",
            "info",
            &format!("10.0.0.{}", n % 40),
            &format!("user-{}", n % 40),
        ));
        if n % 10 == 0 {
            events.push(event(
                200 - n,
                "authentication failed",
                "warn",
                &format!("10.0.0.{}", n % 40),
                &format!("user-{}", n % 40),
            ));
        }
        events.push(event(
            130 - n,
            "authentication failed",
            "warn",
            "203.0.113.9",
            &format!("admin-{n}"),
        ));
    }
    events.push(event(5, "login ok", "info", "203.0.113.9", "admin-7"));
    events.push(event(
        4,
        "role changed to owner",
        "info",
        "203.0.113.9",
        "admin-7",
    ));
    let stored = server.ingest(
        &["Content-Type: application/json"],
        json!(events).to_string().as_bytes(),
    );
    assert_eq!(stored.status, 202, "{stored:?}");
    let agent = Agent::new(&server, &server.api_token);
    let ask = |tool: &str, arguments: Value| ask(&agent, "security", tool, arguments);
    let fields = ask(
        "logs_fields",
        json!({"query": "\"authentication failed\"", "from": "now-24h"}),
    );
    assert!(
        fields["fields"].to_string().contains("client_ip"),
        "{fields}"
    );
    let failures = ask(
        "logs_stats",
        json!({
            "query": "\"authentication failed\" OR \"invalid token\" OR \"unauthorized\"", "from": "now-24h",
            "stages": "stats count() as failures, count_distinct(user) as users by client_ip | sort by failures desc | limit 20",
        }),
    );
    let address = text(&failures["data"][0]["client_ip"]).to_owned();
    assert_eq!(
        (&*address, &failures["data"][0]["users"]),
        ("203.0.113.9", &json!(120))
    );
    let others = format!("client_ip:{address} AND NOT \"authentication failed\"");
    let let_in = ask(
        "betterstack_query_logs",
        json!({"query": others, "from": "now-24h", "order": "oldest_first"}),
    );
    assert_eq!(let_in["data"][0]["user"], "admin-7", "{let_in}");
    assert_eq!(
        let_in["data"][1]["message"], "role changed to owner",
        "{let_in}"
    );
    let traced = ask("logs_trace", json!({"value": "admin-7", "from": "now-24h"}));
    assert!(traced["data"].as_array().unwrap().len() >= 3, "{traced}");
}
