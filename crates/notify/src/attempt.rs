//! What came of an attempt, and whether another one helps.

use std::time::Duration;

use serde_json::Value;

/// Bytes of an answer that are kept at most: a sentence or two.
pub const RESPONSE_BYTES_MAX: usize = 500;

/// A server that asks for more patience than this is taken to mean this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// An attempt to send something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The status of HTTP or SMTP; `None` if nobody answered.
    pub status: Option<u16>,
    /// The beginning of what was answered, or why nobody did; without secrets.
    pub response: String,
    /// How long it took.
    pub took: Duration,
    /// What follows from it.
    pub verdict: Verdict,
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Delivered,
    /// It may be taken later.
    Retry {
        /// Not before, if the server said so.
        after: Option<Duration>,
    },
    /// It will never be taken as it is.
    Refused,
}

/// What an answer of HTTP means: 429, 408, 425 and what the server blames itself for pass; other answers stay what they are. A
/// redirect is not followed: it leads where nobody checked.
pub(crate) fn verdict_of_http(
    status: u16,
    retry_after: Option<&str>,
    body: &str,
    now_s: i64,
) -> Verdict {
    match status {
        200..300 => Verdict::Delivered,
        408 | 425 | 429 | 500.. => {
            let after = retry_after
                .and_then(|text| delay(text, now_s))
                .or_else(|| delay_in(body));
            Verdict::Retry {
                after: after.map(|after| after.min(RETRY_AFTER_MAX)),
            }
        }
        _ => Verdict::Refused,
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, of which some providers send parts, or a date.
fn delay(text: &str, now_s: i64) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.ceil()).ok();
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    let seconds = date.as_second().saturating_sub(now_s).max(0);
    Some(Duration::from_secs(seconds.unsigned_abs()))
}

/// Discord and Telegram say it in the body: `retry_after`, `parameters.retry_after`.
fn delay_in(body: &str) -> Option<Duration> {
    let body: Value = serde_json::from_str(body).ok()?;
    let seconds = [&body["retry_after"], &body["parameters"]["retry_after"]];
    let seconds = seconds.into_iter().find_map(Value::as_f64)?;
    Duration::try_from_secs_f64(seconds.ceil()).ok()
}

/// The beginning of an answer, in characters that do no harm where it is shown.
pub(crate) fn beginning(text: &str) -> String {
    let shown = text.trim().chars().map(|character| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    });
    let mut kept = String::new();
    for character in shown {
        if kept.len() + character.len_utf8() > RESPONSE_BYTES_MAX {
            break;
        }
        kept.push(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_mean() {
        let retry = |seconds: u64| Verdict::Retry {
            after: Some(Duration::from_secs(seconds)),
        };
        let now_s = 784_111_700;
        let cases = [
            (200, None, "ok", Verdict::Delivered),
            (202, Some("5"), "", Verdict::Delivered),
            (301, None, "", Verdict::Refused),
            (400, None, "no_text", Verdict::Refused),
            (401, Some("5"), "", Verdict::Refused),
            (404, None, "", Verdict::Refused),
            (408, None, "", Verdict::Retry { after: None }),
            (429, Some("17"), "", retry(17)),
            (429, Some("0.3"), "", retry(1)),
            (429, Some("-1"), "", Verdict::Retry { after: None }),
            (429, Some("1e300"), "", Verdict::Retry { after: None }),
            (429, Some("999999999"), "", retry(86_400)),
            (429, Some("Sun, 06 Nov 1994 08:49:37 GMT"), "", retry(77)),
            (429, Some("soon"), "", Verdict::Retry { after: None }),
            (
                429,
                None,
                r#"{"message": "You are being rate limited.", "retry_after": 64.57}"#,
                retry(65),
            ),
            (
                429,
                None,
                r#"{"ok":false,"parameters":{"retry_after":31}}"#,
                retry(31),
            ),
            (503, Some("120"), "", retry(120)),
            (500, None, "<html>", Verdict::Retry { after: None }),
        ];
        for (status, retry_after, body, expected) in cases {
            let found = verdict_of_http(status, retry_after, body, now_s);
            assert_eq!(found, expected, "{status} {retry_after:?} {body}");
        }
    }

    #[test]
    fn answers_are_kept_short_and_harmless() {
        assert_eq!(beginning("\nno \u{1b}[31mway\n"), "no  [31mway");
        assert_eq!(beginning(&"ä".repeat(400)).len(), RESPONSE_BYTES_MAX);
    }
}
