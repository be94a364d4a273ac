//! The crash trial: four senders, a kill -9 at a random moment, a restart, and the books compared.
//!
//! What must hold after every kill: an acknowledged batch is there whole and once; a batch sent with
//! a key and repeated until it is acknowledged is there once, however often it was sent; a batch whose
//! answer never came is there whole or not at all. Every fourth round the server is killed a second
//! time while it recovers; every fourth it is killed while it stops.

mod ledger;
mod sender;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Args;
use cordwood_harness::{Server, ServerOptions, Source};

use ledger::Ledger;
use sender::{Dice, Sender};

const SENDERS: u64 = 4;
/// Rounds on one data directory: every start reads its log again, so the time for all grows with their square.
const ROUNDS_PER_LIFE: usize = 10;
/// The load lasts this long before the kill, give or take; short, so that kills hit every phase.
const LOAD_MS: (u64, u64) = (20, 500);
/// Events go to a segment when they are this old: often enough that kills hit the writing of segments, the commits
/// of manifests and the cutting of the log.
const FLUSH_AGE_MS: u64 = 100;
/// A server told to stop is killed this long after.
const STOPPING_MS: (u64, u64) = (1, 150);
/// A recovery is killed this long after the start of the process.
const RECOVERY_MS: (u64, u64) = (1, 60);

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// How many times the server is killed under load.
    #[arg(long, default_value_t = 50)]
    rounds: u64,
    /// The seed of the moments and sizes, to come close to an earlier run [default: of the clock].
    #[arg(long)]
    seed: Option<u64>,
}

/// Whether the books agreed in every round.
pub(crate) fn run(arguments: &Arguments, options: &ServerOptions) -> anyhow::Result<bool> {
    let seed = arguments.seed.unwrap_or_else(clock_seed);
    println!(
        "{} rounds, {SENDERS} senders, seed {seed}",
        arguments.rounds
    );
    let started = Instant::now();
    std::fs::create_dir_all(&options.data_dir)?;
    let config = options.data_dir.join("crash.toml");
    std::fs::write(&config, format!("flush_age_ms = {FLUSH_AGE_MS}\n"))?;
    let mut dice = Dice::new(seed);
    let mut ledger = Ledger::default();
    let mut faults = 0;
    for first in (0..arguments.rounds).step_by(ROUNDS_PER_LIFE) {
        let life = ServerOptions {
            data_dir: options.data_dir.join(format!("from-round-{first}")),
            config: Some(config.clone()),
            ..options.clone()
        };
        let rounds = first..arguments.rounds.min(first + ROUNDS_PER_LIFE as u64);
        let lived = run_life(rounds, &life, &mut dice)?;
        faults += lived.faults;
        ledger.append(lived.ledger);
    }
    println!(
        "{} batches, {} events acknowledged, {} answers never came, {:.1} s",
        ledger.acknowledged_batches(),
        ledger.acknowledged_events(),
        ledger.unanswered(),
        started.elapsed().as_secs_f64(),
    );
    let checks = arguments.rounds + arguments.rounds.div_ceil(ROUNDS_PER_LIFE as u64);
    println!("{} passed, {faults} failed", checks - faults);
    Ok(faults == 0)
}

/// What became of one data directory.
struct Life {
    ledger: Ledger,
    faults: u64,
}

/// Some rounds on one data directory, and all of them compared once more at the end.
fn run_life(
    rounds: std::ops::Range<u64>,
    options: &ServerOptions,
    dice: &mut Dice,
) -> anyhow::Result<Life> {
    std::fs::create_dir_all(&options.data_dir)?;
    let server = Server::start(options)?;
    let sources = [
        server.api().create_source("crash one")?,
        server.api().create_source("crash two")?,
    ];
    server.stop()?;
    let mut life = Life {
        ledger: Ledger::default(),
        faults: 0,
    };
    for round in rounds {
        let found = run_round(round, options, &sources, &mut life.ledger, dice)
            .with_context(|| format!("round {round}"))?;
        for fault in &found {
            println!("round {round}: {fault}");
        }
        life.faults += u64::from(!found.is_empty());
    }
    let found = check_all(options, &sources, &life.ledger)?;
    for fault in &found {
        println!("at the end: {fault}");
    }
    life.faults += u64::from(!found.is_empty());
    Ok(life)
}

/// Load, kill, perhaps kill the recovery, restart, repeat what has a key, compare.
fn run_round(
    round: u64,
    options: &ServerOptions,
    sources: &[Source],
    ledger: &mut Ledger,
    dice: &mut Dice,
) -> anyhow::Result<Vec<String>> {
    let server = Server::start(options)?;
    let load = Duration::from_millis(dice.between(LOAD_MS));
    let mut sent = load_and_kill(round, server, sources, load, dice)?;
    if round % 4 == 3 {
        let after = Duration::from_millis(dice.between(RECOVERY_MS));
        Server::start_and_kill(options, after)?;
    }
    let server = Server::start(options)?;
    for batch in sent
        .iter_mut()
        .filter(|batch| batch.is_unanswered_with_key())
    {
        batch.repeat(&server.api(), sources)?;
    }
    ledger.add(sent);
    let query = format!("round={round}");
    let mut faults = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let found = server.api().find_all(source, &query)?;
        faults.extend(ledger.compare(index, Some(round), &found));
    }
    // The next round begins with what this kill leaves, not with an orderly stop.
    server.kill()?;
    Ok(faults)
}

fn load_and_kill(
    round: u64,
    server: Server,
    sources: &[Source],
    load: Duration,
    dice: &mut Dice,
) -> anyhow::Result<Vec<sender::Batch>> {
    let is_over = AtomicBool::new(false);
    let senders: Vec<Sender> = (0..SENDERS)
        .map(|number| Sender::new(round, number, server.api(), dice.split()))
        .collect();
    thread::scope(|scope| {
        let threads: Vec<_> = senders
            .into_iter()
            .map(|sender| scope.spawn(|| sender.send_until(&is_over, sources)))
            .collect();
        thread::sleep(load);
        let killed = if round % 4 == 1 {
            server.kill_while_stopping(Duration::from_millis(dice.between(STOPPING_MS)))
        } else {
            server.kill()
        };
        is_over.store(true, Ordering::Relaxed);
        let mut batches = Vec::new();
        for thread in threads {
            batches.extend(thread.join().expect("a sender does not panic")?);
        }
        killed.map(|()| batches)
    })
}

/// All rounds once more. There must be segments by now, or the trial would be of the log alone.
fn check_all(
    options: &ServerOptions,
    sources: &[Source],
    ledger: &Ledger,
) -> anyhow::Result<Vec<String>> {
    let server = Server::start(options)?;
    let mut faults = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let found = server.api().find_all(source, "")?;
        faults.extend(ledger.compare(index, None, &found));
    }
    server.stop()?;
    if std::fs::read_dir(options.data_dir.join("store/segments"))?
        .next()
        .is_none()
    {
        faults.push("no segment was ever written".to_owned());
    }
    Ok(faults)
}

fn clock_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |elapsed| {
        u64::from(elapsed.subsec_nanos()) ^ elapsed.as_secs()
    })
}
