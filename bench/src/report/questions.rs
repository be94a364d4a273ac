//! What the page says of the questions.

use std::fmt::Write as _;

use super::Outcome;
use super::figures::ms;
use crate::question::{Question, Wanted};
use crate::suite::Answer;

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

pub(super) fn write(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
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
