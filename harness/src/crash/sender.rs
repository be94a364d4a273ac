//! A sender: batches of numbered events, half of them with a key, one after the other until the server is gone.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{bail, ensure};
use cordwood_harness::{Api, Sending, Source};
use serde_json::{Value, json};

/// Attempts to repeat a batch on a server that is up; more than one only if it asks for patience.
const REPEATS_MAX: u32 = 20;

/// A small generator of random numbers (splitmix64): a trial needs variety, not quality.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(crate) fn split(&mut self) -> Dice {
        Dice(self.next())
    }

    /// Uniform enough, both ends included.
    pub(crate) fn between(&mut self, (low, high): (u64, u64)) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// An index.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is below a usize")
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// A batch that was sent at least once.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) round: u64,
    pub(crate) sender: u64,
    pub(crate) number: u64,
    pub(crate) events: u64,
    /// Which of the trial's sources it went to.
    pub(crate) source: usize,
    pub(crate) has_key: bool,
    pub(crate) is_acknowledged: bool,
}

impl Batch {
    pub(crate) fn is_unanswered_with_key(&self) -> bool {
        self.has_key && !self.is_acknowledged
    }

    /// What names an event of this batch.
    pub(crate) fn marker(&self, event: u64) -> String {
        format!("r{}-s{}-b{}-e{event}", self.round, self.sender, self.number)
    }

    /// An event of this batch: a function of its marker, so that it can be compared later.
    pub(crate) fn event(&self, event: u64) -> Value {
        let mix = event.wrapping_mul(2_654_435_761) ^ self.number;
        let level = ["debug", "info", "warn", "error"][(mix % 4) as usize];
        json!({
            "marker": self.marker(event),
            "round": self.round,
            "message": format!("událost {event} of batch {} took {}ms", self.number, mix % 1000),
            "level": level,
            "nested": {"sender": self.sender, "mix": mix, "half": mix as f64 / 2.0},
            "list": [event, "é", null],
            "padding": "x".repeat((mix % 700) as usize),
        })
    }

    /// Sends it again until it is acknowledged. The server is up.
    pub(crate) fn repeat(&mut self, api: &Api, sources: &[Source]) -> anyhow::Result<()> {
        for _ in 0..REPEATS_MAX {
            if self.send(api, sources)? {
                self.is_acknowledged = true;
                return Ok(());
            }
        }
        bail!("a repeated batch was refused {REPEATS_MAX} times")
    }

    /// Whether it was acknowledged; false if the server asked to wait, and waited for.
    fn send(&self, api: &Api, sources: &[Source]) -> anyhow::Result<bool> {
        let mut body = String::new();
        for event in 0..self.events {
            writeln!(body, "{}", self.event(event))?;
        }
        let key = format!("{}-{}-{}", self.round, self.sender, self.number);
        let sending = Sending {
            source_token: &sources[self.source].token,
            content_encoding: None,
            batch_key: self.has_key.then_some(key.as_str()),
        };
        let answer = api.send(&sending, body.as_bytes())?;
        if answer.status == 429 {
            let wait = answer.retry_after.unwrap_or_default();
            std::thread::sleep(wait);
            return Ok(false);
        }
        ensure!(
            answer.status == 202,
            "the server answered {}",
            answer.status
        );
        Ok(true)
    }
}

#[derive(Debug)]
pub(crate) struct Sender {
    round: u64,
    number: u64,
    api: Api,
    dice: Dice,
}

impl Sender {
    pub(crate) fn new(round: u64, number: u64, api: Api, dice: Dice) -> Sender {
        Sender {
            round,
            number,
            api,
            dice,
        }
    }

    /// Sends until told that it is over or the server is gone. An answer that never came is kept as
    /// such; an answer other than 202 or 429 is an error, for the server had no reason.
    pub(crate) fn send_until(
        mut self,
        is_over: &AtomicBool,
        sources: &[Source],
    ) -> anyhow::Result<Vec<Batch>> {
        let mut sent = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let mut batch = Batch {
                round: self.round,
                sender: self.number,
                number: sent.len() as u64,
                events: self.dice.between((1, 300)),
                source: self.dice.below(sources.len()),
                has_key: self.dice.between((0, 1)) == 1,
                is_acknowledged: false,
            };
            match batch.send(&self.api, sources) {
                Ok(true) => batch.is_acknowledged = true,
                // Refused for now: nothing of it may be stored, and the next batch tries again.
                Ok(false) => {}
                Err(error) if error.downcast_ref::<ureq::Error>().is_some() => {
                    sent.push(batch);
                    break;
                }
                Err(error) => return Err(error),
            }
            sent.push(batch);
        }
        Ok(sent)
    }
}
