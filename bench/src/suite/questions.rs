//! The questions put to a server that has the corpus, cold and warm, every answer checked.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use cordwood_harness::{Api, Server, ServerOptions, Source};
use serde_json::Value;

use crate::corpus::Meta;
use crate::oracle::Expected;
use crate::process::{self, Memory};
use crate::question::{Question, Wanted};
use crate::report;

/// What one question took.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) warm: Duration,
    /// Processor time of the server per warm run.
    pub(crate) warm_processor: Duration,
    pub(crate) cold: Duration,
    pub(crate) total: u64,
    /// What is wrong with the answer.
    pub(crate) fault: Option<String>,
}

/// What all questions took.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) answers: Vec<Answer>,
    /// Whether no file was cached when a cold question was asked.
    pub(crate) is_cache_dropped: bool,
    /// Of the server that was asked warm: the peak while it was asked, and what was resident when it was idle again.
    pub(crate) memory: Memory,
}

/// A server with the corpus in it.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) options: ServerOptions,
    pub(super) source: Source,
    pub(super) meta: &'a Meta,
}

impl Stage<'_> {
    pub(super) fn ask_all(
        &self,
        questions: &[Question],
        expected: &[Expected],
        warm_runs: usize,
    ) -> anyhow::Result<Asked> {
        let (cold, is_cache_dropped) = self.ask_cold(questions)?;
        let server = Server::start(&self.options)?;
        process::forget_memory_peak(server.id())?;
        let mut answers = Vec::new();
        for ((question, expected), cold) in questions.iter().zip(expected).zip(cold) {
            let answer = self
                .ask_warm(question, expected, &server, warm_runs)
                .with_context(|| format!("the question {}", question.name))?;
            let answer = Answer { cold, ..answer };
            println!("{}", report::answer_line(question, &answer));
            answers.push(answer);
        }
        process::wait_until_idle(server.id())?;
        let memory = process::memory(server.id())?;
        server.stop()?;
        Ok(Asked {
            answers,
            is_cache_dropped,
            memory,
        })
    }

    /// Each question to a server just started, with no file cached if the kernel lets us.
    fn ask_cold(&self, questions: &[Question]) -> anyhow::Result<(Vec<Duration>, bool)> {
        let mut times = Vec::new();
        let mut is_cache_dropped = true;
        for question in questions {
            is_cache_dropped &= process::drop_page_cache();
            let server = Server::start(&self.options)?;
            times.push(self.ask(question, &server.api())?.0);
            server.stop()?;
        }
        Ok((times, is_cache_dropped))
    }

    fn ask_warm(
        &self,
        question: &Question,
        expected: &Expected,
        server: &Server,
        runs: usize,
    ) -> anyhow::Result<Answer> {
        let api = server.api();
        let (_, first) = self.ask(question, &api)?;
        let fault = self.check(question, expected, &first, &api)?;
        let processor = || -> anyhow::Result<Duration> {
            Ok(process::processor_time_by_thread(server.id())?
                .values()
                .sum())
        };
        let before = processor()?;
        let mut times = Vec::new();
        for _ in 0..runs {
            times.push(self.ask(question, &api)?.0);
        }
        let used = processor()?.saturating_sub(before);
        times.sort_unstable();
        Ok(Answer {
            warm: times[times.len() / 2],
            warm_processor: used / u32::try_from(runs)?,
            cold: Duration::ZERO,
            total: expected.total,
            fault,
        })
    }

    /// From sending the question to having read the whole answer.
    pub(super) fn ask(&self, question: &Question, api: &Api) -> anyhow::Result<(Duration, Value)> {
        let page = match question.wanted {
            // The smallest page there is; it adds the reading of one event.
            Wanted::Total => Some((1, "newest_first", "true")),
            Wanted::Newest(count) => Some((count, "newest_first", "false")),
            Wanted::Oldest(count) => Some((count, "oldest_first", "false")),
            // A table comes whole.
            Wanted::Table(_) => None,
        };
        let started = Instant::now();
        let mut parameters = vec![
            ("source_id", self.source.id.clone()),
            ("query", question.query.clone()),
        ];
        if let Some((size, order, total)) = page {
            parameters.extend([
                ("batch_size", size.to_string()),
                ("order", order.to_owned()),
                ("total", total.to_owned()),
            ]);
        }
        if let Some(since) = &question.since {
            parameters.push(("from", since.clone()));
        }
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        let answer = api.query(&parameters)?;
        Ok((started.elapsed(), answer))
    }

    /// Counts and times as the oracle found them; what it found of the needle as the generator knows it.
    pub(super) fn check(
        &self,
        question: &Question,
        expected: &Expected,
        answer: &Value,
        api: &Api,
    ) -> anyhow::Result<Option<String>> {
        if answer.pointer("/meta/complete").and_then(Value::as_bool) != Some(true) {
            return Ok(Some(format!("not complete: {}", answer["meta"])));
        }
        let known = match question.name {
            "count_all" => Some(self.meta.events),
            "needle_request" => self.meta.needle_hits,
            "rare_token" => self.meta.rare_hits,
            _ => None,
        };
        if let Some(known) = known.filter(|known| *known != expected.total) {
            let counted = expected.total;
            return Ok(Some(format!(
                "the generator made {known}, the oracle counts {counted}"
            )));
        }
        if let Wanted::Table(table) = question.wanted {
            return table.fault(&expected.rows, answer);
        }
        let total = match question.wanted {
            Wanted::Table(_) => None,
            Wanted::Total => answer.pointer("/meta/total").cloned(),
            Wanted::Newest(_) | Wanted::Oldest(_) => {
                let counted = Question {
                    wanted: Wanted::Total,
                    ..question.clone()
                };
                self.ask(&counted, api)?.1.pointer("/meta/total").cloned()
            }
        };
        if total.as_ref().and_then(Value::as_u64) != Some(expected.total) {
            let expected = expected.total;
            return Ok(Some(format!(
                "the total is {total:?} and should be {expected}"
            )));
        }
        let times: Vec<&str> = answer["data"]
            .as_array()
            .map(|events| {
                events
                    .iter()
                    .filter_map(|event| event["dt"].as_str())
                    .collect()
            })
            .unwrap_or_default();
        Ok(
            (question.wanted != Wanted::Total && times != expected.times)
                .then(|| format!("other events: {times:?} in place of {:?}", expected.times)),
        )
    }
}
