//! The ids that an event carries: what ties it to the events of the same request, wherever these were logged.
//!
//! Chosen by the names programs give them and by what they look like; no tracing library is needed.

use cordwood_event::{Event, Scalar, path};

use super::trace::VALUE_BYTES_MAX;

/// Names of what belongs to one request, as they end without punctuation: the ids of W3C Trace Context, OpenTelemetry,
/// Zipkin, AWS and Azure, and what web servers and frameworks write.
const OF_REQUEST: [&str; 10] = [
    "traceid",
    "traceparent",
    "requestid",
    "reqid",
    "correlationid",
    "transactionid",
    "operationid",
    "invocationid",
    "activityid",
    "requestuuid",
];

/// Names of what lasts longer: of use where there is none of the others.
const OF_ERRAND: [&str; 12] = [
    "sessionid",
    "session",
    "jobid",
    "taskid",
    "runid",
    "messageid",
    "orderid",
    "paymentid",
    "batchid",
    "workflowid",
    "executionid",
    "conversationid",
];

/// A value is no id below this length, and what has no digit not below the second: `none`, `anonymous`.
const LENGTH_MIN: usize = 4;
const LETTERS_MIN: usize = 12;

/// What has the length of a random number of 64 bits or more in hexadecimal digits, is hardly anything else.
const RANDOM_LENGTH_MIN: usize = 16;

/// An id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// The field it was found in; `None` if somebody gave it.
    pub field: Option<String>,
    /// The id, without what stands around it in the field.
    pub value: String,
}

/// How likely an id ties together what belongs together, the likeliest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    Request,
    Errand,
    Shape,
}

/// The ids of an event to follow, all of one kind, and the others that it has.
pub(super) fn identifiers(event: &Event) -> (Vec<Identifier>, Vec<Identifier>) {
    let fields = event.fields.iter();
    let found = fields.filter_map(|(stored, value)| {
        let name = path::name(stored);
        let (tie, value) = identifier(&name, value.as_scalar())?;
        let field = Some(name.into_owned());
        Some((tie, Identifier { field, value }))
    });
    let mut found: Vec<(Tie, Identifier)> = found.collect();
    found.sort_by(|(a_tie, a), (b_tie, b)| (a_tie, &a.field).cmp(&(b_tie, &b.field)));
    let mut seen: Vec<String> = Vec::new();
    found.retain(|(_, identifier)| {
        let is_new = !seen.contains(&identifier.value);
        seen.push(identifier.value.clone());
        is_new
    });
    let best = found.first().map(|(tie, _)| *tie);
    let (followed, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(tie, _)| Some(*tie) == best);
    let without_tie = |found: Vec<(Tie, Identifier)>| found.into_iter().map(|(_, id)| id).collect();
    (without_tie(followed), without_tie(others))
}

fn identifier(name: &str, value: Scalar<'_>) -> Option<(Tie, String)> {
    let text = match value {
        Scalar::Str(text) => text.trim().to_owned(),
        Scalar::Int(integer) => integer.to_string(),
        _ => return None,
    };
    let plain: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let ends_with = |names: &[&str]| names.iter().any(|end| plain.ends_with(end));
    // A span is a part of a trace: following it would lose the rest.
    if plain.ends_with("spanid") || plain == "parentid" {
        return None;
    }
    let bare = without_frame(&text).to_owned();
    if ends_with(&OF_REQUEST) && looks_chosen(&bare) {
        return Some((Tie::Request, bare));
    }
    if ends_with(&OF_ERRAND) && looks_chosen(&bare) {
        return Some((Tie::Errand, bare));
    }
    let is_named = plain.ends_with("id") || plain.ends_with("key");
    (is_named && looks_random(&bare)).then_some((Tie::Shape, bare))
}

/// The trace within `00-<trace>-<span>-01` of W3C Trace Context, and in `Root=<trace>;Parent=…` of AWS.
fn without_frame(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix("Root=") {
        return rest.split(';').next().unwrap_or(rest);
    }
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [version, trace, span, flags]
            if [version, trace, span, flags].map(|part| part.len()) == [2, 32, 16, 2]
                && parts.iter().all(|part| is_hex(part)) =>
        {
            trace
        }
        _ => text,
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether somebody gave this out as an id: neither a word nor nothing.
fn looks_chosen(text: &str) -> bool {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_something = text
        .bytes()
        .any(|byte| byte.is_ascii_alphanumeric() && byte != b'0');
    (LENGTH_MIN..=VALUE_BYTES_MAX).contains(&text.len())
        && !text.contains(char::is_whitespace)
        && is_something
        && (has_digit || text.len() >= LETTERS_MIN)
}

/// Whether this is a random number in one of the ways these are written: UUID, hexadecimal, ULID, KSUID, nanoid.
fn looks_random(text: &str) -> bool {
    let is_mixed = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_one_piece = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    text.len() >= RANDOM_LENGTH_MIN && is_mixed && is_one_piece && looks_chosen(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_by_name_and_shape() {
        let uuid = "550e8400-e29b-41d4-a716-446655440000";
        let hex = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = format!("00-{hex}-00f067aa0ba902b7-01");
        type Case<'a> = (&'a str, &'a str, Option<(Tie, &'a str)>);
        let cases: [Case<'_>; 18] = [
            ("request_id", uuid, Some((Tie::Request, uuid))),
            (
                "http.headers.x-request-id",
                "a1b2",
                Some((Tie::Request, "a1b2")),
            ),
            ("X-Correlation-ID", "job 7", None),
            ("traceId", hex, Some((Tie::Request, hex))),
            ("traceparent", &parent, Some((Tie::Request, hex))),
            (
                "headers.traceparent",
                "00-00-00-01",
                Some((Tie::Request, "00-00-00-01")),
            ),
            (
                "x-amzn-trace-id",
                "Root=1-67891233-abcdef012345678912345678;Sampled=1",
                Some((Tie::Request, "1-67891233-abcdef012345678912345678")),
            ),
            ("trace_id", "00000000000000000000000000000000", None),
            ("request_id", "none", None),
            ("request_id", "-", None),
            ("request_id", "anonymous", None),
            ("span_id", "00f067aa0ba902b7", None),
            ("session", "s-81723", Some((Tie::Errand, "s-81723"))),
            ("user_id", "42", None),
            ("user_id", "u-4711", None),
            ("cart_id", uuid, Some((Tie::Shape, uuid))),
            ("sha", hex, None),
            ("message", uuid, None),
        ];
        for (name, value, expected) in cases {
            let found = identifier(name, Scalar::Str(value));
            let expected = expected.map(|(tie, value)| (tie, value.to_owned()));
            assert_eq!(found, expected, "{name}={value}");
        }
        assert_eq!(
            identifier("request_id", Scalar::Int(81_723)),
            Some((Tie::Request, "81723".to_owned()))
        );
    }
}
