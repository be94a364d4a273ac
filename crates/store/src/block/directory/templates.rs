//! The templates of the columns of many blocks: one table for all, and how each column uses it.

use std::sync::Arc;
use std::vec;

use super::MISSING;
use super::serial::{next, push, signed, within};
use crate::block::{ROWS_MAX, TEXT_BYTES_MAX};
use crate::encoding::cursor::{Cursor, push_count};
use crate::encoding::frame::read_frame;
use crate::encoding::{Compressor, Corrupt, int};
use crate::template::{SLOTS_MAX, Stamp, Template, TemplateTable, TemplateUse, TemplateUses};

/// The templates of all columns, each once. This is how tables become one when directories of several segments do.
pub(super) fn table_of(columns: &[&TemplateUses]) -> TemplateTable {
    let templates = columns.iter().flat_map(|uses| uses.templates());
    let mut distinct: Vec<&Template> = templates.map(|(template, _)| template).collect();
    distinct.sort_unstable();
    distinct.dedup();
    TemplateTable::of(distinct.into_iter().cloned().collect())
}

/// Appends how each column uses the table.
pub(super) fn push_uses(columns: &[&TemplateUses], table: &TemplateTable, out: &mut Vec<u8>) {
    let templates = columns.iter().flat_map(|uses| uses.templates());
    let uses: Vec<(&Template, &TemplateUse)> = templates.collect();
    let stamps: Vec<&Stamp> = uses.iter().flat_map(|(_, used)| &used.stamps).collect();
    push(out, columns, |uses| uses.whole_rows().into());
    push(out, columns, |uses| signed(uses.uses().len()));
    push(out, &uses, |(template, _)| {
        signed(table.index_of(template).unwrap_or(table.len()))
    });
    push(out, &uses, |(_, used)| used.rows.into());
    push(out, &stamps, |stamp| stamp.bytes_min.into());
    push(out, &stamps, |stamp| {
        i64::from(stamp.bytes_max) - i64::from(stamp.bytes_min)
    });
    let classes = stamps
        .iter()
        .flat_map(|stamp| stamp.classes.0.to_le_bytes());
    let classes: Vec<u8> = classes.collect();
    push_count(out, classes.len());
    Compressor::new().push_frame(out, &classes);
}

/// Reads how each of `count` columns uses the table.
pub(super) fn decode_uses(
    cursor: &mut Cursor<'_>,
    count: usize,
    table: &Arc<TemplateTable>,
) -> Result<Vec<Arc<TemplateUses>>, Corrupt> {
    let whole_rows = int::decode(cursor, count)?;
    let lengths = int::decode(cursor, count)?;
    let mut use_count = 0usize;
    for length in &lengths {
        use_count += within(*length, table.len().min(ROWS_MAX))?;
    }
    let mut templates = int::decode(cursor, use_count)?.into_iter();
    let mut rows = int::decode(cursor, use_count)?.into_iter();
    let mut stamps = Stamps::decode(cursor, templates.as_slice(), table)?;
    let mut columns = Vec::with_capacity(count);
    for (whole_rows, length) in whole_rows.into_iter().zip(lengths) {
        let mut uses = Vec::new();
        for _ in 0..length {
            let template = within(next(&mut templates)?, table.len())?;
            let slots = table.get(template).map_or(0, Template::slots);
            uses.push(TemplateUse {
                template: u32::try_from(template).map_err(|_| MISSING)?,
                rows: u32::try_from(within(next(&mut rows)?, ROWS_MAX)?).map_err(|_| MISSING)?,
                stamps: stamps.take(slots)?,
            });
        }
        let whole_rows = u32::try_from(within(whole_rows, ROWS_MAX)?).map_err(|_| MISSING)?;
        let uses = TemplateUses::new(Arc::clone(table), uses, whole_rows).ok_or(MISSING)?;
        if uses.static_bytes() > TEXT_BYTES_MAX {
            return Err(Corrupt("more text than a block can hold"));
        }
        columns.push(Arc::new(uses));
    }
    Ok(columns)
}

/// The stamps not yet given to a slot.
struct Stamps {
    bytes_min: vec::IntoIter<i64>,
    spread: vec::IntoIter<i64>,
    classes: vec::IntoIter<u8>,
}

impl Stamps {
    /// Of all slots of the templates at these indexes.
    fn decode(
        cursor: &mut Cursor<'_>,
        templates: &[i64],
        table: &TemplateTable,
    ) -> Result<Stamps, Corrupt> {
        let slots_of = |index: &i64| {
            let template = usize::try_from(*index)
                .ok()
                .and_then(|index| table.get(index));
            template.map_or(0, Template::slots)
        };
        let count: usize = templates.iter().map(slots_of).sum();
        let bytes_min = int::decode(cursor, count)?.into_iter();
        let spread = int::decode(cursor, count)?.into_iter();
        let class_bytes =
            cursor.count(templates.len().saturating_mul(SLOTS_MAX * size_of::<u32>()))?;
        Ok(Stamps {
            bytes_min,
            spread,
            classes: read_frame(cursor, class_bytes)?.into_iter(),
        })
    }

    fn take(&mut self, count: usize) -> Result<Box<[Stamp]>, Corrupt> {
        let mut stamp = || {
            let classes = self
                .classes
                .as_slice()
                .first_chunk()
                .copied()
                .ok_or(MISSING)?;
            self.classes.by_ref().take(size_of::<u32>()).for_each(drop);
            let (bytes_min, spread) = (next(&mut self.bytes_min)?, next(&mut self.spread)?);
            Stamp::of_parts(bytes_min, spread, u32::from_le_bytes(classes)).ok_or(MISSING)
        };
        (0..count).map(|_| stamp()).collect()
    }
}
