//! Templates of causes: text with names in braces.

use cordwood_query::FieldName;

use super::{Telling, sentence, words};
use crate::figures;
use crate::invalid::Mistakes;
use crate::limits::CAUSE_BYTES_MAX;
use crate::window::nanos_between;
use crate::{CheckedRule, Condition, Rule};

/// A template parsed; nothing for the sentence of the condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CauseTemplate(Option<Vec<Part>>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Text(String),
    Name(Name),
}

/// What stands in braces.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Name {
    /// `rule`: its name.
    Rule,
    /// `severity`
    Severity,
    /// `cause`: the sentence that would be said without a template.
    Sentence,
    /// `group`: fields and values; `series_name`, Better Stack's: the values alone.
    Group,
    Series,
    /// `group.host`
    GroupField(String),
    /// `labels.team`
    Label(String),
    /// `value`
    Value,
    /// `operator`: `above`.
    Operator,
    /// `threshold`: what it is compared with.
    Threshold,
    /// `since`: when it began; `duration`: how long ago that is; `window`: how long a window is.
    Since,
    Duration,
    Window,
    /// `pattern`: its text.
    Pattern,
}

/// The names that need nothing of the rule.
const NAMES: [(&str, Name); 12] = [
    ("rule", Name::Rule),
    ("severity", Name::Severity),
    ("cause", Name::Sentence),
    ("group", Name::Group),
    ("series_name", Name::Series),
    ("value", Name::Value),
    ("operator", Name::Operator),
    ("threshold", Name::Threshold),
    ("since", Name::Since),
    ("duration", Name::Duration),
    ("window", Name::Window),
    ("pattern", Name::Pattern),
];

impl CauseTemplate {
    /// The template of a rule.
    pub(crate) fn of(
        rule: &Rule,
        group_by: &[FieldName],
        mistakes: &mut Mistakes,
    ) -> Option<CauseTemplate> {
        let Some(text) = &rule.cause else {
            return Some(CauseTemplate(None));
        };
        mistakes.require(text.len() <= CAUSE_BYTES_MAX, "cause", || {
            format!("A cause has at most {CAUSE_BYTES_MAX} bytes; write more in `runbook`.")
        });
        let mut parts = Vec::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => parts.push(Part::Text(text.to_owned())),
                Piece::Name(name) => match named(name, rule, group_by) {
                    Some(name) => parts.push(Part::Name(name)),
                    None => mistakes.add("cause", unknown(name, rule, group_by)),
                },
                Piece::Unclosed => mistakes.add(
                    "cause",
                    "A `{` is never closed; write `}` behind the name, or `\\{` for the character.",
                ),
            }
        }
        Some(CauseTemplate(Some(parts)))
    }

    pub(super) fn parts(&self) -> Option<&[Part]> {
        self.0.as_deref()
    }
}

/// A piece of a template's text.
#[derive(Debug, PartialEq)]
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
    Unclosed,
}

/// Cuts a template up. `{name}` and, as Better Stack writes it, `{{name}}` are the same; `\{` is the character.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '\\']) {
        let (before, found) = rest.split_at(at);
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        if let Some(escaped) = found.strip_prefix('\\') {
            let is_brace = escaped.starts_with(['{', '}', '\\']);
            let (character, after) = match is_brace {
                true => escaped.split_at(1),
                false => found.split_at(1),
            };
            pieces.push(Piece::Text(character));
            rest = after;
            continue;
        }
        let (opening, closing) = match found.starts_with("{{") {
            true => ("{{", "}}"),
            false => ("{", "}"),
        };
        let inside = found.strip_prefix(opening).unwrap_or_default();
        let Some((name, after)) = inside.split_once(closing) else {
            pieces.push(Piece::Unclosed);
            return pieces;
        };
        pieces.push(Piece::Name(name.trim()));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn named(name: &str, rule: &Rule, group_by: &[FieldName]) -> Option<Name> {
    if let Some(field) = name.strip_prefix("group.") {
        let is_known = group_by.iter().any(|known| known.as_str() == field);
        return is_known.then(|| Name::GroupField(field.to_owned()));
    }
    if let Some(label) = name.strip_prefix("labels.") {
        let is_known = rule.labels.contains_key(label);
        return is_known.then(|| Name::Label(label.to_owned()));
    }
    let (_, found) = NAMES.iter().find(|(known, _)| *known == name)?;
    let suits = *found != Name::Pattern || matches!(rule.condition, Condition::NewPattern(_));
    suits.then(|| found.clone())
}

fn unknown(name: &str, rule: &Rule, group_by: &[FieldName]) -> String {
    let known = NAMES.iter().map(|(name, _)| format!("`{{{name}}}`"));
    let fields = group_by
        .iter()
        .map(|field| format!("`{{group.{}}}`", field.as_str()));
    let labels = rule
        .labels
        .keys()
        .map(|label| format!("`{{labels.{label}}}`"));
    let is_pattern = matches!(rule.condition, Condition::NewPattern(_));
    let known = known.filter(|name| is_pattern || name != "`{pattern}`");
    let names: Vec<String> = known.chain(fields).chain(labels).collect();
    format!(
        "`{{{name}}}` is no name of this rule; the names are {}.",
        names.join(", ")
    )
}

/// The template with what the names stand for.
pub(super) fn filled(parts: &[Part], rule: &CheckedRule, telling: &Telling<'_>) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Name(name) => text.push_str(&meaning(name, rule, telling)),
        }
    }
    text
}

fn meaning(name: &Name, rule: &CheckedRule, telling: &Telling<'_>) -> String {
    let reading = telling.reading;
    match name {
        Name::Rule => telling.rule_name.to_owned(),
        Name::Severity => rule.rule.severity.name().to_owned(),
        Name::Sentence => sentence::sentence(rule, telling),
        Name::Group => telling.group.to_string(),
        Name::Series => telling.group.name(),
        Name::GroupField(field) => telling.group.value(field).unwrap_or("(none)").to_owned(),
        Name::Label(label) => rule.rule.labels.get(label).cloned().unwrap_or_default(),
        Name::Value => rule
            .value_text(reading)
            .unwrap_or_else(|| "nothing".to_owned()),
        Name::Operator => words::operator(rule, reading).to_owned(),
        Name::Threshold => words::target(rule, reading),
        Name::Since => telling.since.to_string(),
        Name::Duration => figures::duration(nanos_between(telling.since, telling.at)),
        Name::Window => figures::duration(crate::window::nanos(rule.rule.window_s)),
        Name::Pattern => reading.text.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    #[test]
    fn braces_hold_names() {
        use Piece::{Name, Text, Unclosed};
        for (template, expected) in [
            ("", vec![]),
            ("plain", vec![Text("plain")]),
            (
                "{rule}: {value}",
                vec![Name("rule"), Text(": "), Name("value")],
            ),
            (
                "{{ series_name }} is",
                vec![Name("series_name"), Text(" is")],
            ),
            (
                r"\{rule} \n",
                vec![Text("{"), Text("rule} "), Text("\\"), Text("n")],
            ),
            ("a {rule", vec![Text("a "), Unclosed]),
            ("{{rule}", vec![Unclosed]),
        ] {
            assert_eq!(pieces(template), expected, "{template}");
        }
    }
}
