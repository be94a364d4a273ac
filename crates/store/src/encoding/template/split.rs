//! Takes the texts of a column apart and groups them by template.

use std::hash::BuildHasher;

use hashbrown::{HashMap, HashTable};

use crate::template::{PLACEHOLDER, Piece, SLOTS_MAX, Template, for_each_piece, runs};

/// A run of slot characters without a digit is a slot as well if one text in so many, or fewer, has it. Names and free
/// text between the words of a message would make a template of nearly every text of the reference corpus: 4199 of
/// 16 384 by the rule of digits alone.
const RARE_SHARE: usize = 1024;

/// A run that so many texts have is never rare.
const RARE_ROWS_MIN: usize = 4;

/// Texts as templates and slots.
#[derive(Debug)]
pub(super) struct Split<'a> {
    /// The text of each template, and how many texts follow it.
    templates: Vec<(Box<str>, usize)>,
    /// By row, its template.
    template_of: Vec<u32>,
    /// The slots of all rows, one after the other.
    slots: Vec<&'a str>,
    /// By row, where its slots begin.
    starts: Vec<usize>,
}

/// The templates worth having, and who follows them.
#[derive(Debug)]
pub(super) struct Grouped {
    /// Sorted by text.
    pub(super) templates: Vec<Template>,
    /// By row, 0 or the index of its template plus one.
    pub(super) codes: Vec<u16>,
    /// The rows of each code, one code after the other, and where each code begins.
    rows: Vec<u32>,
    starts: Vec<usize>,
}

impl<'a> Split<'a> {
    /// `None` if there are more than `templates_max` templates.
    pub(super) fn of(texts: &[&'a str], templates_max: usize) -> Option<Split<'a>> {
        let hasher = rapidhash::fast::RandomState::new();
        let mut table: HashTable<(u64, u32)> = HashTable::new();
        let mut split = Split {
            templates: Vec::new(),
            template_of: Vec::with_capacity(texts.len()),
            slots: Vec::with_capacity(texts.len()),
            starts: Vec::with_capacity(texts.len()),
        };
        let counts = count_words(texts);
        let rare_below = RARE_ROWS_MIN.max(texts.len() / RARE_SHARE);
        let is_rare = |run: &str| counts.get(run).is_none_or(|count| *count < rare_below);
        let mut skeleton = String::new();
        for text in texts {
            split.starts.push(split.slots.len());
            skeleton.clear();
            for_each_piece(text, is_rare, |piece| match piece {
                Piece::Static(text) => skeleton.push_str(text),
                Piece::Slot(slot) => {
                    skeleton.push_str(PLACEHOLDER);
                    split.slots.push(slot);
                }
            });
            let hash = hasher.hash_one(skeleton.as_bytes());
            let is_known = |(other, index): &(u64, u32)| {
                let known = split.templates.get(*index as usize);
                *other == hash && known.is_some_and(|(known, _)| **known == *skeleton)
            };
            let index = match table.find(hash, is_known) {
                Some((_, index)) => *index,
                None if split.templates.len() == templates_max => return None,
                None => {
                    let index = u32::try_from(split.templates.len()).ok()?;
                    split.templates.push((skeleton.as_str().into(), 0));
                    table.insert_unique(hash, (hash, index), |(hash, _)| *hash);
                    index
                }
            };
            if let Some((_, count)) = split.templates.get_mut(index as usize) {
                *count += 1;
            }
            split.template_of.push(index);
        }
        Some(split)
    }

    /// Groups the rows by template; those of a template with fewer than `rows_min` rows are kept whole.
    pub(super) fn grouped(&self, rows_min: usize) -> Grouped {
        let mut kept: Vec<(Template, usize)> = Vec::new();
        for (index, (text, count)) in self.templates.iter().enumerate() {
            if *count >= rows_min
                && let Some(template) = Template::new(text)
            {
                debug_assert!(template.slots() <= SLOTS_MAX, "checked by the template");
                kept.push((template, index));
            }
        }
        kept.sort_unstable();
        let mut code_of = vec![0u16; self.templates.len()];
        for ((_, index), code) in kept.iter().zip(1u16..) {
            if let Some(slot) = code_of.get_mut(*index) {
                *slot = code;
            }
        }
        let code = |template: &u32| code_of.get(*template as usize).copied().unwrap_or(0);
        let codes: Vec<u16> = self.template_of.iter().map(code).collect();
        Grouped::new(
            kept.into_iter().map(|(template, _)| template).collect(),
            codes,
        )
    }

    /// What stands in one slot in the given rows.
    pub(super) fn slot_values(&self, rows: &[u32], slot: usize) -> Vec<&'a str> {
        let value = |row: &u32| {
            let start = self.starts.get(*row as usize)?;
            self.slots.get(start + slot).copied()
        };
        rows.iter().filter_map(value).collect()
    }
}

/// How often each run of slot characters without a digit occurs.
fn count_words<'a>(texts: &[&'a str]) -> HashMap<&'a str, usize, rapidhash::fast::RandomState> {
    let mut counts = HashMap::default();
    for text in texts {
        for run in runs(text).filter(|run| !run.has_digit) {
            if let Some(word) = text.get(run.range) {
                *counts.entry(word).or_insert(0) += 1;
            }
        }
    }
    counts
}

impl Grouped {
    fn new(templates: Vec<Template>, codes: Vec<u16>) -> Grouped {
        let mut starts = vec![0usize; templates.len() + 2];
        for code in &codes {
            if let Some(start) = starts.get_mut(usize::from(*code) + 1) {
                *start += 1;
            }
        }
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut next = starts.clone();
        let mut rows = vec![0u32; codes.len()];
        for (row, code) in (0u32..).zip(&codes) {
            if let Some(place) = next.get_mut(usize::from(*code)) {
                if let Some(slot) = rows.get_mut(*place) {
                    *slot = row;
                }
                *place += 1;
            }
        }
        Grouped {
            templates,
            codes,
            rows,
            starts,
        }
    }

    fn rows_of_code(&self, code: usize) -> &[u32] {
        let range = self.starts.get(code).zip(self.starts.get(code + 1));
        let rows = range.and_then(|(start, end)| self.rows.get(*start..*end));
        rows.unwrap_or_default()
    }

    /// The rows of the template at an index, rising.
    pub(super) fn rows_of(&self, template: usize) -> &[u32] {
        self.rows_of_code(template + 1)
    }

    /// How many rows follow no template.
    pub(super) fn whole_rows(&self) -> usize {
        self.rows_of_code(0).len()
    }
}
