//! What no compiler checks: the layers, the names, the sizes, the documents, the licences.
//!
//! Each check is pure: it is given text and names and returns what is wrong, a sentence each. Only
//! this file reads the disk.

mod comments;
mod headers;
mod layers;
mod licences;
mod links;
mod names;
mod places;
mod sizes;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::workspace::Workspace;

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Relative to the root.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl SourceFile {
    fn has_extension(&self, extension: &str) -> bool {
        self.path
            .extension()
            .is_some_and(|found| found == extension)
    }

    /// A finding about a line, counted from one.
    fn finding(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path.display())
    }
}

/// The outcome of tidying: how many checks ran, and what they found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) checks: usize,
    pub(crate) findings: Vec<String>,
}

impl Report {
    fn add(&mut self, findings: Vec<String>) {
        self.checks += 1;
        self.findings.extend(findings);
    }
}

/// Runs every check.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Report> {
    let files = read_files(workspace)?;
    let read = |path: &str| {
        std::fs::read_to_string(workspace.root.join(path)).with_context(|| format!("read {path}"))
    };
    let mut report = Report::default();
    report.add(layers::check(
        &read("ARCHITECTURE.md")?,
        &workspace.metadata,
    ));
    report.add(licences::check(&read("deny.toml")?, &workspace.metadata)?);
    report.add(headers::check(&files));
    report.add(names::check(&files));
    report.add(comments::check(&files));
    report.add(sizes::check(&files, &read(sizes::EXCEPTIONS)?));
    report.add(links::check(&files, &|path| {
        workspace.root.join(path).exists()
    }));
    report.add(places::check(&files));
    report.add(required_documents(&files));
    Ok(report)
}

/// Reads what is text; a file that is not UTF-8 is data and nobody's prose.
fn read_files(workspace: &Workspace) -> anyhow::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for path in workspace.files()? {
        let bytes = std::fs::read(workspace.root.join(&path))
            .with_context(|| format!("read {}", path.display()))?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(SourceFile { path, text });
        }
    }
    Ok(files)
}

fn required_documents(files: &[SourceFile]) -> Vec<String> {
    const REQUIRED: [&str; 6] = [
        "README.md",
        "ARCHITECTURE.md",
        "CONVENTIONS.md",
        "CHANGELOG.md",
        "LICENSE",
        "docs/format.md",
    ];
    REQUIRED
        .into_iter()
        .filter(|name| !files.iter().any(|file| file.path == Path::new(name)))
        .map(|name| format!("{name} is missing"))
        .collect()
}

/// Builds files for the checks' tests.
#[cfg(test)]
fn files(named: &[(&str, &str)]) -> Vec<SourceFile> {
    named
        .iter()
        .map(|(path, text)| SourceFile {
            path: PathBuf::from(path),
            text: (*text).to_owned(),
        })
        .collect()
}
