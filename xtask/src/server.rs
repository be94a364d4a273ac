//! The server's binary, built.

use std::path::PathBuf;

use anyhow::ensure;

use crate::command::{self, Output};
use crate::workspace::Workspace;

/// How the server is compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Profile {
    /// Fast to build and checking itself: for trials.
    Debug,
    /// As users run it: for measurements.
    Release,
}

/// Builds the server and says where it is.
pub(crate) fn build(
    workspace: &Workspace,
    profile: Profile,
    output: Output<'_>,
) -> anyhow::Result<PathBuf> {
    let mut cargo = workspace.cargo(["build", "--package", "cordwood"]);
    let dir = match profile {
        Profile::Debug => "debug",
        Profile::Release => {
            cargo.arg("--release");
            "release"
        }
    };
    ensure!(
        command::run(&mut cargo, output)?,
        "the server does not build"
    );
    let name = format!("cordwood{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.target_dir().join(dir).join(name))
}
