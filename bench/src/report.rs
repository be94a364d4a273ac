//! The page of results: what was measured, on what, by which command, beside what others needed.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use crate::corpus::Meta;
use crate::load::Shape;
use crate::question::{Question, Wanted};
use crate::suite::{Answer, Ingest};

/// Everything the page is made of.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) meta: &'a Meta,
    pub(crate) shape: Shape,
    pub(crate) ingest: &'a Ingest,
    pub(crate) questions: &'a [Question],
    pub(crate) answers: &'a [Answer],
    pub(crate) is_cache_dropped: bool,
    /// Processes that ran or waited to run, on average over the minute before the load.
    pub(crate) load_before: f64,
}

const MB: f64 = 1e6;

/// One line on ingest, for the terminal.
pub(crate) fn ingest_line(meta: &Meta, ingest: &Ingest) -> String {
    format!(
        "{:.1} MB/s acknowledged, {:.1} MB per CPU second, {:.0} MB peak, {:.0} MB on disk, \
         idle after {:.1} s, {} postponed",
        mb(meta.bytes) / ingest.sent.elapsed.as_secs_f64(),
        mb(meta.bytes) / ingest.processor_seconds,
        mb(ingest.memory_peak_bytes),
        mb(ingest.disk_bytes),
        ingest.settled.as_secs_f64(),
        ingest.sent.postponed,
    )
}

/// One line on a question, for the terminal.
pub(crate) fn answer_line(question: &Question, answer: &Answer) -> String {
    let verdict = match &answer.fault {
        None => "ok".to_owned(),
        Some(fault) => format!("FAILED: {fault}"),
    };
    format!(
        "{:<18} {:>9} ms warm [{} CPU] {:>9} ms cold, {} match: {verdict}",
        question.name,
        ms(answer.warm),
        ms(answer.warm_processor),
        ms(answer.cold),
        answer.total,
    )
}

/// The whole page.
pub(crate) fn page(outcome: &Outcome<'_>) -> anyhow::Result<String> {
    let mut page = String::from("# Results\n\n");
    let now = jiff::Timestamp::now();
    writeln!(
        page,
        "Measured {} by `cargo xtask bench{}`.\n",
        now.strftime("%Y-%m-%d"),
        flag(outcome)
    )?;
    writeln!(page, "- Machine: {}", machine())?;
    writeln!(
        page,
        "- Load average before: {:.1}. Anything much above 0 is other work these figures shared the machine \
         with; CPU figures suffer least.",
        outcome.load_before
    )?;
    let meta = outcome.meta;
    writeln!(
        page,
        "- Corpus: `{}`, seed {}, {} events, {} bytes of NDJSON.",
        meta.corpus, meta.seed, meta.events, meta.bytes
    )?;
    writeln!(
        page,
        "- Load: {} connections on the same machine, bodies of {} KiB, content encoding {:?}.",
        outcome.shape.connections,
        outcome.shape.body_bytes >> 10,
        outcome.shape.encoding,
    )?;
    let cold = if outcome.is_cache_dropped {
        "the server restarted and the page cache dropped before each question"
    } else {
        "the server restarted before each question; the page cache could not be dropped, so files are cached"
    };
    writeln!(
        page,
        "- Cold: {cold}. Warm: median of seven. Over HTTP, the whole answer read."
    )?;
    writeln!(
        page,
        "- Every answer was compared with a count of the corpus line by line; the last column says so.\n"
    )?;
    write_ingest(&mut page, outcome)?;
    write_questions(&mut page, outcome)?;
    Ok(page)
}

fn flag(outcome: &Outcome<'_>) -> String {
    match outcome.meta.events {
        10_000_000 => String::new(),
        events => format!(" --events {events}"),
    }
}

fn write_ingest(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    let (meta, ingest) = (outcome.meta, outcome.ingest);
    page.push_str(
        "## Ingest\n\n\
         The others' figures are references, measured on the 10 million events on a machine of the same \
         kind: ClickHouse and DuckDB in process, without HTTP and without a durable acknowledgement.\n\n\
         | | acknowledged MB/s | idle after the last acknowledgement | durable at acknowledgement | \
         MB per CPU second | peak memory MB | disk MB | raw/disk |\n|---|---|---|---|---|---|---|---|\n",
    );
    writeln!(
        page,
        "| **Cordwood** | {:.0} | {:.1} s | yes | {:.1} | {:.0} | {:.0} | {:.1} |",
        mb(meta.bytes) / ingest.sent.elapsed.as_secs_f64(),
        ingest.settled.as_secs_f64(),
        mb(meta.bytes) / ingest.processor_seconds,
        mb(ingest.memory_peak_bytes),
        mb(ingest.disk_bytes),
        meta.bytes as f64 / ingest.disk_bytes as f64,
    )?;
    page.push_str(
        "| VictoriaLogs | 18 | 0 s | no (7 s later) | 10 | 554 | 644 | 5.8 |\n\
         | ClickHouse | 76 | 0 s | not fsynced | 30 | 6265 | 770 | 4.9 |\n\
         | Quickwit | 45 | 178 s | log written, fsync not seen | 8 | 5044 | 1222 | 3.1 |\n\
         | DuckDB → Parquet, no index | 116 | – | – | 78 | 652 | 387 | 9.7 |\n\n",
    );
    let rest = if ingest.is_flushed {
        "the whole way into segments"
    } else {
        "what was done by then: some events were still in the log"
    };
    writeln!(page, "Processor time and bytes on disk are of {rest}.\n")?;
    writeln!(
        page,
        "{} bodies, {} of them postponed by 429; the slowest acknowledgement took {} ms.\n",
        ingest.sent.bodies,
        ingest.sent.postponed,
        ms(ingest.sent.slowest),
    )?;
    page.push_str(
        "Where the processor time went, by the server's threads (those alive at the end):\n\n",
    );
    page.push_str("| thread | CPU seconds | share |\n|---|---|---|\n");
    for (name, time) in &ingest.by_thread {
        let seconds = time.as_secs_f64();
        let share = 100.0 * seconds / ingest.processor_seconds;
        if share >= 0.5 {
            writeln!(page, "| `{name}` | {seconds:.1} | {share:.0} % |")?;
        }
    }
    page.push('\n');
    Ok(())
}

fn write_questions(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    page.push_str(
        "## Questions\n\n\
         Milliseconds; in brackets the server's CPU milliseconds per run. The \
         others' are warm/cold references; × says how many times longer than ours the warm one took.\n\n\
         | question | query | matches | warm | cold | VictoriaLogs | ClickHouse | Quickwit | DuckDB | answer |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (question, answer) in outcome.questions.iter().zip(outcome.answers) {
        let peers = &question.peers;
        let ours = answer.warm.as_secs_f64() * 1000.0;
        let times = |theirs: f64| match theirs / ours {
            ratio if ratio < 1.0 => format!("{ratio:.2}×"),
            ratio => format!("{ratio:.1}×"),
        };
        writeln!(
            page,
            "| {} | {} | {} | **{}** [{}] | {} | {}/{} {} | {}/{} {} | {} | {}/{} {} | {} |",
            question.name,
            describe(question),
            answer.total,
            ms(answer.warm),
            ms(answer.warm_processor),
            ms(answer.cold),
            peers.victorialogs_warm,
            peers.victorialogs_cold,
            times(peers.victorialogs_warm),
            peers.clickhouse_warm,
            peers.clickhouse_cold,
            times(peers.clickhouse_warm),
            peers.quickwit_warm.map_or("–".to_owned(), |theirs| format!(
                "{theirs} {}",
                times(theirs)
            )),
            peers.duckdb_warm,
            peers.duckdb_cold,
            times(peers.duckdb_warm),
            if answer.fault.is_none() {
                "right"
            } else {
                "**wrong**"
            },
        )?;
    }
    Ok(())
}

fn describe(question: &Question) -> String {
    let query = question.query.replace('|', "\\|");
    match question.wanted {
        Wanted::Total => format!("`{query}` total"),
        Wanted::Newest(count) => format!("`{query}` newest {count}"),
        Wanted::Oldest(count) => format!("`{query}` oldest {count}"),
        Wanted::Table(_) => match &question.since {
            Some(since) => format!("`{query}` since {since}"),
            None => format!("`{query}`"),
        },
    }
}

/// Processor, cores, memory, kernel, as far as the kernel tells.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("an unknown processor", |line| {
            line.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let meminfo = read("/proc/meminfo");
    let kib: f64 = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse().ok())
        .unwrap_or_default();
    let gib = kib / (1 << 20) as f64;
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{model}, {cores} cores, {gib:.0} GiB, Linux {}.",
        kernel.trim()
    )
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / MB
}

/// Milliseconds, with as many places as mean something.
fn ms(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    if ms < 10.0 {
        format!("{ms:.1}")
    } else {
        format!("{ms:.0}")
    }
}
