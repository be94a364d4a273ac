//! The envelopes of Better Stack's REST API, which are those of JSON:API without its links.

use cordwood_event::Timestamp;
use serde_json::{Value, json};

use crate::links::Links;

/// `{"data": …}`.
pub(crate) fn data(record: Value) -> Value {
    json!({"data": record})
}

/// One record; ids are text.
pub(crate) fn record(kind: &str, id: impl ToString, attributes: Value) -> Value {
    json!({"id": id.to_string(), "type": kind, "attributes": attributes})
}

/// `{"data": […], "pagination": …}`: page `page` of `last_page`, with absolute URLs.
pub(crate) fn page(records: Vec<Value>, links: &Links, page: usize, last_page: usize) -> Value {
    let to = |page: usize| links.with("page", &page.to_string());
    let prev = (page > 1).then(|| to(page - 1));
    let next = (page < last_page).then(|| to(page + 1));
    json!({
        "data": records,
        "pagination": {"first": to(1), "last": to(last_page), "prev": prev, "next": next},
    })
}

/// A list that is never so long as to need pages.
pub(crate) fn list(records: Vec<Value>, links: &Links) -> Value {
    page(records, links, 1, 1)
}

/// ISO 8601 in UTC, to the millisecond, as Better Stack writes the times of records.
pub(crate) fn time(timestamp: Timestamp) -> String {
    const NANOS_PER_MILLI: i64 = 1_000_000;
    let nanos = timestamp.as_nanos();
    Timestamp::from_nanos(nanos - nanos.rem_euclid(NANOS_PER_MILLI)).to_string()
}

/// A token that is not shown again: as many of its characters as are kept.
pub(crate) fn masked(ending: &str) -> String {
    format!("••••{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_999_999, "1970-01-01T00:00:00.001Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(time(Timestamp::from_nanos(nanos)), expected);
        }
    }
}
