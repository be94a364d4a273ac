//! The audit log: what is kept of a call, in which order it is read, and by whom.

use std::time::Duration;

use cordwood_service::{Access, AuditPage, Caller, ToolCall, ToolOutcome};

use crate::ledger::Ledger;

fn call(tool: &str, arguments: &str, outcome: ToolOutcome) -> ToolCall {
    ToolCall {
        tool: tool.to_owned(),
        arguments: arguments.to_owned(),
        outcome,
        answer_bytes: 5,
        elapsed: Duration::from_millis(7),
    }
}

fn tools_of(page: &AuditPage) -> Vec<&str> {
    page.entries.iter().map(|entry| &*entry.call.tool).collect()
}

fn record(ledger: &Ledger, caller: &Caller, tool: &str) {
    let call = call(tool, "{}", ToolOutcome::Answered);
    ledger.service().record_tool_call(caller, &call).unwrap();
}

#[test]
fn calls_are_read_page_by_page_and_survive() {
    let mut ledger = Ledger::new();
    let refused = call(
        "b",
        "{\"query\":\"(\"}",
        ToolOutcome::Refused("invalid_query".to_owned()),
    );
    record(&ledger, &ledger.admin(), "a");
    ledger
        .service()
        .record_tool_call(&ledger.admin(), &refused)
        .unwrap();
    record(&ledger, &ledger.admin(), "c");
    ledger.reopen();
    let admin = ledger.admin();
    let first = ledger.service().audit(&admin, None, Some(2)).unwrap();
    assert_eq!(tools_of(&first), ["c", "b"]);
    assert_eq!(first.entries[1].call, refused);
    assert_eq!(first.entries[1].token_id, admin.token_id());
    let second = ledger.service().audit(&admin, first.next, Some(2)).unwrap();
    assert_eq!((tools_of(&second), second.next), (vec!["a"], None));
    for limit in [0, 501] {
        assert!(ledger.service().audit(&admin, None, Some(limit)).is_err());
    }
}

#[test]
fn of_long_arguments_the_beginning_is_kept() {
    let ledger = Ledger::new();
    let long = call("a", &"é".repeat(2_000), ToolOutcome::Answered);
    ledger
        .service()
        .record_tool_call(&ledger.admin(), &long)
        .unwrap();
    let page = ledger.service().audit(&ledger.admin(), None, None).unwrap();
    let kept = &page.entries[0].call.arguments;
    assert!(
        kept.len() < 1_100 && kept.ends_with("… and 3000 bytes more"),
        "{kept}"
    );
}

/// What one client's agent asks may name what that client has.
#[test]
fn calls_of_another_clients_agents_are_not_read() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    record(&ledger, &ledger.caller(Access::Read, &[theirs]), "theirs");
    record(&ledger, &ledger.admin(), "everything");
    record(&ledger, &ledger.caller(Access::Read, &[ours]), "ours");
    let admin = ledger.caller(Access::Admin, &[ours]);
    let page = ledger.service().audit(&admin, None, None).unwrap();
    assert_eq!(tools_of(&page), ["ours"]);
}
