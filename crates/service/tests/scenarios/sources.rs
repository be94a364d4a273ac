//! Sources: their values, pages and life.

use cordwood_service::{
    Access, Error, NewSource, PLATFORMS, Platform, SourceChanges, SourceFilter,
};

use crate::ledger::{Ledger, MINUTE};

fn new(name: &str) -> NewSource {
    NewSource {
        name: name.to_owned(),
        ..NewSource::default()
    }
}

#[test]
fn a_source_has_a_canonical_platform() {
    let cases = [
        ("node", "javascript"),
        ("NodeJS", "javascript"),
        ("syslog", "rsyslog"),
        ("syslog_ng", "syslog-ng"),
        ("syslog-ng", "syslog-ng"),
        ("opentelemetry", "open_telemetry"),
        ("OpenTelemetry", "open_telemetry"),
        ("golang", "go"),
        ("k8s", "kubernetes"),
        ("postgres", "postgresql"),
        ("Fly.io", "fly_io"),
        (".NET", "dotnet"),
        ("aws cloudwatch", "aws_cloudwatch"),
    ];
    for (given, expected) in cases {
        let platform: Platform = given.parse().unwrap_or_else(|_| panic!("{given}"));
        assert_eq!(platform.name(), expected, "{given}");
    }
    for platform in PLATFORMS {
        assert_eq!(platform.parse::<Platform>().unwrap().name(), platform);
    }
    let ledger = Ledger::new();
    let new = NewSource {
        platform: Some("node".to_owned()),
        ..new("web")
    };
    let made = ledger
        .service()
        .create_source(&ledger.admin(), &new)
        .unwrap();
    assert_eq!(made.source.platform.name(), "javascript");
}

#[test]
fn wrong_values_are_named_field_by_field() {
    let ledger = Ledger::new();
    let cases = [
        (new("  "), "name", "can't be blank"),
        (
            new("42"),
            "name",
            "can't be a number or `src-` and a number, which are ids",
        ),
        (
            new("src-42"),
            "name",
            "can't be a number or `src-` and a number, which are ids",
        ),
        (new("a\nb"), "name", "can't contain control characters"),
        (new("DEFAULT"), "name", "has already been taken"),
        (
            NewSource {
                platform: Some("pyhton".to_owned()),
                ..new("a")
            },
            "platform",
            "`pyhton` is not a platform we know, did you mean python?",
        ),
        (
            NewSource {
                retention_days: Some(0),
                ..new("a")
            },
            "logs_retention",
            "must be 1 to 3652 days",
        ),
        (
            NewSource {
                disk_bytes_max: Some(1000),
                ..new("a")
            },
            "disk_bytes_max",
            "must be 1048576 bytes or more",
        ),
    ];
    for (new, field, message) in cases {
        let Err(Error::InvalidValues(values)) =
            ledger.service().create_source(&ledger.admin(), &new)
        else {
            panic!("{new:?} was allowed");
        };
        assert_eq!(values.len(), 1, "{new:?}");
        assert_eq!(
            (values[0].field.as_ref(), values[0].message.as_str()),
            (field, message)
        );
    }
    let all_wrong = NewSource {
        platform: Some("x".to_owned()),
        retention_days: Some(9999),
        ..new("")
    };
    let Err(Error::InvalidValues(values)) =
        ledger.service().create_source(&ledger.admin(), &all_wrong)
    else {
        panic!("all of it was allowed");
    };
    assert_eq!(values.len(), 3);
}

#[test]
fn changes_last() {
    let mut ledger = Ledger::new();
    let made = ledger.create_source("web").source;
    ledger.advance(MINUTE);
    let changes = SourceChanges {
        name: Some("shop".to_owned()),
        ingesting_paused: Some(true),
        quota_bytes_per_month: Some(Some(1000)),
        retention_days: Some(Some(30)),
        disk_bytes_max: Some(Some(5 << 30)),
    };
    let changed = ledger
        .service()
        .update_source(&ledger.admin(), "web", &changes)
        .unwrap();
    assert_eq!(changed.updated_at, ledger.now());
    ledger.reopen();
    let found = ledger.service().source(&ledger.admin(), "SHOP").unwrap();
    assert_eq!(found, changed);
    assert_eq!((found.id, found.table_name.as_str()), (made.id, "web"));
    assert_eq!(found.created_at, made.created_at);
    let nothing = SourceChanges {
        retention_days: Some(None),
        ..SourceChanges::default()
    };
    let lifted = ledger
        .service()
        .update_source(&ledger.admin(), "shop", &nothing)
        .unwrap();
    assert_eq!(lifted.retention_days, None);
    assert_eq!(lifted.quota_bytes_per_month, Some(1000));
    assert_eq!(lifted.disk_bytes_max, Some(5 << 30));
    let taken = SourceChanges {
        name: Some("default".to_owned()),
        ..SourceChanges::default()
    };
    let error = ledger
        .service()
        .update_source(&ledger.admin(), "shop", &taken)
        .unwrap_err();
    assert_eq!(error.code(), "invalid_values");
}

#[test]
fn ids_are_never_given_out_again() {
    let mut ledger = Ledger::new();
    let first = ledger.create_source("web").source;
    ledger
        .service()
        .delete_source(&ledger.admin(), "web")
        .unwrap();
    ledger.reopen();
    let second = ledger.create_source("web").source;
    assert!(second.id > first.id);
}

#[test]
fn a_deleted_source_takes_nothing_and_shows_nothing() {
    let mut ledger = Ledger::new();
    let made = ledger.create_source("web");
    ledger
        .send(made.token.reveal(), r#"{"message":"x"}"#)
        .unwrap();
    ledger
        .service()
        .delete_source(&ledger.admin(), "web")
        .unwrap();
    for _ in 0..2 {
        let refusal = ledger
            .send(made.token.reveal(), r#"{"message":"x"}"#)
            .unwrap_err();
        assert_eq!(refusal.code(), "unauthorized");
        let error = ledger.service().source(&ledger.admin(), "web").unwrap_err();
        assert_eq!(error.code(), "source_not_found");
        ledger.reopen();
    }
}

#[test]
fn sources_are_listed_by_page_and_filter() {
    let ledger = Ledger::new();
    for number in 1..=120 {
        let platform = if number % 2 == 0 { "go" } else { "php" };
        let new = NewSource {
            platform: Some(platform.to_owned()),
            ..new(&format!("svc-{number:03}"))
        };
        ledger
            .service()
            .create_source(&ledger.admin(), &new)
            .unwrap();
    }
    let list = |filter: SourceFilter| ledger.service().list_sources(&ledger.admin(), &filter);
    let first = list(SourceFilter::default()).unwrap();
    assert_eq!(
        (first.sources.len(), first.total, first.last_page),
        (50, 121, 3)
    );
    let last = list(SourceFilter {
        page: Some(3),
        ..SourceFilter::default()
    })
    .unwrap();
    assert_eq!(last.sources.len(), 21);
    assert_eq!(last.sources[20].name, "svc-120");
    let beyond = list(SourceFilter {
        page: Some(9),
        ..SourceFilter::default()
    })
    .unwrap();
    assert_eq!(
        (beyond.sources.len(), beyond.page, beyond.last_page),
        (0, 9, 3)
    );
    let go = SourceFilter {
        platform: Some("golang".to_owned()),
        per_page: Some(250),
        ..SourceFilter::default()
    };
    assert_eq!(list(go).unwrap().total, 60);
    let named = SourceFilter {
        name: Some("SVC-01".to_owned()),
        ..SourceFilter::default()
    };
    assert_eq!(list(named).unwrap().total, 10);
    for (page, per_page) in [(Some(0), None), (None, Some(0)), (None, Some(251))] {
        let error = list(SourceFilter {
            page,
            per_page,
            ..SourceFilter::default()
        })
        .unwrap_err();
        assert_eq!(error.code(), "invalid_parameter");
    }
}

#[test]
fn a_source_knows_how_much_it_holds() {
    let mut ledger = Ledger::new();
    let made = ledger.create_source("web");
    let body = r#"[{"message":"a"},{"message":"bb"}]"#;
    ledger.send(made.token.reveal(), body).unwrap();
    let _ = ledger.send(made.token.reveal(), "{nonsense");
    let before = ledger.service().source(&ledger.admin(), "web").unwrap();
    assert_eq!(before.records_count, 2);
    assert_eq!(before.usage.events, 2);
    assert_eq!(before.usage.bytes, before.records_bytes);
    assert_eq!(before.usage.month, "2026-03");
    assert_eq!(before.tokens[0].last_used_at, Some(ledger.now()));
    assert!(made.token.reveal().ends_with(&before.tokens[0].ending));
    ledger.close();
    ledger.reopen();
    let after = ledger.service().source(&ledger.admin(), "web").unwrap();
    assert_eq!(after, before);
    let reader = ledger.caller(Access::Read, &[made.source.client]);
    assert_eq!(ledger.service().source(&reader, "web").unwrap(), before);
}
