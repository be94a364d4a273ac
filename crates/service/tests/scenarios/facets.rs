//! Facets: what fields there are and what stands in them, for those who may know.

use cordwood_service::{
    Access, Caller, Cancel, Cell, Count, Distinct, Error, Facet, FacetsAnswer, FacetsRequest,
    SearchRequest,
};

use crate::ledger::Ledger;
use crate::size::compact;

fn request(query: &str, fields: &[&str]) -> FacetsRequest {
    FacetsRequest {
        search: SearchRequest {
            query: query.to_owned(),
            ..SearchRequest::default()
        },
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        values: None,
    }
}

fn ask(ledger: &Ledger, caller: &Caller, request: &FacetsRequest) -> Result<FacetsAnswer, Error> {
    ledger.service().facets(caller, request, &Cancel::default())
}

fn facet<'a>(answer: &'a FacetsAnswer, name: &str) -> &'a Facet {
    let mut facets = answer.found.facets.iter();
    let found = facets.find(|facet| &*facet.name == name);
    found.unwrap_or_else(|| panic!("no facet {name}"))
}

/// Two sources of two clients, with 200 events each.
fn ledger() -> (Ledger, Caller) {
    let mut ledger = Ledger::new();
    let (ours, theirs) = (ledger.create_client("ours"), ledger.create_client("theirs"));
    let web = ledger.create_source_of("web", Some(ours)).token;
    let shop = ledger.create_source_of("shop", Some(theirs)).token;
    let events = |secret: &str| {
        let events = (0..200).map(|number| {
            let status = if number % 50 == 0 { r#""none""#.to_owned() } else { (200 + number % 2).to_string() };
            format!(
                r#"{{"dt":"2026-03-27T08:{:02}:{:02}Z","level":"{}","host":"h{}{secret}","status":{status},"{secret}x":1,"took":{number}}}"#,
                number / 60,
                number % 60,
                if number % 4 == 0 { "error" } else { "info" },
                number % 3,
            )
        });
        format!("[{}]", events.collect::<Vec<_>>().join(","))
    };
    ledger.send(web.reveal(), &events("")).unwrap();
    ledger.send(shop.reveal(), &events("secret")).unwrap();
    let caller = ledger.caller(Access::Read, &[ours]);
    (ledger, caller)
}

#[test]
fn facets_before_and_after_blocks_are_written() {
    let (ledger, caller) = ledger();
    for _ in 0..2 {
        let answer = ask(&ledger, &caller, &request("", &[])).unwrap();
        assert_eq!(answer.found.matches, Count::Exactly(200));
        let host = facet(&answer, "host");
        assert_eq!(host.distinct, Distinct::Exactly(3));
        assert_eq!(host.values[0].value, Cell::Str("h0".into()));
        assert_eq!(host.values[0].events, 67);
        assert!(facet(&answer, "status").is_in_conflict);
        assert_eq!(
            facet(&answer, "took").numbers,
            Some((Cell::Int(0), Cell::Int(199)))
        );
        assert_eq!(facet(&answer, "level").values[0].events, 150);

        let errors = ask(&ledger, &caller, &request("level:error", &[])).unwrap();
        assert_eq!(errors.found.matches, Count::Exactly(50));
        assert_eq!(facet(&errors, "status").coverage.events, 50);
        let named = ask(
            &ledger,
            &caller,
            &request("level:error | where took:<100", &["took", "level"]),
        );
        let named = named.unwrap();
        assert_eq!(
            facet(&named, "took").numbers,
            Some((Cell::Int(0), Cell::Int(96)))
        );
        assert_eq!(facet(&named, "level").values.len(), 1);
        assert_eq!(named.found.facets.len(), 2);
        compact(&ledger);
    }
}

#[test]
fn another_clients_fields_and_values_are_unknown() {
    let (ledger, caller) = ledger();
    compact(&ledger);
    for fields in [&[][..], &["host", "secretx", "_source"]] {
        let answer = ask(&ledger, &caller, &request("", fields)).unwrap();
        let shown = format!(
            "{:?}",
            answer
                .found
                .facets
                .iter()
                .map(|facet| &facet.values)
                .collect::<Vec<_>>()
        );
        assert!(
            !shown.contains("secret") && !shown.contains("shop"),
            "{shown}"
        );
        assert!(!answer.found.survey.fields.contains_key("secretx"));
        assert_eq!(answer.found.survey.events, 200);
    }
    let all = ask(&ledger, &ledger.admin(), &request("", &[])).unwrap();
    assert!(all.found.survey.fields.contains_key("secretx"));
    let named = FacetsRequest {
        search: SearchRequest {
            sources: vec!["shop".to_owned()],
            ..SearchRequest::default()
        },
        ..FacetsRequest::default()
    };
    assert_eq!(
        ask(&ledger, &caller, &named).unwrap_err().code(),
        "source_not_found"
    );
}

#[test]
fn what_has_no_facets_is_refused() {
    let (ledger, caller) = ledger();
    let many: Vec<String> = (0..21).map(|number| format!("f{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases = [
        (request("* | stats count()", &[]), "before any stage"),
        (
            request("* | parse \"<a> \" | where a:b", &[]),
            "before any stage",
        ),
        (request("", &["dt"]), "`dt`"),
        (request("", &many), "21 fields"),
        (
            FacetsRequest {
                values: Some(101),
                ..request("", &[])
            },
            "values",
        ),
    ];
    for (request, part) in cases {
        let error = ask(&ledger, &caller, &request).unwrap_err();
        assert_eq!(error.code(), "invalid_parameter");
        assert!(error.to_string().contains(part), "{error}");
    }
}
