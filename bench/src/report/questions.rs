//! What the page says of the questions.

use std::fmt::Write as _;

use super::Outcome;
use super::figures::{ms, yes_or_no};
use super::standing::{Standing, geometric_mean};
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
         Milliseconds; in brackets the server's CPU milliseconds per run. The others' are warm/cold references. Then \
         the fastest other, and × says how many times as long as ours it took. The mark is to be at least as fast as \
         the fastest other, or no more than 3 ms slower. Quickwit was not measured cold.\n\n\
         | question | query | matches | warm | cold | VictoriaLogs | ClickHouse | Quickwit | DuckDB | \
         fastest other warm | cold | mark warm | cold | answer |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let [warm, cold] = standings(outcome);
    let asked = outcome.questions.iter().zip(&outcome.asked.answers);
    for ((question, answer), pair) in asked.zip(warm.iter().zip(&cold)) {
        write_row(page, question, answer, pair)?;
    }
    write_summary(page, [("warm", &warm), ("cold", &cold)])
}

/// How the answers stand, warm and cold, question by question.
pub(super) fn standings(outcome: &Outcome<'_>) -> [Vec<Standing>; 2] {
    let asked = || outcome.questions.iter().zip(&outcome.asked.answers);
    let warm = asked().map(|(question, answer)| {
        let fastest = question.peers.fastest_warm();
        Standing::new(answer.warm, fastest)
    });
    let cold = asked().map(|(question, answer)| {
        let fastest = question.peers.fastest_cold();
        Standing::new(answer.cold, fastest)
    });
    [warm.collect(), cold.collect()]
}

fn write_row(
    page: &mut String,
    question: &Question,
    answer: &Answer,
    (warm, cold): (&Standing, &Standing),
) -> anyhow::Result<()> {
    let peers = &question.peers;
    writeln!(
        page,
        "| {} | {} | {} | **{}** [{}] | {} | {}/{} | {}/{} | {} | {}/{} | {} | {} | {} | {} | {} |",
        question.name,
        describe(question),
        answer.total,
        ms(answer.warm),
        ms(answer.warm_processor),
        ms(answer.cold),
        peers.victorialogs_warm,
        peers.victorialogs_cold,
        peers.clickhouse_warm,
        peers.clickhouse_cold,
        peers
            .quickwit_warm
            .map_or("–".to_owned(), |theirs| theirs.to_string()),
        peers.duckdb_warm,
        peers.duckdb_cold,
        warm.describe(),
        cold.describe(),
        yes_or_no(warm.is_reached()),
        yes_or_no(cold.is_reached()),
        if answer.fault.is_none() {
            "right"
        } else {
            "**wrong**"
        },
    )?;
    Ok(())
}

fn write_summary(
    page: &mut String,
    temperatures: [(&str, &Vec<Standing>); 2],
) -> anyhow::Result<()> {
    page.push('\n');
    for (temperature, standings) in temperatures {
        let reached = standings.iter().filter(|standing| standing.is_reached());
        writeln!(
            page,
            "- {temperature}: the mark is reached in {} of {} questions; the geometric mean of × is {:.2}.",
            reached.count(),
            standings.len(),
            geometric_mean(standings),
        )?;
    }
    page.push_str(
        "\nThe geometric mean is exp of the mean, over all questions asked, of ln(the fastest other's time / ours): \
         each question against whichever other is fastest at it, without the margin of 3 ms.\n\n",
    );
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
