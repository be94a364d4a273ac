//! Times in JSON that we keep for ourselves: nanoseconds since 1970.

use cordwood_event::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.as_nanos())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Timestamp, D::Error> {
    i64::deserialize(deserializer).map(Timestamp::from_nanos)
}

/// The same of a time that may be unknown.
pub(crate) mod optional {
    use cordwood_event::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Timestamp::as_nanos).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let nanos = Option::<i64>::deserialize(deserializer)?;
        Ok(nanos.map(Timestamp::from_nanos))
    }
}
