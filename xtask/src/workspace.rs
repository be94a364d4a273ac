//! Where things are: the repository, its files, the target directory, the package graph.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

/// The repository this binary was built in.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) metadata: Metadata,
}

impl Workspace {
    /// Finds the workspace that `cargo xtask` was started in.
    pub(crate) fn locate() -> anyhow::Result<Workspace> {
        let metadata = MetadataCommand::new()
            .exec()
            .context("ask cargo about the workspace")?;
        Ok(Workspace {
            root: metadata.workspace_root.clone().into_std_path_buf(),
            metadata,
        })
    }

    /// Cargo, in the root, with these arguments.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&self.root).args(arguments);
        cargo
    }

    /// A directory of ours among the build products, made if it is not there.
    pub(crate) fn scratch_dir(&self, name: &str) -> anyhow::Result<PathBuf> {
        let dir = self.target_dir().join("xtask").join(name);
        std::fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
        Ok(dir)
    }

    /// Where cargo builds to.
    pub(crate) fn target_dir(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// The files git knows or would add, relative to the root, sorted. Deleted ones are left out.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let listing = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(&self.root)
            .output()
            .context("run git")?;
        ensure!(listing.status.success(), "git ls-files failed");
        let listing = String::from_utf8(listing.stdout).context("a file name is not UTF-8")?;
        let mut files: Vec<PathBuf> = listing
            .split_terminator('\0')
            .map(PathBuf::from)
            .filter(|file| self.root.join(file).is_file())
            .collect();
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }
}
