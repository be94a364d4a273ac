//! Finds the templates of tokenized texts, and who follows them.
//!
//! First every run with a digit and every rare run is a slot. Templates that too few texts follow are given up, and their
//! texts taken apart once more, with every run but the first a slot: so texts come together that differ in common words, such as
//! the name of a service. Then a slot that says the same in all texts of its template is no slot. A template in which no word is left
//! says nothing of its texts, which are kept whole.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::tokenized::{TokenId, TokenKind, Tokenized};
use crate::template::{PLACEHOLDER, Template};

/// A run of slot characters without a digit is a slot as well if one run in so many texts, or fewer, equals it. Names and free
/// text between the words of a message would make a template of nearly every text of the reference corpus: 4199 of
/// 16 384 by the rule of digits alone.
const RARE_SHARE: usize = 1024;

/// A run that occurs so often is never rare.
const RARE_COUNT_MIN: usize = 4;

/// Stands for a slot in a sequence of tokens. No token has this number, because a block has fewer bytes.
const SLOT: TokenId = TokenId::MAX;

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
        let is_variable: Vec<bool> = texts
            .tokens()
            .iter()
            .map(|token| match token.kind {
                TokenKind::Separator => false,
                TokenKind::Word => (token.count as usize) < rare_below,
                TokenKind::Number => true,
            })
            .collect();
        let is_variable = |id: TokenId| is_variable.get(id as usize).copied().unwrap_or(false);
        let is_run = |id: TokenId| {
            let token = texts.token(id);
            token.is_some_and(|token| token.kind != TokenKind::Separator)
        };
        let rows = (0u32..).take(texts.len());
        let (mut groups, left) = Groups::of(texts, rows, |_, id| is_variable(id)).split(rows_min);
        // The first run is the first token, or the second behind a separator.
        let coarse = |place: usize, id: TokenId| match place {
            0 | 1 => is_variable(id),
            _ => is_run(id),
        };
        let (more, mut whole) = Groups::of(texts, left.into_iter(), coarse).split(rows_min);
        groups.extend(more);
        let mut templates = Vec::new();
        for group in unite(texts, groups) {
            match group.template(texts) {
                Some(template) => templates.push(SplitTemplate {
                    template,
                    slots: group.slots(),
                    rows: group.rows,
                }),
                None => whole.extend(group.rows),
            }
        }
        whole.sort_unstable();
        templates.sort_unstable_by(|a, b| a.template.cmp(&b.template));
        Split {
            codes: codes_of(&templates, texts.len()),
            templates,
            whole,
        }
    }
}

fn codes_of(templates: &[SplitTemplate], rows: usize) -> Vec<u16> {
    let mut codes = vec![0; rows];
    for (template, code) in templates.iter().zip(1u16..) {
        for row in &template.rows {
            if let Some(slot) = codes.get_mut(*row as usize) {
                *slot = code;
            }
        }
    }
    codes
}

/// Texts that are the same but for their slots.
#[derive(Debug)]
struct Group {
    /// Their tokens, with [`SLOT`] for the slots.
    shape: Vec<TokenId>,
    rows: Vec<u32>,
}

/// Groups by shape.
#[derive(Debug, Default)]
struct Groups {
    hasher: rapidhash::fast::RandomState,
    table: HashTable<(u64, usize)>,
    groups: Vec<Group>,
}

impl Groups {
    /// Groups some rows; `is_slot` is asked of the place and the number of each token.
    fn of(
        texts: &Tokenized<'_>,
        rows: impl Iterator<Item = u32>,
        is_slot: impl Fn(usize, TokenId) -> bool,
    ) -> Groups {
        let mut groups = Groups::default();
        let mut shape = Vec::new();
        for row in rows {
            shape.clear();
            let tokens = texts.of_text(row).iter().enumerate();
            shape.extend(tokens.map(|(place, id)| match is_slot(place, *id) {
                true => SLOT,
                false => *id,
            }));
            groups.get(&shape).rows.push(row);
        }
        groups
    }

    /// The group of a shape.
    fn get(&mut self, shape: &[TokenId]) -> &mut Group {
        let hash = self.hasher.hash_one(shape);
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
                    rows: Vec::new(),
                });
                index
            }
        };
        self.groups
            .get_mut(index)
            .expect("the table holds indexes of groups")
    }

    /// The groups of at least `rows_min` rows, and the rows of all others.
    fn split(self, rows_min: usize) -> (Vec<Group>, Vec<u32>) {
        let is_large = |group: &Group| group.rows.len() >= rows_min;
        let (large, small): (Vec<Group>, Vec<Group>) = self.groups.into_iter().partition(is_large);
        let mut left: Vec<u32> = small.into_iter().flat_map(|group| group.rows).collect();
        left.sort_unstable();
        (large, left)
    }
}

/// The groups without slots that say the same in all their texts; those that are then of the same shape become one.
fn unite(texts: &Tokenized<'_>, groups: Vec<Group>) -> Vec<Group> {
    let mut united = Groups::default();
    for mut group in groups {
        group.settle(texts);
        let rows = &mut united.get(&group.shape).rows;
        let is_first = rows.is_empty();
        rows.extend(group.rows);
        if !is_first {
            rows.sort_unstable();
        }
    }
    united.groups
}

impl Group {
    /// Makes text of every slot that says the same in all texts, unless it has a digit.
    fn settle(&mut self, texts: &Tokenized<'_>) {
        let first = self.rows.first().map_or(&[][..], |row| texts.of_text(*row));
        for (place, (slot, id)) in self.shape.iter_mut().zip(first).enumerate() {
            let is_word = || {
                let token = texts.token(*id);
                token.is_some_and(|token| token.kind == TokenKind::Word)
            };
            let is_same = |row: &u32| texts.of_text(*row).get(place) == Some(id);
            if *slot == SLOT && is_word() && self.rows.iter().all(is_same) {
                *slot = *id;
            }
        }
    }

    /// `None` if it has no word, is too long for a template, or has too many slots.
    fn template(&self, texts: &Tokenized<'_>) -> Option<Template> {
        let is_word = |id: &TokenId| {
            let token = texts.token(*id);
            token.is_some_and(|token| token.kind == TokenKind::Word)
        };
        if !self.shape.iter().any(is_word) {
            return None;
        }
        let pieces = self.shape.iter().map(|id| match *id {
            SLOT => PLACEHOLDER,
            id => texts.text(id),
        });
        Template::new(&pieces.collect::<String>())
    }

    /// The places of the slots.
    fn slots(&self) -> Vec<usize> {
        let places = self.shape.iter().enumerate();
        let slots = places.filter_map(|(place, id)| (*id == SLOT).then_some(place));
        slots.collect()
    }
}
