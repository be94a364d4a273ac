//! What API tokens see, and that a client knows nothing of another.

use std::collections::BTreeSet;

use cordwood_service::{
    Access, Caller, Error, NewApiToken, NewSource, Scope, SourceChanges, SourceFilter,
};

use crate::ledger::{Ledger, json};

type ActOnSource = fn(&Ledger, &Caller, &str) -> Result<(), Error>;

pub(crate) fn new_token(access: Access, scope: Scope) -> NewApiToken {
    NewApiToken {
        name: "made".to_owned(),
        access,
        scope,
        expires_at: None,
    }
}

/// The source of another client, by all its names, and one that never was: the answers differ in
/// nothing but the name that was asked for.
#[test]
fn a_source_of_another_client_is_as_good_as_none() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    ledger.create_source_of("web", Some(ours));
    let hidden = ledger.create_source_of("payments", Some(theirs)).source;
    let caller = ledger.caller(Access::Admin, &[ours]);
    let service = ledger.service();
    let acts: [ActOnSource; 9] = [
        |ledger, caller, name| ledger.service().source(caller, name).map(drop),
        |ledger, caller, name| {
            let changes = SourceChanges {
                ingesting_paused: Some(true),
                ..SourceChanges::default()
            };
            ledger
                .service()
                .update_source(caller, name, &changes)
                .map(drop)
        },
        |ledger, caller, name| {
            ledger
                .service()
                .rotate_source_token(caller, name, None)
                .map(drop)
        },
        |ledger, caller, name| ledger.service().delete_source(caller, name),
        |ledger, caller, name| {
            ledger
                .service()
                .ingest_as(caller, name, json("{}"))
                .map(drop)
        },
        |ledger, caller, name| ledger.service().admit_as(caller, name, 1).map(drop),
        |ledger, caller, name| {
            let request = cordwood_service::SearchRequest {
                sources: vec![name.to_owned()],
                ..Default::default()
            };
            let cancel = cordwood_service::Cancel::default();
            ledger.service().search(caller, &request, &cancel).map(drop)
        },
        |ledger, caller, name| {
            let request = cordwood_service::PatternsRequest {
                search: cordwood_service::SearchRequest {
                    sources: vec![name.to_owned()],
                    ..Default::default()
                },
                ..Default::default()
            };
            let cancel = cordwood_service::Cancel::default();
            let service = ledger.service();
            service.patterns(caller, &request, &cancel).map(drop)
        },
        |ledger, caller, name| {
            let (since, sources) = (ledger.now(), [name.to_owned()]);
            let service = ledger.service();
            service.new_patterns(caller, &sources, since).map(drop)
        },
    ];
    let hidden_id = hidden.id.to_string();
    let hidden_src = format!("src-{}", hidden.id);
    for act in acts {
        let pairs = [
            ("payments", "playmints"),
            (hidden_id.as_str(), "4711"),
            (hidden_src.as_str(), "src-4711"),
        ];
        for (of_others, of_nobody) in pairs {
            let told = act(&ledger, &caller, of_others).unwrap_err();
            let expected = act(&ledger, &caller, of_nobody).unwrap_err();
            assert_eq!(shape(&told, of_others), shape(&expected, of_nobody));
        }
    }
    let listed = service
        .list_sources(&caller, &SourceFilter::default())
        .unwrap();
    assert_eq!(listed.total, 1);
    assert_eq!(
        service
            .source(&ledger.admin(), "payments")
            .unwrap()
            .updated_at,
        hidden.updated_at
    );
}

fn shape(error: &Error, name: &str) -> (&'static str, String, Option<String>) {
    (
        error.code(),
        error.to_string().replace(name, "…"),
        error.hint(),
    )
}

#[test]
fn near_names_are_only_those_the_caller_sees() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    ledger.create_source_of("web-shop", Some(ours));
    ledger.create_source_of("web-shops", Some(theirs));
    let caller = ledger.caller(Access::Read, &[ours]);
    let error = ledger.service().source(&caller, "webshop").unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean web-shop?"));
    let error = ledger
        .service()
        .source(&ledger.admin(), "webshop")
        .unwrap_err();
    assert_eq!(
        error.hint().as_deref(),
        Some("did you mean web-shop, web-shops?")
    );
}

#[test]
fn a_source_name_may_be_anothers_too() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let our_web = ledger.create_source_of("web", Some(ours)).source;
    let their_web = ledger.create_source_of("web", Some(theirs)).source;
    let caller = ledger.caller(Access::Read, &[ours]);
    assert_eq!(
        ledger.service().source(&caller, "web").unwrap().id,
        our_web.id
    );
    let error = ledger.service().source(&ledger.admin(), "web").unwrap_err();
    let both = vec![our_web.id.to_string(), their_web.id.to_string()];
    assert!(matches!(error, Error::Ambiguous { ids, .. } if ids == both));
}

#[test]
fn a_new_token_can_do_no_more_than_its_maker() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let caller = ledger.caller(Access::Admin, &[ours]);
    let of = |clients: &[u64]| {
        Scope::Clients(
            clients
                .iter()
                .map(|id| cordwood_service::ClientId(*id))
                .collect(),
        )
    };
    let wrong = [
        (Scope::AllClients, "can't be more than your own"),
        (of(&[theirs.0]), "does not exist"),
        (of(&[ours.0, 4711]), "does not exist"),
        (Scope::Clients(BTreeSet::new()), "can't be blank"),
    ];
    for (scope, message) in wrong {
        let error = ledger
            .service()
            .create_api_token(&caller, &new_token(Access::Read, scope.clone()));
        let Err(Error::InvalidValues(values)) = error else {
            panic!("{scope:?} was allowed");
        };
        assert_eq!(values[0].field, "clients");
        assert_eq!(values[0].message, message, "{scope:?}");
    }
    assert!(
        ledger
            .service()
            .create_api_token(&caller, &new_token(Access::Admin, of(&[ours.0])))
            .is_ok()
    );
}

#[test]
fn api_tokens_of_others_are_not_seen() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let admin = ledger.admin();
    let foreign = ledger.caller(Access::Read, &[ours, theirs]);
    let caller = ledger.caller(Access::Admin, &[ours]);
    let listed = ledger.service().list_api_tokens(&caller).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, caller.token_id());
    for hidden in [admin.token_id(), foreign.token_id(), 4711] {
        let error = ledger
            .service()
            .revoke_api_token(&caller, hidden)
            .unwrap_err();
        assert_eq!(
            shape(&error, &hidden.to_string()).1,
            "API token `…` was not found"
        );
    }
    assert_eq!(ledger.service().list_api_tokens(&admin).unwrap().len(), 3);
}

#[test]
fn a_source_is_made_for_a_client_one_sees() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let caller = ledger.caller(Access::Admin, &[ours]);
    let made = |client| {
        let new = NewSource {
            name: format!("for {client:?}"),
            client,
            ..NewSource::default()
        };
        ledger.service().create_source(&caller, &new)
    };
    assert_eq!(made(None).unwrap().source.client, ours);
    assert_eq!(made(Some(ours)).unwrap().source.client, ours);
    for client in [theirs, cordwood_service::ClientId(4711)] {
        let Err(Error::InvalidValues(values)) = made(Some(client)) else {
            panic!("{client} was allowed");
        };
        assert_eq!(
            (values[0].field.as_ref(), values[0].message.as_str()),
            ("client_id", "does not exist")
        );
    }
}

#[test]
fn clients_are_listed_as_far_as_they_are_seen() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    ledger.create_client("theirs");
    let names = |caller: &Caller| -> Vec<String> {
        let clients = ledger.service().list_clients(caller).unwrap();
        clients.into_iter().map(|client| client.name).collect()
    };
    assert_eq!(names(&ledger.admin()), ["default", "ours", "theirs"]);
    assert_eq!(names(&ledger.caller(Access::Read, &[ours])), ["ours"]);
}

/// What sees the events of all clients is for those who may see them all.
#[test]
fn compactions_and_backups_are_for_admins_of_all_clients() {
    let ledger = Ledger::new();
    let client = ledger.create_source("web").source.client;
    let directory = ledger.dir().join("backup");
    let service = ledger.service();
    let answers = |caller: &Caller| {
        [
            service.start_compaction(caller).map(drop),
            service.compaction(caller).map(drop),
            service.start_backup(caller, &directory).map(drop),
            service.backup(caller).map(drop),
        ]
    };
    for answer in answers(&ledger.caller(Access::Admin, &[client])) {
        assert!(matches!(answer, Err(Error::NeedsAllClients)), "{answer:?}");
    }
    for answer in answers(&ledger.caller(Access::Write, &[client])) {
        assert!(matches!(answer, Err(Error::Forbidden { .. })), "{answer:?}");
    }
    for answer in answers(&ledger.admin()) {
        answer.unwrap();
    }
}
