//! Silences: what they mute says so, is told when they end, and is another client's secret.

use cordwood_service::{
    Access, Caller, Error, Incident, NewIncident, NewSilence, SilenceMatcher, SilenceState,
    SilencedClients,
};

use crate::ledger::{HOUR, Ledger, MINUTE};

fn silence(clients: SilencedClients, team: &str) -> NewSilence {
    NewSilence {
        clients,
        matchers: vec![SilenceMatcher::Label {
            name: "team".to_owned(),
            is: team.to_owned(),
        }],
        starts_at: None,
        ends_at: Some("now+1h".to_owned()),
        weekly: None,
        lets_pass: None,
        comment: "patching".to_owned(),
    }
}

fn open(ledger: &Ledger, caller: &Caller, team: &str) -> Incident {
    let new = NewIncident {
        name: format!("trouble of {team}"),
        labels: [("team".to_owned(), team.to_owned())].into(),
        ..NewIncident::default()
    };
    ledger.service().open_incident(caller, &new).unwrap().0
}

fn states(ledger: &Ledger, caller: &Caller) -> Vec<SilenceState> {
    let silences = ledger.service().list_silences(caller, None).unwrap();
    silences.iter().map(|silence| silence.state).collect()
}

#[test]
fn what_is_muted_is_told_when_the_silence_is_ended() {
    let ledger = Ledger::new();
    let (service, admin) = (ledger.service(), ledger.admin());
    let all = SilencedClients::One(None);
    let made = service.create_silence(&admin, &silence(all, "d*")).unwrap();
    let (muted, told) = (open(&ledger, &admin, "db"), open(&ledger, &admin, "web"));
    assert_eq!((muted.is_told, told.is_told), (false, true));
    assert_eq!(muted.muted_by.map(|id| id.0), Some(made.id));
    // One that was over before nobody heard of it is not told any more.
    let over = open(&ledger, &admin, "disk");
    let over = over.id.0.to_string();
    service.resolve_incident(&admin, &over, None).unwrap();

    ledger.advance(MINUTE);
    let ended = service.end_silence(&admin, &made.id.to_string()).unwrap();
    assert_eq!(ended.state, SilenceState::Ended);
    assert_eq!(ended.ended_at, Some(ledger.now()));
    let muted = service.incident(&admin, &muted.id.0.to_string()).unwrap();
    assert!(muted.is_told);
    assert!(!service.incident(&admin, &over).unwrap().is_told);
    let again = service.end_silence(&admin, &made.id.to_string()).unwrap();
    assert_eq!(again.ended_at, ended.ended_at);
}

#[test]
fn a_silence_begins_and_ends_by_itself() {
    let ledger = Ledger::new();
    let (service, admin) = (ledger.service(), ledger.admin());
    let later = NewSilence {
        starts_at: Some("now+1h".to_owned()),
        ends_at: Some("now+2h".to_owned()),
        ..silence(SilencedClients::One(None), "*")
    };
    service.create_silence(&admin, &later).unwrap();
    assert!(open(&ledger, &admin, "db").is_told);
    for (expected, is_told) in [
        (SilenceState::Coming, true),
        (SilenceState::Active, false),
        (SilenceState::Ended, true),
    ] {
        assert_eq!(states(&ledger, &admin), [expected]);
        assert_eq!(open(&ledger, &admin, "db").is_told, is_told, "{expected:?}");
        ledger.advance(HOUR);
    }
}

#[test]
fn a_client_knows_nothing_of_the_silences_of_another() {
    let mut ledger = Ledger::new();
    let (ours, theirs) = (ledger.create_client("ours"), ledger.create_client("theirs"));
    let us = ledger.caller(Access::Admin, &[ours]);
    let them = ledger.caller(Access::Admin, &[theirs]);
    let service = ledger.service();
    let own = silence(SilencedClients::One(None), "*");
    let made = service.create_silence(&them, &own).unwrap();
    assert_eq!(made.client, Some(theirs));
    assert!(states(&ledger, &us).is_empty());
    assert!(open(&ledger, &us, "db").is_told);
    let id = made.id.to_string();
    let told = [
        service.silence(&us, &id).unwrap_err(),
        service.end_silence(&us, &id).unwrap_err(),
        service
            .update_silence(&us, &id, &cordwood_service::SilenceChanges::default())
            .unwrap_err(),
    ];
    let nobodys = service.silence(&us, "4711").unwrap_err();
    for error in told {
        let words = error.to_string().replace(&id, "4711");
        assert_eq!((error.code(), words), (nobodys.code(), nobodys.to_string()));
    }
    let of_them = SilencedClients::One(Some(theirs));
    let error = service.create_silence(&us, &silence(of_them, "*"));
    assert!(matches!(error, Err(Error::InvalidValues(_))), "{error:?}");
}

#[test]
fn a_silence_of_the_provider_is_for_all_and_takes_its_admin() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let us = ledger.caller(Access::Admin, &[ours]);
    let (service, admin) = (ledger.service(), ledger.admin());
    let all = silence(SilencedClients::All, "*");
    let refused = service.create_silence(&us, &all);
    assert!(
        matches!(refused, Err(Error::NeedsAllClients)),
        "{refused:?}"
    );
    let made = service.create_silence(&admin, &all).unwrap();
    let muted = open(&ledger, &us, "db");
    assert_eq!(muted.muted_by.map(|id| id.0), Some(made.id));
    // What mutes is visible, and not theirs to end.
    let id = made.id.to_string();
    assert!(service.silence(&us, &id).is_ok());
    let refused = service.end_silence(&us, &id);
    assert!(
        matches!(refused, Err(Error::NeedsAllClients)),
        "{refused:?}"
    );
}

#[test]
fn silences_that_were_over_a_quarter_ago_are_forgotten() {
    let mut ledger = Ledger::new();
    let one = || silence(SilencedClients::One(None), "*");
    let weekly = NewSilence {
        ends_at: None,
        weekly: serde_json::from_value(serde_json::json!({
            "days": ["sat"], "from": "22:00", "to": "06:00", "time_zone": "UTC"
        }))
        .unwrap(),
        ..one()
    };
    let admin = ledger.admin();
    for new in [one(), weekly] {
        ledger.service().create_silence(&admin, &new).unwrap();
    }
    let by_hand = ledger.service().create_silence(
        &admin,
        &NewSilence {
            ends_at: Some("now+300d".to_owned()),
            ..one()
        },
    );
    let by_hand = by_hand.unwrap().id.to_string();
    ledger.service().end_silence(&admin, &by_hand).unwrap();
    let count = |ledger: &Ledger| {
        ledger
            .service()
            .list_silences(&ledger.admin(), None)
            .unwrap()
            .len()
    };
    ledger.advance(HOUR * 24 * 89);
    ledger.reopen();
    assert_eq!(count(&ledger), 3);
    ledger.advance(HOUR * 24 * 2);
    ledger.reopen();
    assert_eq!(count(&ledger), 1, "the one that comes back every week");
}
