//! Times in the JSON of a notice: RFC 3339 in UTC.

use cordwood_event::Timestamp;
use serde::{Deserialize as _, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Timestamp, D::Error> {
    read(&String::deserialize(deserializer)?)
}

fn read<E: serde::de::Error>(text: &str) -> Result<Timestamp, E> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| E::custom("no time of RFC 3339"))
}

/// The same for a time that may be missing.
pub(crate) mod optional {
    use cordwood_event::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

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
        text.as_deref().map(super::read).transpose()
    }
}
