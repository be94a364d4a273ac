//! What a channel may be made of.

use cordwood_catalog::{ChannelContent, Secret};
use cordwood_notify::{self as notify, ChannelKind, Part};
use serde_json::{Map, Value};

use super::ChannelChanges;
use super::record::{kind, members};
use crate::{Error, InvalidValue};

/// Characters in a name at most, as in those of saved queries.
const NAME_LENGTH_MAX: usize = 200;
/// What a person can look at in a minute, and what every provider takes.
const PER_MINUTE_DEFAULT: u32 = 20;
/// One a second: above that Slack and Discord refuse.
const PER_MINUTE: std::ops::RangeInclusive<u64> = 1..=60;
/// Settings that say where a channel leads, and so who gets to know its secrets.
const LEADING: [&str; 6] = [
    "url",
    "host",
    "port",
    "region",
    "security",
    "certificate_authority",
];

/// The content of a new channel, or all that is wrong with it.
pub(super) fn new(kind: ChannelKind, new: &ChannelChanges) -> Result<ChannelContent, Error> {
    let empty = ChannelContent {
        name: String::new(),
        kind: kind.name().to_owned(),
        settings: "{}".to_owned(),
        secrets: Secret::new("{}"),
        per_minute: PER_MINUTE_DEFAULT,
        is_default: false,
        is_paused: false,
    };
    merged(&empty, new, Vec::new())
}

/// A channel's content with changes, or all that is wrong with them.
pub(super) fn changed(
    known: &ChannelContent,
    changes: &ChannelChanges,
) -> Result<ChannelContent, Error> {
    let mut wrong = Vec::new();
    let settings = members(&known.settings);
    let given = changes.settings.clone().unwrap_or_default();
    let is_other = |name: &str| {
        let value = given.get(name);
        value.is_some_and(|value| settings.get(name) != Some(value))
    };
    let secrets = changes.secrets.clone().unwrap_or_default();
    let kept = members(known.secrets.reveal());
    let is_kept = kept.keys().any(|name| !secrets.contains_key(name));
    if let Some(name) = LEADING
        .iter()
        .find(|name| is_other(name))
        .filter(|_| is_kept)
    {
        let message =
            format!("have to be given again where `{name}` changes: they would be sent there");
        wrong.push(InvalidValue::new("secrets", message));
    }
    merged(known, changes, wrong)
}

fn merged(
    known: &ChannelContent,
    changes: &ChannelChanges,
    mut wrong: Vec<InvalidValue>,
) -> Result<ChannelContent, Error> {
    let name = changes
        .name
        .as_deref()
        .unwrap_or(&known.name)
        .trim()
        .to_owned();
    if let Some(message) = name_problem(&name) {
        wrong.push(InvalidValue::new("name", message));
    }
    let per_minute = changes.per_minute.unwrap_or(known.per_minute.into());
    if !PER_MINUTE.contains(&per_minute) {
        let message = format!("has to be {} to {}", PER_MINUTE.start(), PER_MINUTE.end());
        wrong.push(InvalidValue::new("per_minute", message));
    }
    let settings = with(members(&known.settings), changes.settings.as_ref());
    let secrets = with(members(known.secrets.reveal()), changes.secrets.as_ref());
    if let Err(mistakes) = notify::Channel::read(kind(known), &settings, &secrets) {
        wrong.extend(mistakes.iter().map(|mistake| {
            let field = match mistake.part {
                Part::Settings => "settings",
                Part::Secrets => "secrets",
            };
            InvalidValue::new(field, mistake.to_string())
        }));
    }
    if !wrong.is_empty() {
        return Err(Error::InvalidValues(wrong));
    }
    Ok(ChannelContent {
        name,
        kind: known.kind.clone(),
        settings: Value::Object(settings).to_string(),
        secrets: Secret::new(Value::Object(secrets).to_string()),
        per_minute: u32::try_from(per_minute).unwrap_or(PER_MINUTE_DEFAULT),
        is_default: changes.is_default.unwrap_or(known.is_default),
        is_paused: changes.is_paused.unwrap_or(known.is_paused),
    })
}

fn name_problem(name: &str) -> Option<&'static str> {
    match name.chars().count() {
        0 => Some("can't be blank"),
        1..=NAME_LENGTH_MAX if name.chars().any(char::is_control) => Some("has to be one line"),
        1..=NAME_LENGTH_MAX if name.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some("can't be a number, which would be taken for an id")
        }
        1..=NAME_LENGTH_MAX => None,
        _ => Some("is too long (maximum is 200 characters)"),
    }
}

/// What is blank or null is taken away.
fn with(mut known: Map<String, Value>, changes: Option<&Map<String, Value>>) -> Map<String, Value> {
    for (name, value) in changes.into_iter().flatten() {
        let is_blank = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        match is_blank {
            true => drop(known.remove(name)),
            false => drop(known.insert(name.clone(), value.clone())),
        }
    }
    known
}
