//! Nothing unfinished: no promises in comments, no code put to sleep, no debug print.

use super::SourceFile;

pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_ours(file)) {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(what) = fault(file, line) {
                findings.push(file.finding(index + 1, what));
            }
        }
    }
    findings
}

/// This file spells the words it looks for.
fn is_ours(file: &SourceFile) -> bool {
    let is_code = ["rs", "js", "mjs", "py", "sh"]
        .iter()
        .any(|end| file.has_extension(end));
    is_code && !file.path.ends_with("tidy/comments.rs")
}

fn fault(file: &SourceFile, line: &str) -> Option<&'static str> {
    let promises = ["TODO", "FIXME", "XXX:", "HACK:"];
    if promises.iter().any(|promise| line.contains(promise)) {
        return Some("finish it or leave it out; no promises in comments");
    }
    if !file.has_extension("rs") {
        return None;
    }
    if line.contains("dbg!(") {
        return Some("a debug print");
    }
    let comment = line.trim_start().strip_prefix("//")?;
    is_code(comment).then_some("code in a comment: delete it, git remembers")
}

/// Whether a plain comment reads like Rust. Doc comments carry examples and are left alone.
fn is_code(comment: &str) -> bool {
    if comment.starts_with(['/', '!']) {
        return false;
    }
    let text = comment.trim();
    let opens = [
        "let ", "use ", "pub fn ", "fn ", "impl ", "match ", "return ", "if let ", "for ",
    ];
    let ends_like_code = text.ends_with(';') || text.ends_with('{');
    let is_attribute = text.starts_with("#[") && text.ends_with(']');
    is_attribute
        || matches!(text, "}" | "};" | "})" | "});")
        || (ends_like_code && (opens.iter().any(|word| text.starts_with(word)) || is_call(text)))
}

/// `name(…);`, `name.method(…);`, `name = …;`
fn is_call(text: &str) -> bool {
    let head = text.split(['(', '=', ' ']).next().unwrap_or_default();
    let is_path = !head.is_empty()
        && head
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '!'));
    is_path && (text.ends_with(");") || (text.contains(" = ") && text.ends_with(';')))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::files;

    #[test]
    fn unfinished_work_is_found() {
        for (line, findings) in [
            ("// The order matters: newest first.", 0),
            ("// A sentence; then another, ending in a semicolon;", 0),
            ("/// let x = 1;", 0),
            ("// let x = 1;", 1),
            ("    // self.flush();", 1),
            ("// }", 1),
            ("// #[test]", 1),
            ("// for (id, block) in blocks {", 1),
            ("// TODO: later", 1),
            ("let x = dbg!(y);", 1),
            ("let url = \"http://x\";", 0),
        ] {
            let found = check(&files(&[("src/a.rs", line)]));
            assert_eq!(found.len(), findings, "{line:?}");
        }
        assert_eq!(check(&files(&[("a.py", "# FIXME")])).len(), 1);
        assert!(check(&files(&[("a.md", "TODO")])).is_empty());
    }
}
