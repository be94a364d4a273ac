//! How many events have each value of some fields.

use std::collections::{BTreeMap, HashMap};

use cordwood_engine::{Cell, Kept, Table};

use super::fields::ComparedField;
use super::part::{FieldValue, text_of};

/// Of some events: how many there are, and how many with each value of the fields compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) total: u64,
    fields: BTreeMap<String, FieldCounts>,
}

/// Of one field.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldCounts {
    pub(super) rows: HashMap<String, u64>,
    /// No other value has more events than these: 0 where all values are known.
    others_max: u64,
}

impl Counts {
    /// From a table without fields, and one for each field.
    pub(super) fn of(tables: &[Table], fields: &[ComparedField]) -> Counts {
        let mut tables = tables.iter();
        let total = tables.next().and_then(|table| table.rows.first());
        let fields = fields.iter().zip(tables);
        Counts {
            total: total.map_or(0, |row| count_of(row)),
            fields: fields
                .map(|(field, table)| (field.name.to_string(), FieldCounts::of(table, field.kept)))
                .collect(),
        }
    }

    /// How many events have a value; where that is not known, how many there may be.
    pub(super) fn get(&self, value: &FieldValue) -> u64 {
        let field = self.fields.get(&value.field);
        field.map_or(0, |field| {
            let rows = field.rows.get(&value.value);
            rows.copied().unwrap_or(field.others_max)
        })
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &FieldCounts)> {
        let fields = self.fields.iter();
        fields.map(|(name, counts)| (name.as_str(), counts))
    }

    pub(super) fn field(&self, name: &str) -> Option<&FieldCounts> {
        self.fields.get(name)
    }

    /// Takes away those of a part of the events.
    pub(super) fn subtract(&mut self, part: &Counts) {
        self.total = self.total.saturating_sub(part.total);
        for (name, counts) in &mut self.fields {
            let Some(of_part) = part.fields.get(name) else {
                continue;
            };
            for (value, rows) in &mut counts.rows {
                let less = of_part.rows.get(value).copied().unwrap_or(0);
                *rows = rows.saturating_sub(less);
            }
        }
    }
}

impl FieldCounts {
    fn of(table: &Table, kept: Kept) -> FieldCounts {
        let mut rows: HashMap<String, u64> = HashMap::new();
        for row in &table.rows {
            if let Some(value) = row.first().and_then(text_of) {
                *rows.entry(value).or_default() += count_of(row);
            }
        }
        let is_cut = match kept {
            Kept::All => table.more,
            Kept::Greatest(limit) => table.rows.len() as u64 >= limit,
        };
        let least = rows.values().copied().min().unwrap_or(0);
        FieldCounts {
            others_max: if is_cut { least } else { 0 },
            rows,
        }
    }

    /// Whether every value is known.
    pub(super) fn is_whole(&self) -> bool {
        self.others_max == 0
    }

    /// How many events have any of the values.
    pub(super) fn present(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// The count in the last column.
fn count_of(row: &[Cell]) -> u64 {
    match row.last() {
        Some(Cell::Int(count)) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}
