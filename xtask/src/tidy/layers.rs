//! The table in ARCHITECTURE.md is the whole list of who may use whom; the manifests must agree.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Metadata};

/// A row of the table.
#[derive(Debug, PartialEq)]
struct Room {
    name: String,
    uses: Uses,
}

#[derive(Debug, PartialEq)]
enum Uses {
    /// Every room above.
    AllAbove,
    /// These, and no more.
    Only(Vec<String>),
}

/// A crate of the workspace and what its manifest says.
#[derive(Debug, Default)]
struct Manifest {
    uses: Vec<String>,
    uses_in_tests: Vec<String>,
}

pub(super) fn check(architecture: &str, metadata: &Metadata) -> Vec<String> {
    compare(&rooms(architecture), &manifests(metadata))
}

/// The rows of the table whose header starts with `crate`.
fn rooms(architecture: &str) -> Vec<Room> {
    architecture
        .lines()
        .skip_while(|line| !line.starts_with("| crate |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let (first, last) = (cells.first()?, cells.last()?);
            Some(Room {
                name: first.trim_matches('`').to_owned(),
                uses: match *last {
                    "all above" => Uses::AllAbove,
                    "–" => Uses::Only(Vec::new()),
                    list => Uses::Only(list.split(", ").map(str::to_owned).collect()),
                },
            })
        })
        .collect()
}

fn manifests(metadata: &Metadata) -> BTreeMap<String, Manifest> {
    let names: Vec<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut manifests = BTreeMap::new();
    for package in metadata.workspace_packages() {
        let mut manifest = Manifest::default();
        for dependency in &package.dependencies {
            if !names.contains(&dependency.name.as_str()) {
                continue;
            }
            let list = match dependency.kind {
                DependencyKind::Development => &mut manifest.uses_in_tests,
                _ => &mut manifest.uses,
            };
            list.push(room_name(&dependency.name).to_owned());
        }
        manifests.insert(room_name(&package.name).to_owned(), manifest);
    }
    manifests
}

fn room_name(package: &str) -> &str {
    package.strip_prefix("cordwood-").unwrap_or(package)
}

fn compare(rooms: &[Room], manifests: &BTreeMap<String, Manifest>) -> Vec<String> {
    let mut findings = Vec::new();
    for name in manifests.keys() {
        if !rooms.iter().any(|room| room.name == *name) {
            findings.push(format!(
                "ARCHITECTURE.md: the table has no row for `{name}`"
            ));
        }
    }
    for (index, room) in rooms.iter().enumerate() {
        match manifests.get(&room.name) {
            Some(manifest) => {
                let above: Vec<&str> = rooms[..index].iter().map(|r| r.name.as_str()).collect();
                findings.extend(compare_room(room, &above, manifest));
            }
            None => findings.push(format!(
                "ARCHITECTURE.md: there is no crate `{}`",
                room.name
            )),
        }
    }
    findings
}

fn compare_room(room: &Room, above: &[&str], manifest: &Manifest) -> Vec<String> {
    let name = &room.name;
    let mut findings = Vec::new();
    for used in &manifest.uses {
        let is_allowed = match &room.uses {
            Uses::AllAbove => above.contains(&used.as_str()),
            Uses::Only(list) => list.contains(used),
        };
        if !is_allowed {
            findings.push(format!(
                "{name} uses {used}, which the table does not allow"
            ));
        }
    }
    // Tests may reach across the house, but not to rooms that are built upon this one. They may use their own room with
    // features that only tests turn on.
    for used in &manifest.uses_in_tests {
        if used != name && !above.contains(&used.as_str()) {
            findings.push(format!(
                "the tests of {name} use {used}, which stands below it"
            ));
        }
    }
    if let Uses::Only(list) = &room.uses {
        for listed in list {
            if !above.contains(&listed.as_str()) {
                findings.push(format!("the table lets {name} use {listed}, not above it"));
            }
            if !manifest.uses.contains(listed) {
                findings.push(format!("the table says {name} uses {listed}; it does not"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Manifest, compare, rooms};

    const TABLE: &str = "\
# Map

| crate | what | uses |
|---|---|---|
| `event` | words | – |
| `query` | language | event |
| `engine` | runs | event, query |
| `service` | use cases | all above |

Text.
";

    /// A crate, what it uses, and what its tests use besides.
    type Uses = (
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
    );

    fn findings(uses: &[Uses]) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let manifests = uses
            .iter()
            .map(|(name, uses, uses_in_tests)| {
                let manifest = Manifest {
                    uses: owned(uses),
                    uses_in_tests: owned(uses_in_tests),
                };
                ((*name).to_owned(), manifest)
            })
            .collect();
        compare(&rooms(TABLE), &manifests)
    }

    #[test]
    fn the_table_is_the_whole_list() {
        let good: [Uses; 4] = [
            ("event", &[], &[]),
            ("query", &["event"], &["query"]),
            ("engine", &["event", "query"], &[]),
            ("service", &["engine"], &["event"]),
        ];
        assert_eq!(findings(&good), Vec::<String>::new());
        let cases: [(usize, Uses, &str); 5] = [
            (1, ("query", &["event", "engine"], &[]), "query uses engine"),
            (1, ("query", &[], &[]), "query uses event; it does not"),
            (0, ("event", &[], &["engine"]), "tests of event use engine"),
            (3, ("web", &[], &[]), "no row for `web`"),
            (3, ("web", &[], &[]), "no crate `service`"),
        ];
        for (index, changed, expected) in cases {
            let mut manifests = good;
            manifests[index] = changed;
            let found = findings(&manifests);
            assert!(
                found.iter().any(|f| f.contains(expected)),
                "{expected}: {found:?}"
            );
        }
    }
}
