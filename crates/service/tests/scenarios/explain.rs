//! What a query would cost, asked beforehand: the same numbers as those of its answer, for those who may search.

use cordwood_service::{
    Access, Caller, Cancel, Error, Pruning, QueryExplained, SearchRequest, StagePlace,
};

use crate::ledger::{HOUR, Ledger};
use crate::size::compact;

fn request(query: &str) -> SearchRequest {
    SearchRequest {
        query: query.to_owned(),
        ..SearchRequest::default()
    }
}

fn explain(ledger: &Ledger, caller: &Caller, request: &SearchRequest) -> QueryExplained {
    let service = ledger.service();
    service
        .explain_query(caller, request, &Cancel::default())
        .unwrap()
}

/// Two sources, `web` with two segments of a day each and `shop`, of another client, with one.
fn ledger() -> (Ledger, Caller) {
    let mut ledger = Ledger::new();
    let client = ledger.create_client("other");
    let web = ledger.create_source("web").token;
    let shop = ledger.create_source_of("shop", Some(client)).token;
    for day in [25, 26] {
        let events = (0..60).map(|minute| {
            let level = if minute == 0 { "error" } else { "info" };
            format!(
                r#"{{"dt":"2026-03-{day}T08:{minute:02}:00Z","level":"{level}","message":"day{day} took {minute} ms","took":{}}}"#,
                day * 100 + minute
            )
        });
        let body = format!("[{}]", events.collect::<Vec<_>>().join(","));
        ledger.send(web.reveal(), &body).unwrap();
        if day == 26 {
            ledger.send(shop.reveal(), &body).unwrap();
        }
    }
    compact(&ledger);
    let caller = ledger.caller(Access::Read, &[client]);
    (ledger, caller)
}

#[test]
fn the_blocks_that_are_left_are_those_a_query_reads() {
    let (ledger, _) = ledger();
    for query in [
        "*",
        "level:error",
        "message:day26",
        "day25 took:>2550",
        "took:<0",
        "nothing:*",
        "dt:>=2026-03-26 message:took",
        "_source:web level:>=info",
        "* | stats count() by level",
        "took:>=2610 | stats max(took) by dt:1h",
        "message:day25 | sort by took | limit 3",
        "level:error | dedup took | stats count()",
    ] {
        let asked = SearchRequest {
            total: !query.contains('|'),
            ..request(query)
        };
        let plan = explain(&ledger, &ledger.admin(), &asked).plan;
        let answer = ledger
            .service()
            .search(&ledger.admin(), &asked, &Cancel::default())
            .unwrap();
        let blocks = answer.account.blocks;
        let left = plan.left;
        let unread = left.counted.blocks + left.by_templates.blocks;
        let after = plan.steps.last().unwrap().after.blocks;
        assert_eq!(left.read.blocks + unread, after, "{query}");
        assert_eq!(plan.steps[0].after.blocks, blocks.total, "{query}");
        assert_eq!(blocks.total - blocks.pruned(), after, "{query}: {blocks:?}");
        assert_eq!(
            (left.read.blocks, unread),
            (blocks.read, blocks.counted_whole),
            "{query}"
        );
        let of = |by: Pruning| {
            let step = plan.steps.iter().find(|step| step.by == by).unwrap();
            step.before.blocks - step.after.blocks
        };
        assert_eq!(of(Pruning::Time), blocks.pruned_by_time, "{query}");
        assert_eq!(of(Pruning::TokenMap), blocks.pruned_by_tokens, "{query}");
        assert_eq!(of(Pruning::MinMax), blocks.pruned_by_statistics, "{query}");
    }
}

#[test]
fn a_caller_learns_of_the_blocks_of_its_own_sources_alone() {
    let (ledger, caller) = ledger();
    let all = explain(&ledger, &ledger.admin(), &request("*"));
    assert_eq!(all.plan.steps[0].before.rows, 180);
    let own = explain(&ledger, &caller, &request("level:error OR _source:web"));
    assert_eq!(own.sources.len(), 1);
    assert_eq!(own.plan.steps[0].before.rows, 60);
    assert_eq!(own.plan.matches.at_most, 1);
    let named = SearchRequest {
        sources: vec!["web".to_owned()],
        ..request("*")
    };
    let refused = ledger
        .service()
        .explain_query(&caller, &named, &Cancel::default());
    assert!(
        matches!(refused, Err(Error::NotFound { .. })),
        "{refused:?}"
    );
}

#[test]
fn what_a_query_refuses_its_explanation_refuses() {
    let (ledger, caller) = ledger();
    let check = |request: SearchRequest, code: &str| {
        let service = ledger.service();
        let refused = service.explain_query(&caller, &request, &Cancel::default());
        assert_eq!(refused.unwrap_err().code(), code, "{request:?}");
    };
    check(request("level:"), "invalid_query");
    check(
        SearchRequest {
            cursor: Some("x".to_owned()),
            ..request("*")
        },
        "invalid_cursor",
    );
    check(
        SearchRequest {
            total: true,
            ..request("* | stats count()")
        },
        "invalid_parameter",
    );
    let cancel = Cancel::default();
    cancel.cancel();
    let service = ledger.service();
    let cancelled = service.explain_query(&caller, &request("*"), &cancel);
    assert!(matches!(cancelled, Err(Error::Cancelled)), "{cancelled:?}");
}

#[test]
fn it_says_how_the_query_is_understood() {
    let (ledger, _) = ledger();
    ledger.advance(HOUR);
    let asked = SearchRequest {
        from: Some("now-3h".to_owned()),
        ..request("day26 and x | where level:error | top 3 took")
    };
    let explained = explain(&ledger, &ledger.admin(), &asked);
    assert_eq!(
        explained.query,
        "day26 AND \"and\" AND x | where level:error | top 3 took"
    );
    assert_eq!(explained.hints.len(), 1);
    let clauses = explained.plan.clauses.iter();
    let clauses: Vec<&str> = clauses.map(|clause| &*clause.clause).collect();
    assert_eq!(clauses, ["day26", "\"and\"", "x", "level:error"]);
    let places = explained.plan.stages.iter().map(|stage| stage.place);
    let places: Vec<StagePlace> = places.collect();
    assert_eq!(places, [StagePlace::Filter, StagePlace::Block]);
    let from = explained.plan.starts_at().map(|time| time.to_string());
    assert_eq!(from.as_deref(), Some("2026-03-27T08:00:00.000Z"));
}
