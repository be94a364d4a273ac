//! The fields of some rows: how often each occurs, and which place each gets.

use std::collections::HashMap;

use cordwood_event::{Batch, EventRef};

use super::{BlockRow, COLUMNS_MAX};

/// The fields of some rows. Each has a *slot*: those that get a column come first, the rare ones after them, both sorted by
/// path.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    /// By slot.
    fields: Vec<Field<'a>>,
    batches: Batches<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) path: &'a str,
    /// How many rows have it.
    pub(super) count: usize,
}

/// The batches that the rows come from.
#[derive(Debug, Default)]
struct Batches<'a> {
    by_address: HashMap<*const Batch, usize, rapidhash::fast::RandomState>,
    batches: Vec<&'a Batch>,
    /// By row, the place of its batch.
    of_rows: Vec<usize>,
    /// By batch and then field id: how many rows have the field, and once that is counted, its slot.
    slots: Vec<Vec<u32>>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(rows: &[BlockRow<'a>]) -> Fields<'a> {
        let mut fields = Fields::default();
        rows.iter().for_each(|row| fields.batches.count(row.event));
        fields.number();
        fields.sort();
        fields
    }

    /// By slot.
    pub(super) fn as_slice(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// By row, the slots of the fields of its batch.
    pub(super) fn slots_of_rows(&self) -> impl Iterator<Item = &[u32]> {
        let Batches { of_rows, slots, .. } = &self.batches;
        let slots = |batch: &usize| slots.get(*batch).map_or(&[][..], Vec::as_slice);
        of_rows.iter().map(slots)
    }

    /// Gives each path a number, and puts it in the place of the counts.
    fn number(&mut self) {
        let mut by_path: HashMap<&str, u32, rapidhash::fast::RandomState> = HashMap::default();
        for (batch, slots) in self.batches.batches.iter().zip(&mut self.batches.slots) {
            for (path, slot) in batch.paths().iter().zip(slots) {
                let count = *slot as usize;
                if count == 0 {
                    continue;
                }
                let next = u32::try_from(by_path.len()).unwrap_or(u32::MAX);
                *slot = *by_path.entry(path).or_insert(next);
                match self.fields.get_mut(*slot as usize) {
                    Some(field) => field.count += count,
                    None => self.fields.push(Field { path, count }),
                }
            }
        }
    }

    /// Puts the fields into the order of slots, and translates the numbers.
    fn sort(&mut self) {
        let mut order: Vec<(u32, Field<'a>)> = (0..).zip(self.fields.iter().copied()).collect();
        if order.len() > COLUMNS_MAX {
            order.select_nth_unstable_by(COLUMNS_MAX, |(_, a), (_, b)| {
                b.count.cmp(&a.count).then_with(|| a.path.cmp(b.path))
            });
        }
        let columns = order.len().min(COLUMNS_MAX);
        let (columns, rare) = order.split_at_mut(columns);
        columns.sort_unstable_by_key(|(_, field)| field.path);
        rare.sort_unstable_by_key(|(_, field)| field.path);

        let mut slot_of = vec![0; order.len()];
        for (slot, (number, _)) in (0u32..).zip(&order) {
            if let Some(place) = slot_of.get_mut(*number as usize) {
                *place = slot;
            }
        }
        for slot in self.batches.slots.iter_mut().flatten() {
            // The zeros of fields that no row has are translated too, and never asked for.
            *slot = slot_of.get(*slot as usize).copied().unwrap_or(0);
        }
        self.fields = order.into_iter().map(|(_, field)| field).collect();
    }
}

impl<'a> Batches<'a> {
    fn count(&mut self, event: EventRef<'a>) {
        let batch = event.batch();
        let known = self.batches.len();
        let address = std::ptr::from_ref(batch);
        let index = *self.by_address.entry(address).or_insert(known);
        if index == known {
            self.batches.push(batch);
            self.slots.push(vec![0; batch.paths().len()]);
        }
        self.of_rows.push(index);
        let Some(counts) = self.slots.get_mut(index) else {
            return;
        };
        for field in event.field_ids() {
            if let Some(count) = counts.get_mut(field.index()) {
                *count += 1;
            }
        }
    }
}
