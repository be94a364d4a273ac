//! The catalog as its users see it: what is written is there after reopening, what fails changes nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use cordwood_catalog::{
    Access, ApiToken, ApiTokenId, ApiTokenPurpose, Catalog, Client, ClientId, DeletedSource, Error,
    LearntPattern, LearntPatterns, MonthUsage, NewApiToken, NewSource, NewToken, Random, Scope,
    Source, SourceChanges, SourceToken, TokenHash, check,
};
use cordwood_event::{SourceId, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;

#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (state ^ (state >> 31))
                .wrapping_mul(0xbf58_476d_1ce4_e5b9)
                .to_be_bytes()[0];
        }
    }
}

struct Shelf {
    dir: TempDir,
    random: Counting,
}

impl Shelf {
    fn new() -> Shelf {
        Shelf {
            dir: tempfile::tempdir().unwrap(),
            random: Counting::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("catalog.db")
    }

    fn open(&self) -> Catalog {
        Catalog::open(&self.path(), at(0)).unwrap()
    }

    fn source_token(&self) -> NewToken {
        NewToken::for_source(&self.random)
    }
}

/// Seconds into 2026-03-31T23:59:00Z.
fn at(seconds: i64) -> Timestamp {
    let start = Timestamp::parse_rfc3339("2026-03-31T23:59:00Z").unwrap();
    Timestamp::from_nanos(start.as_nanos() + seconds * 1_000_000_000)
}

fn new_source(name: &str) -> NewSource {
    NewSource {
        client: ClientId(1),
        name: name.to_owned(),
        platform: "http".to_owned(),
        ingesting_paused: false,
        quota_bytes_per_month: None,
        retention_days: None,
        disk_bytes_max: None,
    }
}

/// All that can be read, for comparing.
#[derive(Debug, PartialEq)]
struct Picture {
    clients: Vec<Client>,
    sources: Vec<Source>,
    deleted_sources: Vec<DeletedSource>,
    source_tokens: Vec<Vec<SourceToken>>,
    usage: Vec<MonthUsage>,
    api_tokens: Vec<ApiToken>,
}

fn picture(catalog: &Catalog, now: Timestamp) -> Picture {
    let sources = catalog.sources();
    Picture {
        clients: catalog.clients(),
        source_tokens: sources
            .iter()
            .map(|source| catalog.source_tokens(source.id, now))
            .collect(),
        deleted_sources: catalog
            .deleted_sources()
            .iter()
            .map(|source| (**source).clone())
            .collect(),
        usage: sources
            .iter()
            .map(|source| catalog.usage(source.id).unwrap().in_month_of(now))
            .collect(),
        sources: sources.iter().map(|source| (**source).clone()).collect(),
        api_tokens: catalog.api_tokens(),
    }
}

#[test]
fn a_new_catalog_has_one_organisation_and_one_client() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    assert_eq!(catalog.organisation().name, "default");
    let names: Vec<String> = catalog
        .clients()
        .into_iter()
        .map(|client| client.name)
        .collect();
    assert_eq!(names, ["default"]);
    assert!(!catalog.has_made_sources());
    drop(catalog);
    assert_eq!(shelf.open().clients().len(), 1);
    assert_eq!(check(&shelf.path()).unwrap(), [""; 0]);
}

#[test]
fn names_and_table_names_are_unique_for_a_client() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let other = catalog.create_client("other", at(0)).unwrap().id;
    let make = |client: ClientId, name: &str| {
        let new = NewSource {
            client,
            ..new_source(name)
        };
        catalog.create_source(&new, &shelf.source_token(), at(0))
    };
    assert_eq!(
        make(ClientId(1), "Web Shop").unwrap().table_name,
        "web_shop"
    );
    assert_eq!(
        make(ClientId(1), "web-shop").unwrap().table_name,
        "web_shop_2"
    );
    assert_eq!(
        make(ClientId(1), "web.shop").unwrap().table_name,
        "web_shop_3"
    );
    assert_eq!(make(other, "Web Shop").unwrap().table_name, "web_shop");
    assert!(matches!(
        make(ClientId(1), "WEB SHOP"),
        Err(Error::NameTaken)
    ));
    assert!(matches!(
        catalog.create_client("OTHER", at(0)),
        Err(Error::NameTaken)
    ));
    let rename = SourceChanges {
        name: Some("web-shop".to_owned()),
        ..SourceChanges::default()
    };
    let first = catalog.sources()[0].id;
    assert!(matches!(
        catalog.update_source(first, &rename, at(1)),
        Err(Error::NameTaken)
    ));
    assert_eq!(catalog.source(first).unwrap().name, "Web Shop");
    let before = picture(&catalog, at(1));
    drop(catalog);
    assert_eq!(picture(&shelf.open(), at(1)), before);
}

#[test]
fn what_was_deleted_is_remembered() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    for name in ["web", "shop"] {
        catalog
            .create_source(&new_source(name), &shelf.source_token(), at(0))
            .unwrap();
    }
    catalog.delete_source(SourceId(2), at(7)).unwrap();
    let expected = DeletedSource {
        id: SourceId(2),
        name: "shop".to_owned(),
        deleted_at: at(7),
    };
    assert_eq!(picture(&catalog, at(8)).deleted_sources, [expected]);
    assert_eq!(catalog.sources().len(), 1);
}

#[test]
fn what_is_not_there_is_not_found() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let nobody = SourceId(9);
    let errors = [
        catalog
            .update_source(nobody, &SourceChanges::default(), at(0))
            .map(drop),
        catalog.delete_source(nobody, at(0)),
        catalog.rotate_source_token(nobody, &shelf.source_token(), at(1), at(0)),
        catalog.revoke_api_token(ApiTokenId(9), at(0)).map(drop),
    ];
    for error in errors {
        assert!(matches!(error, Err(Error::NotFound { .. })), "{error:?}");
    }
    assert!(
        catalog
            .find_source_token(TokenHash::of(""), at(0))
            .is_none()
    );
    assert!(catalog.find_api_token(TokenHash::of(""), at(0)).is_none());
}

#[test]
fn usage_is_counted_by_month_and_written_when_asked() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let token = shelf.source_token();
    let source = catalog
        .create_source(&new_source("web"), &token, at(0))
        .unwrap()
        .id;
    let (_, usage) = catalog
        .find_source_token(TokenHash::of(token.secret.reveal()), at(5))
        .unwrap();
    usage.accept(100, 3, at(10));
    usage.refuse("busy", 2, at(10));
    catalog.write_usage().unwrap();
    usage.accept(1, 1, at(20));
    usage.accept(7, 1, at(70));
    usage.refuse("paused", 1, at(70));
    assert_eq!(usage.in_month_of(at(70)).month.to_string(), "2026-04");
    assert_eq!(usage.bytes_in_month_of(at(70)), 7);
    catalog.write_usage().unwrap();
    usage.accept(1000, 1000, at(80));
    drop(catalog);

    let catalog = shelf.open();
    let april = catalog.usage(source).unwrap().in_month_of(at(70));
    assert_eq!(
        (april.bytes, april.events),
        (7, 1),
        "what was not written is gone"
    );
    assert_eq!(
        april.refused.into_iter().collect::<Vec<_>>(),
        [("paused".to_owned(), 1)]
    );
    assert_eq!(
        catalog.source_tokens(source, at(70))[0].last_used_at,
        Some(at(5))
    );
    let connection = rusqlite::Connection::open(shelf.path()).unwrap();
    let march: (i64, i64, i64) = connection
        .query_row(
            "SELECT month, bytes, count FROM usage JOIN usage_refused USING (source_id, month)
             WHERE reason = 'busy'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(
        march,
        (202_603, 101, 2),
        "the month that ended was written whole"
    );
}

#[test]
fn a_clock_set_back_goes_on_in_the_later_month() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let source = catalog
        .create_source(&new_source("web"), &shelf.source_token(), at(0))
        .unwrap()
        .id;
    let usage = catalog.usage(source).unwrap();
    usage.accept(1, 1, at(70));
    usage.accept(1, 1, at(0));
    assert_eq!(usage.bytes_in_month_of(at(0)), 2);
    assert_eq!(usage.in_month_of(at(0)).month.to_string(), "2026-04");
}

#[test]
fn a_newer_format_is_refused() {
    let shelf = Shelf::new();
    drop(shelf.open());
    let connection = rusqlite::Connection::open(shelf.path()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let error = Catalog::open(&shelf.path(), at(0)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooNew {
                found: 99,
                known: 6,
                ..
            }
        ),
        "{error}"
    );
    let problems = check(&shelf.path()).unwrap();
    assert!(problems[0].contains("format 99"), "{problems:?}");
}

#[test]
fn check_names_references_to_nothing_and_files_that_are_none() {
    let shelf = Shelf::new();
    drop(shelf.open());
    let connection = rusqlite::Connection::open(shelf.path()).unwrap();
    connection
        .pragma_update(None, "foreign_keys", false)
        .unwrap();
    connection
        .execute(
            "INSERT INTO usage (source_id, month, bytes, events) VALUES (9, 202603, 1, 1)",
            [],
        )
        .unwrap();
    drop(connection);
    assert_eq!(
        check(&shelf.path()).unwrap(),
        ["a row of usage refers to a record that is gone"]
    );
    std::fs::write(
        shelf.path(),
        b"this is a letter, not a database, and long enough to be looked at",
    )
    .unwrap();
    assert_eq!(check(&shelf.path()).unwrap().len(), 1);
    assert!(Catalog::open(&shelf.path(), at(0)).is_err());
}

#[test]
fn tokens_are_letters_and_digits_each_as_likely() {
    let random = Counting::default();
    let mut counts = [0u32; 128];
    for _ in 0..2_000 {
        let token = NewToken::for_source(&random);
        assert_eq!(token.secret.reveal().len(), 24);
        for byte in token.secret.reveal().bytes() {
            counts[usize::from(byte)] += 1;
        }
    }
    let used: Vec<u32> = counts.into_iter().filter(|count| *count > 0).collect();
    assert_eq!(used.len(), 62);
    let expected = 2_000 * 24 / 62;
    for count in used {
        assert!(
            count.abs_diff(expected) < expected / 4,
            "{count} is far from {expected}"
        );
    }
    let secret = NewToken::for_api(&random);
    assert!(!format!("{secret:?}").contains(secret.secret.reveal()));
}

#[derive(Clone, Debug)]
enum Step {
    CreateSource(u8),
    Rename(u8, u8),
    Pause(u8),
    SetQuota(u8, Option<u64>),
    Rotate(u8, i64),
    Delete(u8),
    CreateClient(u8),
    CreateApiToken(Access, Option<BTreeSet<u8>>),
    Revoke(u8),
    Use(u8),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let small = 0u8..6;
    let two = || (0u8..6, 0u8..6);
    let access = prop_oneof![Just(Access::Read), Just(Access::Write), Just(Access::Admin)];
    let clients = proptest::option::of(proptest::collection::btree_set(0u8..6, 0..3));
    let quota = proptest::option::of(any::<u64>());
    prop_oneof![
        3 => small.clone().prop_map(Step::CreateSource),
        1 => two().prop_map(|(source, name)| Step::Rename(source, name)),
        1 => small.clone().prop_map(Step::Pause),
        1 => (small.clone(), quota).prop_map(|(source, quota)| Step::SetQuota(source, quota)),
        1 => (small.clone(), 0i64..200).prop_map(|(source, overlap)| Step::Rotate(source, overlap)),
        1 => small.clone().prop_map(Step::Delete),
        1 => small.clone().prop_map(Step::CreateClient),
        1 => (access, clients).prop_map(|(access, clients)| Step::CreateApiToken(access, clients)),
        1 => small.clone().prop_map(Step::Revoke),
        3 => small.prop_map(Step::Use),
        1 => (1i64..100).prop_map(Step::Wait),
    ]
}

/// Does a step; what it may not do it leaves.
fn act(shelf: &Shelf, catalog: &Catalog, secrets: &mut Vec<NewToken>, now: &mut i64, step: &Step) {
    let time = at(*now);
    let source = |number: &u8| {
        let sources = catalog.sources();
        sources
            .get(usize::from(*number))
            .map_or(SourceId(999), |source| source.id)
    };
    let update = |number: &u8, changes: SourceChanges| {
        let _ = catalog.update_source(source(number), &changes, time);
    };
    match step {
        Step::CreateSource(name) => {
            let token = shelf.source_token();
            let _ = catalog.create_source(&new_source(&format!("s {name}")), &token, time);
            secrets.push(token);
        }
        Step::Rename(number, name) => {
            let name = Some(format!("S {name}"));
            update(
                number,
                SourceChanges {
                    name,
                    ..SourceChanges::default()
                },
            );
        }
        Step::Pause(number) => {
            update(
                number,
                SourceChanges {
                    ingesting_paused: Some(true),
                    ..SourceChanges::default()
                },
            );
        }
        Step::SetQuota(number, quota) => {
            update(
                number,
                SourceChanges {
                    quota_bytes_per_month: Some(*quota),
                    ..SourceChanges::default()
                },
            );
        }
        Step::Rotate(number, overlap) => {
            let token = shelf.source_token();
            let _ = catalog.rotate_source_token(source(number), &token, at(*now + overlap), time);
            secrets.push(token);
        }
        Step::Delete(number) => drop(catalog.delete_source(source(number), time)),
        Step::CreateClient(name) => drop(catalog.create_client(&format!("c {name}"), time)),
        Step::CreateApiToken(access, clients) => {
            let known = catalog.clients();
            let scope = clients.as_ref().map_or(Scope::AllClients, |clients| {
                let chosen = clients
                    .iter()
                    .filter_map(|number| known.get(usize::from(*number)));
                Scope::Clients(chosen.map(|client| client.id).collect())
            });
            let new = NewApiToken {
                name: "t".to_owned(),
                purpose: ApiTokenPurpose::General,
                access: *access,
                scope,
                expires_at: None,
            };
            let token = NewToken::for_api(&shelf.random);
            catalog.create_api_token(&new, &token, time).unwrap();
            secrets.push(token);
        }
        Step::Revoke(number) => {
            let _ = catalog.revoke_api_token(ApiTokenId(u64::from(*number)), time);
        }
        Step::Use(number) => {
            if let Some(token) = secrets.get(usize::from(*number)) {
                let hash = TokenHash::of(token.secret.reveal());
                let _ = catalog.find_api_token(hash, time);
                if let Some((_, usage)) = catalog.find_source_token(hash, time) {
                    usage.accept(10, 1, time);
                    usage.refuse("busy", 1, time);
                }
            }
        }
        Step::Wait(seconds) => *now += seconds,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever was done, memory says what the disk says, and the same tokens are good.
    #[test]
    fn memory_and_disk_agree(steps in proptest::collection::vec(step(), 0..40)) {
        let shelf = Shelf::new();
        let catalog = shelf.open();
        let (mut secrets, mut now) = (Vec::new(), 0);
        for step in &steps {
            act(&shelf, &catalog, &mut secrets, &mut now, step);
        }
        let good = |catalog: &Catalog| -> Vec<(Option<SourceId>, Option<ApiTokenId>)> {
            let hashes = secrets.iter().map(|token| TokenHash::of(token.secret.reveal()));
            hashes
                .map(|hash| {
                    let source = catalog.find_source_token(hash, at(now));
                    let api_token = catalog.find_api_token(hash, at(now));
                    (source.map(|(source, _)| source.id), api_token.map(|token| token.id))
                })
                .collect()
        };
        let good_before = good(&catalog);
        let before = picture(&catalog, at(now));
        catalog.write_usage().unwrap();
        drop(catalog);
        let reopened = shelf.open();
        prop_assert_eq!(picture(&reopened, at(now)), before);
        prop_assert_eq!(good(&reopened), good_before);
        prop_assert_eq!(check(&shelf.path()).unwrap(), Vec::<String>::new());
    }
}

fn learnt(up_to_sequence: u64, patterns: &[(&str, u64)]) -> LearntPatterns {
    let by_form = patterns.iter().map(|(form, count)| {
        let pattern = LearntPattern {
            text: form.replace('\0', "<num>"),
            count: *count,
            first_seen: at(1),
            last_seen: at(i64::try_from(*count).unwrap()),
        };
        ((*form).to_owned(), pattern)
    });
    LearntPatterns {
        up_to_sequence,
        forgotten: up_to_sequence / 10,
        by_form: by_form.collect(),
    }
}

#[test]
fn patterns_are_kept_with_how_far_they_reach() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let source = catalog
        .create_source(&new_source("web"), &shelf.source_token(), at(0))
        .unwrap();
    let steps = [
        learnt(0, &[]),
        learnt(7, &[("took \0ms", 3), ("a\0b", 4)]),
        learnt(30, &[("took \0ms", 30), ("é \0", 1)]),
        learnt(30, &[]),
    ];
    let mut catalog = catalog;
    for pair in steps.windows(2) {
        let [before, now] = pair else { unreachable!() };
        catalog.write_patterns(source.id, before, now).unwrap();
        drop(catalog);
        catalog = shelf.open();
        assert_eq!(catalog.patterns().unwrap().get(&source.id), Some(now));
    }
    catalog
        .write_patterns(source.id, &steps[3], &steps[1])
        .unwrap();
    catalog.delete_source(source.id, at(9)).unwrap();
    assert_eq!(catalog.patterns().unwrap().len(), 0);
    catalog
        .write_patterns(source.id, &steps[1], &steps[2])
        .unwrap();
    assert_eq!(catalog.patterns().unwrap().len(), 0);
}
