//! The real clients: installed into a directory of ours among the build products, and run against a
//! real server.
//!
//! What is installed is pinned, by package-lock.json and requirements.txt, and kept until those change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::command::{self, Output};
use crate::programs::Programs;
use crate::workspace::Workspace;

/// Registries have their moments; a second or third attempt usually succeeds.
const INSTALL_ATTEMPTS: u32 = 3;

/// Runs the client tests against a debug build.
pub(crate) fn run(workspace: &Workspace, output: Output<'_>) -> anyhow::Result<bool> {
    let mut harness = Programs::debug(workspace, output)?.beside_server("cordwood-harness");
    let dir = workspace.scratch_dir("clients")?;
    copy_scripts(&workspace.root.join("tests/clients"), &dir)?;
    install_packages(&dir, output)?;
    let python = install_python(&dir, output)?;
    harness.args(["with-server", "--", "node"]);
    harness.arg(dir.join("run.mjs"));
    harness.env("CORDWOOD_TEST_PYTHON", python);
    command::run(&mut harness, output)
}

/// Node looks for packages beside the script, and the source tree is to stay clean.
fn copy_scripts(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn install_packages(dir: &Path, output: Output<'_>) -> anyhow::Result<()> {
    let pinned = fs::read_to_string(dir.join("package-lock.json"))?;
    let stamp = dir.join("node_modules/.installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == pinned) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(dir);
    attempt(&mut npm, output).context(
        "npm could not install the official clients; it needs the npm registry to be reachable",
    )?;
    fs::write(stamp, pinned)?;
    Ok(())
}

/// Installs into a virtual environment and returns its interpreter.
fn install_python(dir: &Path, output: Output<'_>) -> anyhow::Result<PathBuf> {
    let pinned = fs::read_to_string(dir.join("requirements.txt"))?;
    let environment = dir.join("python");
    let python = environment.join("bin/python");
    let stamp = environment.join(".installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == pinned) {
        return Ok(python);
    }
    let mut create = Command::new("python3");
    create.args(["-m", "venv", "--clear"]).arg(&environment);
    ensure!(
        command::run(&mut create, output)?,
        "python3 could not make a virtual environment; on Debian `apt install python3-venv`"
    );
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ])
    .arg(dir.join("requirements.txt"));
    attempt(&mut pip, output).context(
        "pip could not install the official client; it needs the Python package index to be reachable",
    )?;
    fs::write(stamp, pinned)?;
    Ok(python)
}

fn attempt(command: &mut Command, output: Output<'_>) -> anyhow::Result<()> {
    for _ in 0..INSTALL_ATTEMPTS {
        if command::run(command, output)? {
            return Ok(());
        }
    }
    anyhow::bail!("it failed {INSTALL_ATTEMPTS} times")
}
