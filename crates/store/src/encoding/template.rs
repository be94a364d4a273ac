//! TEXT: the template of every text, and what stands in the slots.
//!
//! Three chunks, so that what is asked of templates alone does not read the slots: the codes of the templates; the index of
//! the slots, which tells what they can hold; and the slots, with the texts that follow no template. The templates themselves
//! are in the directory of the block.

mod skeletons;
mod slots;
mod split;
mod tokenized;

use std::sync::Arc;

use bytes::Bytes;
use memchr::memchr2;

use super::codes;
use super::frame::Compressor;
use crate::column::{DictCodes, TextCodes};
use crate::postings::{Collector, ColumnPostings, Group};
use crate::template::{Marks, TemplateTable, TemplateUse, TemplateUses};
use crate::tokens::BlockTokens;
pub(crate) use slots::Slots;
pub use slots::{SlotFrame, SlotIndex, SlotRun, SlotValues};
#[cfg(test)]
pub(crate) use split::ROWS_OF_MANY_LEFT;
use split::Split;
use tokenized::{Tokenized, add_words};

/// Texts shorter than this on average are words and ids, with nothing in them to take apart.
const MEAN_BYTES_MIN: usize = 24;

/// A template that fewer texts follow is not worth its place in the directory.
const ROWS_PER_TEMPLATE_MIN: usize = 8;

/// A template must serve this many texts on average.
const ROWS_PER_TEMPLATE: usize = 4;

/// Texts as long as this on average are worth a look at their [skeletons] before they are taken apart, which takes five times as long.
const MEAN_BYTES_LONG: usize = 256;

/// At most one in so many texts may follow no template: of more, a search would read much besides the templates.
const WHOLE_SHARE: usize = 6;

/// What a column of texts has besides its codes.
#[derive(Debug)]
pub(crate) struct EncodedText {
    pub(crate) index: Vec<u8>,
    pub(crate) slots: Vec<u8>,
    pub(crate) uses: TemplateUses,
    pub(crate) postings: Option<ColumnPostings>,
}

/// The chunk of codes and all else of texts, [`TEXT_BYTES_MAX`] bytes in all at the most, whose words go to `block_words`; `None` if
/// they have too little in common.
pub(super) fn encode(
    column: &[&str],
    compressor: &mut Compressor,
    block_words: &mut BlockTokens,
) -> Option<(Vec<u8>, EncodedText)> {
    let are_too_many = |whole: usize| whole * WHOLE_SHARE > column.len();
    if are_longer(column, MEAN_BYTES_LONG) && are_too_many(skeletons::texts_alone(column)) {
        return None;
    }
    let texts = Tokenized::of(column, block_words);
    let split = Split::of(&texts, ROWS_PER_TEMPLATE_MIN);
    if are_too_many(split.whole.len()) || split.templates.len() * ROWS_PER_TEMPLATE > column.len() {
        return None;
    }
    let mut codes = Vec::new();
    let code_count = split.templates.len() + 1;
    codes::encode(&split.codes, code_count, compressor, &mut codes);
    let slots = slots::encode(&texts, column, &split, compressor);
    let mut uses = Vec::with_capacity(split.templates.len());
    let mut templates = Vec::with_capacity(split.templates.len());
    for (known, slots) in split.templates.iter().zip(slots.by_template) {
        uses.push(TemplateUse {
            template: u32::try_from(uses.len()).ok()?,
            rows: u32::try_from(known.rows.len()).ok()?,
            stamps: slots.stamps,
        });
        templates.push(known.template.clone().holding(slots.held));
    }
    let whole_rows = u32::try_from(split.whole.len()).ok()?;
    let table = Arc::new(TemplateTable::of(templates));
    let encoded = EncodedText {
        index: slots.index,
        slots: slots.slots,
        uses: TemplateUses::new(table, uses, whole_rows)?,
        postings: slots.postings,
    };
    Some((codes, encoded))
}

/// The posting lists of the words of texts that have too little in common, without pairs. All their words go to `block_words`, found in
/// the same pass.
pub(super) fn list_words(texts: &[&str], block_words: &mut BlockTokens) -> Option<ColumnPostings> {
    /// No text is of another group than the rest.
    const GROUP: Group = 0;
    let mut collector = Collector::default();
    let mut marks = Marks::default();
    for (text, rank) in texts.iter().zip(0..) {
        marks.mark(text);
        add_words((text, &(0..text.len())), &marks, block_words, |found| {
            let word = collector.id(found.text);
            collector.push(word, rank, GROUP);
        });
    }
    collector.finish(slots::number(texts.len()))
}

/// Whether at least every second of the texts has words or steps of a path, and they are long enough. Of many texts some are looked
/// at.
pub(super) fn are_sentences(texts: &[&str]) -> bool {
    /// Enough for a question of more or less.
    const LOOKED_AT: usize = 1024;
    if !are_longer(texts, MEAN_BYTES_MIN) {
        return false;
    }
    let looked_at = || texts.iter().step_by(texts.len().div_ceil(LOOKED_AT).max(1));
    let parted = looked_at().filter(|text| memchr2(b' ', b'/', text.as_bytes()).is_some());
    parted.count() * 2 >= looked_at().count()
}

/// Whether texts have so many bytes on average, or more.
fn are_longer(texts: &[&str], mean_bytes: usize) -> bool {
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    bytes >= texts.len() * mean_bytes
}

/// The chunk of codes of `count` texts.
pub(crate) fn decode_codes(bytes: &Bytes, count: usize, uses: Arc<TemplateUses>) -> TextCodes {
    let codes = DictCodes::new(bytes.clone(), count, uses.uses().len() + 1);
    TextCodes::new(codes, uses)
}
