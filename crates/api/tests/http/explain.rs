//! What a query would cost, beside what it costs.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::Server;

/// A test that waits longer has failed.
const TIMEOUT: Duration = Duration::from_secs(60);

fn get(server: &Server, path: &str) -> Value {
    let authorization = format!("Authorization: Bearer {}", server.api_token);
    let answer = server.send(&format!("GET {path}"), &[&authorization], b"");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// Puts what was sent into blocks.
pub(crate) fn compact(server: &Server) {
    let authorization = format!("Authorization: Bearer {}", server.api_token);
    let asked = server.send("POST /api/v1/compactions", &[&authorization], b"");
    assert_eq!(asked.status, 202, "{asked:?}");
    let began = Instant::now();
    while get(server, "/api/v1/compactions")["data"]["attributes"]["finished_at"].is_null() {
        assert!(began.elapsed() < TIMEOUT, "the compaction does not end");
    }
}

#[test]
fn the_plan_of_a_query_says_what_its_answer_says() {
    let server = Server::start();
    for day in 25..28 {
        let events = (0..50).map(|second| {
            format!(
                "{{\"dt\":\"2026-03-{day}T08:00:{second:02}Z\",\"message\":\"day{day} took {second}\",\"n\":{}}}\n",
                day * 100 + second
            )
        });
        let sent = server.ingest(&[], events.collect::<String>().as_bytes());
        assert_eq!(sent.status, 202);
        // Segments of a day stay by themselves.
        compact(&server);
    }
    for (parameters, pruned_by, read) in [
        ("query=message:took&batch_size=1", "", 0),
        ("query=day26", "token_map", 1),
        ("query=n:%3E2710", "min_max", 1),
        ("query=message:/t..k/&to=2026-03-26", "time", 2),
        ("query=no.such.field:*", "fields", 0),
    ] {
        let parameters = format!("{parameters}&total=true");
        let plan = get(&server, &format!("/api/v1/query/explain?{parameters}"));
        let answer = get(&server, &format!("/api/v1/query?{parameters}"));
        let (plan, meta) = (&plan["data"], &answer["meta"]);
        let mut pruned = 0;
        for step in plan["pruning"].as_array().unwrap() {
            let of = |when: &str| step[when]["blocks"].as_u64().unwrap();
            let by = of("before") - of("after");
            let name = step["step"].as_str().unwrap();
            let of_answer = &meta["blocks_pruned_by"][name];
            assert_eq!(of_answer.as_u64().unwrap_or(0), by, "{parameters}: {name}");
            assert!(by == 0 || name == pruned_by, "{parameters}: {name}");
            pruned += by;
        }
        assert_eq!(meta["blocks_pruned"], pruned, "{parameters}");
        assert_eq!(meta["blocks_total"], 3, "{parameters}");
        if read > 0 {
            assert_eq!(plan["left"]["read"]["blocks"], read, "{parameters}");
            assert_eq!(meta["blocks_read"], read, "{parameters}");
        }
        let total = meta["total"].as_u64().unwrap();
        let bounds = ["at_least", "at_most"].map(|end| plan["matches"][end].as_u64().unwrap());
        assert!(
            (bounds[0]..=bounds[1]).contains(&total),
            "{parameters}: {total} of {bounds:?}"
        );
    }
}
