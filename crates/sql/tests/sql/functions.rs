//! ClickHouse's functions, as Better Stack's users write them.

use crate::support::Fixture;

#[test]
fn functions_of_clickhouse() {
    let fixture = Fixture::usual();
    let cases: &[(&str, &[&str])] = &[
        ("SELECT count() FROM web", &["9"]),
        ("SELECT countIf(level = 'error') FROM web", &["3"]),
        (
            "SELECT sumIf(http.status, cached), avgIf(http.status, cached) FROM web",
            &["612,204.0"],
        ),
        ("SELECT quantile(0.5)(http.status) FROM web", &["204.0"]),
        (
            "SELECT quantile(0.25)(http.status), median(http.status) FROM web",
            &["202.0,204.0"],
        ),
        (
            "SELECT quantileIf(0.5)(http.status, cached) FROM web",
            &["204.0"],
        ),
        ("SELECT uniq(user), uniqExact(user) FROM web", &["3,3"]),
        ("SELECT any(job.name) FROM \"batch-jobs\"", &["nightly"]),
        (
            "SELECT argMax(message, http.status) FROM web",
            &["GET /item/8 took 80ms"],
        ),
        (
            "SELECT toStartOfInterval(dt, INTERVAL 5 SECOND) AS t, count() FROM web GROUP BY t ORDER BY t",
            &["2026-03-27T10:00:00Z,5", "2026-03-27T10:00:05Z,4"],
        ),
        (
            "SELECT toStartOfMinute(dt), count() FROM web GROUP BY 1",
            &["2026-03-27T10:00:00Z,9"],
        ),
        (
            "SELECT DISTINCT toStartOfFiveMinutes(dt) FROM web",
            &["2026-03-27T10:00:00Z"],
        ),
        (
            "SELECT DISTINCT toStartOfHour(dt), toStartOfDay(dt) FROM web",
            &["2026-03-27T10:00:00Z,2026-03-27T00:00:00Z"],
        ),
        (
            "SELECT DISTINCT toStartOfWeek(dt), toStartOfMonth(dt) FROM web",
            &["2026-03-23T00:00:00Z,2026-03-01T00:00:00Z"],
        ),
        (
            "SELECT DISTINCT toStartOfInterval(dt, INTERVAL 1 MONTH) FROM web",
            &["2026-03-01T00:00:00Z"],
        ),
        (
            "SELECT DISTINCT toHour(dt), toYear(dt) FROM web",
            &["10,2026"],
        ),
        (
            "SELECT count() FROM web WHERE dt >= toDateTime('2026-03-27 10:00:05')",
            &["4"],
        ),
        (
            "SELECT toUnixTimestamp(dt) FROM web ORDER BY dt LIMIT 1",
            &["1774605600"],
        ),
        (
            "SELECT count() FROM web WHERE JSONExtractString(raw, 'http', 'method') = 'GET'",
            &["5"],
        ),
        (
            "SELECT JSONExtractInt(raw, 'http', 'status') FROM web ORDER BY dt LIMIT 1",
            &["200"],
        ),
        (
            "SELECT JSONExtract(raw, 'http', 'status', 'Nullable(Int64)') FROM web ORDER BY dt LIMIT 1",
            &["200"],
        ),
        (
            "SELECT JSONExtract(json, 'http.method', 'String') FROM web ORDER BY dt LIMIT 1",
            &["GET"],
        ),
        (
            "SELECT JSONExtractFloat(raw, 'duration_ms') FROM web WHERE http.status = 201",
            &["0.5"],
        ),
        (
            "SELECT JSONExtractBool(raw, 'cached') FROM web ORDER BY dt LIMIT 1",
            &["true"],
        ),
        (
            "SELECT JSONExtractString(raw, 'nowhere') FROM web LIMIT 1",
            &["\"\""],
        ),
        (
            "SELECT JSONExtractInt(raw, 'items', 2, 'id') FROM \"batch-jobs\" ORDER BY dt DESC LIMIT 1",
            &["2"],
        ),
        (
            "SELECT JSONExtractRaw(raw, 'tags') FROM \"batch-jobs\" ORDER BY dt LIMIT 1",
            &["\"[\"\"a\"\",\"\"b\"\"]\""],
        ),
        (
            "SELECT countIf(JSONHas(raw, 'items')) FROM \"batch-jobs\"",
            &["1"],
        ),
        (
            "SELECT JSONExtractString(raw, 'level') FROM \"batch-jobs\" ORDER BY dt LIMIT 1",
            &["WARNING"],
        ),
        (
            "SELECT position(message, 'took') FROM web ORDER BY dt LIMIT 1",
            &["13"],
        ),
        (
            "SELECT lower(http.method), UPPER(user) FROM web ORDER BY dt LIMIT 1",
            &["get,U0"],
        ),
        (
            "SELECT if(cached, 'hit', 'miss'), multiIf(cached, 1, user = 'u0', 2, 3) FROM web ORDER BY dt LIMIT 1",
            &["hit,1"],
        ),
        (
            "SELECT toString(http.status), toInt64('7'), toFloat64('1.5'), toInt64OrZero('x') FROM web ORDER BY dt LIMIT 1",
            &["200,7,1.5,0"],
        ),
        (
            "SELECT count() FROM web WHERE match(message, 'item/[0-3] ')",
            &["4"],
        ),
        (
            "SELECT count() FROM web WHERE startsWith(message, 'GET') AND notEmpty(user)",
            &["6"],
        ),
        (
            "SELECT replaceRegexpAll(message, '[0-9]', 'N') FROM web ORDER BY dt LIMIT 1",
            &["GET /item/N took Nms"],
        ),
    ];
    for (text, expected) in cases {
        fixture.check(text, expected);
    }
}

#[test]
fn columns_keep_the_names_they_are_written_with() {
    let fixture = Fixture::usual();
    let answer = fixture.ask("SELECT countIf(cached), quantile(0.9)(http.status), count(), max(http.status) AS top, avg(web.duration_ms), count(*) FROM web");
    let names: Vec<String> = answer
        .columns()
        .into_iter()
        .map(|column| column.name)
        .collect();
    let expected = [
        "countIf(cached)",
        "quantile(0.9)(http.status)",
        "count()",
        "top",
        "avg(web.duration_ms)",
        "count(*)",
    ];
    assert_eq!(names, expected);
    fixture.check(
        "SELECT user, sum(http.status) FROM web GROUP BY user HAVING sum(http.status) > 405 ORDER BY sum(http.status)",
        &["u2,407", ",621"],
    );
}

#[test]
fn json_paths_of_plain_fields_are_columns() {
    let fixture = Fixture::usual();
    let plan = fixture.rows(
        "EXPLAIN SELECT count() FROM web WHERE JSONExtractString(raw, 'http', 'method') = 'GET'",
    );
    let plan = plan.join("\n");
    assert!(plan.contains("filter=http.method=GET"), "{plan}");
}
