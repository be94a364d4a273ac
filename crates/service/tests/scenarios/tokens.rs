//! Tokens: rotation with overlap, expiry, revocation.

use std::time::Duration;

use cordwood_event::Timestamp;
use cordwood_service::{Access, Error, NewApiToken, Refusal, Scope};

use crate::ledger::{HOUR, Ledger, MINUTE};

const EVENT: &str = r#"{"message":"x"}"#;

fn is_good(ledger: &Ledger, token: &str) -> bool {
    match ledger.send(token, EVENT) {
        Ok(_) => true,
        Err(Refusal::Unauthorized) => false,
        Err(refusal) => panic!("{refusal:?}"),
    }
}

#[test]
fn a_rotated_token_overlaps() {
    let cases = [
        (None, 24 * HOUR),
        (Some(HOUR), HOUR),
        (Some(Duration::ZERO), Duration::ZERO),
    ];
    for (asked, overlap) in cases {
        let mut ledger = Ledger::new();
        let old = ledger.create_source("web").token;
        let rotated = ledger
            .service()
            .rotate_source_token(&ledger.admin(), "web", asked)
            .unwrap();
        let expected = ledger.now().as_nanos() + i64::try_from(overlap.as_nanos()).unwrap();
        assert_eq!(
            rotated.old_tokens_expire_at,
            Timestamp::from_nanos(expected)
        );
        assert!(is_good(&ledger, rotated.token.reveal()));
        assert_eq!(is_good(&ledger, old.reveal()), !overlap.is_zero());
        ledger.advance(overlap.saturating_sub(Duration::from_nanos(1)));
        ledger.reopen();
        assert_eq!(is_good(&ledger, old.reveal()), !overlap.is_zero());
        ledger.advance(Duration::from_nanos(1));
        assert!(!is_good(&ledger, old.reveal()));
        assert!(is_good(&ledger, rotated.token.reveal()));
        let shown = ledger
            .service()
            .source(&ledger.admin(), "web")
            .unwrap()
            .tokens;
        assert_eq!(shown.len(), 1);
        assert!(rotated.token.reveal().ends_with(&shown[0].ending));
    }
}

#[test]
fn a_second_rotation_prolongs_nothing() {
    let ledger = Ledger::new();
    let first = ledger.create_source("web").token;
    let rotate = |overlap| {
        ledger
            .service()
            .rotate_source_token(&ledger.admin(), "web", Some(overlap))
            .unwrap()
    };
    let second = rotate(HOUR).token;
    let third = rotate(24 * HOUR).token;
    ledger.advance(HOUR);
    assert!(!is_good(&ledger, first.reveal()));
    assert!(is_good(&ledger, second.reveal()));
    let fourth = rotate(Duration::ZERO).token;
    for dead in [first, second, third] {
        assert!(!is_good(&ledger, dead.reveal()));
    }
    assert!(is_good(&ledger, fourth.reveal()));
}

#[test]
fn a_source_has_a_limit_of_live_tokens() {
    let ledger = Ledger::new();
    ledger.create_source("web");
    let rotate = |overlap| {
        ledger
            .service()
            .rotate_source_token(&ledger.admin(), "web", overlap)
    };
    for _ in 1..cordwood_catalog::LIVE_TOKENS_MAX {
        rotate(None).unwrap();
    }
    let error = rotate(None).unwrap_err();
    assert_eq!(error.code(), "invalid_parameter");
    assert!(error.hint().unwrap().contains("overlap of 0"));
    assert_eq!(rotate(Some(Duration::ZERO)).unwrap().source.tokens.len(), 1);
}

#[test]
fn a_token_of_a_source_is_no_token_of_the_api() {
    let ledger = Ledger::new();
    let source_token = ledger.create_source("web").token;
    let answer = ledger.service().authenticate(source_token.reveal());
    assert!(matches!(answer, Err(Error::Unauthenticated)));
    let api_token = std::fs::read_to_string(ledger.dir().join("cli-token")).unwrap();
    assert!(!is_good(&ledger, api_token.trim()));
    assert!(!is_good(&ledger, ""));
}

#[test]
fn api_tokens_expire_and_are_revoked() {
    let mut ledger = Ledger::new();
    let expires_at = Timestamp::from_nanos(ledger.now().as_nanos() + 60_000_000_000);
    let new = NewApiToken {
        name: "ci".to_owned(),
        access: Access::Read,
        scope: Scope::AllClients,
        expires_at: Some(expires_at),
    };
    let expiring = ledger
        .service()
        .create_api_token(&ledger.admin(), &new)
        .unwrap();
    let lasting = NewApiToken {
        expires_at: None,
        ..new.clone()
    };
    let lasting = ledger
        .service()
        .create_api_token(&ledger.admin(), &lasting)
        .unwrap();
    for made in [&expiring, &lasting] {
        let text = made.token.reveal();
        assert!(text.starts_with("cwa_") && text.len() == 44, "{text}");
        assert!(text.ends_with(&made.api_token.ending));
        assert_eq!(
            ledger.service().authenticate(text).unwrap().access(),
            Access::Read
        );
    }
    ledger.advance(MINUTE);
    for _ in 0..2 {
        assert!(
            ledger
                .service()
                .authenticate(expiring.token.reveal())
                .is_err()
        );
        assert!(
            ledger
                .service()
                .authenticate(lasting.token.reveal())
                .is_ok()
        );
        ledger.reopen();
    }
    let revoked = ledger
        .service()
        .revoke_api_token(&ledger.admin(), lasting.api_token.id)
        .unwrap();
    assert_eq!(revoked.revoked_at, Some(ledger.now()));
    ledger.advance(MINUTE);
    let again = ledger
        .service()
        .revoke_api_token(&ledger.admin(), lasting.api_token.id)
        .unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at);
    for _ in 0..2 {
        assert!(
            ledger
                .service()
                .authenticate(lasting.token.reveal())
                .is_err()
        );
        ledger.reopen();
    }
    let past = NewApiToken {
        expires_at: Some(ledger.now()),
        ..new
    };
    let error = ledger
        .service()
        .create_api_token(&ledger.admin(), &past)
        .unwrap_err();
    assert_eq!(error.code(), "invalid_values");
}
