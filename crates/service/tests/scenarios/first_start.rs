//! What the first start makes, and what later ones leave alone.

use std::os::unix::fs::PermissionsExt as _;

use cordwood_service::{Access, CLI_TOKEN_FILE, Error, Scope, Service, check};

use crate::ledger::Ledger;

#[test]
fn the_first_start_makes_a_source_and_the_command_lines_token() {
    let mut ledger = Ledger::new();
    let first = ledger.service().first_start().unwrap().clone();
    assert_eq!(first.source.name, "default");
    assert_eq!(first.source.platform.name(), "http");
    assert_eq!(first.source.table_name, "default");
    let token = first.source_token.reveal();
    assert_eq!(token.len(), 24);
    assert!(token.chars().all(|c| c.is_ascii_alphanumeric()));
    assert_eq!(ledger.admin().access(), Access::Admin);
    assert_eq!(ledger.admin().scope(), &Scope::AllClients);
    let mode = std::fs::metadata(&first.cli_token_path)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    ledger.reopen();
    assert!(ledger.service().first_start().is_none());
    assert_eq!(
        ledger
            .send(token, r#"{"message":"hello"}"#)
            .unwrap()
            .accepted,
        1
    );
}

#[test]
fn deleting_every_source_does_not_bring_the_first_one_back() {
    let mut ledger = Ledger::new();
    ledger
        .service()
        .delete_source(&ledger.admin(), "default")
        .unwrap();
    ledger.reopen();
    assert!(ledger.service().first_start().is_none());
}

#[test]
fn a_lost_cli_token_is_replaced_and_the_old_one_revoked() {
    let mut ledger = Ledger::new();
    let path = ledger.dir().join(CLI_TOKEN_FILE);
    let lost = std::fs::read_to_string(&path).unwrap();
    for replacement in [None, Some("cwa_somebody typed this\n")] {
        std::fs::remove_file(&path).unwrap();
        if let Some(text) = replacement {
            std::fs::write(&path, text).unwrap();
        }
        ledger.reopen();
        assert_eq!(ledger.admin().access(), Access::Admin);
        let old = ledger.service().authenticate(lost.trim());
        assert!(matches!(old, Err(Error::Unauthenticated)));
    }
}

#[test]
fn a_cli_token_revoked_by_hand_stays_revoked() {
    let mut ledger = Ledger::new();
    let caller = ledger.admin();
    ledger
        .service()
        .revoke_api_token(&caller, caller.token_id())
        .unwrap();
    ledger.reopen();
    let token = std::fs::read_to_string(ledger.dir().join(CLI_TOKEN_FILE)).unwrap();
    let answer = ledger.service().authenticate(token.trim());
    assert!(matches!(answer, Err(Error::Unauthenticated)));
}

/// The events of the old sources stay where nobody finds them, rather than turn up in new ones.
#[test]
fn a_lost_catalog_gives_no_events_to_strangers() {
    let mut ledger = Ledger::new();
    for name in ["web", "api"] {
        let token = ledger.create_source(name).token;
        ledger
            .send(token.reveal(), r#"{"message":"a secret"}"#)
            .unwrap();
    }
    ledger.close();
    for file in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
        let _ = std::fs::remove_file(ledger.dir().join(file));
    }
    ledger.reopen();
    let first = ledger.service().first_start().unwrap().source.clone();
    assert!(first.id.0 > 3, "{first:?}");
    assert_eq!(first.records_count, 0);
    for name in ["web", "api"] {
        assert_eq!(ledger.create_source(name).source.records_count, 0);
    }
    ledger.reopen();
    assert!(ledger.service().first_start().is_none());
}

#[test]
fn a_data_directory_is_opened_once() {
    let ledger = Ledger::new();
    assert!(matches!(Service::open(ledger.options()), Err(Error::InUse)));
    assert!(matches!(check(ledger.dir(), None), Err(Error::InUse)));
}

#[test]
fn check_tells_a_good_directory_from_a_damaged_one() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    ledger
        .send(token.reveal(), r#"[{"message":"a"},{"message":"b"}]"#)
        .unwrap();
    ledger.close();
    let report = check(ledger.dir(), None).unwrap();
    assert_eq!(report.problems, [""; 0]);
    let verified = report.verified.join("\n");
    assert!(
        verified.contains("catalog.db: every page") && verified.contains("2 events in 1 records"),
        "{verified}"
    );

    let catalog = ledger.dir().join("catalog.db");
    let whole = std::fs::read(&catalog).unwrap();
    let mut damaged = whole.clone();
    for byte in &mut damaged[4096..] {
        *byte ^= 0xa5;
    }
    std::fs::write(&catalog, damaged).unwrap();
    assert_ne!(check(ledger.dir(), None).unwrap().problems, [""; 0]);
    std::fs::remove_file(&catalog).unwrap();
    assert_eq!(
        check(ledger.dir(), None).unwrap().problems,
        ["catalog.db is missing"]
    );

    std::fs::write(&catalog, whole).unwrap();
    let store = ledger.dir().join("store");
    let aside = ledger.dir().join("aside");
    std::fs::rename(&store, &aside).unwrap();
    let problems = check(ledger.dir(), None).unwrap().problems;
    assert_eq!(problems, ["store is missing or holds no store"]);
    let _ = std::fs::remove_dir_all(&store);
    std::fs::rename(&aside, &store).unwrap();
    assert_eq!(check(ledger.dir(), None).unwrap(), report);

    let elsewhere = tempfile::tempdir().unwrap();
    assert!(matches!(
        check(elsewhere.path(), None),
        Err(Error::NotFound { .. })
    ));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

/// A server killed while it wrote: the torn end was never acknowledged, so it is a notice.
#[test]
fn check_takes_a_torn_log_for_what_it_is() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    ledger.send(token.reveal(), r#"{"message":"a"}"#).unwrap();
    ledger.close();
    let log = std::fs::read_dir(ledger.dir().join("store/log"))
        .unwrap()
        .last()
        .unwrap()
        .unwrap();
    let mut file = std::fs::File::options()
        .append(true)
        .open(log.path())
        .unwrap();
    std::io::Write::write_all(&mut file, &[7; 100]).unwrap();
    let report = check(ledger.dir(), None).unwrap();
    assert_eq!(
        (report.problems.len(), report.notices.len()),
        (0, 1),
        "{report:?}"
    );
    ledger.reopen();
    assert_eq!(ledger.service().replayed().torn_bytes, 100);
    assert_eq!(
        ledger
            .service()
            .source(&ledger.admin(), "web")
            .unwrap()
            .records_count,
        1
    );
}

/// Every token ever shown, looked for in every file.
#[test]
fn no_token_is_written_in_plain_text() {
    let mut ledger = Ledger::new();
    let admin = ledger.admin();
    let mut tokens = vec![ledger.service().first_start().unwrap().source_token.clone()];
    let source = ledger.create_source("web");
    tokens.push(source.token.clone());
    tokens.push(
        ledger
            .service()
            .rotate_source_token(&admin, "web", None)
            .unwrap()
            .token,
    );
    let api_token = cordwood_service::NewApiToken {
        name: "ci".to_owned(),
        access: Access::Read,
        scope: Scope::AllClients,
        expires_at: None,
    };
    let made = ledger
        .service()
        .create_api_token(&admin, &api_token)
        .unwrap();
    ledger.service().authenticate(made.token.reveal()).unwrap();
    tokens.push(made.token);
    for token in &tokens {
        let _ = ledger.send(token.reveal(), r#"{"message":"hello"}"#);
    }
    let cli_token = std::fs::read_to_string(ledger.dir().join(CLI_TOKEN_FILE)).unwrap();
    let tokens: Vec<&str> = tokens.iter().map(|token| token.reveal()).collect();
    assert_absent(ledger.dir(), &tokens);
    assert_absent(&ledger.dir().join("store"), &[cli_token.trim()]);
    ledger.close();
    assert_absent(ledger.dir(), &tokens);
    let catalog = std::fs::read(ledger.dir().join("catalog.db")).unwrap();
    assert!(!holds(&catalog, cli_token.trim()));
}

fn assert_absent(dir: &std::path::Path, tokens: &[&str]) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_absent(&path, tokens);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for token in tokens {
            assert!(!holds(&bytes, token), "{} holds a token", path.display());
        }
    }
}

fn holds(bytes: &[u8], token: &str) -> bool {
    bytes
        .windows(token.len())
        .any(|window| window == token.as_bytes())
}
