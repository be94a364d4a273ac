//! Distinct templates, and which of them the texts of a column follow.

use std::sync::{Arc, LazyLock};

use super::{CharClasses, HELD_END, Stamp, Template};
use crate::encoding::cursor::{Cursor, push_count};
use crate::encoding::frame::read_frame;
use crate::encoding::{Compressor, Corrupt, int};
use crate::postings::ListedWord;

/// The distinct templates of a block in memory, or of a segment; sorted by text, and those of one text by the words they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateTable {
    templates: Vec<Template>,
}

impl TemplateTable {
    /// The table of the given templates.
    pub(crate) fn of(mut templates: Vec<Template>) -> TemplateTable {
        templates.sort_unstable();
        templates.dedup();
        TemplateTable { templates }
    }

    /// How many templates there are.
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// The template at an index.
    pub fn get(&self, index: usize) -> Option<&Template> {
        self.templates.get(index)
    }

    /// Where a template is.
    pub fn index_of(&self, template: &Template) -> Option<usize> {
        self.templates.binary_search(template).ok()
    }

    /// The table as bytes; [`decode`](Self::decode) gives it back.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let text: String = self.templates.iter().map(Template::text).collect();
        push_count(&mut out, text.len());
        Compressor::new().push_frame(&mut out, text.as_bytes());
        push_count(&mut out, self.templates.len());
        let lengths = self.templates.iter().map(|template| template.text.len());
        int::encode(&signed(lengths), &mut out);
        let held: String = self
            .templates
            .iter()
            .map(|template| &*template.held)
            .collect();
        push_count(&mut out, held.len());
        Compressor::new().push_frame(&mut out, held.as_bytes());
        let words = self.templates.iter();
        let words = words.map(|template| template.held_words().count());
        int::encode(&signed(words), &mut out);
        out
    }

    /// Reads a table.
    pub fn decode(bytes: &[u8]) -> Result<TemplateTable, Corrupt> {
        /// The most that 4 GiB of blocks can need; the frame is checked against its length besides.
        const TEXT_BYTES_MAX: usize = 1 << 32;
        let mut cursor = Cursor::new(bytes);
        let text_bytes = cursor.count(TEXT_BYTES_MAX)?;
        let text = read_frame(&mut cursor, text_bytes)?;
        // An empty one has no slot, so that they are distinct by their texts where these are empty.
        let count = cursor.count(text.len() + 1)?;
        let lengths = int::decode(&mut cursor, count)?;
        let held_bytes = cursor.count(TEXT_BYTES_MAX)?;
        let held = read_frame(&mut cursor, held_bytes)?;
        let mut held = HeldWords::of(&held)?;
        let held_counts = int::decode(&mut cursor, count)?;
        cursor.finish()?;
        let mut rest = str::from_utf8(&text).map_err(|_| NOT_UTF8)?;
        let mut templates = Vec::with_capacity(count);
        for (length, held_count) in lengths.into_iter().zip(held_counts) {
            let split = usize::try_from(length).ok();
            let (text, tail) = split
                .and_then(|length| rest.split_at_checked(length))
                .ok_or(Corrupt("a template past the end of its table"))?;
            let template = Template::new(text).ok_or(Corrupt("text that is no template"))?;
            templates.push(template.holding(held.take(held_count)?));
            rest = tail;
        }
        held.finish()?;
        if rest.is_empty() && templates.is_sorted_by(|a, b| a < b) {
            Ok(TemplateTable { templates })
        } else {
            Err(Corrupt("a table of templates out of order"))
        }
    }

    /// The memory the table takes, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let text: usize = self
            .templates
            .iter()
            .map(|template| template.text.len() + template.held.len())
            .sum();
        text + self.templates.capacity() * size_of::<Template>()
    }
}

const NOT_UTF8: Corrupt = Corrupt("text that is not UTF-8");

fn signed(counts: impl Iterator<Item = usize>) -> Vec<i64> {
    counts.map(|count| (count as u64).cast_signed()).collect()
}

/// The words in slots not yet given to a template.
struct HeldWords<'a> {
    rest: &'a str,
}

impl<'a> HeldWords<'a> {
    fn of(text: &'a [u8]) -> Result<HeldWords<'a>, Corrupt> {
        let rest = str::from_utf8(text).map_err(|_| NOT_UTF8)?;
        Ok(HeldWords { rest })
    }

    /// So many words, which rise.
    fn take(&mut self, count: i64) -> Result<Vec<String>, Corrupt> {
        const DISORDER: Corrupt = Corrupt("words of a template out of order");
        let mut words: Vec<String> = Vec::new();
        for _ in 0..count {
            let (word, rest) = self.rest.split_once(HELD_END).ok_or(DISORDER)?;
            let is_listed =
                ListedWord::each_of(word).first().map(ListedWord::spelled) == Some(word);
            if !is_listed || words.last().is_some_and(|last| **last >= *word) {
                return Err(DISORDER);
            }
            words.push(word.to_owned());
            self.rest = rest;
        }
        Ok(words)
    }

    fn finish(self) -> Result<(), Corrupt> {
        match self.rest {
            "" => Ok(()),
            _ => Err(Corrupt("words of no template")),
        }
    }
}

/// A template in one column of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateUse {
    /// Its index in the table.
    pub template: u32,
    /// How many of the column's texts follow it; at least one.
    pub rows: u32,
    /// What the values of each slot look like.
    pub stamps: Box<[Stamp]>,
}

/// The templates of one column of one block, and how many texts follow each. A text's *code* is 0 if it is kept whole,
/// else one more than the index of its template among `uses`.
#[derive(Clone, Debug, Default)]
pub struct TemplateUses {
    table: Arc<TemplateTable>,
    uses: Vec<TemplateUse>,
    whole_rows: u32,
}

impl TemplateUses {
    /// `None` if a template is not in the table, or has not as many stamps as slots, or is there twice.
    pub(crate) fn new(
        table: Arc<TemplateTable>,
        uses: Vec<TemplateUse>,
        whole_rows: u32,
    ) -> Option<TemplateUses> {
        let fits = |used: &TemplateUse| {
            let template = table.get(used.template as usize);
            template.is_some_and(|template| template.slots() == used.stamps.len())
        };
        let is_sound = uses.iter().all(fits) && uses.is_sorted_by(|a, b| a.template < b.template);
        is_sound.then_some(TemplateUses {
            table,
            uses,
            whole_rows,
        })
    }

    /// Of so many texts that are kept whole.
    pub fn none(whole_rows: u32) -> TemplateUses {
        static NO_TEMPLATES: LazyLock<Arc<TemplateTable>> = LazyLock::new(Arc::default);
        TemplateUses {
            table: Arc::clone(&NO_TEMPLATES),
            uses: Vec::new(),
            whole_rows,
        }
    }

    /// Where the templates are.
    pub fn table(&self) -> &Arc<TemplateTable> {
        &self.table
    }

    /// The templates, in the order of the table.
    pub fn uses(&self) -> &[TemplateUse] {
        &self.uses
    }

    /// How many texts are kept whole.
    pub fn whole_rows(&self) -> u32 {
        self.whole_rows
    }

    /// The template of a code; `None` for 0.
    pub fn template_of(&self, code: u16) -> Option<&Template> {
        let used = self.uses.get(usize::from(code).checked_sub(1)?)?;
        self.table.get(used.template as usize)
    }

    /// Every template with how it is used.
    pub fn templates(&self) -> impl Iterator<Item = (&Template, &TemplateUse)> {
        let uses = self.uses.iter();
        uses.filter_map(|used| Some((self.table.get(used.template as usize)?, used)))
    }

    /// How many texts have each code.
    pub fn rows_by_code(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.whole_rows).chain(self.uses.iter().map(|used| used.rows))
    }

    /// The bytes of static text in all texts.
    pub(crate) fn static_bytes(&self) -> usize {
        let bytes_of = |(template, used): (&Template, &TemplateUse)| {
            template.static_bytes().saturating_mul(used.rows as usize)
        };
        self.templates()
            .map(bytes_of)
            .fold(0, usize::saturating_add)
    }

    /// The memory it takes besides the table, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let stamps: usize = self.uses.iter().map(|used| used.stamps.len()).sum();
        self.uses.capacity() * size_of::<TemplateUse>() + stamps * size_of::<Stamp>()
    }
}

/// The same templates used in the same way, whatever tables they are in.
impl PartialEq for TemplateUses {
    fn eq(&self, other: &TemplateUses) -> bool {
        let same =
            |((a, a_use), (b, b_use)): ((&Template, &TemplateUse), (&Template, &TemplateUse))| {
                a == b && a_use.rows == b_use.rows && a_use.stamps == b_use.stamps
            };
        self.whole_rows == other.whole_rows
            && self.uses.len() == other.uses.len()
            && self.templates().zip(other.templates()).all(same)
    }
}

impl Stamp {
    pub(crate) fn of_parts(bytes_min: i64, spread: i64, classes: u32) -> Option<Stamp> {
        Some(Stamp {
            bytes_min: u32::try_from(bytes_min).ok()?,
            bytes_max: u32::try_from(bytes_min.checked_add(spread)?).ok()?,
            classes: CharClasses(classes),
        })
    }
}
