//! An alert's round trip: made as Better Stack's clients make one, seen and fired as ours, changed as theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cordwood_event::Timestamp;
use cordwood_service::Clock;
use serde_json::{Value, json};

use crate::server::Server;

/// A clock that moves when told to.
#[derive(Debug)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

struct World {
    clock: Arc<TestClock>,
    server: Server,
}

impl World {
    fn new() -> World {
        let start = Timestamp::parse_rfc3339("2026-03-27T10:00:00Z").unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(start.as_nanos())));
        World {
            server: Server::on_clock(Arc::<TestClock>::clone(&clock)),
            clock,
        }
    }

    fn ask(&self, request_line: &str, body: &Value, status: u16) -> Value {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let answer = self.server.rest(request_line, &body);
        assert_eq!(answer.status, status, "{request_line}: {answer:?}");
        match answer.body.is_empty() {
            true => Value::Null,
            false => answer.json(),
        }
    }

    fn get(&self, path: &str) -> Value {
        self.ask(&format!("GET {path}"), &Value::Null, 200)
    }

    /// Lets so many times ten seconds pass, with the checks that are due.
    fn pass(&self, ticks: u32) {
        let service = self.server.edge.service().unwrap();
        for _ in 0..ticks {
            self.clock.0.fetch_add(10_000_000_000, Ordering::Relaxed);
            service.check_alerts().unwrap();
        }
    }

    fn send(&self, events: &Value) {
        let sent = self.server.ingest(
            &["Content-Type: application/json"],
            events.to_string().as_bytes(),
        );
        assert_eq!(sent.status, 202, "{sent:?}");
    }

    /// The names and states of all incidents, the first first.
    fn incidents(&self) -> Vec<String> {
        let incidents = self.get("/api/v3/incidents");
        let incidents = incidents["data"].as_array().unwrap().iter().rev();
        let told = incidents.map(|incident| {
            let attributes = &incident["attributes"];
            let text = |name: &str| attributes[name].as_str().unwrap().to_owned();
            format!("{} {}", text("name"), text("status"))
        });
        told.collect()
    }
}

#[test]
fn made_as_theirs_fired_as_ours() {
    let world = World::new();
    let saved = json!({
        "name": "Errors of services", "visibility": "shared",
        "query": "level:error | timechart 1m count() by service",
    });
    let saved = world.ask("POST /api/v1/saved-queries", &saved, 201);
    let exploration = saved["data"]["id"].as_str().unwrap().to_owned();
    let alerts = format!("/api/v2/explorations/{exploration}/alerts");
    // As it is sent in the wild.
    let body = json!({
        "name": "errors", "alert_type": "threshold", "operator": "higher_than", "value": 0, "check_period": 60,
        "query_period": 300, "confirmation_period": 0, "recovery_period": 300, "on_missing_data": "treat_as_zero",
        "email": true, "incident_per_series": true, "incident_cause": "{{series_name}}: {{value}} errors",
    });
    let made = world.ask(&format!("POST {alerts}"), &body, 201);
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    for (name, value) in body.as_object().unwrap() {
        let shown = &made["data"]["attributes"][name];
        let is_alike =
            shown == value || shown.as_f64().is_some() && shown.as_f64() == value.as_f64();
        assert!(is_alike, "{name}: {shown}, not {value}");
    }
    let ours = world.get(&format!("/api/v1/alerts/{id}"));
    let ours = &ours["data"]["attributes"];
    assert_eq!(ours["query"], "level:error | stats count() by service");
    assert_eq!(ours["window_s"], 300);
    assert_eq!(ours["saved_query_id"], json!(exploration));

    world.pass(40);
    assert!(world.incidents().is_empty());
    world.send(&json!([{"level": "error", "message": "no", "service": "shop"}]));
    world.pass(7);
    assert_eq!(world.incidents(), ["errors: shop Started"]);
    let incidents = world.get("/api/v3/incidents");
    assert_eq!(
        incidents["data"][0]["attributes"]["cause"],
        "shop: 1 errors"
    );
    // Five minutes in which the event is in the window, and five to recover.
    world.pass(66);
    assert_eq!(world.incidents(), ["errors: shop Resolved"]);

    let change = json!({"value": 2, "metadata": {"team": ["db", "ops"]}});
    let changed = world.ask(&format!("PATCH /api/v2/alerts/{id}"), &change, 200);
    let attributes = &changed["data"]["attributes"];
    assert_eq!(attributes["operator"], "higher_than");
    assert_eq!(attributes["query_period"], 300);
    assert_eq!(attributes["metadata"], json!({"team": ["db", "ops"]}));
    world.send(
        &json!([{"level": "error", "service": "shop"}, {"level": "error", "service": "shop"}]),
    );
    world.pass(7);
    assert_eq!(world.incidents().len(), 1, "two are not more than two");
    world.send(&json!([{"level": "error", "service": "shop"}]));
    world.pass(7);
    assert_eq!(
        world.incidents(),
        ["errors: shop Resolved", "errors: shop Started"]
    );
    world.ask(&format!("DELETE {alerts}/{id}"), &Value::Null, 204);
    world.ask(&format!("GET /api/v1/alerts/{id}"), &Value::Null, 404);
    assert_eq!(world.incidents().len(), 2, "incidents stay");
}
