//! Files and modules are named by the noun they hold; the names here hold anything.

use std::path::Path;

use super::SourceFile;

/// Banned wherever they stand in a name, as in `string_utils`.
const BANNED_WORDS: [&str; 8] = [
    "util", "utils", "helper", "helpers", "common", "misc", "manager", "managers",
];
/// Banned as a whole name; within one they can be the field's own word, as in `data_dir`.
const BANNED_NAMES: [&str; 3] = ["data", "info", "types"];

pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.has_extension("rs")) {
        if let Some(name) = banned_in_path(&file.path) {
            findings
                .push(file.finding(1, format_args!("`{name}` says nothing; name what it holds")));
        }
        for (index, line) in file.text.lines().enumerate() {
            if let Some(name) = module_name(line).filter(|name| is_banned(name)) {
                let what = format_args!("the module name `{name}` says nothing");
                findings.push(file.finding(index + 1, what));
            }
        }
    }
    findings
}

fn banned_in_path(path: &Path) -> Option<String> {
    path.with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .find(|name| is_banned(name) || name == "mod")
}

fn is_banned(name: &str) -> bool {
    BANNED_NAMES.contains(&name)
        || name
            .split(['_', '-'])
            .any(|word| BANNED_WORDS.contains(&word))
}

/// The name in `mod name;` or `pub(crate) mod name {`.
fn module_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let declaration = match line.strip_prefix("pub") {
        Some(rest) => {
            let rest = rest.trim_start();
            match rest.strip_prefix('(') {
                Some(scoped) => scoped.split_once(')')?.1.trim_start(),
                None => rest,
            }
        }
        None => line,
    };
    let name = declaration.strip_prefix("mod ")?;
    Some(name.trim_end_matches([';', '{', ' ', '}']).trim())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::files;

    #[test]
    fn names_that_hold_anything_are_found() {
        for (path, text, findings) in [
            ("crates/store/src/segment.rs", "mod footer;", 0),
            ("crates/store/src/utils.rs", "", 1),
            ("crates/store/src/string_helper.rs", "", 1),
            ("crates/store/src/types.rs", "", 1),
            ("crates/store/src/common/block.rs", "", 1),
            ("crates/store/src/block/mod.rs", "", 1),
            ("crates/cordwood/src/data_dir.rs", "", 0),
            ("src/lib.rs", "pub(crate) mod misc;", 1),
            ("src/lib.rs", "    mod info {", 1),
            ("src/lib.rs", "pub mod types;", 1),
            ("src/lib.rs", "let model = types;", 0),
        ] {
            let found = check(&files(&[(path, text)]));
            assert_eq!(found.len(), findings, "{path} {text:?}: {found:?}");
        }
    }
}
