//! Forms that are known, and which of them a text is of.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rapidhash::{RapidHashMap, RapidHashSet};

use super::form::{Form, Places};
use super::open::OpenTemplate;
use super::settle::{Moved, settle_alike};

/// A form with fewer words is of nothing but itself: `failed 5` says nothing of `failed again`.
const WORDS_MIN: u32 = 2;

/// The forms known of a field, such as those that texts of a source had so far.
#[derive(Clone, Debug, Default)]
pub struct PatternForms {
    by_skeleton: RapidHashMap<Box<str>, Alike>,
}

/// Forms that differ in words and places only.
#[derive(Clone, Debug, Default)]
pub(super) struct Alike {
    /// By where the places are.
    by_places: BTreeMap<Specific, RapidHashSet<Box<str>>>,
    /// What they teach of each other, found out when it is first asked for: of forms that are known to a server, every question asks.
    settled: OnceLock<Moved>,
}

/// Where the places of a form are; the fewest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Specific {
    count: u32,
    pub(super) places: Places,
}

impl Specific {
    pub(super) fn of(places: Places) -> Specific {
        Specific {
            count: places.count_ones(),
            places,
        }
    }
}

/// What is known of the texts of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Common {
    /// All are of this form, which is known.
    Known(Box<str>),
    /// All are of this form.
    New(Box<str>),
    /// That depends on what is in the slots.
    Open(OpenTemplate),
}

impl PatternForms {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_skeleton.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_skeleton.values().map(Alike::len).sum()
    }

    /// The forms, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.by_skeleton.values().flat_map(Alike::iter)
    }

    /// Adds a form, given as text.
    pub fn insert(&mut self, form: &str) {
        let parsed = Form::parse(form);
        let alike = self.by_skeleton.entry(parsed.skeleton().into());
        alike.or_default().insert(&parsed, form.into());
    }

    pub(super) fn alike(&self, skeleton: &str) -> Option<&Alike> {
        self.by_skeleton.get(skeleton)
    }

    /// The known form that a text of this form is of: the one with the fewest places. `None` if it is of no other and not known.
    pub(crate) fn known(&self, form: &Form<'_>) -> Option<String> {
        let alike = self.by_skeleton.get(&*form.skeleton())?;
        alike.most_specific(form, |_| true)
    }

    /// The same of all texts of a template, given as text.
    pub(crate) fn common(&self, template: &str) -> Common {
        let form = Form::of_template(template);
        let mut open = OpenTemplate::new(template, &form);
        let own = form.places();
        let alike = self.by_skeleton.get(&*form.skeleton());
        for (specific, known) in alike.iter().flat_map(|alike| &alike.by_places) {
            if specific.places & own == own {
                let known = known.iter();
                known.for_each(|known| open.consider(&form, known, specific.places));
            }
            if open.common().is_some() {
                break;
            }
        }
        match open.common() {
            Some(known) => Common::Known(known.into()),
            None if open.slots().is_empty() => Common::New(form.text().into()),
            None => Common::Open(open),
        }
    }
}

impl<'f> FromIterator<&'f str> for PatternForms {
    fn from_iter<I: IntoIterator<Item = &'f str>>(forms: I) -> PatternForms {
        let mut known = PatternForms::default();
        forms.into_iter().for_each(|form| known.insert(form));
        known
    }
}

/// Whether a form with these places takes texts that have words there.
pub(super) fn absorbs_words(form: &Form<'_>, places: Places) -> bool {
    (form.words() & !places).count_ones() >= WORDS_MIN
}

impl Alike {
    pub(super) fn len(&self) -> usize {
        self.by_places.values().map(RapidHashSet::len).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.by_places.values().flatten().map(|form| &**form)
    }

    pub(super) fn insert(&mut self, parsed: &Form<'_>, form: Box<str>) {
        let specific = Specific::of(parsed.places());
        self.by_places.entry(specific).or_default().insert(form);
        self.settled = OnceLock::new();
    }

    pub(super) fn contains(&self, form: &str) -> bool {
        let specific = Specific::of(Form::parse(form).places());
        let forms = self.by_places.get(&specific);
        forms.is_some_and(|forms| forms.contains(form))
    }

    /// Which of them are of others.
    pub(super) fn settled(&self) -> &Moved {
        self.settled.get_or_init(|| {
            let mut moved = Moved::default();
            settle_alike(self.iter().map(Box::from).collect(), &mut moved);
            moved
        })
    }

    /// The form with the fewest places, of those that `are_meant`, that texts of a form are of.
    pub(super) fn most_specific(
        &self,
        form: &Form<'_>,
        are_meant: impl Fn(Places) -> bool,
    ) -> Option<String> {
        let own = form.places();
        let mut candidates = self.by_places.iter();
        candidates.find_map(|(specific, forms)| {
            let places = specific.places;
            let is_possible = places & own == own && are_meant(places);
            if !is_possible || (places != own && !absorbs_words(form, places)) {
                return None;
            }
            let masked = form.masked(places);
            forms.contains(&*masked).then_some(masked)
        })
    }
}
