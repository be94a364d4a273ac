//! The pattern of `parse`: text with captures in it.

use std::ops::Range;

use crate::limits::CAPTURES_MAX;
use crate::near_names;
use crate::parse::Parser;
use crate::parse::word::Literal;
use crate::{Capture, CaptureKind, Diagnostic, ParsePattern, PatternPart};

/// Names that mean something of an event itself.
const RESERVED: [&str; 4] = ["dt", "level", "_source", "_id"];

const KINDS: [(&str, CaptureKind); 3] = [
    ("text", CaptureKind::Text),
    ("number", CaptureKind::Number),
    ("word", CaptureKind::Word),
];

/// What is wrong with a pattern, and which bytes of it.
struct Fault {
    span: Range<usize>,
    message: String,
    hint: String,
}

impl Fault {
    fn new(span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault {
            span,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl Parser<'_> {
    /// Reads the text in quotes as a pattern, or notes why it is none.
    pub(super) fn pattern(&mut self, literal: &Literal) -> Option<ParsePattern> {
        let text = literal.text();
        match read(&text) {
            Ok(pattern) => Some(pattern),
            Err(fault) => {
                let inner = literal.span.start + 1..literal.span.end - 1;
                // An escape shifts what follows it; then the whole pattern is shown.
                let span = match self.cursor.slice(inner.clone()) == text {
                    true => inner.start + fault.span.start..inner.start + fault.span.end,
                    false => literal.span.clone(),
                };
                self.note(Diagnostic::new(span, fault.message).hint(fault.hint));
                None
            }
        }
    }
}

fn read(text: &str) -> Result<ParsePattern, Fault> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with("<<") {
            literal.push('<');
            at += 2;
        } else if c == '<' {
            let (capture, span) = read_capture(rest, at)?;
            if !literal.is_empty() {
                parts.push(PatternPart::Literal(std::mem::take(&mut literal)));
            }
            check_capture(&parts, &capture, span.clone())?;
            parts.push(PatternPart::Capture(capture));
            at = span.end;
        } else {
            literal.push(c);
            at += c.len_utf8();
        }
    }
    if captures(&parts).next().is_none() {
        return Err(Fault::new(
            0..text.len(),
            "This pattern captures nothing.",
            "Write `<name>` where a field is to be taken from the text.",
        ));
    }
    if !literal.is_empty() {
        parts.push(PatternPart::Literal(literal));
    }
    Ok(ParsePattern { parts })
}

/// The capture at the start of `text`, which begins with `<` at byte `at` of the pattern.
fn read_capture(text: &str, at: usize) -> Result<(Capture, Range<usize>), Fault> {
    let Some(close) = text.find('>') else {
        return Err(Fault::new(
            at..at + 1,
            "This capture is never closed.",
            "Add `>` after its name, or write `<<` for the character itself.",
        ));
    };
    let span = at..at + close + 1;
    let inside = text.get(1..close).unwrap_or_default();
    let (name, kind) = match inside.split_once(':') {
        Some((name, kind)) => (name, read_kind(kind, at + 1 + name.len() + 1)?),
        None => (inside, CaptureKind::Text),
    };
    let is_name = !name.is_empty() && name.chars().all(may_stand_in_name);
    if !is_name {
        let message = format!("`{name}` cannot be the name of a capture.");
        let hint = "Names are made of letters, digits, `_`, `-`, `.` and `@`; for the character itself write `<<`.";
        return Err(Fault::new(span, message, hint));
    }
    if RESERVED.contains(&name) {
        let message = format!("`{name}` is the event's own and cannot be captured.");
        let hint = format!(
            "Choose another name, such as `<parsed_{}>`.",
            name.trim_start_matches('_')
        );
        return Err(Fault::new(span, message, hint));
    }
    let name = name.to_owned();
    Ok((Capture { name, kind }, span))
}

fn may_stand_in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@')
}

fn read_kind(kind: &str, at: usize) -> Result<CaptureKind, Fault> {
    if let Some((_, known)) = KINDS.iter().find(|(name, _)| *name == kind) {
        return Ok(*known);
    }
    let near = near_names(kind, KINDS.iter().map(|(name, _)| *name));
    let hint = match near.first() {
        Some(near) => format!("Did you mean `{near}`?"),
        None => "Write `number`, `word`, or nothing for any text.".to_owned(),
    };
    let message = format!("`{kind}` is no kind of capture.");
    Err(Fault::new(at..at + kind.len(), message, hint))
}

/// Whether the capture may follow the parts before it.
fn check_capture(
    parts: &[PatternPart],
    capture: &Capture,
    span: Range<usize>,
) -> Result<(), Fault> {
    if matches!(parts.last(), Some(PatternPart::Capture(_))) {
        return Err(Fault::new(
            span,
            "Two captures touch, so that nothing tells where the first ends.",
            "Put the text between them that stands there.",
        ));
    }
    if captures(parts).any(|earlier| earlier.name == capture.name) {
        let message = format!("Two captures are named `{}`.", capture.name);
        return Err(Fault::new(span, message, "Give one of them another name."));
    }
    if captures(parts).count() == CAPTURES_MAX {
        let message = format!("There are more than {CAPTURES_MAX} captures, which is the limit.");
        return Err(Fault::new(span, message, "Take them in two stages."));
    }
    Ok(())
}

fn captures(parts: &[PatternPart]) -> impl Iterator<Item = &Capture> {
    parts.iter().filter_map(|part| match part {
        PatternPart::Capture(capture) => Some(capture),
        PatternPart::Literal(_) => None,
    })
}
