//! Bounded fuzzing on the stable compiler: every target for some seconds, each in a process of its own.
//!
//! A process, because a fault may be a panic, an overflown stack, an exhausted memory or an endless
//! loop. The input in hand is in a file all the time; when the process dies it is saved into the
//! target's corpus, where it fails every later run until the fault is mended.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use clap::Parser;
use cordwood_fuzz::{Mutator, TARGETS, Target, target};

/// A process that runs this much longer than it was asked to hangs on its input.
const HANG_TIMEOUT: Duration = Duration::from_secs(20);
/// How often the clock is read.
const CLOCK_INTERVAL: u64 = 16;

#[derive(Debug, Parser)]
struct Arguments {
    /// How long to try each target, beyond its corpus.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Only this target; `list` names them.
    #[arg(long)]
    target: Option<String>,
    /// The seed of the mutations [default: of the clock].
    #[arg(long)]
    seed: Option<u64>,
    /// Where the corpora are.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))]
    corpus: PathBuf,
    /// Be the process that runs the target, keeping the input in hand in this file.
    #[arg(long, hide = true)]
    in_hand: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.target.as_deref() == Some("list") {
        TARGETS
            .iter()
            .for_each(|target| println!("{}", target.name));
        return Ok(ExitCode::SUCCESS);
    }
    let chosen: Vec<&Target> = match &arguments.target {
        Some(name) => vec![target(name).with_context(|| format!("there is no target `{name}`"))?],
        None => TARGETS.iter().collect(),
    };
    let seed = arguments.seed.unwrap_or_else(clock_seed);
    if let Some(in_hand) = &arguments.in_hand {
        for target in chosen {
            run(target, &arguments, seed, in_hand)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    supervise(&chosen, &arguments, seed)
}

fn supervise(targets: &[&Target], arguments: &Arguments, seed: u64) -> anyhow::Result<ExitCode> {
    println!("seed {seed}");
    let dir = tempfile::tempdir()?;
    let mut failed = 0;
    for target in targets {
        let in_hand = dir.path().join(target.name);
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--target", target.name, "--seed", &seed.to_string()])
            .args(["--seconds", &arguments.seconds.to_string()])
            .arg("--corpus")
            .arg(&arguments.corpus)
            .arg("--in-hand")
            .arg(&in_hand)
            .spawn()?;
        if let Err(reason) = wait(&mut child, Duration::from_secs(arguments.seconds)) {
            failed += 1;
            let saved = save(&arguments.corpus.join(target.name), &in_hand)?;
            println!(
                "{}: {reason:#}; the input is {}",
                target.name,
                saved.display()
            );
        }
    }
    println!("{} passed, {failed} failed", targets.len() - failed);
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn wait(child: &mut Child, asked: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + asked + HANG_TIMEOUT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            anyhow::ensure!(status.success(), "ended with {status}");
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    bail!("hangs");
}

/// Keeps the input in hand in the corpus, under a name that is the same for the same input.
fn save(corpus: &Path, in_hand: &Path) -> anyhow::Result<PathBuf> {
    let input = read_in_hand(in_hand)?;
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    fs::create_dir_all(corpus)?;
    let path = corpus.join(format!("crash-{hash:016x}"));
    fs::write(&path, input)?;
    Ok(path)
}

/// The corpus as it is, then mutations of it until the time is over.
fn run(target: &Target, arguments: &Arguments, seed: u64, in_hand: &Path) -> anyhow::Result<()> {
    let corpus = read_corpus(&arguments.corpus.join(target.name))?;
    let hand = File::create(in_hand)?;
    for input in &corpus {
        hold(&hand, input)?;
        (target.run)(input);
    }
    let entries = corpus.len();
    let mut mutator = Mutator::new(seed, corpus, target.dictionary);
    let started = Instant::now();
    let mut executions = 0;
    while executions % CLOCK_INTERVAL != 0 || started.elapsed().as_secs() < arguments.seconds {
        let input = mutator.next_input();
        hold(&hand, &input)?;
        (target.run)(&input);
        executions += 1;
    }
    println!(
        "{}: {entries} corpus entries, {executions} executions",
        target.name
    );
    Ok(())
}

fn read_corpus(dir: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut paths = fs::read_dir(dir)
        .with_context(|| format!("there is no corpus at {}", dir.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<Vec<PathBuf>>>()?;
    paths.sort_unstable();
    paths.iter().map(|path| Ok(fs::read(path)?)).collect()
}

/// Length, then bytes: the rest of a longer input before stays in the file and is not read.
fn hold(hand: &File, input: &[u8]) -> anyhow::Result<()> {
    let mut record = (input.len() as u64).to_le_bytes().to_vec();
    record.extend_from_slice(input);
    hand.write_all_at(&record, 0)?;
    Ok(())
}

fn read_in_hand(path: &Path) -> anyhow::Result<Vec<u8>> {
    let record = fs::read(path).context("the process left no input")?;
    let (length, rest) = record
        .split_at_checked(8)
        .context("the process left no input")?;
    let length = u64::from_le_bytes(length.try_into().expect("split at eight"));
    Ok(rest[..usize::try_from(length)?].to_vec())
}

fn clock_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |elapsed| {
        u64::from(elapsed.subsec_nanos()) ^ elapsed.as_secs()
    })
}
