//! Instants in JSON: RFC 3339, exact to the nanosecond. For `#[serde(with = "instant")]`.

use cordwood_event::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    parsed(&text)
}

fn parsed<E: serde::de::Error>(text: &str) -> Result<Timestamp, E> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| {
        E::custom(format!(
            "`{text}` is not a time such as 2026-03-27T10:15:00Z"
        ))
    })
}

/// Instants that may not be there; null, or left out.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Serializer, Timestamp, parsed};

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(time),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parsed(&text)).transpose()
    }
}
