//! The questions: what is asked, what another way of counting says, and what others needed for it.
//!
//! The figures of the others were measured on a machine of the kind named in RESULTS.md (2 cores,
//! 24 GiB), on this corpus of 10 million events: VictoriaLogs 1.26, ClickHouse 26.9, Quickwit 0.9,
//! DuckDB 2.0 on Parquet. They are references to measure against, not results of this suite.

use std::time::Duration;

use jiff::Timestamp;

use crate::corpus::Meta;
use crate::oracle::Line;
use crate::table::{Key, Measure, Table};

/// How much of the answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// How many events match, and none of them.
    Total,
    /// So many of the newest.
    Newest(usize),
    /// So many of the oldest.
    Oldest(usize),
    /// What the stages make of the events.
    Table(Table),
}

/// Milliseconds another system took; none where it was not or could not be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peers {
    pub(crate) victorialogs_warm: f64,
    pub(crate) victorialogs_cold: f64,
    pub(crate) clickhouse_warm: f64,
    pub(crate) clickhouse_cold: f64,
    pub(crate) quickwit_warm: Option<f64>,
    pub(crate) duckdb_warm: f64,
    pub(crate) duckdb_cold: f64,
}

/// What one of the others took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) system: &'static str,
    pub(crate) ms: f64,
}

impl Peers {
    /// The fastest of the others, warm.
    pub(crate) fn fastest_warm(&self) -> Figure {
        let figures = [
            ("VictoriaLogs", Some(self.victorialogs_warm)),
            ("ClickHouse", Some(self.clickhouse_warm)),
            ("Quickwit", self.quickwit_warm),
            ("DuckDB", Some(self.duckdb_warm)),
        ];
        fastest(&figures)
    }

    /// The fastest of the others, cold; Quickwit was not measured so.
    pub(crate) fn fastest_cold(&self) -> Figure {
        let figures = [
            ("VictoriaLogs", Some(self.victorialogs_cold)),
            ("ClickHouse", Some(self.clickhouse_cold)),
            ("DuckDB", Some(self.duckdb_cold)),
        ];
        fastest(&figures)
    }
}

fn fastest(figures: &[(&'static str, Option<f64>)]) -> Figure {
    figures
        .iter()
        .filter_map(|&(system, ms)| Some(Figure { system, ms: ms? }))
        .min_by(|a, b| a.ms.total_cmp(&b.ms))
        .expect("most were measured")
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) name: &'static str,
    pub(crate) query: String,
    pub(crate) wanted: Wanted,
    /// Only events at or after this time, in the corpus's own spelling.
    pub(crate) since: Option<String>,
    /// Whether an event is an answer, decided without the query language.
    pub(crate) holds: fn(&Line<'_>, &Meta) -> bool,
    pub(crate) peers: Peers,
}

macro_rules! questions {
    ($($name:ident $wanted:expr, $query:expr, $holds:expr,
        [$vw:expr, $vc:expr, $cw:expr, $cc:expr, $qw:expr, $dw:expr, $dc:expr];)*) => {
        vec![$(Question {
            name: stringify!($name),
            query: String::from($query),
            wanted: $wanted,
            since: None,
            holds: $holds,
            peers: Peers {
                victorialogs_warm: $vw,
                victorialogs_cold: $vc,
                clickhouse_warm: $cw,
                clickhouse_cold: $cc,
                quickwit_warm: $qw,
                duckdb_warm: $dw,
                duckdb_cold: $dc,
            },
        }),*]
    };
}

/// The questions of the `app` corpus.
pub(crate) fn questions(meta: &Meta) -> Vec<Question> {
    let mut questions = filters(meta);
    questions.extend(aggregates(meta));
    questions
}

const fn table(keys: &'static [Key], measure: Measure) -> Wanted {
    Wanted::Table(Table {
        keys,
        measure,
        first: None,
    })
}

/// The questions that stages answer.
pub(crate) fn aggregates(meta: &Meta) -> Vec<Question> {
    use Measure::{Count, DistinctUsers, P95Duration};
    let top_paths = Wanted::Table(Table {
        keys: &[Key::Path],
        measure: Count,
        first: Some(10),
    });
    let mut questions = questions! {
        svc_err_1h table(&[Key::Service], Count), "level:error | stats count() by service",
            |line, _| line.level == "error",
            [69.0, 112.0, 16.0, 52.0, Some(10.0), 20.0, 36.0];
        hist_minute table(&[Key::Interval(60)], Count), "* | stats count() by dt:1m", |_, _| true,
            [549.0, 654.0, 142.0, 249.0, Some(96.0), 230.0, 367.0];
        hist_err_level table(&[Key::Interval(300), Key::Level], Count),
            "message:timeout | stats count() by dt:5m, level", |line, _| line.says("timeout"),
            [2375.0, 2167.0, 111.0, 144.0, Some(24.0), 3547.0, 8500.0];
        top_paths top_paths, "path:* | top 10 path", |line, _| line.path.is_some(),
            [1923.0, 1653.0, 403.0, 472.0, Some(151.0), 126.0, 315.0];
        p95_by_svc table(&[Key::Service], P95Duration), "* | stats p95(duration_ms) by service",
            |_, _| true,
            [2036.0, 2391.0, 279.0, 263.0, Some(235.0), 436.0, 627.0];
        distinct_users table(&[], DistinctUsers), "* | stats count_distinct(user_id)", |_, _| true,
            [1229.0, 1657.0, 552.0, 506.0, Some(161.0), 134.0, 210.0];
        dash_5min table(&[Key::Interval(10), Key::Level], Count), "* | stats count() by dt:10s, level",
            |_, _| true,
            [67.0, 120.0, 12.0, 33.0, Some(9.8), 13.0, 24.0];
    };
    for question in &mut questions {
        question.since = match question.name {
            "svc_err_1h" => Some(before_end(meta, Duration::from_secs(3600))),
            "dash_5min" => Some(before_end(meta, Duration::from_secs(300))),
            _ => None,
        };
    }
    questions
}

/// This long before the end of the corpus's day.
fn before_end(meta: &Meta, duration: Duration) -> String {
    let end_ms = i64::try_from(meta.t1_ms).expect("the day is of this age");
    let end = Timestamp::from_millisecond(end_ms).expect("the day is of this age");
    (end - duration)
        .strftime("%Y-%m-%dT%H:%M:%S.000Z")
        .to_string()
}

/// The questions that a filter answers.
pub(crate) fn filters(meta: &Meta) -> Vec<Question> {
    use Wanted::{Newest, Oldest, Total};
    let needle = meta.needle_request_id.as_deref().unwrap_or_default();
    let rare = meta.rare_token.as_deref().unwrap_or_default();
    questions! {
        count_all Total, "*", |_, _| true,
            [3.5, 9.0, 1.5, 15.0, Some(3.4), 10.0, 15.0];
        newest100 Newest(100), "*", |_, _| true,
            [439.0, 1103.0, 186.0, 363.0, Some(26.0), 2882.0, 3532.0];
        newest100_err Newest(100), "level:error", |line, _| line.level == "error",
            [547.0, 1230.0, 178.0, 318.0, Some(48.0), 2144.0, 3295.0];
        oldest100_err_svc Oldest(100), "service:checkout-api level:error",
            |line, _| line.service == "checkout-api" && line.level == "error",
            [110.0, 580.0, 19.0, 56.0, Some(109.0), 108.0, 132.0];
        needle_request Newest(100), format!("request_id:\"{needle}\""),
            |line, meta| line.request_id.is_some() && line.request_id == meta.needle_request_id.as_deref(),
            [28.0, 430.0, 61.0, 138.0, Some(18.0), 65.0, 111.0];
        rare_token Newest(100), format!("message:{rare}"),
            |line, meta| meta.rare_token.as_deref().is_some_and(|rare| line.says(rare)),
            [49.0, 467.0, 128.0, 263.0, Some(38.0), 1355.0, 1946.0];
        phrase_count Total, "message:\"connection refused\"", |line, _| line.says("connection refused"),
            [1702.0, 1591.0, 729.0, 875.0, Some(22.0), 1367.0, 1723.0];
        phrase_newest Newest(100), "message:\"connection refused\"",
            |line, _| line.says("connection refused"),
            [860.0, 1450.0, 224.0, 360.0, Some(98.0), 2257.0, 3381.0];
        phrase_zero Total, "message:\"refused connection\"", |line, _| line.says("refused connection"),
            [1732.0, 1491.0, 706.0, 706.0, Some(20.0), 1530.0, 1925.0];
        token_zero Total, "message:nonexistenttoken42", |line, _| line.says("nonexistenttoken42"),
            [24.0, 82.0, 3.4, 30.0, Some(12.0), 1331.0, 1678.0];
        token_common Total, "message:user", |line, _| line.says("user"),
            [1674.0, 1305.0, 3.4, 20.0, Some(15.0), 3717.0, 6620.0];
        host_prefix Total, "host:prod-api-0*", |line, _| line.host.starts_with("prod-api-0"),
            [1.7, 14.0, 27.0, 40.0, Some(30.0), 36.0, 119.0];
        substring Total, "message:*timeout*", |line, _| line.message_lowered().contains("timeout"),
            [1357.0, 1983.0, 482.0, 477.0, Some(979.0), 1655.0, 5477.0];
        bool_fields Total, "service:payments-service level:(error OR warn) NOT message:gateway",
            |line, _| line.service == "payments-service"
                && matches!(line.level, "error" | "warn")
                && !line.says("gateway"),
            [58.0, 211.0, 11.0, 30.0, Some(30.0), 1511.0, 4335.0];
        bool_text Total, "(message:deadlock OR message:timeout) NOT message:statement",
            |line, _| (line.says("deadlock") || line.says("timeout")) && !line.says("statement"),
            [1617.0, 1900.0, 22.0, 51.0, Some(21.0), 5356.0, 13352.0];
        range_num Total, "duration_ms:>1000", |line, _| line.duration_ms.is_some_and(|ms| ms > 1000.0),
            [440.0, 452.0, 118.0, 246.0, Some(35.0), 56.0, 290.0];
        range_newest Newest(50), "status:>=500 path:\\/api\\/v1\\/checkout*",
            |line, _| line.status.is_some_and(|status| status >= 500)
                && line.path.as_ref().is_some_and(|path| path.starts_with("/api/v1/checkout")),
            [551.0, 1416.0, 276.0, 413.0, Some(87.0), 306.0, 801.0];
        regexp Total, "message:/took [0-9]{4,}\\.[0-9]+ms/", |line, _| line.took_seconds(),
            [1176.0, 1511.0, 1127.0, 1169.0, None, 1624.0, 2085.0];
        tenant_err Newest(100), "tenant_id:t-17 level:error",
            |line, _| line.tenant_id == Some("t-17") && line.level == "error",
            [876.0, 1526.0, 315.0, 386.0, Some(102.0), 1929.0, 1731.0];
        stack_token Total, "stack_trace:NullPointerException",
            |line, _| line.stack_says("NullPointerException"),
            [179.0, 252.0, 3.4, 15.0, Some(13.0), 109.0, 149.0];
        nested Total, "http.method:DELETE http.bytes:>100000",
            |line, _| line.http.as_ref().is_some_and(|http| http.method == "DELETE" && http.bytes > 100_000),
            [189.0, 236.0, 192.0, 299.0, Some(22.0), 95.0, 117.0];
    }
}
