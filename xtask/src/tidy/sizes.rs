//! A file is one concept and stays readable; the exceptions are listed and can only shrink.

use std::collections::BTreeMap;

use super::SourceFile;

/// Lines of a Rust file. What is longer is usually two concepts.
const LINES_MAX: usize = 800;
/// The exceptions: a path and its number of lines on each line.
pub(super) const EXCEPTIONS: &str = "xtask/oversized.txt";

pub(super) fn check(files: &[SourceFile], exceptions: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let mut allowed = match parse(exceptions) {
        Ok(allowed) => allowed,
        Err(line) => return vec![format!("{EXCEPTIONS}: `{line}` is not `<path> <lines>`")],
    };
    for file in files.iter().filter(|file| file.has_extension("rs")) {
        let lines = file.text.lines().count();
        let path = file.path.display().to_string();
        let limit = allowed.remove(path.as_str());
        findings.extend(match limit {
            None if lines > LINES_MAX => Some(format!(
                "{path}: {lines} lines, over {LINES_MAX}: are these two concepts?"
            )),
            Some(limit) if lines > limit => Some(format!(
                "{path}: grew to {lines} lines; {EXCEPTIONS} allows {limit}"
            )),
            Some(_) if lines <= LINES_MAX => Some(format!(
                "{path}: down to {lines} lines; take it out of {EXCEPTIONS}"
            )),
            Some(limit) if lines < limit => Some(format!(
                "{path}: down to {lines} lines; lower its {limit} in {EXCEPTIONS}"
            )),
            _ => None,
        });
    }
    findings.extend(
        allowed
            .keys()
            .map(|path| format!("{EXCEPTIONS}: {path} does not exist")),
    );
    findings
}

fn parse(exceptions: &str) -> Result<BTreeMap<&str, usize>, &str> {
    exceptions
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (path, lines) = line.rsplit_once(' ').ok_or(line)?;
            Ok((path, lines.parse().map_err(|_| line)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::files;

    #[test]
    fn sizes_only_tighten() {
        for (lines, exceptions, finding) in [
            (800, "", None),
            (801, "", Some("are these two concepts")),
            (900, "# why\nsrc/a.rs 900\n", None),
            (901, "src/a.rs 900", Some("grew")),
            (899, "src/a.rs 900", Some("lower")),
            (700, "src/a.rs 900", Some("take it out")),
            (10, "src/gone.rs 900", Some("does not exist")),
            (10, "src/a.rs", Some("is not")),
        ] {
            let found = check(&files(&[("src/a.rs", &"x\n".repeat(lines))]), exceptions);
            match finding {
                None => assert!(found.is_empty(), "{found:?}"),
                Some(part) => {
                    assert_eq!(found.len(), 1, "{found:?}");
                    assert!(found[0].contains(part), "{found:?}");
                }
            }
        }
    }
}
