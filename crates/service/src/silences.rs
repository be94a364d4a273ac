//! Silences: what holds back the notices of incidents, for whom and until when. Maintenance windows and quiet hours are silences too.
//!
//! They hold back notices, not incidents: one that opens while it is muted says so, and is told when that ends if it is still open.

mod forgetting;
mod muting;

use cordwood_alerts::{self as alerts, CheckedSilence, SilenceMatcher, Weekly};
use cordwood_catalog::{self as catalog, SilenceId};
use cordwood_event::Timestamp;

pub(crate) use forgetting::forget_ended;
pub(crate) use muting::group_of;

use crate::jobs::require_whole;
use crate::range::range;
use crate::{Access, Caller, ClientId, Error, InvalidValue, Service};

/// Silences that stand of one client at most: each is asked about every incident that opens.
const STANDING_MAX: usize = 500;
/// Silences in a list at most, the newest.
const LISTED_MAX: usize = 1000;
/// Characters in a comment at most: a paragraph.
const COMMENT_LENGTH_MAX: usize = 2000;

/// A silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// Its number.
    pub id: u64,
    /// Whose it is; `None` for one of the provider, for all clients.
    pub client: Option<ClientId>,
    /// What it mutes, and when.
    pub silence: alerts::Silence,
    /// What it is for.
    pub comment: String,
    /// The name of the API token that made it.
    pub author: String,
    /// Whether it mutes something now.
    pub state: SilenceState,
    /// Until when it does.
    pub lasts_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody ended it.
    pub ended_at: Option<Timestamp>,
}

/// Whether a silence mutes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceState {
    /// Now.
    Active,
    /// Not yet, or not at this hour.
    Coming,
    /// No more.
    Ended,
}

impl SilenceState {
    /// All of them.
    pub const ALL: [SilenceState; 3] = [
        SilenceState::Active,
        SilenceState::Coming,
        SilenceState::Ended,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            SilenceState::Active => "active",
            SilenceState::Coming => "coming",
            SilenceState::Ended => "ended",
        }
    }
}

/// For whom a silence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilencedClients {
    /// One client, the only one that the caller sees unless it is named.
    One(Option<ClientId>),
    /// All of the provider.
    All,
}

/// A silence to be made.
#[derive(Clone, Debug)]
pub struct NewSilence {
    /// For whom.
    pub clients: SilencedClients,
    /// Of what: all of these must fit; none for everything.
    pub matchers: Vec<SilenceMatcher>,
    /// From when, as in a query; from now on unless given.
    pub starts_at: Option<String>,
    /// Until when, such as `now+2h`; needed unless it is weekly.
    pub ends_at: Option<String>,
    /// Only at these hours of the week.
    pub weekly: Option<Weekly>,
    /// What is as bad as this, or worse, is told all the same.
    pub lets_pass: Option<alerts::Severity>,
    /// What it is for.
    pub comment: String,
}

/// What of a silence is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct SilenceChanges {
    /// Until when.
    pub ends_at: Option<String>,
    /// What it is for.
    pub comment: Option<String>,
}

impl Service {
    /// The silences that the caller may know of, its own and those of the provider, the newest first.
    pub fn list_silences(
        &self,
        caller: &Caller,
        state: Option<SilenceState>,
    ) -> Result<Vec<Silence>, Error> {
        caller.require(Access::Read)?;
        let now = self.now();
        let silences = self.catalog.silences().map_err(of_catalog)?;
        let visible = silences
            .iter()
            .filter(|silence| is_visible(silence, caller))
            .map(|silence| described(silence, now))
            .filter(|silence| state.is_none_or(|state| silence.state == state));
        Ok(visible.take(LISTED_MAX).collect())
    }

    /// One silence.
    pub fn silence(&self, caller: &Caller, id: &str) -> Result<Silence, Error> {
        caller.require(Access::Read)?;
        let found = self.find_silence(caller, id)?;
        Ok(described(&found, self.now()))
    }

    /// Makes a silence; one for all clients takes an admin of all of them.
    pub fn create_silence(&self, caller: &Caller, new: &NewSilence) -> Result<Silence, Error> {
        let client = match new.clients {
            SilencedClients::All => {
                require_whole(caller)?;
                None
            }
            SilencedClients::One(client) => {
                caller.require(Access::Write)?;
                Some(self.client_meant(caller, client)?)
            }
        };
        let now = self.now();
        let mut wrong = Vec::new();
        let silence = alerts::Silence {
            matchers: new.matchers.clone(),
            starts_at: instant("starts_at", new.starts_at.as_deref(), now, &mut wrong)
                .or(Some(now)),
            ends_at: instant("ends_at", new.ends_at.as_deref(), now, &mut wrong),
            weekly: new.weekly.clone(),
            lets_pass: new.lets_pass,
        };
        check(&silence, &new.comment, now, &mut wrong)?;
        let standing = self.catalog.standing_silences(now).map_err(of_catalog)?;
        let of_client = standing
            .iter()
            .filter(|known| known.content.client == client);
        if of_client.count() >= STANDING_MAX {
            let message = format!("are {STANDING_MAX} that stand, the most there may be");
            return Err(Error::InvalidValues(vec![InvalidValue::new(
                "silences", message,
            )]));
        }
        let content = catalog::NewSilence {
            client,
            ends_at: silence.ends_at,
            silence: text_of(&silence),
            comment: new.comment.trim().to_owned(),
            author: caller.token_name().to_owned(),
        };
        let id = self.catalog.create_silence(&content, now);
        self.silence(caller, &id.map_err(of_catalog)?.0.to_string())
    }

    /// Changes when a silence ends, or what it is for.
    pub fn update_silence(
        &self,
        caller: &Caller,
        id: &str,
        changes: &SilenceChanges,
    ) -> Result<Silence, Error> {
        let known = self.silence_to_change(caller, id)?;
        let now = self.now();
        if known.ended_at.is_some() {
            return Err(Error::Conflict {
                message: format!("silence {} was ended", known.id.0),
                hint: Some("make another one".to_owned()),
            });
        }
        let mut wrong = Vec::new();
        let mut silence = kept(&known).map_err(of_catalog)?;
        if changes.ends_at.is_some() {
            silence.ends_at = instant("ends_at", changes.ends_at.as_deref(), now, &mut wrong);
        }
        let comment = changes.comment.as_ref().unwrap_or(&known.content.comment);
        check(&silence, comment, now, &mut wrong)?;
        let content = catalog::NewSilence {
            ends_at: silence.ends_at,
            silence: text_of(&silence),
            comment: comment.trim().to_owned(),
            ..known.content.clone()
        };
        let updated = self.catalog.update_silence(known.id, &content);
        updated.map_err(of_catalog)?;
        self.silence(caller, id)
    }

    /// Ends a silence now: what it muted and is still open is told.
    pub fn end_silence(&self, caller: &Caller, id: &str) -> Result<Silence, Error> {
        let known = self.silence_to_change(caller, id)?;
        let ended = self.catalog.end_silence(known.id, self.now());
        ended.map_err(of_catalog)?;
        self.tell_unmuted()?;
        self.delivery.wake();
        self.silence(caller, id)
    }

    fn silence_to_change(&self, caller: &Caller, id: &str) -> Result<catalog::Silence, Error> {
        caller.require(Access::Write)?;
        let known = self.find_silence(caller, id)?;
        if known.content.client.is_none() {
            require_whole(caller)?;
        }
        Ok(known)
    }

    /// One of another client is not found in the same words as one that never was.
    fn find_silence(&self, caller: &Caller, id: &str) -> Result<catalog::Silence, Error> {
        let number = id.trim().parse().ok().map(SilenceId);
        let found = number.map(|number| self.catalog.silence(number));
        let found = found.transpose().map_err(of_catalog)?.flatten();
        found
            .filter(|silence| is_visible(silence, caller))
            .ok_or_else(|| Error::NotFound {
                kind: "silence",
                name: id.to_owned(),
                near: Vec::new(),
            })
    }
}

/// What mutes a client's incidents is shown to it, whoever made it.
fn is_visible(silence: &catalog::Silence, caller: &Caller) -> bool {
    let client = silence.content.client;
    client.is_none_or(|client| caller.sees(client))
}

fn instant(
    field: &'static str,
    text: Option<&str>,
    now: Timestamp,
    wrong: &mut Vec<InvalidValue>,
) -> Option<Timestamp> {
    match range(Some(text?), None, now) {
        Ok(range) => Some(range.first),
        Err(_) => {
            let message = "has to be a time such as now+2h or 2026-03-27T10:00:00Z";
            wrong.push(InvalidValue::new(field, message));
            None
        }
    }
}

/// Fails with all that is wrong.
fn check(
    silence: &alerts::Silence,
    comment: &str,
    now: Timestamp,
    wrong: &mut Vec<InvalidValue>,
) -> Result<(), Error> {
    if comment.chars().count() > COMMENT_LENGTH_MAX {
        let message = format!("is too long (maximum is {COMMENT_LENGTH_MAX} characters)");
        wrong.push(InvalidValue::new("comment", message));
    }
    match silence.check() {
        Ok(checked) if checked.is_over(now) => {
            wrong.push(InvalidValue::new("ends_at", "has passed"));
        }
        Ok(_) => {}
        Err(mistakes) => {
            for mistake in mistakes {
                // What could not be read was told already.
                if !wrong.iter().any(|known| known.field == mistake.attribute) {
                    wrong.push(InvalidValue::new(mistake.attribute, mistake.message));
                }
            }
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::InvalidValues(std::mem::take(wrong))),
    }
}

fn text_of(silence: &alerts::Silence) -> String {
    serde_json::to_string(silence).expect("a record of texts and times is JSON")
}

/// What a silence says. Only we write it.
fn kept(silence: &catalog::Silence) -> Result<alerts::Silence, catalog::Error> {
    serde_json::from_str(&silence.content.silence).map_err(|_| catalog::Error::Corrupt {
        expected: "a silence",
        value: silence.content.silence.clone(),
    })
}

/// The same checked; `None` for one that is damaged, which mutes nothing.
fn checked(silence: &catalog::Silence) -> Option<CheckedSilence> {
    kept(silence).ok()?.check().ok()
}

fn described(silence: &catalog::Silence, now: Timestamp) -> Silence {
    let checked = checked(silence);
    let lasts_until = checked
        .as_ref()
        .and_then(|checked| checked.lasts_until(now));
    let lasts_until = lasts_until.filter(|_| !silence.is_over(now));
    Silence {
        id: silence.id.0,
        client: silence.content.client,
        silence: checked.map_or_else(nothing, |checked| checked.silence().clone()),
        comment: silence.content.comment.clone(),
        author: silence.content.author.clone(),
        state: match lasts_until {
            _ if silence.is_over(now) => SilenceState::Ended,
            Some(_) => SilenceState::Active,
            None => SilenceState::Coming,
        },
        lasts_until,
        created_at: silence.created_at,
        ended_at: silence.ended_at,
    }
}

/// What a silence says that cannot be read.
fn nothing() -> alerts::Silence {
    alerts::Silence {
        matchers: Vec::new(),
        starts_at: None,
        ends_at: None,
        weekly: None,
        lets_pass: None,
    }
}

fn of_catalog(error: catalog::Error) -> Error {
    Error::internal("keeping a silence", error)
}
