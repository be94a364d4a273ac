//! Two clients: a token of the one finds nothing of what the other has for alerts, by whatever path the document knows, not even that it is there.

use serde_json::{Value, json};

use crate::client::Answer;
use crate::openapi::Document;
use crate::server::Server;

/// In every text that is another's.
const SECRET: &str = "hidden";

/// Two clients, and what the first has: for each name of a path's parameter, its id.
struct World {
    server: Server,
    theirs: Vec<(&'static str, String)>,
    /// A token for everything of the second client.
    token: String,
}

impl World {
    fn new() -> World {
        let (server, second) = Server::with_client("second");
        let created = |path: &str, body: &Value| {
            let made = server.rest(&format!("POST /api/v1/{path}"), &body.to_string());
            assert_eq!(made.status, 201, "{path}: {made:?}");
            made.json()
        };
        let id = |made: &Value| made["data"]["id"].as_str().unwrap().to_owned();
        let alert = json!({"name": "hidden alert", "client_id": 1, "query": "*", "condition": {"type": "matches"}});
        let channel = json!({"name": "hidden channel", "client_id": 1, "kind": "webhook", "settings": {"url": "https://hidden.example/hook"}});
        let incident = json!({"name": "hidden incident", "client_id": 1, "key": "hidden", "cause": "hidden", "labels": {"team": "hidden"}});
        let silence = json!({"client_id": 1, "comment": "hidden", "ends_at": "now+2h",
            "matchers": [{"on": "label", "name": "team", "is": "hidden"}]});
        let incident = id(&created("incidents", &incident));
        let comment = json!({"content": "hidden"});
        let comment = id(&created(
            &format!("incidents/{incident}/comments"),
            &comment,
        ));
        let theirs = vec![
            ("alert", id(&created("alerts", &alert))),
            ("channel", id(&created("channels", &channel))),
            ("silence", id(&created("silences", &silence))),
            ("incident", incident),
            ("comment", comment),
        ];
        let token = json!({"name": "second", "access": "admin", "clients": [second.to_string()]});
        let token = created("tokens", &token);
        let token = token["data"]["attributes"]["token"].as_str().unwrap();
        World {
            token: token.to_owned(),
            server,
            theirs,
        }
    }

    /// What the token of the second client is answered.
    fn ask(&self, request_line: &str, body: &Value) -> Answer {
        let authorization = format!("Authorization: Bearer {}", self.token);
        let headers = [&*authorization, "Content-Type: application/json"];
        self.server
            .send(request_line, &headers, body.to_string().as_bytes())
    }

    fn theirs(&self, name: &str) -> &str {
        let found = self.theirs.iter().find(|(parameter, _)| *parameter == name);
        &found.unwrap().1
    }

    /// A path with the ids of the first client in it, or with ones that nobody has; `None` if it is about nothing for alerts.
    fn path(&self, template: &str, is_there: bool) -> Option<String> {
        let mut path = template.to_owned();
        for (name, id) in &self.theirs {
            let id = if is_there { id } else { "4711" };
            path = path.replace(&format!("{{{name}}}"), id);
        }
        (path != template && !path.contains('{')).then_some(path)
    }
}

/// A body that is right, so that nothing else is wrong.
fn body(method: &str, path: &str) -> Value {
    let last = path.rsplit('/').next().unwrap();
    match (method, last) {
        ("post", "comments") => json!({"content": "mine"}),
        ("patch", _) if path.contains("/comments/") => json!({"content": "mine"}),
        ("post", "merge") => json!({"incident_ids": ["4712"]}),
        ("post", "events") => json!({"event_ids": ["18ec238f3c28cffa-28"]}),
        _ => json!({}),
    }
}

#[test]
fn what_another_client_has_is_not_found_in_the_same_words_as_what_nobody_has() {
    let world = World::new();
    let document = Document::of(&world.server);
    let mut asked = 0;
    for (method, template, _) in document.operations() {
        let Some(hidden) = world.path(template, true) else {
            continue;
        };
        let missing = world.path(template, false).unwrap();
        let method_line = method.to_uppercase();
        let answer = |path: &str| world.ask(&format!("{method_line} {path}"), &body(method, path));
        let (hidden, missing) = (answer(&hidden), answer(&missing));
        let place = format!("{method} {template}: {hidden:?}");
        assert_eq!(hidden.status, 404, "{place}");
        assert_eq!(missing.status, 404, "{place}");
        assert!(!hidden.body.contains(SECRET), "{place}");
        let [hidden, missing] = [&hidden, &missing].map(|answer| answer.json()["code"].clone());
        assert_eq!(hidden, missing, "{place}");
        asked += 1;
    }
    assert!(asked > 30, "{asked} operations");
}

#[test]
fn lists_are_empty_and_say_nothing_of_how_many_there_are() {
    let world = World::new();
    let document = Document::of(&world.server);
    let lists = ["alerts", "channels", "silences", "incidents"];
    let mut asked = 0;
    for (method, template, _) in document.operations() {
        let last = template.rsplit('/').next().unwrap_or_default();
        if method != "get" || template.contains('{') || !lists.contains(&last) {
            continue;
        }
        let answer = world.ask(&format!("GET {template}"), &json!({}));
        assert_eq!(answer.status, 200, "{template}: {answer:?}");
        assert!(!answer.body.contains(SECRET), "{template}: {answer:?}");
        let found = answer.json();
        assert_eq!(found["data"], json!([]), "{template}: {found}");
        for total in [
            "/meta/total",
            "/pagination/total",
            "/pagination/total_count",
        ] {
            let total = found.pointer(total);
            assert!(total.is_none_or(|total| *total == 0), "{template}: {found}");
        }
        asked += 1;
    }
    assert!(asked >= lists.len(), "{asked} lists");
}

#[test]
fn names_find_nothing_either_and_nothing_can_be_tied_to_what_is_hidden() {
    let world = World::new();
    for path in ["alerts/hidden%20alert", "channels/hidden%20channel"] {
        let answer = world.ask(&format!("GET /api/v1/{path}"), &json!({}));
        assert_eq!(answer.status, 404, "{answer:?}");
    }
    // Names and keys that the other has are free.
    let alert = json!({"name": "hidden alert", "query": "*", "condition": {"type": "matches"}});
    assert_eq!(world.ask("POST /api/v1/alerts", &alert).status, 201);
    let incident = json!({"name": "mine", "key": "hidden"});
    let mine = world.ask("POST /api/v1/incidents", &incident);
    assert_eq!(mine.status, 201, "{mine:?}");
    let mine = mine.json()["data"]["id"].as_str().unwrap().to_owned();
    assert_ne!(mine, world.theirs("incident"));
    let related = world.ask(&format!("GET /api/v1/incidents/{mine}/related"), &json!({}));
    assert_eq!(related.status, 200);
    assert!(!related.body.contains(SECRET), "{related:?}");
    // Nor is anything of mine merged with theirs, or told to them.
    let theirs = json!({"incident_ids": [world.theirs("incident")]});
    let merged = world.ask(&format!("POST /api/v1/incidents/{mine}/merge"), &theirs);
    assert_eq!(merged.status, 404, "{merged:?}");
    for client in [1, 4711] {
        let of_theirs = json!({"name": "mine too", "client_id": client, "query": "*", "condition": {"type": "matches"}});
        let refused = world.ask("POST /api/v1/alerts", &of_theirs);
        assert_eq!(refused.status, 422, "{refused:?}");
        let wrong = &refused.json()["invalid_values"]["client_id"];
        assert_eq!(wrong, &json!(["does not exist"]), "{client}");
    }
}

/// Who has the link has the right to acknowledge, and nobody else finds the incident by one that is like it.
#[test]
fn the_link_of_a_notice_is_a_secret_of_its_own() {
    let world = World::new();
    for token in [
        "1",
        "000000000000000118ee499f79e6a1677bf23afc968139af4237ee4170af85c1",
    ] {
        let answer = world.ask(&format!("GET /acknowledge/{token}"), &json!({}));
        assert_eq!(answer.status, 404, "{answer:?}");
        assert!(!answer.body.contains(SECRET), "{answer:?}");
        let answer = world.ask(&format!("POST /acknowledge/{token}"), &json!({}));
        assert_eq!(answer.status, 404, "{answer:?}");
    }
    let theirs = format!("GET /api/v1/incidents/{}", world.theirs("incident"));
    let theirs = world.server.rest(&theirs, "").json();
    assert_eq!(theirs["data"]["attributes"]["status"], "started");
}
