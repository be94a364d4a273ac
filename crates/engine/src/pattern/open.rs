//! Templates in whose slots words may stand, so that these decide which pattern a text is of.
//!
//! Which of the known forms a text may be of is found out once for a template; of each text, nothing but its words in those slots
//! is looked at then, and texts whose words mean the same are of one pattern.

use rapidhash::RapidHashMap;

use cordwood_store::template::runs;

use super::form::{Form, PLACE, Piece, Places, cut, word_of};
use super::forms::absorbs_words;

/// A template with such slots, and the known forms that its texts may be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenTemplate {
    text: Box<str>,
    slots: Vec<OpenSlot>,
    /// Where all its texts have a place.
    places: Places,
    /// The one with the fewest places comes first.
    candidates: Vec<Candidate>,
}

/// A slot that may hold a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenSlot {
    /// Its place among the slots of the template.
    pub(crate) slot: usize,
    place: Places,
    /// Those that candidates have there.
    words: RapidHashMap<Box<str>, u32>,
}

/// What stands in an open slot, as far as candidates can tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    /// Something that varies by its nature.
    Varying,
    /// A word that candidates have there.
    Word(u32),
    /// Any other.
    OtherWord,
}

/// A known form that texts of a template may be of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    form: Box<str>,
    places: Places,
    /// Whether it takes texts that have words in its places.
    absorbs: bool,
    /// By open slot, the word that it has there, unless it has a place.
    words: Vec<Option<u32>>,
}

impl OpenTemplate {
    /// The template with this text and form, without candidates.
    pub(super) fn new(text: &str, form: &Form<'_>) -> OpenTemplate {
        let slots = form.open_slots().map(|(slot, place)| OpenSlot {
            slot,
            place,
            words: RapidHashMap::default(),
        });
        OpenTemplate {
            text: text.into(),
            slots: slots.collect(),
            places: form.places(),
            candidates: Vec::new(),
        }
    }

    /// Takes a known form with these places for a candidate, if some text of the template may be of it. The one with the fewest
    /// places has to come first.
    pub(super) fn consider(&mut self, template: &Form<'_>, known: &str, places: Places) {
        let Some(words) = words_in(template, known) else {
            return;
        };
        let absorbs = absorbs_words(&Form::parse(known), 0);
        if !absorbs && places & template.statics() != 0 {
            return;
        }
        let slots = self.slots.iter_mut();
        let words = slots
            .zip(words)
            .map(|(slot, word)| Some(slot.index_of(word?)));
        self.candidates.push(Candidate {
            form: known.into(),
            places,
            absorbs,
            words: words.collect(),
        });
    }

    /// The form of all texts of the template, if its first candidate takes whatever is in the slots.
    pub(super) fn common(&self) -> Option<&str> {
        let first = self.candidates.first()?;
        let takes_any = first.words.iter().all(Option::is_none);
        let takes_all = takes_any && (first.absorbs || first.places == self.places);
        takes_all.then_some(&*first.form)
    }

    /// The slots that may hold words.
    pub(crate) fn slots(&self) -> &[OpenSlot] {
        &self.slots
    }

    /// The known forms that texts of the template may be of.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &str> {
        self.candidates.iter().map(|candidate| &*candidate.form)
    }

    /// Of which of the candidates a text is that has this in its open slots.
    pub(crate) fn known(&self, standing: &[Standing]) -> Option<usize> {
        let slots = self.slots.iter().zip(standing);
        let varying = slots.filter(|(_, standing)| **standing == Standing::Varying);
        let own = varying.fold(self.places, |places, (slot, _)| places | slot.place);
        let mut candidates = self.candidates.iter();
        candidates.position(|candidate| candidate.takes(own, standing))
    }

    /// The form of a text that has these words in its open slots.
    pub(crate) fn form_with<'w>(&'w self, words: impl Iterator<Item = Option<&'w str>>) -> String {
        Form::of_template(&self.text).with_words(words)
    }
}

impl OpenSlot {
    /// What a value of the slot means.
    pub(crate) fn standing(&self, value: &str) -> Standing {
        match word_of(value) {
            None => Standing::Varying,
            Some(word) => match self.words.get(word) {
                Some(index) => Standing::Word(*index),
                None => Standing::OtherWord,
            },
        }
    }

    fn index_of(&mut self, word: &str) -> u32 {
        if let Some(index) = self.words.get(word) {
            return *index;
        }
        let index = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.words.insert(word.into(), index);
        index
    }
}

impl Candidate {
    /// Whether it takes a text with these places of its own and this in its open slots.
    fn takes(&self, own: Places, standing: &[Standing]) -> bool {
        let has_places = self.places & own == own && (self.absorbs || self.places == own);
        let mut words = self.words.iter().zip(standing);
        has_places
            && words
                .all(|(word, standing)| word.is_none_or(|word| *standing == Standing::Word(word)))
    }
}

/// What texts of a template have in its open slots if they are of a known form, `None` where that has a place; `None` if no text can be.
fn words_in<'k>(template: &Form<'_>, known: &'k str) -> Option<Vec<Option<&'k str>>> {
    let mut rest = known;
    let mut words = Vec::new();
    for piece in template.pieces() {
        let behind_place = rest.strip_prefix(PLACE);
        rest = match (piece, behind_place) {
            (Piece::Between(between), _) => rest.strip_prefix(between)?,
            (Piece::Word(_) | Piece::Place(_), Some(behind)) => behind,
            (Piece::Word(word), None) => rest.strip_prefix(word)?,
            (Piece::Place(_), None) => return None,
            (Piece::Slot(_), Some(behind)) => {
                words.push(None);
                behind
            }
            (Piece::Slot(_), None) => {
                let run = runs(rest).next().filter(|run| run.range.start == 0)?;
                words.push(Some(cut(rest, run.range.clone())));
                cut(rest, run.range.end..rest.len())
            }
        };
    }
    rest.is_empty().then_some(words)
}
