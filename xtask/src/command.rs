//! Running other programs: in view, or into a log that is shown when they fail.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// Where a program's output goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Output<'a> {
    /// To whoever is looking.
    View,
    /// Appended to a file.
    Log(&'a Path),
}

/// Runs it. Whether it succeeded; an error if it cannot be started.
pub(crate) fn run(command: &mut Command, output: Output<'_>) -> anyhow::Result<bool> {
    if let Output::Log(path) = output {
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("open {}", path.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
    }
    let status = command
        .status()
        .with_context(|| format!("start {}", command.get_program().to_string_lossy()))?;
    Ok(status.success())
}

/// Whether the program is there and answers these arguments with success.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}
