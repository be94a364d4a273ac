"""ClickHouse's engine beside Cordwood: the questions of the benchmark asked of chdb, in this process.

    python3 -m venv venv && venv/bin/pip install chdb==4.4.0
    venv/bin/python bench/peers/clickhouse.py CORPUS.ndjson DIRECTORY [--page PAGE.md] [--results bench/RESULTS.md]

CORPUS.ndjson is the corpus `app`, which `cargo xtask bench` leaves in its directory with a `.meta.json` beside it. The
events are loaded into DIRECTORY unless a table is there already: a MergeTree ordered by service and time, a column for each field,
and a text index on the messages, merged to the end before the first question. Every question is asked seven times, whole events are
fetched where Cordwood gives whole events, and the median goes into a table, beside Cordwood's own from RESULTS.md. In process, so without
HTTP; an insert is acknowledged before it is on disk for certain. The caches of results are off.
"""

import argparse
import json
import re
import statistics
import time
from pathlib import Path

from chdb import session

ROUNDS = 7

TABLE = """
CREATE TABLE logs (
    dt DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    level LowCardinality(String),
    message String CODEC(ZSTD(1)),
    service LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    version LowCardinality(String),
    request_id Nullable(String) CODEC(ZSTD(1)),
    user_id Nullable(String) CODEC(ZSTD(1)),
    tenant_id LowCardinality(Nullable(String)),
    status Nullable(UInt16) CODEC(ZSTD(1)),
    duration_ms Nullable(Float64) CODEC(ZSTD(1)),
    path Nullable(String) CODEC(ZSTD(1)),
    stack_trace Nullable(String) CODEC(ZSTD(1)),
    http Tuple(
        method LowCardinality(Nullable(String)),
        remote_ip Nullable(String),
        bytes Nullable(UInt64),
        user_agent LowCardinality(Nullable(String))
    ),
    INDEX words message TYPE text(tokenizer = 'splitByNonAlpha', preprocessor = lower(message)) GRANULARITY 100000000,
    INDEX ids request_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree ORDER BY (service, dt)
SETTINGS allow_nullable_key = 1
"""

TOTAL = "SELECT count() FROM logs"
ROWS = "SELECT * FROM logs"
PHRASE = "hasAllTokens(message, '{tokens}') AND message ILIKE '%{phrase}%'"


def phrase(text):
    return PHRASE.format(tokens=text, phrase=text)


def token(word):
    return f"hasAllTokens(message, '{word}')"


def questions(needle, last_time):
    """Name and statement; what Cordwood calls the question is in RESULTS.md."""
    hour = f"dt >= toDateTime64('{last_time}', 3, 'UTC') - INTERVAL 1 HOUR"
    minutes = f"dt >= toDateTime64('{last_time}', 3, 'UTC') - INTERVAL 5 MINUTE"
    newest = "ORDER BY dt DESC LIMIT"
    return {
        "count_all": TOTAL,
        "newest100": f"{ROWS} {newest} 100",
        "newest100_err": f"{ROWS} WHERE level = 'error' {newest} 100",
        "oldest100_err_svc": f"{ROWS} WHERE service = 'checkout-api' AND level = 'error' ORDER BY dt LIMIT 100",
        "needle_request": f"{ROWS} WHERE request_id = '{needle}' {newest} 100",
        "rare_token": f"{ROWS} WHERE {token('zqxvortex')} {newest} 100",
        "phrase_count": f"{TOTAL} WHERE {phrase('connection refused')}",
        "phrase_newest": f"{ROWS} WHERE {phrase('connection refused')} {newest} 100",
        "phrase_zero": f"{TOTAL} WHERE {phrase('refused connection')}",
        "token_zero": f"{TOTAL} WHERE {token('nonexistenttoken42')}",
        "token_common": f"{TOTAL} WHERE {token('user')}",
        "host_prefix": f"{TOTAL} WHERE host LIKE 'prod-api-0%'",
        "substring": f"{TOTAL} WHERE message ILIKE '%timeout%'",
        "bool_fields": f"{TOTAL} WHERE service = 'payments-service' AND level IN ('error', 'warn') AND NOT {token('gateway')}",
        "bool_text": f"{TOTAL} WHERE ({token('deadlock')} OR {token('timeout')}) AND NOT {token('statement')}",
        "range_num": f"{TOTAL} WHERE duration_ms > 1000",
        "range_newest": f"{ROWS} WHERE status >= 500 AND path LIKE '/api/v1/checkout%' {newest} 50",
        "regexp": f"{TOTAL} WHERE match(message, 'took [0-9]{{4,}}\\\\.[0-9]+ms')",
        "tenant_err": f"{ROWS} WHERE tenant_id = 't-17' AND level = 'error' {newest} 100",
        "stack_token": f"{TOTAL} WHERE hasToken(stack_trace, 'NullPointerException')",
        "nested": f"{TOTAL} WHERE http.method = 'DELETE' AND http.bytes > 100000",
        "svc_err_1h": f"SELECT service, count() FROM logs WHERE level = 'error' AND {hour} GROUP BY service",
        "hist_minute": "SELECT toStartOfMinute(dt) AS t, count() FROM logs GROUP BY t ORDER BY t",
        "hist_err_level": f"SELECT toStartOfInterval(dt, INTERVAL 5 MINUTE) AS t, level, count() FROM logs WHERE {token('timeout')} GROUP BY t, level ORDER BY t",
        "top_paths": "SELECT path, count() AS n FROM logs WHERE path IS NOT NULL GROUP BY path ORDER BY n DESC LIMIT 10",
        "p95_by_svc": "SELECT service, quantileTDigest(0.95)(duration_ms) FROM logs GROUP BY service",
        "distinct_users": "SELECT uniqExact(user_id) FROM logs",
        "dash_5min": f"SELECT toStartOfInterval(dt, INTERVAL 10 SECOND) AS t, level, count() FROM logs WHERE {minutes} GROUP BY t, level ORDER BY t",
    }


def load(server, corpus):
    server.query(TABLE)
    started = time.monotonic()
    server.query(
        f"INSERT INTO logs SELECT * FROM file('{corpus}', JSONEachRow) "
        "SETTINGS input_format_parallel_parsing = 1, input_format_skip_unknown_fields = 1, "
        "input_format_null_as_default = 1, date_time_input_format = 'best_effort'"
    )
    inserted = time.monotonic() - started
    server.query("OPTIMIZE TABLE logs FINAL")
    print(f"inserted in {inserted:.1f} s, merged after {time.monotonic() - started:.1f} s")


def figures_of(page):
    """Cordwood's warm milliseconds by question."""
    rows = re.findall(r"^\| (\w+) \| `.*?\| \*\*([0-9.]+)\*\*", page, re.MULTILINE)
    return {name: float(millis) for name, millis in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent.parent / "RESULTS.md")
    arguments = parser.parse_args()
    server = session.Session(str(arguments.directory))
    server.query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
    server.query("USE bench")
    server.query("SET use_query_cache = 0, use_query_condition_cache = 0")
    if "logs" not in str(server.query("SHOW TABLES FROM bench")):
        load(server, arguments.corpus.resolve())
    meta = json.loads(Path(f"{arguments.corpus}.meta.json").read_text())
    needle = meta["needle_request_id"]
    last_time = str(server.query("SELECT max(dt) FROM logs", "TabSeparated")).strip()
    events = str(server.query("SELECT count() FROM logs", "TabSeparated")).strip()
    disk = str(
        server.query(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'logs'", "TabSeparated"
        )
    ).strip()
    ours = figures_of(arguments.results.read_text()) if arguments.results.exists() else {}
    lines = [
        f"ClickHouse {str(server.query('SELECT version()', 'TabSeparated')).strip()} in process (chdb), "
        f"{events} events, {int(disk) / 1e6:.0f} MB on disk after merging to the end; milliseconds, median of {ROUNDS}.",
        "",
        "| question | ClickHouse | Cordwood | × | rows or total |",
        "|---|---|---|---|---|",
    ]
    for name, statement in questions(needle, last_time).items():
        times, answer = [], ""
        for _ in range(ROUNDS):
            started = time.monotonic()
            answer = str(server.query(statement, "TabSeparated"))
            times.append((time.monotonic() - started) * 1e3)
        millis = statistics.median(times)
        rows = answer.strip().splitlines()
        found = rows[0] if len(rows) == 1 and rows[0].isdigit() else len(rows)
        own = ours.get(name)
        ratio = f"{millis / own:.1f}" if own else "–"
        lines.append(f"| {name} | {millis:.1f} | {own or '–'} | {ratio} | {found} |")
        print(lines[-1], flush=True)
    if arguments.page:
        arguments.page.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
