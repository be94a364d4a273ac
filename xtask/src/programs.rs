//! Our own programs, built.
//!
//! Debug builds are of the whole workspace with its tests: cargo chooses the features of a dependency by
//! what is built together, so building one package at a time would compile the same dependencies again
//! for each.

use std::path::PathBuf;
use std::process::Command;

use anyhow::ensure;

use crate::command::{self, Output};
use crate::workspace::Workspace;

/// Where the programs of one build are.
#[derive(Debug)]
pub(crate) struct Programs {
    dir: PathBuf,
}

impl Programs {
    /// Fast to build and checking itself: for trials.
    pub(crate) fn debug(workspace: &Workspace, output: Output<'_>) -> anyhow::Result<Programs> {
        Programs::debug_with(workspace, output, &[])
    }

    /// The same, with a server that knows buckets.
    pub(crate) fn debug_with_bucket(
        workspace: &Workspace,
        output: Output<'_>,
    ) -> anyhow::Result<Programs> {
        Programs::debug_with(workspace, output, &["--features", "cordwood/bucket"])
    }

    fn debug_with(
        workspace: &Workspace,
        output: Output<'_>,
        features: &[&str],
    ) -> anyhow::Result<Programs> {
        let mut cargo = workspace.cargo([
            "build",
            "--workspace",
            "--exclude",
            "cordwood-sql",
            "--all-targets",
        ]);
        ensure!(
            command::run(cargo.args(features), output)?,
            "the workspace does not build"
        );
        Ok(Programs {
            dir: workspace.target_dir().join("debug"),
        })
    }

    /// The server as users run it, and the suite that measures it.
    pub(crate) fn release(workspace: &Workspace, output: Output<'_>) -> anyhow::Result<Programs> {
        for package in ["cordwood", "cordwood-bench"] {
            let mut cargo = workspace.cargo(["build", "--release", "--package", package]);
            ensure!(
                command::run(&mut cargo, output)?,
                "{package} does not build"
            );
        }
        Ok(Programs {
            dir: workspace.target_dir().join("release"),
        })
    }

    /// The server.
    pub(crate) fn server(&self) -> PathBuf {
        self.path("cordwood")
    }

    /// Another of our programs, told where the server is.
    pub(crate) fn beside_server(&self, name: &str) -> Command {
        let mut program = self.alone(name);
        program.arg("--server").arg(self.server());
        program
    }

    /// Another of our programs.
    pub(crate) fn alone(&self, name: &str) -> Command {
        Command::new(self.path(name))
    }

    /// An example, which a debug build has too.
    pub(crate) fn example(&self, name: &str) -> PathBuf {
        self.path(&format!("examples/{name}"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}
