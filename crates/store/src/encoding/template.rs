//! TEXT: the template of every text, and what stands in the slots.
//!
//! Two chunks, so that what is asked of templates alone does not read the slots: the codes of the templates with the
//! texts that follow none, and the slots, by template and within it by place. The templates themselves are in the
//! directory of the block.

mod slots;
mod split;

use std::sync::Arc;

use bytes::Bytes;
use memchr::memchr2;

use super::cursor::Cursor;
use super::frame::Compressor;
use super::{Corrupt, codes, text};
use crate::block::TEXT_BYTES_MAX;
use crate::column::{StrValues, TextCodes};
use crate::template::{Stamp, Template, TemplateTable, TemplateUse, TemplateUses};
pub(crate) use slots::{SlotValues, Slots, decode as decode_slots};
use split::Split;

/// Texts shorter than this on average are words and ids, with nothing in them to take apart.
const MEAN_BYTES_MIN: usize = 24;

/// A template that fewer texts follow is not worth its place in the directory.
pub(crate) const ROWS_PER_TEMPLATE_MIN: usize = 8;

/// A template must serve this many texts on average.
const ROWS_PER_TEMPLATE: usize = 4;

/// At most one in so many texts may follow no template. Where more do, the templates have many slots of words, and a
/// search puts most texts together from them: on the `app` corpus, where one in six does, that took three times as long as
/// searching compressed text.
const WHOLE_SHARE: usize = 8;

/// A column as TEXT.
#[derive(Debug)]
pub(crate) struct EncodedText {
    pub(crate) codes: Vec<u8>,
    pub(crate) slots: Vec<u8>,
    pub(crate) uses: TemplateUses,
}

/// Encodes texts, [`TEXT_BYTES_MAX`] bytes in all at the most; `None` if they have too little in common.
pub(crate) fn encode(texts: &[&str], compressor: &mut Compressor) -> Option<EncodedText> {
    if !are_sentences(texts) {
        return None;
    }
    let split = Split::of(texts, texts.len() / ROWS_PER_TEMPLATE)?;
    let grouped = split.grouped(ROWS_PER_TEMPLATE_MIN);
    if grouped.whole_rows() * WHOLE_SHARE > texts.len() {
        return None;
    }
    let mut chunk = Vec::new();
    codes::encode(
        &grouped.codes,
        grouped.templates.len() + 1,
        compressor,
        &mut chunk,
    );
    let whole: Vec<&str> = texts
        .iter()
        .zip(&grouped.codes)
        .filter(|(_, code)| **code == 0)
        .map(|(text, _)| *text)
        .collect();
    if !whole.is_empty() {
        text::encode(&whole, compressor, &mut chunk);
    }
    let mut writer = slots::Writer::default();
    let mut uses = Vec::new();
    for (index, template) in (0u32..).zip(&grouped.templates) {
        let rows = grouped.rows_of(index as usize);
        let stamps = (0..template.slots()).map(|slot| {
            let values = split.slot_values(rows, slot);
            writer.push(&values, compressor);
            Stamp::of(values)
        });
        uses.push(TemplateUse {
            template: index,
            stamps: stamps.collect(),
            rows: u32::try_from(rows.len()).ok()?,
        });
    }
    let whole_rows = u32::try_from(grouped.whole_rows()).ok()?;
    let table = Arc::new(TemplateTable::of(grouped.templates));
    Some(EncodedText {
        codes: chunk,
        slots: writer.finish(compressor),
        uses: TemplateUses::new(table, uses, whole_rows)?,
    })
}

/// Whether at least every second of the texts has words or steps of a path, and they are long enough.
fn are_sentences(texts: &[&str]) -> bool {
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    if bytes < texts.len() * MEAN_BYTES_MIN {
        return false;
    }
    let parted = texts
        .iter()
        .filter(|text| memchr2(b' ', b'/', text.as_bytes()).is_some());
    parted.count() * 2 >= texts.len()
}

/// Reads the chunk of codes of `count` texts, and the texts that are kept whole, which stay compressed.
pub(crate) fn decode_codes(
    bytes: &Bytes,
    count: usize,
    uses: Arc<TemplateUses>,
) -> Result<TextCodes, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let codes = codes::decode(&mut cursor, count, uses.uses().len() + 1)?;
    check_counts(&codes, &uses)?;
    let whole = match uses.whole_rows() {
        0 => StrValues::default(),
        rows => text::decode(bytes, &mut cursor, rows as usize)?,
    };
    cursor.finish()?;
    Ok(TextCodes::new(codes, whole, uses))
}

/// The directory must count what is there, and what it counts must not be more than a block can hold.
fn check_counts(codes: &[u16], uses: &TemplateUses) -> Result<(), Corrupt> {
    let mut counts = vec![0u32; uses.uses().len() + 1];
    for code in codes {
        if let Some(count) = counts.get_mut(usize::from(*code)) {
            *count += 1;
        }
    }
    if !counts.into_iter().eq(uses.rows_by_code()) {
        return Err(Corrupt("other templates than the directory counts"));
    }
    let bytes_of = |(template, used): (&Template, &TemplateUse)| {
        template.static_bytes().saturating_mul(used.rows as usize)
    };
    let static_bytes = uses
        .templates()
        .map(bytes_of)
        .fold(0, usize::saturating_add);
    if static_bytes > TEXT_BYTES_MAX {
        return Err(Corrupt("more text than a block can hold"));
    }
    Ok(())
}
