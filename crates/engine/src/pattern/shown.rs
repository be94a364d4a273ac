//! A pattern as people read it, and as a query that finds its events.

use std::fmt::Write as _;

use cordwood_store::template::runs;

use super::form::{BETWEEN_BYTES_MAX, CUT, Form, PLACE, cut};

/// The form of a text as people read it: each place says of which kind is what stands there in an example.
pub fn typed(form: &str, example: &str) -> String {
    let places = places_in(form, example);
    let mut typed = String::new();
    for (index, between) in form.split(PLACE).enumerate() {
        if index > 0 {
            let place = places.as_ref().and_then(|places| places.get(index - 1));
            typed.push_str(&place.map_or("<*>".to_owned(), |text| kind_of(text)));
        }
        typed.push_str(between);
    }
    typed
}

/// What stands in the places of a form in one of its texts; `None` if it is none.
fn places_in<'e>(form: &str, example: &'e str) -> Option<Vec<&'e str>> {
    let (read, form) = (Form::of_text(example), Form::parse(form));
    if read.skeleton() != form.skeleton() {
        return None;
    }
    let places = form.places();
    let texts = read.texts().enumerate();
    let in_place = texts.filter(|(run, _)| places >> run & 1 == 1);
    Some(in_place.map(|(_, text)| text).collect())
}

/// A kind of text, with what stands around the numbers in it: `<num>ms`.
fn kind_of(text: &str) -> String {
    if is_uuid(text) {
        return "<uuid>".to_owned();
    }
    let end = text.trim_end_matches([':', '.']).len();
    let (text, end) = text.split_at(end);
    let kind = match text {
        _ if text.parse::<std::net::IpAddr>().is_ok() => "<ip>".to_owned(),
        _ if is_endpoint(text) => "<ip>:<num>".to_owned(),
        _ if is_time(text) => "<time>".to_owned(),
        _ if text.starts_with('/') => "<path>".to_owned(),
        _ if text.contains("://") => "<url>".to_owned(),
        _ if is_hex(text) => "<hex>".to_owned(),
        _ => match around_number(text) {
            Some((before, after)) => format!("{before}<num>{after}"),
            None => "<*>".to_owned(),
        },
    };
    format!("{kind}{end}")
}

fn is_uuid(text: &str) -> bool {
    const PARTS: [usize; 5] = [8, 4, 4, 4, 12];
    let is_part = |(part, len): (&str, usize)| {
        part.len() == len && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    text.split('-').count() == PARTS.len() && text.split('-').zip(PARTS).all(is_part)
}

fn is_endpoint(text: &str) -> bool {
    text.parse::<std::net::SocketAddr>().is_ok()
}

/// A date, a time of the day, or both, in digits: at least three groups of them with two characters between that dates and times have.
fn is_time(text: &str) -> bool {
    let is_mark = |c: char| matches!(c, '-' | ':' | '/' | '.' | 'T' | 'Z' | '+');
    let groups = text.split(is_mark).filter(|group| !group.is_empty());
    let has_marks = text
        .chars()
        .filter(|c| matches!(c, '-' | ':' | '/'))
        .count()
        >= 2;
    has_marks && text.chars().all(|c| c.is_ascii_digit() || is_mark(c)) && groups.count() >= 3
}

fn is_hex(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is_long = digits.len() >= 8 || digits.len() < text.len();
    is_long
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// What stands before and after the one number in a text.
fn around_number(text: &str) -> Option<(&str, &str)> {
    let is_digit = |c: char| c.is_ascii_digit();
    let start = text.find(is_digit)?;
    let (before, rest) = text.split_at(start);
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let (_, after) = rest.split_at(end);
    let is_plain = |part: &str| !part.contains(is_digit) && part.len() <= AROUND_BYTES_MAX;
    (is_plain(before) && is_plain(after)).then_some((before, after))
}

/// More is a name with a number in it rather than a number with a unit.
const AROUND_BYTES_MAX: usize = 12;

/// A query for the events of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternQuery {
    /// In the query language: the words of the pattern as phrases, and its shape as a regular expression.
    pub text: String,
}

impl PatternQuery {
    /// The query for the texts of a form in a field.
    pub fn of(field: &str, form: &str) -> PatternQuery {
        let mut text = String::new();
        for phrase in phrases(form) {
            let _ = write!(text, "{field}:\"{phrase}\" ");
        }
        let _ = write!(text, "{field}=~/{}/", expression(form));
        PatternQuery { text }
    }
}

/// The longest of the static texts between places, from word to word.
fn phrases(form: &str) -> Vec<String> {
    /// With these a block is ruled out as well as with more.
    const PHRASES_MAX: usize = 3;
    let mut phrases: Vec<&str> = form.split(PLACE).filter_map(phrase_of).collect();
    phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
    phrases.truncate(PHRASES_MAX);
    let escaped = phrases.into_iter();
    escaped
        .map(|phrase| phrase.replace('\\', "\\\\").replace('"', "\\\""))
        .collect()
}

/// From the first word with a letter to the last; ends where the form was cut.
fn phrase_of(between: &str) -> Option<&str> {
    let has_letter = |range: &std::ops::Range<usize>| {
        cut(between, range.clone()).chars().any(char::is_alphabetic)
    };
    let mut words = runs(between).map(|run| run.range).filter(has_letter);
    let first = words.next()?;
    let last = words.last().unwrap_or_else(|| first.clone());
    Some(cut(between, first.start..last.end))
}

/// The shape of the texts of a form: its line, whatever stands in its places.
fn expression(form: &str) -> String {
    let mut expression = String::from(r"(?:^|[\n\r\x00])");
    let mut before = None;
    for (index, between) in form.split(PLACE).enumerate() {
        if index > 0 {
            let quote = before.filter(|mark| matches!(mark, '"' | '\'' | '`'));
            match quote.filter(|mark| between.starts_with(*mark)) {
                Some(mark) => {
                    let _ = write!(expression, "[^{mark}]*");
                }
                None => expression.push_str(RUN),
            }
        }
        push_literal(between, &mut expression);
        before = between.chars().next_back();
    }
    if !form.ends_with(CUT) {
        expression.push_str(r"\s*(?:$|[\n\r\x00])");
    }
    expression
}

/// A run: whatever it is not made of is ASCII, and so named in less than what it is made of.
const RUN: &str = r##"[^\x00- !"#$&'()*,;<=>?\[\\\]^`{|}~]+"##;

/// A text to be matched as it is, but for what may have been cut off between two words.
fn push_literal(text: &str, expression: &mut String) {
    let text = text.strip_suffix(CUT).unwrap_or(text);
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '.'
                | '+'
                | '*'
                | '?'
                | '('
                | ')'
                | '|'
                | '['
                | ']'
                | '{'
                | '}'
                | '^'
                | '$'
                | '/'
        ) {
            expression.push('\\');
        }
        expression.push(c);
    }
    let mut longest = text.split(char::is_alphanumeric).map(str::len);
    if longest.any(|between| between >= BETWEEN_BYTES_MAX - char::MAX_LEN_UTF8) {
        expression.push_str(".*");
    }
}
