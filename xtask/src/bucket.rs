//! The build with a bucket, against an S3 server of its own: what only that build can show.

use crate::command::{self, Output};
use crate::programs::Programs;
use crate::workspace::Workspace;

/// Lints the code of the feature, runs its tests, and then the trial in `harness/`.
pub(crate) fn run(workspace: &Workspace, output: Output<'_>) -> anyhow::Result<bool> {
    let programs = Programs::debug_with_bucket(workspace, output)?;
    let mut clippy = workspace.cargo([
        "clippy",
        "--package",
        "cordwood",
        "--all-targets",
        "--features",
        "bucket",
        "--",
        "--deny",
        "warnings",
    ]);
    let mut harness = programs.beside_server("cordwood-harness");
    harness.arg("bucket").arg("--s3-server");
    harness.arg(programs.example("s3_server"));
    Ok(command::run(&mut clippy, output)? && command::run(&mut harness, output)?)
}
