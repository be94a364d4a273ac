//! The pattern of `parse` at work: what it captures from a text.
//!
//! A pattern occurs where its first literal stands, each capture ends where the literal after it next stands, and every
//! capture finds what it takes. Of several places the first counts. Where the pattern begins with a capture, that is the
//! beginning of the text. What a later place would look for lies no earlier than what an earlier one found, so each
//! literal is looked for once over the text, however often the first stands in it: the time is linear.

use cordwood_event::Scalar;
use memchr::memmem::Finder;

use crate::leaf::number;
use crate::limits::CAPTURED_NUMBER_BYTES_MAX;
use crate::{CaptureKind, ParsePattern, PatternPart};

/// A pattern, compiled.
#[derive(Clone, Debug)]
pub struct CompiledPattern {
    /// What stands before the first capture.
    first: Option<Finder<'static>>,
    steps: Box<[Step]>,
}

/// A capture, and the literal that ends it.
#[derive(Clone, Debug)]
struct Step {
    name: Box<str>,
    kind: CaptureKind,
    /// `None`: nothing follows.
    until: Option<Finder<'static>>,
}

/// What the search for one step has found, so that going on from a later place does not look again.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    literal: Option<usize>,
    space: Option<usize>,
}

/// Why the pattern does not occur at a place.
enum Miss {
    /// A capture finds something else.
    Here,
    /// A literal stands nowhere behind it.
    Everywhere,
}

impl CompiledPattern {
    /// Compiles a pattern.
    pub fn new(pattern: &ParsePattern) -> CompiledPattern {
        let mut first = None;
        let mut steps: Vec<Step> = Vec::new();
        for part in &pattern.parts {
            match part {
                PatternPart::Capture(capture) => steps.push(Step {
                    name: capture.name.as_str().into(),
                    kind: capture.kind,
                    until: None,
                }),
                PatternPart::Literal(text) => {
                    let finder = Some(Finder::new(text).into_owned());
                    match steps.last_mut() {
                        Some(step) => step.until = finder,
                        None => first = finder,
                    }
                }
            }
        }
        CompiledPattern {
            first,
            steps: steps.into(),
        }
    }

    /// The names of the captures, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| &*step.name)
    }

    /// What each capture finds, in the order of [`Self::names`]; `None` where the pattern does not occur.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Vec<Scalar<'t>>> {
        let mut found = vec![Found::default(); self.steps.len()];
        let mut values = Vec::with_capacity(self.steps.len());
        let Some(first) = &self.first else {
            return self
                .walk(text, 0, &mut found, &mut values)
                .ok()
                .map(|()| values);
        };
        let mut from = 0;
        loop {
            let start = from + first.find(text.as_bytes().get(from..)?)?;
            let after = start + first.needle().len();
            match self.walk(text, after, &mut found, &mut values) {
                Ok(()) => return Some(values),
                Err(Miss::Everywhere) => return None,
                Err(Miss::Here) => from = start + 1,
            }
        }
    }

    /// Takes the captures one after the other from `at` on.
    fn walk<'t>(
        &self,
        text: &'t str,
        mut at: usize,
        found: &mut [Found],
        values: &mut Vec<Scalar<'t>>,
    ) -> Result<(), Miss> {
        values.clear();
        for (step, found) in self.steps.iter().zip(found) {
            let end = match &step.until {
                Some(literal) => found.literal(literal, text, at).ok_or(Miss::Everywhere)?,
                None => found.last_end(step.kind, text, at),
            };
            values.push(found.value(step.kind, text, at, end).ok_or(Miss::Here)?);
            at = end
                + step
                    .until
                    .as_ref()
                    .map_or(0, |literal| literal.needle().len());
        }
        Ok(())
    }
}

impl Found {
    /// Where the literal next stands at or after `at`.
    fn literal(&mut self, literal: &Finder<'_>, text: &str, at: usize) -> Option<usize> {
        if let Some(known) = self.literal.filter(|known| *known >= at) {
            return Some(known);
        }
        let next = at + literal.find(text.as_bytes().get(at..)?)?;
        self.literal = Some(next);
        Some(next)
    }

    /// Where the next white space stands at or after `at`, or the text ends.
    fn space(&mut self, text: &str, at: usize) -> usize {
        if let Some(known) = self.space.filter(|known| *known >= at) {
            return known;
        }
        let rest = text.get(at..).unwrap_or_default();
        let next = at + rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.space = Some(next);
        next
    }

    /// Where a capture ends that nothing follows: it takes all it can.
    fn last_end(&mut self, kind: CaptureKind, text: &str, at: usize) -> usize {
        match kind {
            CaptureKind::Text => text.len(),
            CaptureKind::Word => self.space(text, at),
            CaptureKind::Number => {
                let rest = text.as_bytes().get(at..).unwrap_or_default();
                let end = number_bytes(rest);
                // `007` is not the number 0.
                let is_cut = rest.get(end).is_some_and(u8::is_ascii_digit);
                at + if is_cut { 0 } else { end }
            }
        }
    }

    fn value<'t>(
        &mut self,
        kind: CaptureKind,
        text: &'t str,
        at: usize,
        end: usize,
    ) -> Option<Scalar<'t>> {
        let captured = text.get(at..end)?;
        match kind {
            CaptureKind::Text => Some(Scalar::Str(captured)),
            CaptureKind::Word => {
                let is_word = !captured.is_empty() && self.space(text, at) >= end;
                is_word.then_some(Scalar::Str(captured))
            }
            CaptureKind::Number => {
                let is_number = !captured.is_empty()
                    && captured.len() <= CAPTURED_NUMBER_BYTES_MAX
                    && number_bytes(captured.as_bytes()) == captured.len();
                is_number.then(|| number(captured))
            }
        }
    }
}

/// The length of the longest number in JSON's syntax that `text` begins with; looks no further than is allowed.
fn number_bytes(text: &[u8]) -> usize {
    let text = text.get(..CAPTURED_NUMBER_BYTES_MAX + 1).unwrap_or(text);
    let byte = |at: usize| text.get(at).copied().unwrap_or_default();
    let digits = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let sign = usize::from(byte(0) == b'-');
    let whole = match byte(sign) {
        b'0' => 1,
        _ => digits(sign),
    };
    if whole == 0 {
        return 0;
    }
    let mut end = sign + whole;
    let decimals = digits(end + 1);
    if byte(end) == b'.' && decimals > 0 {
        end += 1 + decimals;
    }
    if matches!(byte(end), b'e' | b'E') {
        let sign = usize::from(matches!(byte(end + 1), b'+' | b'-'));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}
