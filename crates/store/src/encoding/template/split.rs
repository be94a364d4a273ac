//! Finds the templates of tokenized texts, and who follows them.
//!
//! First every run with a digit and every rare run is a slot. Templates that too few texts follow are given up, and their
//! texts taken apart once more, with every run but the first a slot: so texts come together that differ in common words, such as
//! the name of a service; and if many are left then, smaller templates are made of these. Then a slot that says the same in all texts of its template is no slot. A template in which no word is left
//! says nothing of its texts, which are kept whole.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::slots::number;
use super::tokenized::{OutlineId, Token, TokenId, TokenKind, Tokenized};
use crate::template::{PLACEHOLDER, Template};

/// A run of slot characters without a digit is a slot as well if one run in so many texts, or fewer, equals it. Names and free
/// text between the words of a message would make a template of nearly every text of the reference corpus: 4199 of
/// 16 384 by the rule of digits alone.
const RARE_SHARE: usize = 1024;

/// A run that occurs so often is never rare.
const RARE_COUNT_MIN: usize = 4;

/// If more than one text in so many would be kept whole, all of which a search looks at and of which each word is listed, templates of
/// [`ROWS_OF_MANY_LEFT`] texts are worth their place after all. Of 34 000 real lines of sixteen systems one in 20 to 24 is left, and
/// half of that then, in a third more templates; of 11 200 rows of the reference corpus one in twenty.
const LEFT_SHARE: usize = 32;

/// See [`LEFT_SHARE`].
pub(crate) const ROWS_OF_MANY_LEFT: usize = 4;

/// The templates worth having, and who follows them.
#[derive(Debug)]
pub(super) struct Split {
    /// Sorted by text.
    pub(super) templates: Vec<SplitTemplate>,
    /// By row, 0 or the index of its template plus one.
    pub(super) codes: Vec<u16>,
    /// The rows that follow none, rising.
    pub(super) whole: Vec<u32>,
}

/// A template, and the texts that follow it.
#[derive(Debug)]
pub(super) struct SplitTemplate {
    pub(super) template: Template,
    /// The places of the slots among the tokens of each of the texts.
    pub(super) slots: Vec<usize>,
    /// Rising.
    pub(super) rows: Vec<u32>,
}

impl Split {
    /// The templates that at least `rows_min` texts follow.
    pub(super) fn of(texts: &Tokenized<'_>, rows_min: usize) -> Split {
        let rare_below = RARE_COUNT_MIN.max(texts.len() / RARE_SHARE);
        let is_rare = |token: &Token<'_>| {
            token.kind == TokenKind::Word && (token.count as usize) < rare_below
        };
        let is_rare: Vec<bool> = texts.tokens().iter().map(is_rare).collect();
        let is_variable = |id: TokenId| {
            id.number().is_some() || is_rare.get(id.index()).copied().unwrap_or(false)
        };
        let outlines = 0..number(texts.outline_count());
        let fine = Groups::of(texts, outlines, |_, id| is_variable(id));
        let (mut groups, left) = fine.split(rows_min);
        let coarse = |before: &[TokenId], id: TokenId| match before {
            [] => is_variable(id),
            [separator] if !texts.is_run(*separator) => is_variable(id),
            _ => texts.is_run(id),
        };
        let (more, left) = Groups::of(texts, left.into_iter(), coarse).split(rows_min);
        groups.extend(more);
        let rows_left = left.iter().map(|outline| texts.texts_of_outline(*outline));
        if rows_left.sum::<u32>() as usize * LEFT_SHARE > texts.len() {
            let left = Groups::of(texts, left.into_iter(), coarse);
            groups.extend(left.split(ROWS_OF_MANY_LEFT).0);
        }
        let groups = unite(texts, groups);
        let mut groups: Vec<(Template, Group)> = groups
            .into_iter()
            .filter_map(|group| Some((group.template(texts)?, group)))
            .collect();
        groups.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Split::by_outline(texts, groups)
    }

    /// Finds out who follows which template.
    fn by_outline(texts: &Tokenized<'_>, groups: Vec<(Template, Group)>) -> Split {
        let mut code_of = vec![0u16; texts.outline_count()];
        for ((_, group), code) in groups.iter().zip(1..) {
            for outline in &group.outlines {
                if let Some(slot) = code_of.get_mut(*outline as usize) {
                    *slot = code;
                }
            }
        }
        let code_of = |outline: OutlineId| code_of.get(outline as usize).copied().unwrap_or(0);
        let codes: Vec<u16> = texts.outlines().map(code_of).collect();
        let template = |(template, group): (Template, Group)| SplitTemplate {
            template,
            slots: group.slots(),
            rows: Vec::with_capacity(group.rows as usize),
        };
        let mut templates: Vec<SplitTemplate> = groups.into_iter().map(template).collect();
        let mut whole = Vec::new();
        for (row, code) in (0..).zip(&codes) {
            match templates.get_mut(usize::from(*code).wrapping_sub(1)) {
                Some(template) => template.rows.push(row),
                None => whole.push(row),
            }
        }
        Split {
            templates,
            codes,
            whole,
        }
    }
}

/// Texts that are the same but for their slots.
#[derive(Debug)]
struct Group {
    /// Their tokens, with [`TokenId::SLOT`] for the slots.
    shape: Vec<TokenId>,
    outlines: Vec<OutlineId>,
    /// How many texts have one of these.
    rows: u32,
}

/// Groups by shape.
#[derive(Debug)]
struct Groups {
    /// Chosen at random, so that no sender of texts knows which shapes share a hash.
    seed: u64,
    table: HashTable<(u64, usize)>,
    groups: Vec<Group>,
}

impl Groups {
    fn new() -> Groups {
        Groups {
            seed: rapidhash::fast::RandomState::new().hash_one(0),
            table: HashTable::new(),
            groups: Vec::new(),
        }
    }

    /// Groups some outlines; `is_slot` is asked of each token and those before it.
    fn of(
        texts: &Tokenized<'_>,
        outlines: impl Iterator<Item = OutlineId>,
        is_slot: impl Fn(&[TokenId], TokenId) -> bool,
    ) -> Groups {
        let mut groups = Groups::new();
        let mut shape = Vec::new();
        for outline in outlines {
            shape.clear();
            let tokens = texts.of_outline(outline);
            let places = tokens.iter().enumerate();
            shape.extend(places.map(|(place, id)| {
                let before = tokens.get(..place).unwrap_or_default();
                match is_slot(before, *id) {
                    true => TokenId::SLOT,
                    false => *id,
                }
            }));
            let group = groups.get(&shape);
            group.outlines.push(outline);
            group.rows += texts.texts_of_outline(outline);
        }
        groups
    }

    /// The group of a shape.
    fn get(&mut self, shape: &[TokenId]) -> &mut Group {
        let hash = hash_of(shape, self.seed);
        let groups = &self.groups;
        let is_same = |(other, index): &(u64, usize)| {
            *other == hash && groups.get(*index).is_some_and(|group| group.shape == shape)
        };
        let index = match self.table.find(hash, is_same) {
            Some((_, index)) => *index,
            None => {
                let index = self.groups.len();
                self.table
                    .insert_unique(hash, (hash, index), |(hash, _)| *hash);
                self.groups.push(Group {
                    shape: shape.to_vec(),
                    outlines: Vec::new(),
                    rows: 0,
                });
                index
            }
        };
        self.groups
            .get_mut(index)
            .expect("the table holds indexes of groups")
    }

    /// The groups of at least `rows_min` rows, and the outlines of all others.
    fn split(self, rows_min: usize) -> (Vec<Group>, Vec<OutlineId>) {
        let is_large = |group: &Group| group.rows as usize >= rows_min;
        let (large, small): (Vec<Group>, Vec<Group>) = self.groups.into_iter().partition(is_large);
        let left = small.into_iter().flat_map(|group| group.outlines);
        (large, left.collect())
    }
}

/// A hash of numbers, other for each seed.
fn hash_of(shape: &[TokenId], seed: u64) -> u64 {
    /// 2^64 divided by the golden ratio (Knuth, TAOCP volume 3, section 6.4).
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let hash = shape.iter().fold(seed, |hash, id| {
        (hash.rotate_left(5) ^ id.bits()).wrapping_mul(SPREAD)
    });
    hash ^ hash >> 32
}

/// The groups without slots that say the same in all their texts; those that are then of the same shape become one.
fn unite(texts: &Tokenized<'_>, groups: Vec<Group>) -> Vec<Group> {
    let mut united = Groups::new();
    for mut group in groups {
        group.settle(texts);
        let into = united.get(&group.shape);
        into.outlines.extend(group.outlines);
        into.rows += group.rows;
    }
    united.groups
}

impl Group {
    /// Makes text of every slot that says the same in all texts, unless it has a digit.
    fn settle(&mut self, texts: &Tokenized<'_>) {
        let first = self.outlines.first();
        let first = first.map_or(&[][..], |outline| texts.of_outline(*outline));
        for (place, (slot, id)) in self.shape.iter_mut().zip(first).enumerate() {
            let is_same = |outline: &OutlineId| texts.of_outline(*outline).get(place) == Some(id);
            let is_settled = || texts.is_word(*id) && self.outlines.iter().all(is_same);
            if *slot == TokenId::SLOT && is_settled() {
                *slot = *id;
            }
        }
    }

    /// `None` if it has no word, is too long for a template, or has too many slots.
    fn template(&self, texts: &Tokenized<'_>) -> Option<Template> {
        if !self.shape.iter().any(|id| texts.is_word(*id)) {
            return None;
        }
        Template::new(&texts.spelled(&self.shape, PLACEHOLDER)?)
    }

    /// The places of the slots.
    fn slots(&self) -> Vec<usize> {
        let places = self.shape.iter().enumerate();
        let slots = places.filter_map(|(place, id)| (*id == TokenId::SLOT).then_some(place));
        slots.collect()
    }
}
