//! Saved queries: checked when they are saved, seen by those who may, asked by their name; and those that clients begin with.

use cordwood_service::{
    Access, Caller, Cancel, Error, Order, SavedQuery, SavedQueryChanges, SearchAnswer,
    SearchRequest, Visibility,
};

use crate::ledger::{HOUR, Ledger};

const STARTERS: [&str; 6] = [
    "Admin actions",
    "Authentication failures",
    "Errors by service",
    "Out of memory and restarts",
    "Rate limiting",
    "Slow requests",
];

fn changes(name: &str, query: &str) -> SavedQueryChanges {
    SavedQueryChanges {
        name: Some(name.to_owned()),
        query: Some(query.to_owned()),
        ..SavedQueryChanges::default()
    }
}

fn shared(name: &str, query: &str) -> SavedQueryChanges {
    SavedQueryChanges {
        visibility: Some(Visibility::Shared),
        ..changes(name, query)
    }
}

fn save(ledger: &Ledger, caller: &Caller, new: &SavedQueryChanges) -> Result<SavedQuery, Error> {
    ledger.service().create_saved_query(caller, None, new)
}

fn names(ledger: &Ledger, caller: &Caller) -> Vec<String> {
    let saved = ledger.service().list_saved_queries(caller).unwrap();
    saved.into_iter().map(|saved| saved.name).collect()
}

fn ask(ledger: &Ledger, request: &SearchRequest) -> Result<SearchAnswer, Error> {
    ledger
        .service()
        .search(&ledger.admin(), request, &Cancel::default())
}

fn by_name(name: &str) -> SearchRequest {
    SearchRequest {
        saved_query: Some(name.to_owned()),
        ..SearchRequest::default()
    }
}

fn fields_wrong(error: Error) -> Vec<String> {
    match error {
        Error::InvalidValues(values) => {
            values.into_iter().map(|value| value.field.into()).collect()
        }
        error => panic!("{error:?}"),
    }
}

#[test]
fn what_was_saved_comes_back_after_a_restart() {
    let mut ledger = Ledger::new();
    let admin = ledger.admin();
    let new = SavedQueryChanges {
        description: Some("what fails".to_owned()),
        from: Some(Some("now-1h".to_owned())),
        to: Some(None),
        order: Some(Order::OldestFirst),
        columns: Some(vec!["dt".to_owned(), "service".to_owned()]),
        tags: Some(vec!["mine".to_owned()]),
        sources: Some(vec!["default".to_owned()]),
        ..shared("Failures", "level:error")
    };
    let saved = save(&ledger, &admin, &new).unwrap();
    assert_eq!(
        (saved.name.as_str(), saved.owner),
        ("Failures", Some(admin.token_id()))
    );
    assert_eq!(saved.columns, ["dt", "service"]);
    ledger.reopen();
    let service = ledger.service();
    assert_eq!(service.saved_query(&admin, "failures").unwrap(), saved);
    let id = saved.id.to_string();
    ledger.advance(HOUR);
    let change = SavedQueryChanges {
        from: Some(None),
        tags: Some(Vec::new()),
        ..changes("Errors", "level:>=error")
    };
    let changed = service.update_saved_query(&admin, &id, &change).unwrap();
    assert_eq!((changed.from.as_ref(), changed.tags.len()), (None, 0));
    assert_eq!(changed.description, "what fails");
    assert!(changed.updated_at > changed.created_at);
    ledger.reopen();
    assert_eq!(ledger.service().saved_query(&admin, &id).unwrap(), changed);
    ledger.service().delete_saved_query(&admin, &id).unwrap();
    assert_eq!(names(&ledger, &admin), STARTERS);
    ledger.reopen();
    assert_eq!(names(&ledger, &admin), STARTERS);
}

#[test]
fn what_cannot_be_is_refused() {
    let ledger = Ledger::new();
    let admin = ledger.admin();
    let refusal = |new: &SavedQueryChanges| save(&ledger, &admin, new).unwrap_err();
    let error = refusal(&changes("a", "level:error |"));
    let Error::Query(problems) = &error else {
        panic!("{error:?}");
    };
    assert!(!problems[0].message.is_empty());
    assert_eq!(fields_wrong(refusal(&changes(" ", "a"))), ["name"]);
    assert_eq!(fields_wrong(refusal(&changes("17", "a"))), ["name"]);
    assert_eq!(fields_wrong(refusal(&changes("a\nb", "a"))), ["name"]);
    assert_eq!(
        fields_wrong(refusal(&changes(&"x".repeat(201), "a"))),
        ["name"]
    );
    let wrong = SavedQueryChanges {
        from: Some(Some("yesterday".to_owned())),
        tags: Some(vec![String::new()]),
        ..changes("a", "a")
    };
    assert_eq!(fields_wrong(refusal(&wrong)), ["from", "tags"]);
    assert_eq!(
        fields_wrong(refusal(&shared("slow REQUESTS", "a"))),
        ["name"]
    );
    // A private one may have the name of a shared one, and comes before it.
    save(&ledger, &admin, &changes("slow REQUESTS", "own")).unwrap();
    let found = ledger
        .service()
        .saved_query(&admin, "Slow requests")
        .unwrap();
    assert_eq!(found.query, "own");
    assert_eq!(
        fields_wrong(refusal(&changes("Slow Requests", "own"))),
        ["name"]
    );
    let error = ledger
        .service()
        .saved_query(&admin, "slow request")
        .unwrap_err();
    assert!(
        error.hint().unwrap().starts_with("did you mean"),
        "{error:?}"
    );
}

#[test]
fn who_sees_and_who_may_change() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let (service, admin) = (ledger.service(), ledger.admin());
    let reader = ledger.caller(Access::Read, &[ours]);
    let writer = ledger.caller(Access::Write, &[ours]);
    let owner = ledger.caller(Access::Admin, &[ours]);
    let stranger = ledger.caller(Access::Admin, &[theirs]);
    assert_eq!(names(&ledger, &reader), STARTERS);
    let private = save(&ledger, &reader, &changes("mine", "a")).unwrap();
    assert_eq!(
        (private.client, private.owner),
        (ours, Some(reader.token_id()))
    );
    let error = save(&ledger, &reader, &shared("all", "a")).unwrap_err();
    assert_eq!(error.code(), "forbidden");
    let team = save(&ledger, &writer, &shared("team", "a")).unwrap();
    let hidden = |caller: &Caller, id: u64| {
        let id = id.to_string();
        let change = SavedQueryChanges::default();
        let answers = [
            service.saved_query(caller, &id).map(drop),
            service.update_saved_query(caller, &id, &change).map(drop),
            service.delete_saved_query(caller, &id),
            service
                .search(caller, &by_name(&id), &Cancel::default())
                .map(drop),
        ];
        for answer in answers {
            let error = answer.unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("saved query `{id}` was not found")
            );
        }
    };
    for caller in [&writer, &owner, &stranger, &admin] {
        hidden(caller, private.id);
    }
    hidden(&stranger, team.id);
    hidden(&stranger, 4711);
    let id = team.id.to_string();
    let rename = changes("team 2", "b");
    let error = service
        .update_saved_query(&reader, &id, &rename)
        .unwrap_err();
    assert_eq!(error.code(), "forbidden");
    let other_writer = ledger.caller(Access::Write, &[ours]);
    let error = service.delete_saved_query(&other_writer, &id).unwrap_err();
    assert_eq!(error.code(), "forbidden");
    service.update_saved_query(&writer, &id, &rename).unwrap();
    service.update_saved_query(&owner, &id, &rename).unwrap();
    let take = SavedQueryChanges {
        visibility: Some(Visibility::Private),
        ..SavedQueryChanges::default()
    };
    let error = service.update_saved_query(&owner, &id, &take).unwrap_err();
    assert_eq!(fields_wrong(error), ["visibility"]);
    let foreign = service.create_saved_query(&reader, Some(theirs), &changes("x", "a"));
    assert_eq!(fields_wrong(foreign.unwrap_err()), ["client_id"]);
    // By name, one of another client's is not even ambiguous.
    let shown = service.saved_query(&stranger, "Rate limiting").unwrap();
    assert_eq!(shown.client, theirs);
    let error = service.saved_query(&admin, "Rate limiting").unwrap_err();
    assert_eq!(error.code(), "ambiguous_name");
}

#[test]
fn a_saved_query_is_asked_by_its_name() {
    let ledger = Ledger::new();
    let admin = ledger.admin();
    let web = ledger.create_source("web").token;
    let jobs = ledger.create_source("jobs").token;
    for token in [&web, &jobs] {
        ledger
            .send(
                token.reveal(),
                r#"[{"message":"old one"},{"message":"other"}]"#,
            )
            .unwrap();
    }
    ledger.advance(HOUR * 2);
    ledger
        .send(web.reveal(), r#"[{"message":"new one"}]"#)
        .unwrap();
    let new = SavedQueryChanges {
        from: Some(Some("now-1h".to_owned())),
        order: Some(Order::OldestFirst),
        sources: Some(vec!["web".to_owned()]),
        ..changes("ones", "one")
    };
    let saved = save(&ledger, &admin, &new).unwrap();
    let found = |request: &SearchRequest| ask(&ledger, request).unwrap().events.len();
    assert_eq!(found(&by_name("ones")), 1);
    assert_eq!(found(&by_name(&saved.id.to_string())), 1);
    let of_all_time = SearchRequest {
        from: Some("now-1d".to_owned()),
        ..by_name("ones")
    };
    assert_eq!(found(&of_all_time), 2);
    let oldest = ask(
        &ledger,
        &SearchRequest {
            batch_size: Some(1),
            ..of_all_time
        },
    )
    .unwrap();
    assert!(format!("{:?}", oldest.events).contains("old one"));
    let elsewhere = SearchRequest {
        sources: vec!["jobs".to_owned()],
        from: Some("now-1d".to_owned()),
        ..by_name("ones")
    };
    assert_eq!(found(&elsewhere), 1);
    let both = SearchRequest {
        query: "x".to_owned(),
        ..by_name("ones")
    };
    assert_eq!(ask(&ledger, &both).unwrap_err().code(), "invalid_parameter");
    let misspelt = ask(&ledger, &by_name("one")).unwrap_err();
    assert_eq!(misspelt.hint().as_deref(), Some("did you mean ones?"));
}

/// Each finds what it is for in lines as programs write them, and leaves others alone.
#[test]
fn starters_are_of_use() {
    let ledger = Ledger::new();
    let token = ledger.create_source("logs").token;
    let cases: [(&str, &[&str]); 5] = [
        (
            "Authentication failures",
            &[
                r#"{"message":"Failed password for invalid user admin from 10.0.0.1 port 22 ssh2"}"#,
                r#"{"message":"pam_unix(sshd:auth): authentication failure; logname= uid=0"}"#,
                r#"{"message":"POST /login","status":401}"#,
                r#"{"message":"GET /","http":{"status":401}}"#,
            ],
        ),
        (
            "Rate limiting",
            &[
                r#"{"message":"HTTP 429 Too Many Requests from api.example.com"}"#,
                r#"{"message":"tenant t-7 rate limited"}"#,
                r#"{"message":"GET /search","status":429}"#,
                r#"{"message":"ThrottlingException: request was throttled"}"#,
            ],
        ),
        (
            "Slow requests",
            &[
                r#"{"message":"GET /report","duration_ms":4200}"#,
                r#"{"message":"slow query: SELECT 1"}"#,
                r#"{"message":"GET /","request_time":2.5}"#,
            ],
        ),
        (
            "Out of memory and restarts",
            &[
                r#"{"message":"Out of memory: Killed process 4242 (java) total-vm:8gB"}"#,
                r#"{"message":"Back-off restarting failed container web in pod web-1"}"#,
                r#"{"reason":"OOMKilled","message":"container terminated"}"#,
                r#"{"message":"java.lang.OutOfMemoryError: Java heap space"}"#,
            ],
        ),
        (
            "Admin actions",
            &[
                r#"{"message":"sudo: ann : TTY=pts/0 ; USER=root ; COMMAND=/bin/bash"}"#,
                r#"{"message":"role changed for bob","actor":"ann"}"#,
                r#"{"message":"deleted project 7","user":{"role":"admin"}}"#,
            ],
        ),
    ];
    let body: Vec<&str> = cases
        .iter()
        .flat_map(|(_, events)| events.iter().copied())
        .collect();
    ledger
        .send(token.reveal(), &format!("[{}]", body.join(",")))
        .unwrap();
    let bystander = r#"{"message":"order 17 shipped","duration_ms":12,"status":200,"level":"info","service":"shop"}"#;
    ledger.send(token.reveal(), bystander).unwrap();
    for (name, events) in cases {
        let answer = ask(&ledger, &by_name(name)).unwrap();
        let found = answer.events.len();
        assert_eq!(found, events.len(), "{name}: {:?}", answer.events);
    }
    let failed = r#"{"message":"no","level":"error","service":"shop"}"#;
    ledger.send(token.reveal(), failed).unwrap();
    let table = ask(&ledger, &by_name("Errors by service"))
        .unwrap()
        .table
        .unwrap();
    assert_eq!(table.columns, ["service", "errors", "events"]);
    assert_eq!(
        format!("{:?}", table.rows[0]),
        "[Str(\"shop\"), Int(1), Int(2)]"
    );
}

#[test]
fn starters_that_were_deleted_do_not_come_back() {
    let mut ledger = Ledger::new();
    let admin = ledger.admin();
    ledger
        .service()
        .delete_saved_query(&admin, "Slow requests")
        .unwrap();
    ledger.reopen();
    assert_eq!(names(&ledger, &admin), STARTERS[..5]);
    let ours = ledger.create_client("ours");
    let reader = ledger.caller(Access::Read, &[ours]);
    assert_eq!(names(&ledger, &reader), STARTERS);
    let writer = ledger.caller(Access::Write, &[ours]);
    let error = ledger
        .service()
        .delete_saved_query(&writer, "Slow requests")
        .unwrap_err();
    assert_eq!(error.code(), "forbidden");
}
