//! What a test says of all texts that follow a template, from the template and the stamps of its slots alone.

use cordwood_query::{Predicate, TextPattern, TextTest};
use cordwood_store::template::{CharClasses, Stamp, Template, TemplateUse, slot_runs};

/// What a test says of the texts of one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every one matches, whatever is in the slots.
    All,
    /// None can match.
    None,
    /// It depends on the slots.
    Maybe,
}

/// A test of texts, prepared to be asked of templates.
pub(crate) struct TemplateTest<'p> {
    predicate: &'p Predicate,
    required: Option<Required>,
}

/// What every matching text contains.
struct Required {
    literal: TextPattern,
    /// Its runs of slot characters. A match that reaches into a slot covers as much of it as one of these runs, because
    /// next to a slot there is no slot character.
    runs: Vec<LiteralRun>,
}

/// A run of slot characters in a literal.
struct LiteralRun {
    classes: CharClasses,
    /// The bytes a slot must have to hold it: unknown, and 0, where letters of two cases may differ in length.
    bytes_min: u32,
}

impl LiteralRun {
    fn of(run: &str) -> LiteralRun {
        let bytes = if run.is_ascii() { run.len() } else { 0 };
        LiteralRun {
            classes: CharClasses::of(run),
            bytes_min: u32::try_from(bytes).unwrap_or(u32::MAX),
        }
    }

    fn fits(&self, stamp: &Stamp) -> bool {
        stamp.classes.contain(self.classes) && self.bytes_min <= stamp.bytes_max
    }
}

impl<'p> TemplateTest<'p> {
    pub(crate) fn new(predicate: &'p Predicate) -> TemplateTest<'p> {
        let required = predicate.text_test().required_literal();
        let required = required.and_then(|literal| {
            Some(Required {
                literal: TextPattern::new(&literal)?,
                runs: slot_runs(&literal).map(LiteralRun::of).collect(),
            })
        });
        TemplateTest {
            predicate,
            required,
        }
    }

    /// The verdict on the texts of a template in one column of one block.
    pub(crate) fn verdict(&self, template: &Template, used: &TemplateUse) -> Verdict {
        if template.slots() == 0 {
            return match self.predicate.matches_text(template.text()) {
                true => Verdict::All,
                false => Verdict::None,
            };
        }
        if template.statics().any(|text| self.holds_for_part(text)) {
            return Verdict::All;
        }
        match &self.required {
            Some(required) if !self.can_hold(required, template, &used.stamps) => Verdict::None,
            _ => Verdict::Maybe,
        }
    }

    /// Whether every text matches that has this static text in it, between slots or at its end. Static text next to a
    /// slot begins and ends with a character that belongs to no word, so that its ends are word boundaries wherever a
    /// word of a phrase could begin or end there.
    fn holds_for_part(&self, text: &str) -> bool {
        match self.predicate.text_test() {
            TextTest::Always => true,
            TextTest::Contains(pattern) => pattern.matches(text),
            TextTest::Wildcard(pattern) => pattern.is_open() && pattern.matches(text),
            _ => false,
        }
    }

    /// Whether the required literal may stand in a text of the template. Of a phrase it is known already that it stands
    /// in no static text at word boundaries: then only the slots are left.
    fn can_hold(&self, required: &Required, template: &Template, stamps: &[Stamp]) -> bool {
        let is_phrase = matches!(self.predicate.text_test(), TextTest::Contains(_));
        let in_static = |text: &str| required.literal.candidate(text.as_bytes(), 0).is_some();
        let in_slot = |stamp: &Stamp| required.runs.iter().any(|run| run.fits(stamp));
        (!is_phrase && template.statics().any(in_static)) || stamps.iter().any(in_slot)
    }
}
