//! Reads a channel out of the members of two JSON objects, settings and secrets, and gathers what is wrong with them, so that
//! whoever makes one hears of all mistakes at once.

use std::fmt;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use ureq::http::Uri;

use crate::Secret;

/// Characters in a setting or a secret at most: the longest URLs of webhooks have a few hundred.
const LENGTH_MAX: usize = 2000;
/// Characters in a text of several lines at most, such as a template or a certificate.
const TEXT_LENGTH_MAX: usize = 20_000;
/// Entries in a list or an object at most.
const ENTRIES_MAX: usize = 50;

/// Which of the two objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What can be shown.
    Settings,
    /// What cannot.
    Secrets,
}

/// A member with a value it cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands.
    pub part: Part,
    /// The member.
    pub name: String,
    /// What is wrong: `can't be blank`.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name, self.message)
    }
}

/// The members not read yet, and what was wrong with those that were. What is missing and needed is read as something empty: the
/// channel is not made then.
pub(crate) struct Reader {
    settings: Map<String, Value>,
    secrets: Map<String, Value>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    pub(crate) fn new(settings: &Map<String, Value>, secrets: &Map<String, Value>) -> Reader {
        Reader {
            settings: settings.clone(),
            secrets: secrets.clone(),
            mistakes: Vec::new(),
        }
    }

    /// A line of text that may be left out.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let text = text_of(self.settings.remove(name), LENGTH_MAX);
        self.checked(
            Part::Settings,
            name,
            text.and_then(|text| text.map(line).transpose()),
        )
    }

    /// A line of text that may not.
    pub(crate) fn needed_text(&mut self, name: &str) -> String {
        let is_there = self.settings.contains_key(name);
        let text = self.text(name);
        self.needed(Part::Settings, name, text, is_there)
    }

    /// A text of several lines that may be left out.
    pub(crate) fn long_text(&mut self, name: &str) -> Option<String> {
        let text = text_of(self.settings.remove(name), TEXT_LENGTH_MAX);
        self.checked(Part::Settings, name, text)
    }

    /// The URL of a web server, without a name and password in it.
    pub(crate) fn url(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let url = url(text).map(Some);
        self.checked(Part::Settings, name, url)
    }

    /// A secret that may be left out.
    pub(crate) fn secret(&mut self, name: &str) -> Option<Secret> {
        let text = text_of(self.secrets.remove(name), LENGTH_MAX);
        let text = text.and_then(|text| text.map(line).transpose());
        self.checked(Part::Secrets, name, text).map(Secret::new)
    }

    /// A secret that may not.
    pub(crate) fn needed_secret(&mut self, name: &str) -> Secret {
        let is_there = self.secrets.contains_key(name);
        let secret = self.secret(name);
        self.needed(Part::Secrets, name, secret, is_there)
    }

    /// A URL that lets everybody who knows it in.
    pub(crate) fn needed_secret_url(&mut self, name: &str) -> Secret {
        let secret = self.needed_secret(name);
        if secret.reveal().is_empty() {
            return secret;
        }
        let url = url(secret.reveal().to_owned()).map(Some);
        let url = self.checked(Part::Secrets, name, url);
        Secret::new(url.unwrap_or_default())
    }

    /// One of several names; the first unless it was given.
    pub(crate) fn one_of<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let Some(text) = self.text(name) else {
            return choices.first().map(|(_, choice)| *choice);
        };
        let chosen = choices.iter().find(|(known, _)| *known == text);
        if chosen.is_none() {
            let names: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
            self.refuse(
                Part::Settings,
                name,
                format!("has to be one of {}", names.join(", ")),
            );
        }
        chosen.map(|(_, choice)| *choice)
    }

    /// A whole number in a range.
    pub(crate) fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self
            .settings
            .remove(name)
            .filter(|value| !value.is_null())?;
        let number = value.as_u64().filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!("has to be a number of {} to {}", range.start(), range.end());
            self.refuse(Part::Settings, name, message);
        }
        number
    }

    /// Lines of text, or one alone.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        let values = match self.settings.remove(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(value) => vec![value],
        };
        if values.len() > ENTRIES_MAX {
            self.refuse(
                Part::Settings,
                name,
                format!("are too many (maximum is {ENTRIES_MAX})"),
            );
            return Vec::new();
        }
        let mut texts = Vec::new();
        for value in values {
            let text = text_of(Some(value), LENGTH_MAX);
            let text = text.and_then(|text| text.map(line).transpose());
            texts.extend(self.checked(Part::Settings, name, text));
        }
        texts
    }

    /// Names and their texts.
    pub(crate) fn pairs(&mut self, name: &str) -> Vec<(String, String)> {
        let members = match self.settings.remove(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Object(members)) if members.len() <= ENTRIES_MAX => members,
            Some(_) => {
                let message = format!("has to be an object of at most {ENTRIES_MAX} texts");
                self.refuse(Part::Settings, name, message);
                return Vec::new();
            }
        };
        let mut pairs = Vec::new();
        for (key, value) in members {
            let text = text_of(Some(value), LENGTH_MAX);
            let text = text.and_then(|text| text.map(line).transpose());
            if let Some(text) = self.checked(Part::Settings, name, text) {
                pairs.push((key, text));
            }
        }
        pairs
    }

    /// Notes that a setting is missing, unless what was wrong with it was told.
    pub(crate) fn needs(&mut self, name: &str) {
        if !self.mistakes.iter().any(|mistake| mistake.name == name) {
            self.refuse(Part::Settings, name, "can't be blank");
        }
    }

    /// Notes that the value of a member cannot be.
    pub(crate) fn refuse(&mut self, part: Part, name: &str, message: impl Into<String>) {
        self.mistakes.push(Mistake {
            part,
            name: name.to_owned(),
            message: message.into(),
        });
    }

    /// Everything that was wrong; members that nobody read are.
    pub(crate) fn finish(mut self) -> Vec<Mistake> {
        let unread = [
            (Part::Settings, self.settings),
            (Part::Secrets, self.secrets),
        ];
        for (part, members) in unread {
            for (name, _) in members.into_iter().filter(|(_, value)| !value.is_null()) {
                self.mistakes.push(Mistake {
                    part,
                    name,
                    message: "means nothing for a channel of this kind".to_owned(),
                });
            }
        }
        self.mistakes
    }

    fn checked<T>(
        &mut self,
        part: Part,
        name: &str,
        value: Result<Option<T>, String>,
    ) -> Option<T> {
        value.unwrap_or_else(|message| {
            self.refuse(part, name, message);
            None
        })
    }

    /// A value that was there and wrong was told of already.
    fn needed<T: Default>(
        &mut self,
        part: Part,
        name: &str,
        value: Option<T>,
        is_there: bool,
    ) -> T {
        let is_told = is_there && self.mistakes.iter().any(|mistake| mistake.name == name);
        value.unwrap_or_else(|| {
            if !is_told {
                self.refuse(part, name, "can't be blank");
            }
            T::default()
        })
    }
}

/// What is blank is as good as missing.
fn text_of(value: Option<Value>, length_max: usize) -> Result<Option<String>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() > length_max => {
            Err(format!("is too long (maximum is {length_max} characters)"))
        }
        Some(Value::String(text)) => {
            let text = text.trim();
            Ok((!text.is_empty()).then(|| text.to_owned()))
        }
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err("has to be a text".to_owned()),
    }
}

/// What goes into a header, a subject or a URL has no line breaks.
fn line(text: String) -> Result<String, String> {
    match text.chars().any(char::is_control) {
        true => Err("has to be one line".to_owned()),
        false => Ok(text),
    }
}

fn url(text: String) -> Result<String, String> {
    let wrong = "has to be a URL such as https://example.com/hook";
    let uri: Uri = text.parse().map_err(|_| wrong.to_owned())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let authority = uri.authority().map(|authority| authority.as_str());
    match authority {
        Some(authority) if authority.contains('@') => {
            Err("can't have a name and password in it".to_owned())
        }
        Some(_) if is_web && uri.host().is_some_and(|host| !host.is_empty()) => Ok(text),
        _ => Err(wrong.to_owned()),
    }
}
