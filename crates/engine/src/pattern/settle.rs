//! What forms teach of each other: where different words stand with all else equal, a word is a place.

use std::collections::{BTreeMap, BTreeSet};

use rapidhash::RapidHashMap;

use super::PatternForms;
use super::form::Form;
use super::forms::{Alike, absorbs_words};

/// So many different words in one place, with all else equal, are names rather than a part of the message. Methods of HTTP and
/// days of the week are fewer.
pub const VARIANTS_MIN: usize = 10;

/// What became of forms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    moved: Moved,
}

/// By form, those that are of another now.
pub(super) type Moved = RapidHashMap<Box<str>, Box<str>>;

impl Settled {
    /// The form that texts of a form are of.
    pub fn of<'f>(&'f self, form: &'f str) -> &'f str {
        self.moved.get(form).map_or(form, |to| to)
    }

    /// The forms that are of another now, with that one.
    pub fn moved(&self) -> impl Iterator<Item = (&str, &str)> {
        self.moved.iter().map(|(from, to)| (&**from, &**to))
    }
}

/// Finds out which of the forms known and new are of others: of those that have places where they have words, or of new ones that
/// many of them teach. Depends on which forms there are alone, not on their order.
pub fn settle<'f>(known: &PatternForms, new: impl IntoIterator<Item = &'f str>) -> Settled {
    let mut by_skeleton: BTreeMap<String, BTreeSet<Box<str>>> = BTreeMap::new();
    for form in new {
        let skeleton = Form::parse(form).skeleton();
        by_skeleton.entry(skeleton).or_default().insert(form.into());
    }
    let mut moved = Moved::default();
    for (skeleton, mut forms) in by_skeleton {
        match known.alike(&skeleton) {
            Some(alike) if forms.iter().all(|form| alike.contains(form)) => {
                let settled = alike.settled().iter();
                moved.extend(settled.map(|(from, to)| (from.clone(), to.clone())));
            }
            alike => {
                let alike = alike.into_iter().flat_map(Alike::iter);
                forms.extend(alike.map(Box::from));
                settle_alike(forms, &mut moved);
            }
        }
    }
    Settled { moved }
}

/// The same of forms that differ in words and places only.
pub(super) fn settle_alike(mut forms: BTreeSet<Box<str>>, moved: &mut Moved) {
    loop {
        let taught = taught(&forms);
        forms.extend(taught);
        let moving = moving(&forms);
        if moving.is_empty() {
            return;
        }
        forms.retain(|form| !moving.contains_key(form));
        for to in moved.values_mut() {
            if let Some(further) = moving.get(to) {
                *to = further.clone();
            }
        }
        moved.extend(moving);
    }
}

/// New forms: those with a place where many of the forms have different words.
fn taught(forms: &BTreeSet<Box<str>>) -> Vec<Box<str>> {
    let mut variants: RapidHashMap<String, usize> = RapidHashMap::default();
    if forms.len() < VARIANTS_MIN {
        return Vec::new();
    }
    for form in forms {
        let parsed = Form::parse(form);
        let (words, places) = (parsed.words(), parsed.places());
        for run in (0..u64::BITS).filter(|run| words >> run & 1 == 1) {
            let with_place = places | 1 << run;
            if absorbs_words(&parsed, with_place) {
                *variants.entry(parsed.masked(with_place)).or_default() += 1;
            }
        }
    }
    let many = variants
        .into_iter()
        .filter(|(_, count)| *count >= VARIANTS_MIN);
    many.map(|(form, _)| form.into()).collect()
}

/// The forms that are of another, which has places where they have words.
fn moving(forms: &BTreeSet<Box<str>>) -> RapidHashMap<Box<str>, Box<str>> {
    let mut alike = Alike::default();
    for form in forms {
        alike.insert(&Form::parse(form), form.clone());
    }
    let to = |form: &str| {
        let parsed = Form::parse(form);
        let own = parsed.places();
        let to = alike.most_specific(&parsed, |places| places != own)?;
        Some((form.into(), to.into()))
    };
    forms.iter().filter_map(|form| to(form)).collect()
}
