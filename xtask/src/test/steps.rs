//! The steps of a test run, cheapest first, so that what is wrong shows early.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::command::{self, Output};
use crate::prerequisites::Tool;
use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{bench, bucket, clients, crash, fuzz, tidy};

/// Seconds for each fuzz target: enough for tens of thousands of executions on a slow machine.
const FUZZ_SECONDS: u64 = 4;
/// Kills of a real server; what the project promises to survive at least.
const CRASH_ROUNDS: u32 = 50;
/// Kills while notices are on their way, in a full run: what the project promises to survive.
const FULL_NOTICE_ROUNDS: u32 = 50;
/// The crate that is built with the feature `sql` only.
const SQL: &str = "cordwood-sql";
/// DataFusion is what takes long to build here; its tests ask for little.
const UNOPTIMISED: &str = "profile.dev.package.\"*\".opt-level=0";
/// How many times longer a full run fuzzes and kills.
const FULL_FACTOR: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    Fmt,
    Tidy,
    Clippy,
    Unit,
    Sql,
    Doc,
    Fuzz,
    Clients,
    Crash,
    Bucket,
    Bench,
    Deny,
}

/// What a step is given.
pub(crate) struct Trial<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) log: PathBuf,
    pub(crate) is_full: bool,
    /// Whether the step was asked for by name.
    pub(crate) is_named: bool,
}

/// What a step found.
pub(crate) struct Findings {
    pub(crate) tally: Tally,
    /// A remark for the table, such as what was left out and why.
    pub(crate) note: String,
}

impl From<Tally> for Findings {
    fn from(tally: Tally) -> Findings {
        Findings {
            tally,
            note: String::new(),
        }
    }
}

impl Step {
    pub(crate) const ALL: [Step; 12] = [
        Step::Fmt,
        Step::Tidy,
        Step::Clippy,
        Step::Unit,
        Step::Sql,
        Step::Doc,
        Step::Fuzz,
        Step::Clients,
        Step::Crash,
        Step::Bucket,
        Step::Bench,
        Step::Deny,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Step::Fmt => "fmt",
            Step::Tidy => "tidy",
            Step::Clippy => "clippy",
            Step::Unit => "unit",
            Step::Sql => "sql",
            Step::Doc => "doc",
            Step::Fuzz => "fuzz",
            Step::Clients => "clients",
            Step::Crash => "crash",
            Step::Bucket => "bucket",
            Step::Bench => "bench",
            Step::Deny => "deny",
        }
    }

    pub(crate) fn purpose(self) -> &'static str {
        match self {
            Step::Fmt => "the code is formatted",
            Step::Tidy => "layers, names, sizes, documents, licences",
            Step::Clippy => "no warning in any crate or test",
            Step::Unit => "the tests of every crate but SQL",
            Step::Sql => "the feature `sql`: no warning, and its tests",
            Step::Doc => "the examples in the documentation",
            Step::Fuzz => "every decoder and parser on mutated input",
            Step::Clients => "real Better Stack clients against a real server",
            Step::Crash => "a real server killed at random moments",
            Step::Bucket => "segments in a bucket of a real S3 server",
            Step::Bench => "the benchmark, small, its answers checked",
            Step::Deny => "cargo-deny: licences, advisories, sources",
        }
    }

    pub(crate) fn needs(self) -> &'static [Tool] {
        match self {
            Step::Fmt => &[Tool::Rustfmt],
            Step::Tidy => &[Tool::Git],
            Step::Clippy => &[Tool::Clippy, Tool::CCompiler],
            Step::Unit | Step::Sql | Step::Doc | Step::Fuzz | Step::Crash | Step::Bench => {
                &[Tool::CCompiler]
            }
            Step::Bucket => &[Tool::Clippy, Tool::CCompiler],
            Step::Clients => &[Tool::CCompiler, Tool::Node, Tool::Npm, Tool::Python],
            Step::Deny => &[],
        }
    }

    pub(crate) fn run(self, trial: &Trial<'_>) -> anyhow::Result<Findings> {
        match self {
            Step::Fmt => trial.holds(["fmt", "--all", "--check"]),
            Step::Tidy => trial.tidy(),
            Step::Clippy => trial.clippy(),
            Step::Unit => trial.unit(),
            Step::Sql => trial.sql(),
            Step::Doc => trial.counted(["test", "--workspace", "--exclude", SQL, "--doc"]),
            Step::Fuzz => {
                let arguments = fuzz::Arguments {
                    seconds: FUZZ_SECONDS * u64::from(trial.factor()),
                    target: None,
                    seed: None,
                };
                trial.finish(fuzz::run(trial.workspace, &arguments, trial.output())?)
            }
            Step::Clients => trial.finish(clients::run(trial.workspace, trial.output())?),
            Step::Crash => {
                let arguments = crash::Arguments {
                    rounds: CRASH_ROUNDS * trial.factor(),
                    seed: None,
                    notice_rounds: if trial.is_full {
                        FULL_NOTICE_ROUNDS
                    } else {
                        crash::NOTICE_ROUNDS
                    },
                };
                trial.finish(crash::run(trial.workspace, &arguments, trial.output())?)
            }
            Step::Bucket => trial.finish(bucket::run(trial.workspace, trial.output())?),
            Step::Bench => {
                let arguments = bench::Arguments {
                    events: None,
                    smoke: true,
                    loghub_dir: None,
                };
                trial.finish(bench::run(trial.workspace, &arguments, trial.output())?)
            }
            Step::Deny => trial.deny(),
        }
    }
}

impl Trial<'_> {
    fn factor(&self) -> u32 {
        if self.is_full { FULL_FACTOR } else { 1 }
    }

    fn output(&self) -> Output<'_> {
        Output::Log(&self.log)
    }

    fn cargo<const N: usize>(&self, arguments: [&str; N]) -> anyhow::Result<bool> {
        command::run(&mut self.workspace.cargo(arguments), self.output())
    }

    /// A command that is one test by itself.
    fn holds<const N: usize>(&self, arguments: [&str; N]) -> anyhow::Result<Findings> {
        Ok(Tally::one(self.cargo(arguments)?).into())
    }

    /// A command that runs many tests and counts them.
    fn counted<const N: usize>(&self, arguments: [&str; N]) -> anyhow::Result<Findings> {
        let is_success = self.cargo(arguments)?;
        self.finish(is_success)
    }

    /// Counts what the log says. A failure that counted nothing, such as of the compiler, counts as one.
    fn finish(&self, is_success: bool) -> anyhow::Result<Findings> {
        let log = std::fs::read(&self.log).context("read the log")?;
        let mut tally = Tally::read(&String::from_utf8_lossy(&log));
        if !is_success && tally.failed == 0 {
            tally.failed = 1;
        }
        Ok(tally.into())
    }

    fn tidy(&self) -> anyhow::Result<Findings> {
        let report = tidy::run(self.workspace)?;
        std::fs::write(&self.log, report.findings.join("\n") + "\n")?;
        Ok(Findings {
            tally: Tally {
                passed: u64::from(report.findings.is_empty()) * report.checks as u64,
                failed: report.findings.len() as u64,
            },
            note: String::new(),
        })
    }

    fn clippy(&self) -> anyhow::Result<Findings> {
        self.holds([
            "clippy",
            "--workspace",
            "--exclude",
            SQL,
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ])
    }

    /// nextest runs tests of all crates side by side; without it cargo takes crate after crate.
    fn unit(&self) -> anyhow::Result<Findings> {
        if command::answers("cargo", &["nextest", "--version"]) {
            return self.counted([
                "nextest",
                "run",
                "--workspace",
                "--exclude",
                SQL,
                "--no-fail-fast",
            ]);
        }
        self.counted([
            "test",
            "--workspace",
            "--exclude",
            SQL,
            "--all-targets",
            "--no-fail-fast",
        ])
    }

    /// Building DataFusion takes longer than all other steps together: done where every test is asked for, on a server
    /// that tests each change (it sets `CI`), and where the step is named.
    fn sql(&self) -> anyhow::Result<Findings> {
        if !self.is_full && !self.is_named && std::env::var_os("CI").is_none() {
            return Ok(Findings {
                tally: Tally::default(),
                note: "left out, DataFusion takes long to build: --only sql, --full or CI=1"
                    .to_owned(),
            });
        }
        let is_clean = self.cargo([
            "clippy",
            "-p",
            SQL,
            "-p",
            "cordwood-api",
            "-p",
            "cordwood",
            "--features",
            "cordwood/sql",
            "--all-targets",
            "--config",
            UNOPTIMISED,
            "--",
            "--deny",
            "warnings",
        ])?;
        let has_passed = self.cargo([
            "test",
            "-p",
            SQL,
            "-p",
            "cordwood-api",
            "--features",
            "cordwood-api/sql",
            "--all-targets",
            "--no-fail-fast",
            "--config",
            UNOPTIMISED,
        ])?;
        self.finish(is_clean && has_passed)
    }

    /// Installing cargo-deny takes minutes, and tidy has checked the licences already.
    fn deny(&self) -> anyhow::Result<Findings> {
        if !command::answers("cargo", &["deny", "--version"]) {
            if !self.is_full {
                return Ok(Findings {
                    tally: Tally::default(),
                    note: "cargo-deny is not installed; tidy checked the licences".to_owned(),
                });
            }
            let is_installed = self.cargo(["install", "--locked", "cargo-deny"])?;
            anyhow::ensure!(is_installed, "cargo-deny does not install");
        }
        self.holds(["deny", "check"])
    }
}
