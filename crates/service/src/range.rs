//! The `from` and `to` of a request: the times a query may write, read by the query language itself.

use cordwood_event::Timestamp;
use cordwood_query::{TimeBounds, TimePoint};

use crate::Error;

/// The range `dt:[from TO to]` would give; an end that is missing is open. A date at the end is its whole day.
pub(crate) fn range(
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<TimeBounds, Error> {
    let from = from.map(|text| end("from", text, now)).transpose()?;
    let to = to.map(|text| end("to", text, now)).transpose()?;
    let range = TimeBounds {
        first: from.map_or(Timestamp::MIN, |from| from.first),
        last: to.map_or(Timestamp::MAX, |to| to.last),
    };
    if range.is_empty() {
        return Err(Error::InvalidParameter {
            parameter: "from",
            message: format!("`from` ({}) lies after `to` ({})", range.first, range.last),
            hint: None,
        });
    }
    Ok(range)
}

fn end(parameter: &'static str, text: &str, now: Timestamp) -> Result<TimeBounds, Error> {
    let text = text.trim();
    if let Some(instant) = fractional_unix(text) {
        return Ok(TimeBounds {
            first: instant,
            last: instant,
        });
    }
    match TimePoint::parse(text) {
        Ok(point) => Ok(point.as_end(now)),
        Err(error) => Err(Error::InvalidParameter {
            parameter,
            message: format!("`{parameter}` is {error}: `{text}`"),
            hint: Some(hint(text)),
        }),
    }
}

/// `1711533330.25`, as Python and Fluent Bit write the time.
fn fractional_unix(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.')?;
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() < 9 || fraction.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    text.parse().ok().and_then(Timestamp::from_unix_float)
}

fn hint(text: &str) -> String {
    let forms = "use a time like 2026-03-27T10:15:00Z, a date, now-1h or a UNIX time";
    // `+02:00` in a URL that was not escaped arrives as ` 02:00`.
    match text.rsplit_once(' ') {
        Some((time, zone)) if time.contains('T') && zone.contains(':') => {
            format!("{forms}; in a URL the `+` of a zone is written %2B")
        }
        _ => forms.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> i64 {
        Timestamp::parse_rfc3339(text).unwrap().as_nanos()
    }

    #[test]
    fn ends_are_read() {
        let now = Timestamp::parse_rfc3339("2026-03-27T10:00:00Z").unwrap();
        let cases = [
            ("2026-03-27T08:00:00Z", "2026-03-27T08:00:00Z"),
            ("2026-03-27T10:00:00+02:00", "2026-03-27T08:00:00Z"),
            ("2026-03-27 08:00", "2026-03-27T08:00:00Z"),
            ("2026-03-27", "2026-03-27T00:00:00Z"),
            ("now", "2026-03-27T10:00:00Z"),
            ("now-90m", "2026-03-27T08:30:00Z"),
            ("1774598400", "2026-03-27T08:00:00Z"),
            ("1774598400000", "2026-03-27T08:00:00Z"),
            ("1774598400.5", "2026-03-27T08:00:00.5Z"),
        ];
        for (text, expected) in cases {
            let bounds = range(Some(text), None, now).unwrap();
            assert_eq!(bounds.first.as_nanos(), nanos(expected), "{text}");
            assert_eq!(bounds.last, Timestamp::MAX);
        }
        let day = range(None, Some("2026-03-27"), now).unwrap();
        assert_eq!(day.last.as_nanos(), nanos("2026-03-28T00:00:00Z") - 1);
        assert_eq!(range(None, None, now).unwrap(), TimeBounds::ALL);
    }

    #[test]
    fn what_is_no_time_is_told_with_a_hint() {
        let now = Timestamp::default();
        for text in [
            "",
            "yesterday",
            "2026",
            "2026-13-01",
            "now-",
            "12:00",
            "9999999999999999999",
        ] {
            let error = range(Some(text), None, now).unwrap_err();
            assert_eq!(error.code(), "invalid_parameter", "{text}");
            assert!(error.hint().unwrap().contains("now-1h"));
        }
        let error = range(None, Some("2026-03-27T10:00:00 02:00"), now).unwrap_err();
        assert!(error.hint().unwrap().contains("%2B"));
        let error = range(Some("2026-03-28"), Some("2026-03-27"), now).unwrap_err();
        assert!(error.to_string().contains("lies after"), "{error}");
    }
}
