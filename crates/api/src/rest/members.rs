//! Reads a record out of the members of a JSON object, and gathers what is wrong with it, so that the
//! sender hears of all mistakes at once.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use cordwood_service::ClientId;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// The members not read yet, and what was wrong with those that were.
pub(crate) struct Members {
    members: Map<String, Value>,
    invalid: Map<String, Value>,
}

/// What `read` takes out of the members; refused if anything is wrong with them, or one is left.
pub(crate) fn read_members<T>(
    members: Map<String, Value>,
    read: impl FnOnce(&mut Members) -> T,
) -> Result<T, Failure> {
    let mut members = Members::new(members);
    let read = read(&mut members);
    members.finish()?;
    Ok(read)
}

impl Members {
    pub(crate) fn new(members: Map<String, Value>) -> Members {
        Members {
            members,
            invalid: Map::new(),
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.members.remove(name)? {
            Value::String(text) => Some(text),
            Value::Null => None,
            _ => self.refuse(name, "has to be a text"),
        }
    }

    /// A number.
    pub(crate) fn number(&mut self, name: &str) -> Option<f64> {
        let value = self.members.remove(name)?;
        match value.as_f64() {
            Some(number) => Some(number),
            None if value.is_null() => None,
            None => self.refuse(name, "has to be a number"),
        }
    }

    /// Whatever it is, null too.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    /// Whether it is this; if so it is taken.
    pub(crate) fn take_if(&mut self, name: &str, expected: &Value) -> bool {
        let is_it = self.members.get(name) == Some(expected);
        if is_it {
            self.members.remove(name);
        }
        is_it
    }

    /// A boolean.
    pub(crate) fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.members.remove(name)? {
            Value::Bool(boolean) => Some(boolean),
            Value::Null => None,
            _ => self.refuse(name, "has to be true or false"),
        }
    }

    /// A whole number that is not negative; `Some(None)` when it was sent as null.
    pub(crate) fn integer(&mut self, name: &str) -> Option<Option<u64>> {
        let value = self.members.remove(name)?;
        match value.as_u64() {
            Some(integer) => Some(Some(integer)),
            None if value.is_null() => Some(None),
            None => self.refuse(name, "has to be a whole number, not negative"),
        }
    }

    /// The client that a record is for: `client_id`, a number or a text of digits, as records show it.
    pub(crate) fn client(&mut self) -> Option<ClientId> {
        let ids = self.texts("client_id")?;
        match ids.as_slice() {
            [id] => match id.parse() {
                Ok(id) => Some(ClientId(id)),
                Err(_) => self.refuse("client_id", "has to be the id of a client"),
            },
            _ => self.refuse("client_id", "has to be the id of a client"),
        }
    }

    /// Texts, numbers or one of them alone.
    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let values = match self.members.remove(name)? {
            Value::Null => return None,
            Value::Array(values) => values,
            value => vec![value],
        };
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match values.into_iter().map(text).collect() {
            Some(texts) => Some(texts),
            None => self.refuse(name, "has to be a list of texts"),
        }
    }

    /// An object whose members are texts, numbers or booleans, all taken as text; a list of these is joined by commas.
    pub(crate) fn texts_by_name(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let object = match self.members.remove(name)? {
            Value::Object(object) => object,
            Value::Null => return None,
            _ => return self.refuse(name, "has to be an object of texts"),
        };
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            Value::Object(object) => object.get("value")?.as_str().map(str::to_owned),
            Value::Array(_) | Value::Null => None,
        };
        let member = |(name, value): (String, Value)| {
            let text = match &value {
                Value::Array(values) => {
                    let texts: Option<Vec<String>> = values.iter().map(text).collect();
                    texts?.join(", ")
                }
                value => text(value)?,
            };
            Some((name, text))
        };
        match object.into_iter().map(member).collect() {
            Some(texts) => Some(texts),
            None => self.refuse(name, "has to be an object of texts"),
        }
    }

    /// An object, whose members somebody else reads. What is in it may be secret: it is in no message.
    pub(crate) fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.members.remove(name)? {
            Value::Object(object) => Some(object),
            Value::Null => None,
            _ => self.refuse(name, "has to be an object"),
        }
    }

    /// Whatever serde reads.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.members.remove(name)?;
        if value.is_null() {
            return None;
        }
        match serde_json::from_value(value) {
            Ok(read) => Some(read),
            Err(error) => self.refuse(name, &format!("cannot be read: {error}")),
        }
    }

    /// A list of objects, read one by one.
    pub(crate) fn objects<T>(
        &mut self,
        name: &str,
        read: impl Fn(&Map<String, Value>) -> Option<T>,
        expected: &str,
    ) -> Option<Vec<T>> {
        let values = match self.members.remove(name)? {
            Value::Array(values) => values,
            Value::Null => return None,
            _ => return self.refuse(name, expected),
        };
        match values
            .iter()
            .map(|value| read(value.as_object()?))
            .collect()
        {
            Some(read) => Some(read),
            None => self.refuse(name, expected),
        }
    }

    /// Members that mean nothing here and do no harm.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.members.remove(*name);
        }
    }

    /// Notes that the value of `name` cannot be.
    pub(crate) fn refuse<T>(&mut self, name: &str, message: &str) -> Option<T> {
        let messages = self
            .invalid
            .entry(name)
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(messages) = messages {
            messages.push(message.into());
        }
        None
    }

    /// Fails if a value was wrong, or if a member with a value was not read: what was asked for and
    /// not done must not look done.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if !self.invalid.is_empty() {
            return Err(Failure::invalid_values(self.invalid));
        }
        let is_set = |value: &Value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(values) => !values.is_empty(),
            _ => true,
        };
        let unread = self.members.into_iter().filter(|(_, value)| is_set(value));
        let unread: Vec<String> = unread.map(|(name, _)| name).collect();
        if unread.is_empty() {
            return Ok(());
        }
        let sentence = format!("Cordwood has no use for: {}", unread.join(", "));
        let failure = Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_attributes",
            sentence,
        );
        Err(failure.with("invalid_attributes", unread))
    }
}
