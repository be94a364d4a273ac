//! The repository stands on no particular machine: no home directories, no registry hosts in lock files.

use super::SourceFile;

/// Written apart, so that this file does not find itself.
const PLACES: [(&str, &str); 4] = [
    ("/ro", "ot/"),
    ("/wo", "rk/"),
    ("/Us", "ers/"),
    ("/ho", "me/"),
];

pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(place) = place_in(line).filter(|_| !is_sample(file)) {
                let what = format_args!("`{place}` is a path of somebody's machine");
                findings.push(file.finding(index + 1, what));
            }
            if file.path.ends_with("package-lock.json") && line.contains("\"resolved\"") {
                let what = "names a registry host; write it with omit-lockfile-registry-resolved";
                findings.push(file.finding(index + 1, what));
            }
        }
    }
    findings
}

/// Log lines for tests and corpora speak of other people's machines.
fn is_sample(file: &SourceFile) -> bool {
    const DIRS: [&str; 2] = ["corpus", "fixtures"];
    let mut parts = file.path.iter();
    parts.any(|part| DIRS.iter().any(|dir| part == *dir)) && !file.has_extension("rs")
}

/// A path is meant where it opens a word; within one (`example.com/…/page`) it is part of something else.
fn place_in(line: &str) -> Option<String> {
    PLACES.iter().find_map(|(start, end)| {
        let place = format!("{start}{end}");
        let opens_word = |(index, _): (usize, &str)| {
            let before = line.get(..index).and_then(|text| text.chars().next_back());
            before.is_none_or(|c| !c.is_alphanumeric() && !"_-.*})".contains(c))
        };
        line.match_indices(&place).any(opens_word).then_some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::files;

    #[test]
    fn machine_paths_are_found() {
        let home = format!("cd {}{}anna", "/ho", "me/");
        let root = format!("\"{}{}x\"", "/ro", "ot/");
        for (path, line, findings) in [
            ("README.md", home.as_str(), 1),
            ("src/a.rs", root.as_str(), 1),
            ("README.md", "GET https://example.com/home/page", 0),
            ("bench/src/corpus/templates.txt", home.as_str(), 0),
            ("x/package-lock.json", "\"resolved\": \"https://r\"", 1),
        ] {
            assert_eq!(check(&files(&[(path, line)])).len(), findings, "{line:?}");
        }
    }
}
