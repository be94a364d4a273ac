//! Times and spans of time as JSON has them.

use std::time::Duration;

use cordwood_event::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

/// When something happened to a record: ISO 8601 in UTC, to the millisecond, as Better Stack writes such times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordTime(pub(crate) Timestamp);

impl Serialize for RecordTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const NANOS_PER_MILLI: i64 = 1_000_000;
        let nanos = self.0.as_nanos();
        let millis = Timestamp::from_nanos(nanos - nanos.rem_euclid(NANOS_PER_MILLI));
        serializer.collect_str(&millis)
    }
}

/// When an event happened: ISO 8601 in UTC, to the nanosecond where it is known so well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventTime(pub(crate) Timestamp);

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// How long something took, in milliseconds to the microsecond: many answers take less than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Millis(pub(crate) Duration);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let micros = (self.0.as_secs_f64() * 1e6).round();
        serializer.serialize_f64(micros / 1e3)
    }
}

impl PartialSchema for RecordTime {
    fn schema() -> RefOr<Schema> {
        time()
    }
}

impl PartialSchema for EventTime {
    fn schema() -> RefOr<Schema> {
        time()
    }
}

impl PartialSchema for Millis {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Number).into()
    }
}

impl utoipa::ToSchema for RecordTime {}
impl utoipa::ToSchema for EventTime {}
impl utoipa::ToSchema for Millis {}

fn time() -> RefOr<Schema> {
    let time = ObjectBuilder::new().schema_type(Type::String);
    time.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_records_have_milliseconds() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_999_999, "1970-01-01T00:00:00.001Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ];
        for (nanos, expected) in cases {
            let time = RecordTime(Timestamp::from_nanos(nanos));
            assert_eq!(serde_json::json!(time), expected);
        }
    }

    #[test]
    fn spans_have_microseconds() {
        let cases = [(0, 0.0), (1_499, 0.001), (12_345_678, 12.346)];
        for (nanos, expected) in cases {
            let span = Millis(Duration::from_nanos(nanos));
            assert_eq!(serde_json::json!(span), expected);
        }
    }
}
