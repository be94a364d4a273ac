//! Histograms: what is drawn above a list of events is what the list would hold.

use cordwood_event::Timestamp;
use cordwood_service::{
    Access, Cancel, Error, Histogram, HistogramRequest, LevelTotals, SearchRequest,
};
use proptest::prelude::*;

use crate::ledger::Ledger;
use crate::size::compact;

fn request(query: &str) -> HistogramRequest {
    HistogramRequest {
        search: SearchRequest {
            query: query.to_owned(),
            ..SearchRequest::default()
        },
        ..HistogramRequest::default()
    }
}

fn ask(ledger: &Ledger, request: &HistogramRequest) -> Result<Histogram, Error> {
    ledger
        .service()
        .histogram(&ledger.admin(), request, &Cancel::default())
}

/// The totals as text: `5: none 1, info 4`.
fn text(counts: &LevelTotals) -> String {
    let levels = counts.levels().map(|(level, events)| {
        let name = level.map_or("none", |level| level.name());
        format!("{name} {events}")
    });
    let levels: Vec<String> = levels.collect();
    format!("{}: {}", counts.events, levels.join(", "))
}

/// An event each ten seconds from 08:00 on, of levels spelt as programs do.
fn ledger(events: u32) -> Ledger {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let levels = [
        "",
        r#""level":"INFO","#,
        r#""level":"warning","#,
        r#""level":"err","#,
    ];
    let events = (0..events).map(|number| {
        let seconds = number * 10;
        let level = levels[number as usize % levels.len()];
        format!(
            r#"{{"dt":"2026-03-27T{:02}:{:02}:{:02}Z",{level}"message":"m{number} took {} ms"}}"#,
            8 + seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            number * 7,
        )
    });
    let body = format!("[{}]", events.collect::<Vec<_>>().join(","));
    ledger.send(token.reveal(), &body).unwrap();
    ledger
}

#[test]
fn buckets_are_chosen_for_the_range_of_the_data() {
    let ledger = ledger(360);
    for _ in 0..2 {
        let found = ask(&ledger, &request("")).unwrap();
        assert_eq!(found.interval.nanos, 60_000_000_000);
        assert_eq!(found.buckets.len(), 60);
        assert_eq!(
            found.buckets[0].start.to_string(),
            "2026-03-27T08:00:00.000Z"
        );
        assert_eq!(
            text(&found.buckets[0].counts),
            "6: none 2, info 2, warn 1, error 1"
        );
        assert_eq!(
            text(&found.totals),
            "360: none 90, info 90, warn 90, error 90"
        );
        assert!(found.account.complete);
        let few = HistogramRequest {
            buckets: Some(6),
            ..request("level:error")
        };
        let found = ask(&ledger, &few).unwrap();
        assert_eq!(
            (found.interval.nanos, found.buckets.len()),
            (600_000_000_000, 6)
        );
        assert_eq!(text(&found.totals), "90: error 90");
        compact(&ledger);
    }
}

#[test]
fn empty_buckets_are_there() {
    let ledger = ledger(3);
    let ranged = HistogramRequest {
        interval: Some("10s".to_owned()),
        search: SearchRequest {
            from: Some("2026-03-27T07:59:45Z".to_owned()),
            to: Some("2026-03-27T08:00:35Z".to_owned()),
            ..SearchRequest::default()
        },
        ..HistogramRequest::default()
    };
    let found = ask(&ledger, &ranged).unwrap();
    let counts: Vec<u64> = found
        .buckets
        .iter()
        .map(|bucket| bucket.counts.events)
        .collect();
    assert_eq!(counts, [0, 0, 1, 1, 1, 0]);
    assert_eq!(
        found.buckets[0].start.to_string(),
        "2026-03-27T07:59:40.000Z"
    );

    let none = ask(&ledger, &request("message:nowhere")).unwrap();
    assert_eq!(none.totals.events, 0);
    assert!(!none.buckets.is_empty());
    let nothing = Ledger::new();
    let found = ask(&nothing, &request("")).unwrap();
    assert!(found.buckets.is_empty() && found.range.is_none() && found.account.complete);
}

#[test]
fn stages_that_keep_events_may_stand_before() {
    let ledger = ledger(60);
    let parsed = r#"* | parse "took <ms:number> ms" | where ms:>=210"#;
    assert_eq!(ask(&ledger, &request(parsed)).unwrap().totals.events, 30);
    assert_eq!(
        ask(&ledger, &request("* | limit 7")).unwrap().totals.events,
        7
    );
    assert_eq!(
        ask(&ledger, &request("* | dedup level"))
            .unwrap()
            .totals
            .events,
        4
    );
    for table in [
        "* | stats count()",
        "* | top level",
        "* | fields dt",
        "* | timechart 1m count()",
    ] {
        let error = ask(&ledger, &request(table)).unwrap_err();
        assert_eq!(error.code(), "invalid_parameter", "{table}");
        assert!(
            error.to_string().contains("a histogram counts events"),
            "{error}"
        );
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let ledger = ledger(360);
    let with = |buckets, interval: Option<&str>| HistogramRequest {
        buckets,
        interval: interval.map(str::to_owned),
        ..request("")
    };
    let cases = [
        (with(Some(0), None), "buckets"),
        (with(Some(1001), None), "buckets"),
        (with(None, Some("1 fortnight")), "interval"),
        (with(None, Some("0s")), "interval"),
        (with(None, Some("1s")), "3591 intervals of 1s"),
    ];
    for (request, part) in cases {
        let error = ask(&ledger, &request).unwrap_err();
        assert_eq!(error.code(), "invalid_parameter");
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = ask(&ledger, &request("level:(")).unwrap_err();
    assert_eq!(error.code(), "invalid_query");
}

#[test]
fn another_clients_events_are_not_counted() {
    let mut ledger = Ledger::new();
    let (ours, theirs) = (ledger.create_client("ours"), ledger.create_client("theirs"));
    let our_token = ledger.create_source_of("web", Some(ours)).token;
    let their_token = ledger.create_source_of("shop", Some(theirs)).token;
    ledger
        .send(our_token.reveal(), r#"{"dt":"2026-03-27T08:00:00Z"}"#)
        .unwrap();
    ledger
        .send(their_token.reveal(), r#"{"dt":"2026-03-20T08:00:00Z"}"#)
        .unwrap();
    let caller = ledger.caller(Access::Read, &[ours]);
    let found = ledger
        .service()
        .histogram(&caller, &request(""), &Cancel::default())
        .unwrap();
    assert_eq!(found.totals.events, 1);
    // Not even in the range that is drawn.
    let (first, _) = found.range.unwrap();
    assert_eq!(
        first,
        Timestamp::parse_rfc3339("2026-03-27T08:00:00Z").unwrap()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Each bucket holds what a search between its ends counts.
    #[test]
    fn buckets_count_what_searches_do(
        seconds in proptest::collection::vec(0u32..7200, 1..60),
        interval in proptest::sample::select(&["7s", "1m", "10m", "1h"][..]),
    ) {
        let ledger = Ledger::new();
        let token = ledger.create_source("web").token;
        let events = seconds.iter().map(|second| format!(
            r#"{{"dt":"2026-03-27T{:02}:{:02}:{:02}Z","level":"{}","n":{second}}}"#,
            second / 3600, second / 60 % 60, second % 60,
            if second % 3 == 0 { "error" } else { "info" },
        ));
        let body = format!("[{}]", events.collect::<Vec<_>>().join(","));
        ledger.send(token.reveal(), &body).unwrap();
        let asked = HistogramRequest { interval: Some(interval.to_owned()), ..request("n:<6000") };
        let found = ask(&ledger, &asked);
        let buckets = match found {
            Ok(found) => found.buckets,
            Err(error) => {
                prop_assert!(error.to_string().contains("a histogram at most"), "{}", error);
                return Ok(());
            }
        };
        let start = Timestamp::parse_rfc3339("2026-03-27T00:00:00Z").unwrap().as_nanos();
        let mut counted = 0;
        for (index, bucket) in buckets.iter().enumerate() {
            let first = (bucket.start.as_nanos() - start) / 1_000_000_000;
            let end = buckets.get(index + 1).map_or(i64::MAX, |next| {
                (next.start.as_nanos() - start) / 1_000_000_000
            });
            let inside = seconds.iter().filter(|second| {
                **second < 6000 && (first..end).contains(&i64::from(**second))
            });
            let inside: Vec<&u32> = inside.collect();
            let errors = inside.iter().filter(|second| **second % 3 == 0).count() as u64;
            prop_assert_eq!(bucket.counts.events, inside.len() as u64);
            let of_errors = bucket.counts.levels().find(|(level, _)| level.is_some_and(|level| level.name() == "error"));
            prop_assert_eq!(of_errors.map_or(0, |(_, events)| events), errors);
            counted += bucket.counts.events;
        }
        prop_assert_eq!(counted, seconds.iter().filter(|second| **second < 6000).count() as u64);
    }
}
