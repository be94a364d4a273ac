//! Statements and the rows they give.

use cordwood_event::Timestamp;
use cordwood_query::TimeBounds;

use crate::support::{Fixture, START_SECONDS};

#[test]
fn columns_rows_and_conditions() {
    let fixture = Fixture::usual();
    let cases: &[(&str, &[&str])] = &[
        ("SELECT count(*) FROM logs", &["11"]),
        ("SELECT count(*) FROM web", &["9"]),
        ("SELECT count(*) FROM \"batch-jobs\"", &["2"]),
        ("SELECT count(*) FROM \"src-2\"", &["2"]),
        ("SELECT count(*) FROM `2`", &["2"]),
        (
            "SELECT dt, message FROM logs ORDER BY dt DESC LIMIT 2",
            &[
                "2026-03-27T10:00:10Z,job done",
                "2026-03-27T10:00:09Z,job started",
            ],
        ),
        (
            "SELECT message FROM logs ORDER BY dt LIMIT 1",
            &["GET /item/0 took 0ms"],
        ),
        (
            "SELECT \"http.status\" FROM web WHERE http.status > 206 ORDER BY 1",
            &["207", "208"],
        ),
        (
            "SELECT web.http.method FROM web WHERE http.status = 203",
            &["POST"],
        ),
        (
            "SELECT t.http.method FROM web t WHERE t.http.status = 203",
            &["POST"],
        ),
        (
            "SELECT count(*) FROM web WHERE http.method IN ('GET', 'PUT')",
            &["5"],
        ),
        (
            "SELECT count(*) FROM web WHERE http.method NOT IN ('GET', 'PUT')",
            &["4"],
        ),
        (
            "SELECT count(*) FROM web WHERE http.status BETWEEN 202 AND 204",
            &["3"],
        ),
        ("SELECT count(*) FROM web WHERE user IS NULL", &["3"]),
        ("SELECT count(*) FROM web WHERE user <> 'u0'", &["4"]),
        ("SELECT count(*) FROM web WHERE NOT (user = 'u0')", &["4"]),
        (
            "SELECT count(*) FROM web WHERE NOT (user = 'u0') OR user IS NULL",
            &["7"],
        ),
        (
            "SELECT count(*) FROM web WHERE message LIKE '%took 10ms'",
            &["1"],
        ),
        ("SELECT count(*) FROM web WHERE message LIKE 'get%'", &["0"]),
        (
            "SELECT count(*) FROM web WHERE message ILIKE 'get%'",
            &["9"],
        ),
        (
            "SELECT count(*) FROM web WHERE message NOT LIKE '%took _0ms'",
            &["1"],
        ),
        ("SELECT count(*) FROM web WHERE cached", &["3"]),
        ("SELECT count(*) FROM web WHERE NOT cached", &["6"]),
        ("SELECT count(*) FROM web WHERE duration_ms = 0.5", &["4"]),
        ("SELECT count(*) FROM web WHERE duration_ms >= 40", &["3"]),
        ("SELECT count(*) FROM logs WHERE level = 'error'", &["3"]),
        ("SELECT count(*) FROM logs WHERE level <> 'error'", &["7"]),
        ("SELECT count(*) FROM logs WHERE level IS NULL", &["1"]),
        ("SELECT count(*) FROM logs WHERE _source = 'web'", &["9"]),
        ("SELECT count(*) FROM logs WHERE _source = '1'", &["0"]),
        (
            "SELECT count(*) FROM logs WHERE dt >= '2026-03-27T10:00:09Z'",
            &["2"],
        ),
        (
            "SELECT count(*) FROM logs WHERE dt < '2026-03-27 10:00:01'",
            &["1"],
        ),
        (
            "SELECT count(*) FROM logs WHERE dt > now() - INTERVAL 52 SECOND",
            &["2"],
        ),
        (
            "SELECT count(*) FROM logs WHERE dt > now() - INTERVAL '52 seconds'",
            &["2"],
        ),
        ("SELECT odd FROM web ORDER BY dt LIMIT 2", &["text", "1"]),
        (
            "SELECT tags FROM \"batch-jobs\" WHERE tags IS NOT NULL",
            &["\"[\"\"a\"\",\"\"b\"\"]\""],
        ),
        (
            "SELECT items.id FROM \"batch-jobs\" ORDER BY dt DESC LIMIT 1",
            &["\"[1,2]\""],
        ),
        (
            "SELECT level FROM \"batch-jobs\" ORDER BY dt",
            &["warn", "\"\""],
        ),
        (
            "SELECT http.method, count(*) AS n FROM web GROUP BY http.method ORDER BY n DESC",
            &["GET,5", "POST,4"],
        ),
        (
            "SELECT sum(http.status), avg(http.status), min(http.status), max(http.status) FROM web",
            &["1836,204.0,200,208"],
        ),
        (
            "WITH errors AS (SELECT * FROM web WHERE level = 'error') SELECT count(*) FROM errors",
            &["3"],
        ),
        (
            "SELECT count(*) FROM web a JOIN web b ON a._id = b._id",
            &["9"],
        ),
        (
            "SELECT message FROM web WHERE user = 'u1' ORDER BY dt LIMIT 1, 1",
            &["GET /item/4 took 40ms"],
        ),
        ("SELECT 1 + 1", &["2"]),
    ];
    for (text, expected) in cases {
        fixture.check(text, expected);
    }
}

#[test]
fn the_star_is_every_column() {
    let fixture = Fixture::usual();
    let answer = fixture.ask("SELECT * FROM \"batch-jobs\"");
    let columns = answer.columns();
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("{} {}", column.name, column.type_name))
        .collect();
    let expected = [
        "dt time",
        "level text",
        "message text",
        "_source text",
        "_id text",
        "items text",
        "job.name text",
        "tags text",
    ];
    assert_eq!(columns, expected);
}

#[test]
fn a_range_shuts_out_events_and_no_columns() {
    let fixture = Fixture::usual();
    let instant = |seconds| Timestamp::from_nanos((START_SECONDS + seconds) * 1_000_000_000);
    let mut request = fixture.request("SELECT count(*), count(http.status) FROM logs");
    request.range = TimeBounds {
        first: instant(9),
        last: instant(30),
    };
    let answer = fixture.run(&request).expect("rows");
    let written = answer.encode(cordwood_sql::Format::Csv).expect("CSV");
    assert_eq!(
        String::from_utf8_lossy(&written).lines().nth(1),
        Some("2,0")
    );
}

#[test]
fn the_account_tells_what_was_read() {
    let fixture = Fixture::usual();
    let newest = fixture.ask("SELECT message FROM web ORDER BY dt DESC LIMIT 1");
    let all = fixture.ask("SELECT message FROM web ORDER BY message DESC LIMIT 1");
    assert!(newest.account.incomplete.is_empty());
    assert!((1..=9).contains(&newest.account.rows_scanned));
    // Nine rows are nearest to two blocks of four.
    assert_eq!((all.account.rows_scanned, all.account.blocks_total), (9, 2));
}

#[test]
fn tables_and_columns_are_listed() {
    let fixture = Fixture::usual();
    fixture.check("SHOW TABLES", &["logs,", "batch-jobs,2", "web,1"]);
    let expected = [
        "dt,time",
        "level,text",
        "message,text",
        "_source,text",
        "_id,text",
        "cached,bool",
        "duration_ms,float",
        "http.method,text",
        "http.status,int",
        "odd,text",
        "user,text",
        "raw,text",
        "json,text",
    ];
    fixture.check("DESCRIBE TABLE web", &expected);
    fixture.check("SHOW COLUMNS FROM web", &expected);
}

#[test]
fn explain_shows_what_the_engine_does() {
    let fixture = Fixture::usual();
    let plan = fixture.rows("EXPLAIN SELECT message FROM web WHERE http.status > 203 AND level = 'error' ORDER BY dt DESC LIMIT 5");
    let plan = plan.join("\n");
    let expected = "filter=http.status:>203 AND level=error, newest=5";
    assert!(plan.contains(expected), "{plan}");
    assert!(!plan.contains("FilterExec"), "{plan}");
}
