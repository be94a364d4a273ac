//! Links between documents lead somewhere: to a file that exists and a heading that is in it.

use std::path::{Component, Path, PathBuf};

use super::SourceFile;

pub(super) fn check(files: &[SourceFile], exists: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.has_extension("md")) {
        for (line, target) in links(&file.text) {
            if let Err(what) = resolve(file, target, files, exists) {
                findings.push(file.finding(line, format_args!("the link `{target}` {what}")));
            }
        }
    }
    findings
}

/// The targets of `[text](target)` outside code blocks, with their lines.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        let mut rest = line;
        while let Some((_, tail)) = rest.split_once("](") {
            let Some((target, after)) = tail.split_once(')') else {
                break;
            };
            found.push((index + 1, target));
            rest = after;
        }
    }
    found
}

fn resolve(
    file: &SourceFile,
    target: &str,
    files: &[SourceFile],
    exists: &dyn Fn(&Path) -> bool,
) -> Result<(), &'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let linked = if path.is_empty() {
        file.path.clone()
    } else {
        let folder = file.path.parent().unwrap_or(Path::new(""));
        normalise(&folder.join(path)).ok_or("leaves the repository")?
    };
    if !exists(&linked) && !files.iter().any(|file| file.path == linked) {
        return Err("leads to nothing");
    }
    if heading.is_empty() {
        return Ok(());
    }
    let document = files.iter().find(|file| file.path == linked);
    match document {
        Some(document) if headings(&document.text).any(|found| found == heading) => Ok(()),
        _ => Err("names a heading that is not there"),
    }
}

/// Takes `..` out without asking the disk.
fn normalise(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => normal.pop().then_some(())?,
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    Some(normal)
}

/// Headings as anchors: lower case, spaces as hyphens, punctuation dropped.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| {
                    if c == ' ' {
                        '-'
                    } else {
                        c.to_ascii_lowercase()
                    }
                })
                .collect()
        })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::files;

    #[test]
    fn links_lead_somewhere() {
        let format = (
            "docs/format.md",
            "# Format\n\n## Write-ahead log, version 1\n",
        );
        for (text, findings) in [
            ("[x](docs/format.md)", 0),
            ("[x](docs/format.md#write-ahead-log-version-1)", 0),
            ("[x](docs/format.md#blocks) and [y](docs/none.md)", 2),
            ("[x](https://example.com/none)", 0),
            ("[x](../outside.md)", 1),
            ("```\n[x](none.md)\n```", 0),
            ("# Top\n[x](#top)", 0),
        ] {
            let found = check(&files(&[("README.md", text), format]), &|_| false);
            assert_eq!(found.len(), findings, "{text:?}: {found:?}");
        }
    }
}
