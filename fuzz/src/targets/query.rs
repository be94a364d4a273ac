//! The query parser: no text panics, diagnostics point into it, and canonical text means the same.

use std::sync::OnceLock;

use cordwood_event::{Batch, SourceId, Timestamp};
use cordwood_ingest::{ContentEncoding, ContentKind, Format, Limits, decode};
use cordwood_query::limits::TEXT_BYTES_MAX;
use cordwood_query::{Diagnostic, Filter, Matcher, Origin, parse};

use super::Target;

const NOW: Timestamp = Timestamp::from_nanos(1_774_605_600_000_000_000);

pub(super) const QUERY: Target = Target {
    name: "query",
    run: |input| {
        if let Ok(text) = std::str::from_utf8(input) {
            check(text);
        }
    },
    dictionary: &[
        " AND ",
        " OR ",
        "NOT ",
        " && ",
        " || ",
        "(",
        ")",
        "level:",
        "dt:",
        "message:",
        "_source:",
        "_id:",
        ":*",
        ":/",
        "/i",
        "=~",
        "!~",
        "!=",
        ":=",
        ":>",
        ">=",
        "[1 TO 2]",
        "{* TO 5}",
        "now-1h",
        "in(1, 2)",
        "10.0.0.0/8",
        "::1/64",
        "\"a b\"",
        "\\",
        "?",
        "ž",
        "2026-03-27",
        "2026-03-27T00:00:00Z",
        "(error OR fatal)",
        " | stats ",
        " | timechart 1m ",
        " | top 10 ",
        " | where ",
        " | sort by ",
        " | limit 5",
        " | fields ",
        " | dedup ",
        " | parse \"a=<b> <c:number>\"",
        "count()",
        "p95(a)",
        " if (",
        " as ",
        " by ",
        "dt:5m",
        " desc",
        ", ",
    ],
};

fn check(text: &str) {
    let parsed = match parse(text) {
        Ok(parsed) => parsed,
        Err(diagnostics) => {
            assert!(!diagnostics.0.is_empty(), "refused without a word");
            diagnostics
                .0
                .iter()
                .for_each(|diagnostic| assert_points_into(text, diagnostic));
            return;
        }
    };
    parsed
        .hints
        .iter()
        .for_each(|hint| assert_points_into(text, hint));
    let canonical = parsed.query.to_string();
    // Quotes and operators written out can carry a query at the limit over it.
    if canonical.len() > TEXT_BYTES_MAX {
        return;
    }
    let again = parse(&canonical).unwrap_or_else(|error| {
        panic!("{text:?} prints as {canonical:?}, which is no query: {error}")
    });
    assert_eq!(
        again.query, parsed.query,
        "{text:?} prints as {canonical:?}, which is another query"
    );
    assert_eq!(
        again.query.to_string(),
        canonical,
        "printing is not canonical"
    );
    assert_eq!(matches(&again.query.filter), matches(&parsed.query.filter));
    let _ = parsed.query.filter.time_bounds(NOW);
}

fn assert_points_into(text: &str, diagnostic: &Diagnostic) {
    let span = diagnostic.span.clone();
    assert!(
        text.get(span.clone()).is_some(),
        "{diagnostic:?} points outside of {text:?}"
    );
    assert!(
        !diagnostic.message.is_empty(),
        "a diagnostic without a word"
    );
}

/// Which of a few events match: the matcher takes any query that parses.
fn matches(filter: &Filter) -> Vec<bool> {
    let matcher = Matcher::new(filter, NOW);
    let batch = sample();
    (0..batch.len())
        .map(|row| {
            let origin = Origin {
                source: SourceId(1),
                source_name: "sample",
                sequence: row as u64,
            };
            matcher.matches(batch.event(row), &origin)
        })
        .collect()
}

fn sample() -> &'static Batch {
    static SAMPLE: OnceLock<Batch> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let body = br#"[
            {"dt":"2026-03-27T09:59:00Z","level":"WARNING","message":"Connection refused to 10.1.2.3",
             "http":{"status":500,"method":"GET"},"client_ip":"10.1.2.3","duration_ms":12.5},
            {"message":"P\u0159\u00edli\u0161 \u017elu\u0165ou\u010dk\u00fd","tags":["a","b",3,null],"a.b":true,
             "items":[{"name":"x","count":1},{"name":"y"}],"big":18446744073709551616,"none":null}
        ]"#;
        let format = Format {
            kind: ContentKind::Json,
            encoding: ContentEncoding::Identity,
            dt_field: None,
        };
        decode(&format, body, NOW, &Limits::CONTRACT)
            .expect("the sample is JSON")
            .batch
    })
}
