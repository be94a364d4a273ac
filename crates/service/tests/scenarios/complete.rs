//! Completion with the fields and values of what a caller may read.

use cordwood_service::{
    Access, Caller, Cancel, CompleteRequest, Completed, SearchRequest, SuggestionKind,
};

use crate::ledger::Ledger;
use crate::size::compact;

fn ask(ledger: &Ledger, caller: &Caller, text: &str, sources: &[&str]) -> Completed {
    let request = CompleteRequest {
        search: SearchRequest {
            query: text.to_owned(),
            sources: sources.iter().map(|source| (*source).to_owned()).collect(),
            ..SearchRequest::default()
        },
        ..CompleteRequest::default()
    };
    let service = ledger.service();
    service
        .complete(caller, &request, &Cancel::default())
        .unwrap()
}

fn texts(completed: &Completed) -> Vec<&str> {
    let suggestions = completed.suggestions.iter();
    suggestions
        .map(|suggestion| suggestion.text.as_str())
        .collect()
}

#[test]
fn fields_and_values_are_those_of_the_caller() {
    let mut ledger = Ledger::new();
    let (ours, theirs) = (ledger.create_client("ours"), ledger.create_client("theirs"));
    let web = ledger.create_source_of("web", Some(ours)).token;
    let shop = ledger.create_source_of("shop", Some(theirs)).token;
    for number in 0..6 {
        let host = if number < 4 { "prod-1" } else { "prod two" };
        let event = format!(r#"{{"host":"{host}","hops":{number},"odd name":true}}"#);
        ledger.send(web.reveal(), &event).unwrap();
    }
    ledger
        .send(
            shop.reveal(),
            r#"{"hostility":"secret","host":"prod-secret"}"#,
        )
        .unwrap();
    let caller = ledger.caller(Access::Read, &[ours]);
    for _ in 0..2 {
        assert_eq!(texts(&ask(&ledger, &caller, "ho", &[])), ["hops:", "host:"]);
        assert_eq!(texts(&ask(&ledger, &caller, "od", &[])), ["\"odd name\":"]);
        assert_eq!(texts(&ask(&ledger, &caller, "hsot", &[]))[0], "host:");
        let values = ask(&ledger, &caller, "host:pro", &[]);
        assert_eq!(texts(&values), ["prod-1", "\"prod two\""]);
        assert_eq!(values.suggestions[0].events, Some(4));
        assert_eq!(values.suggestions[0].kind, SuggestionKind::Value);
        assert_eq!(values.replaced, 5..8);
        assert_eq!(
            texts(&ask(&ledger, &caller, "host:\"prod t", &[])),
            ["\"prod two\""]
        );
        assert_eq!(texts(&ask(&ledger, &caller, "_source:", &[])), ["web"]);
        assert_eq!(texts(&ask(&ledger, &caller, "level:err", &[])), ["error"]);
        assert_eq!(
            texts(&ask(&ledger, &caller, "* | stats avg(ho", &[])),
            ["hops", "host"]
        );
        let all = ask(&ledger, &ledger.admin(), "host", &[]);
        assert_eq!(texts(&all), ["host:", "hostility:"]);
        let of_shop = ask(&ledger, &ledger.admin(), "host:", &["shop"]);
        assert_eq!(texts(&of_shop), ["prod-secret"]);
        compact(&ledger);
    }
    let request = CompleteRequest {
        search: SearchRequest {
            sources: vec!["shop".to_owned()],
            ..SearchRequest::default()
        },
        ..CompleteRequest::default()
    };
    let error = ledger
        .service()
        .complete(&caller, &request, &Cancel::default());
    assert_eq!(error.unwrap_err().code(), "source_not_found");
}
