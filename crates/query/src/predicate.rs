//! A test compiled: decided for one value, and laid open for whoever evaluates many at once.

use std::fmt::Write;
use std::ops::Bound;

use cordwood_event::{Number, Scalar, Timestamp};

use crate::leaf::{Leaves, any_leaf};
use crate::text::{AnyLiteral, each_value, select_by_candidates};
use crate::{
    Cidr, Interrupt, NumberInterval, Range, Reach, RegexTest, RequiredWords, Test, TextPattern,
    WildcardPattern,
};

/// A test of one value, compiled. It suits the targets that are fields.
#[derive(Clone, Debug)]
pub struct Predicate {
    kind: Kind,
    /// The numbers for which it holds; `None` when that depends on how they are written.
    intervals: Option<Box<[NumberInterval]>>,
    interrupt: Interrupt,
}

#[derive(Clone, Debug)]
enum Kind {
    Never,
    Present,
    Contains(TextPattern, Option<bool>),
    Equals(Box<str>, Option<bool>),
    /// The raw value of `level`, where even equality ignores case.
    EqualsFolded(Box<str>),
    Wildcard(WildcardPattern),
    Regex(RegexTest),
    Numbers(NumberInterval),
    TextRange(Range),
    Cidr(Cidr),
    /// The alternatives, and what finds those that can match a text when they are many.
    AnyOf(Box<[Predicate]>, Option<AnyLiteral>),
}

/// What a predicate asks of text values.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TextTest<'p> {
    /// No text matches.
    Never,
    /// Every text matches.
    Always,
    /// This text and no other.
    Exact(&'p str),
    /// Text that contains the phrase.
    Contains(&'p TextPattern),
    /// Text that matches the pattern as a whole or in a word.
    Wildcard(&'p WildcardPattern),
    /// Text that contains a match.
    Regex(&'p RegexTest),
    /// Text that is an address or a block of them within this one.
    Cidr(Cidr),
    /// Something else, to be asked value by value or through [`Predicate::select_texts`].
    Other,
}

impl TextTest<'_> {
    /// A part of every text that matches, folded: no text matches that does not contain it, ignoring case. `None` if
    /// there is none, or it is not known.
    pub fn required_literal(&self) -> Option<String> {
        match self {
            TextTest::Exact(text) => Some(text.chars().map(crate::fold).collect()),
            TextTest::Contains(pattern) => Some(pattern.literal()),
            TextTest::Wildcard(pattern) => pattern.literal(),
            TextTest::Regex(regex) => {
                let literal = str::from_utf8(regex.literal()?).ok()?;
                Some(literal.chars().map(crate::fold).collect())
            }
            TextTest::Never | TextTest::Always | TextTest::Cidr(_) | TextTest::Other => None,
        }
    }
}

impl Predicate {
    /// Compiles a test; `now` is for relative times, which no field has today.
    pub fn new(test: &Test, _now: Timestamp) -> Predicate {
        Predicate::of_field(test)
    }

    pub(crate) fn of_field(test: &Test) -> Predicate {
        match test {
            Test::Present => Predicate::with(Kind::Present, Some(vec![NumberInterval::ALL])),
            Test::Contains(phrase) => match TextPattern::new(phrase) {
                Some(pattern) => Predicate::with(
                    Kind::Contains(pattern, boolean_ignoring_case(phrase)),
                    Some(points(phrase)),
                ),
                None => Predicate::never(),
            },
            Test::Equals(text) => Predicate::with(
                Kind::Equals(text.as_str().into(), text.parse().ok()),
                Some(points(text)),
            ),
            Test::Wildcard(wildcard) => {
                Predicate::with(Kind::Wildcard(WildcardPattern::new(wildcard)), None)
            }
            Test::Regex(regex) => Predicate::with(Kind::Regex(regex.clone()), None),
            Test::Range(range) => match range.numbers() {
                Some(interval) => Predicate::with(Kind::Numbers(interval), Some(vec![interval])),
                None => Predicate::with(Kind::TextRange(range.clone()), Some(Vec::new())),
            },
            Test::Cidr(cidr) => Predicate::with(Kind::Cidr(*cidr), Some(Vec::new())),
            Test::Time(_) | Test::Id(_) => Predicate::never(),
            Test::AnyOf(tests) => {
                Predicate::any_of(tests.iter().map(Predicate::of_field).collect())
            }
        }
    }

    pub(crate) fn any_of(members: Vec<Predicate>) -> Predicate {
        let intervals = members
            .iter()
            .map(|member| member.intervals.as_deref())
            .collect::<Option<Vec<_>>>()
            .map(|intervals| intervals.concat());
        let literals = AnyLiteral::new(members.iter().map(Predicate::required_ascii));
        Predicate::with(Kind::AnyOf(members.into(), literals), intervals)
    }

    /// A part of every text that matches, ignoring the case of ASCII.
    fn required_ascii(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Contains(pattern, _) => pattern.ascii_part(),
            Kind::Equals(text, _) => Some(text.as_bytes()),
            _ => None,
        }
    }

    pub(crate) fn equals_folded(text: &str) -> Predicate {
        Predicate::with(
            Kind::EqualsFolded(text.chars().map(crate::fold).collect::<String>().into()),
            Some(points(text)),
        )
    }

    pub(crate) fn never() -> Predicate {
        Predicate::with(Kind::Never, Some(Vec::new()))
    }

    fn with(kind: Kind, intervals: Option<Vec<NumberInterval>>) -> Predicate {
        Predicate {
            kind,
            intervals: intervals.map(Vec::into),
            interrupt: Interrupt::default(),
        }
    }

    /// The same test, which gives up when interrupted.
    #[must_use]
    pub fn interrupted_by(mut self, interrupt: &Interrupt) -> Predicate {
        if let Kind::AnyOf(members, literals) = self.kind {
            let members = members.into_iter();
            let members = members
                .map(|member| member.interrupted_by(interrupt))
                .collect();
            self.kind = Kind::AnyOf(members, literals);
        }
        self.interrupt = interrupt.clone();
        self
    }

    /// Whether the test holds for the value of a field; for an array, for any element of it.
    pub fn matches(&self, value: Scalar<'_>) -> bool {
        match value {
            _ if self.is_presence() => value != Scalar::Null,
            Scalar::Json(json) if json.starts_with(['[', '{']) => {
                any_leaf(json, Leaves::Elements, &mut |leaf| self.matches_leaf(leaf))
            }
            leaf => self.matches_leaf(leaf),
        }
    }

    /// Whether the test holds for a field that reaches into this value as `reach` says.
    pub fn matches_at(&self, reach: Reach<'_>, value: Scalar<'_>) -> bool {
        match (reach, value) {
            (Reach::Whole, _) => self.matches(value),
            (Reach::Inside(name), Scalar::Json(json)) if json.starts_with('[') => {
                any_leaf(json, Leaves::Named(name), &mut |leaf| {
                    self.matches_leaf(leaf)
                })
            }
            (Reach::Inside(_), _) => false,
        }
    }

    /// Whether the test holds for the value or for any leaf below it, the reading of a search in any field.
    pub fn matches_anywhere(&self, value: Scalar<'_>) -> bool {
        match value {
            Scalar::Json(json) if json.starts_with(['[', '{']) && !self.is_presence() => {
                any_leaf(json, Leaves::Everywhere, &mut |leaf| {
                    self.matches_leaf(leaf)
                })
            }
            _ => self.matches(value),
        }
    }

    /// Whether the test holds for every value that is not null, and for no other.
    pub fn is_presence(&self) -> bool {
        match &self.kind {
            Kind::Present => true,
            Kind::AnyOf(members, _) => members.iter().any(Predicate::is_presence),
            _ => false,
        }
    }

    /// The numbers for which the test holds, as a union of intervals; none at all when it is a test of text. `None`
    /// when the test reads numbers as text: then ask value by value.
    pub fn number_intervals(&self) -> Option<&[NumberInterval]> {
        self.intervals.as_deref()
    }

    /// The words without which no value passes: neither text nor number nor boolean, as a field or inside an array.
    pub fn required_words(&self) -> RequiredWords {
        match &self.kind {
            Kind::Never => RequiredWords::NOTHING,
            Kind::Contains(pattern, _) => self.or_equal_number(pattern.required_words()),
            Kind::Equals(text, _) | Kind::EqualsFolded(text) => {
                let folded = text.chars().map(crate::fold);
                self.or_equal_number(RequiredWords::of_literal(folded))
            }
            Kind::Wildcard(pattern) => pattern.required_words(),
            Kind::Regex(regex) => regex
                .literal()
                .map_or(RequiredWords::Unknown, RequiredWords::of_part),
            Kind::AnyOf(members, _) => members
                .iter()
                .map(Predicate::required_words)
                .fold(RequiredWords::NOTHING, RequiredWords::or),
            Kind::Present | Kind::Numbers(_) | Kind::TextRange(_) | Kind::Cidr(_) => {
                RequiredWords::Unknown
            }
        }
    }

    /// A literal that is a number is passed by every number of its value, too.
    fn or_equal_number(&self, of_text: RequiredWords) -> RequiredWords {
        let intervals = self.intervals.iter().flatten();
        intervals.fold(of_text, |words, interval| match interval.lower {
            Bound::Included(number) => words.or(RequiredWords::of_number(number)),
            _ => RequiredWords::Unknown,
        })
    }

    /// What the test asks of text values.
    pub fn text_test(&self) -> TextTest<'_> {
        match &self.kind {
            Kind::Never => TextTest::Never,
            Kind::Present => TextTest::Always,
            Kind::Contains(pattern, _) => TextTest::Contains(pattern),
            Kind::Equals(text, _) => TextTest::Exact(text),
            Kind::Wildcard(pattern) => TextTest::Wildcard(pattern),
            Kind::Regex(regex) => TextTest::Regex(regex),
            Kind::Cidr(cidr) => TextTest::Cidr(*cidr),
            Kind::EqualsFolded(_) | Kind::Numbers(_) | Kind::TextRange(_) | Kind::AnyOf(..) => {
                TextTest::Other
            }
        }
    }

    /// The tests of which any must hold, if this is a choice.
    pub fn alternatives(&self) -> Option<&[Predicate]> {
        match &self.kind {
            Kind::AnyOf(members, _) => Some(members),
            _ => None,
        }
    }

    /// Whether the test holds for a text value.
    pub fn matches_text(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Never => false,
            Kind::Present => true,
            Kind::Contains(pattern, _) => pattern.matches(text),
            Kind::Equals(expected, _) => **expected == *text,
            Kind::EqualsFolded(expected) => text.chars().map(crate::fold).eq(expected.chars()),
            Kind::Wildcard(pattern) => pattern.matches_unless(&self.interrupt, text),
            Kind::Regex(regex) => regex.matches_unless(&self.interrupt, text.as_bytes()),
            Kind::Numbers(interval) => {
                Number::parse(text).is_some_and(|number| interval.contains(number))
            }
            Kind::TextRange(range) => range.contains_text(text),
            Kind::Cidr(cidr) => cidr.contains_text(text),
            Kind::AnyOf(members, None) => members.iter().any(|member| member.matches_text(text)),
            Kind::AnyOf(members, Some(literals)) => {
                literals.any(text.as_bytes(), |index| members[index].matches_text(text))
            }
        }
    }

    /// Calls `select` with the index of each text value that matches, in order. The values lie end to end
    /// in `run`, which is UTF-8; `ends` holds where each of them ends.
    pub fn select_texts(&self, run: &[u8], ends: &[u32], select: &mut dyn FnMut(usize)) {
        match &self.kind {
            Kind::Contains(pattern, _) => pattern.select(run, ends, select),
            Kind::Wildcard(pattern) => pattern.select(run, ends, &self.interrupt, select),
            Kind::Regex(regex) => regex.select(run, ends, &self.interrupt, select),
            Kind::AnyOf(members, None) => self.select_any(members, run, ends, select),
            Kind::AnyOf(_, Some(literals)) => select_by_candidates(
                run,
                ends,
                |from| literals.candidate(run, from),
                |value, _| str::from_utf8(value).is_ok_and(|text| self.matches_text(text)),
                select,
            ),
            Kind::Equals(expected, _) => each_value(run, ends, &mut |index, value| {
                if value == expected.as_bytes() {
                    select(index);
                }
            }),
            _ => each_value(run, ends, &mut |index, value| {
                if str::from_utf8(value).is_ok_and(|text| self.matches_text(text)) {
                    select(index);
                }
            }),
        }
    }

    fn select_any(
        &self,
        members: &[Predicate],
        run: &[u8],
        ends: &[u32],
        select: &mut dyn FnMut(usize),
    ) {
        let mut is_selected = vec![false; ends.len()];
        for member in members {
            if self.interrupt.stops() {
                return;
            }
            member.select_texts(run, ends, &mut |index| is_selected[index] = true);
        }
        for (index, _) in is_selected.iter().enumerate().filter(|(_, is)| **is) {
            select(index);
        }
    }

    fn matches_leaf(&self, value: Scalar<'_>) -> bool {
        match value {
            Scalar::Null => false,
            Scalar::Str(text) => self.matches_text(text),
            Scalar::Bool(boolean) => self.matches_bool(boolean),
            Scalar::Int(_) | Scalar::Float(_) | Scalar::Json(_) => self.matches_number(value),
        }
    }

    fn matches_bool(&self, value: bool) -> bool {
        match &self.kind {
            Kind::Present => true,
            Kind::Contains(_, boolean) | Kind::Equals(_, boolean) => *boolean == Some(value),
            Kind::EqualsFolded(_) | Kind::Wildcard(_) | Kind::Regex(_) => {
                self.matches_text(if value { "true" } else { "false" })
            }
            Kind::AnyOf(members, _) => members.iter().any(|member| member.matches_bool(value)),
            Kind::Never | Kind::Numbers(_) | Kind::TextRange(_) | Kind::Cidr(_) => false,
        }
    }

    fn matches_number(&self, value: Scalar<'_>) -> bool {
        if let Some(intervals) = &self.intervals {
            return value
                .as_number()
                .is_some_and(|number| intervals.iter().any(|interval| interval.contains(number)));
        }
        match &self.kind {
            Kind::AnyOf(members, _) => members.iter().any(|member| member.matches_number(value)),
            _ => self.matches_text(&number_text(value)),
        }
    }
}

/// A number as JSON writes it.
pub(crate) fn number_text(value: Scalar<'_>) -> String {
    let mut text = String::new();
    match value {
        Scalar::Int(integer) => {
            let _ = write!(text, "{integer}");
        }
        other => cordwood_event::json::write_value(&mut text, other),
    }
    text
}

fn points(literal: &str) -> Vec<NumberInterval> {
    Number::parse(literal)
        .map(NumberInterval::point)
        .into_iter()
        .collect()
}

fn boolean_ignoring_case(literal: &str) -> Option<bool> {
    if literal.eq_ignore_ascii_case("true") {
        Some(true)
    } else if literal.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
