//! What one part says of its fields: a block by its directory where that is enough, else by its columns; open rows one by one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cordwood_event::{Scalar, path};
use cordwood_store::block::{ColumnEntry, NumberRange, ValueCounts};
use cordwood_store::column::{Column, Presence, ScalarKind};
use cordwood_store::{BlockHandle, Encoding, OpenRows};

use crate::FieldKinds;
use crate::block::OpenBlock;
use crate::condition::Condition;
use crate::evaluate::Failure;
use crate::fields::{BlockKinds, ColumnContents, contents_of, fields_of_rest, told_contents};
use crate::matching::PartRows;
use crate::part::{Fate, PartAnswer};
use crate::selection::Selection;
use crate::value_tally::ValueTally;

/// How many rows are looked at between two looks at the budget.
const ROWS_PER_CHECK: usize = 1024;

/// The fields of the rows of a part.
#[derive(Debug, Default)]
pub(super) struct PartFacts {
    pub(super) events: u64,
    pub(super) facts: Vec<Fact>,
}

/// What is known of a field, by its path.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) path: Arc<str>,
    pub(super) facts: FieldFacts,
}

#[derive(Debug, Default)]
pub(super) struct FieldFacts {
    /// In how many rows it is there and not null, those left out that have it by another path of the same name.
    pub(super) events: u32,
    pub(super) kinds: FieldKinds,
    pub(super) numbers: Numbers,
    pub(super) values: ValuesOfPart,
    pub(super) distinct_min: u32,
    pub(super) variety: Variety,
}

/// How many different values there are for so many rows; where directories tell, by the encoding that was chosen for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Variety {
    /// Few: a dictionary holds them.
    #[default]
    Few,
    /// Many numbers.
    Numbers,
    /// Many others.
    Many,
}

impl Variety {
    fn of(encoding: Encoding) -> Variety {
        match encoding {
            Encoding::Const | Encoding::Dict => Variety::Few,
            Encoding::Int | Encoding::Float => Variety::Numbers,
            Encoding::Str | Encoding::Hex | Encoding::Ip4 | Encoding::Text | Encoding::Mixed => {
                Variety::Many
            }
        }
    }
}

/// Between what its values lie.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Numbers {
    /// There is none but null.
    #[default]
    None,
    /// Not all are numbers, or it is not known.
    Unknown,
    Within(NumberRange),
}

/// Which values it has in how many rows.
#[derive(Debug, Default)]
pub(super) enum ValuesOfPart {
    #[default]
    Unknown,
    Counted(Arc<ValueCounts>),
    Tallied(ValueTally),
}

/// What the directory of a block says of all its rows; `None` where rows have to be looked at.
pub(super) fn of_directory(
    rows: &PartRows<'_>,
    handle: &BlockHandle,
    known: &BlockKinds,
) -> Option<PartAnswer<PartFacts>> {
    if !rows.holds_whole(handle) || has_shared_names(handle, known) {
        return None;
    }
    let directory = handle.directory();
    let mut facts = Vec::with_capacity(directory.columns.len());
    for (index, entry) in directory.columns.iter().enumerate() {
        let contents = told_contents(entry).or_else(|| known.known_column(index))?;
        if entry.present <= contents.nulls {
            continue;
        }
        facts.push(Fact {
            path: Arc::clone(&entry.path),
            facts: of_entry(entry, contents),
        });
    }
    if directory.rest.is_some() {
        let fields = known.known_rest()?.as_ref()?;
        let fields = fields.iter().filter(|field| field.events > 0);
        facts.extend(fields.map(|field| Fact {
            path: Arc::from(&*field.path),
            facts: FieldFacts::of_rare(field.kinds, field.events),
        }));
    }
    let found = PartFacts {
        events: u64::from(directory.rows),
        facts,
    };
    Some(PartAnswer::unread(Fate::CountedWhole, found))
}

/// Whether two paths of the block may have one name, so that an event may have a field twice. Where a directory does not tell, so
/// it is said.
fn has_shared_names(handle: &BlockHandle, known: &BlockKinds) -> bool {
    let directory = handle.directory();
    let columns = directory.columns.iter().map(|entry| &*entry.path);
    let rest = match (&directory.rest, known.known_rest()) {
        (None, _) => &[][..],
        (Some(_), Some(Some(fields))) => fields,
        (Some(_), _) => return true,
    };
    share_names(columns.chain(rest.iter().map(|field| &*field.path)))
}

fn share_names<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> bool {
    let is_escaped = |path: &str| path.contains('\\');
    if !paths.clone().any(is_escaped) {
        return false;
    }
    let mut names = HashSet::new();
    let mut paths = paths;
    !paths.all(|path| names.insert(path::name(path)))
}

fn of_entry(entry: &ColumnEntry, contents: ColumnContents) -> FieldFacts {
    FieldFacts {
        events: entry.present.saturating_sub(contents.nulls),
        kinds: contents.kinds,
        numbers: entry.numbers.map_or(Numbers::Unknown, Numbers::Within),
        values: match &entry.values {
            Some(counted) => ValuesOfPart::Counted(Arc::clone(counted)),
            None => ValuesOfPart::Unknown,
        },
        distinct_min: distinct_min_of(entry, contents),
        variety: Variety::of(entry.encoding),
    }
}

fn distinct_min_of(entry: &ColumnEntry, contents: ColumnContents) -> u32 {
    let nulls = u32::from(contents.nulls > 0);
    let has = |kind| contents.kinds.has(kind);
    match (has(ScalarKind::Json), has(ScalarKind::Float)) {
        // An empty array has no value.
        (true, _) => 0,
        // The integer 1 and the float 1.0 are one value.
        (false, true) => 1,
        (false, false) => u32::from(entry.dictionary_len).saturating_sub(nulls).max(1),
    }
}

impl FieldFacts {
    /// Of a field without a column of its own: nobody counts its values.
    fn of_rare(kinds: FieldKinds, events: u32) -> FieldFacts {
        FieldFacts {
            events,
            kinds,
            numbers: Numbers::Unknown,
            values: ValuesOfPart::Unknown,
            distinct_min: 0,
            variety: Variety::Few,
        }
    }
}

/// What the columns of a block say of the rows of it that are asked about.
pub(super) fn of_block(
    rows: &PartRows<'_>,
    handle: &BlockHandle,
    known: &BlockKinds,
) -> Result<PartAnswer<PartFacts>, Failure> {
    rows.budget.check()?;
    let block = OpenBlock::new(handle);
    learn(&block, known)?;
    if let Some(answer) = of_directory(rows, handle, known) {
        return Ok(answer);
    }
    let among = rows.in_range(&block)?;
    let selected = rows.select(&Condition::Constant(true), &block, among)?;
    let mut of_rows = OfRows {
        selected: &selected.rows,
        found: PartFacts {
            events: selected.rows.count() as u64,
            facts: Vec::new(),
        },
        by_name: HashMap::new(),
    };
    let entries = block.directory().columns.iter().enumerate();
    for (index, entry) in entries {
        rows.budget.check()?;
        let contents = known.of_column(index, || contents_of(block.handle(), index, entry))?;
        of_rows.add_column(&block, index, contents)?;
    }
    of_rows.add_rest(&block)?;
    Ok(PartAnswer {
        fate: selected.fate,
        found: of_rows.found,
        rows_scanned: selected.rows_scanned,
        bytes_scanned: block.bytes_read(),
    })
}

/// Finds out what is not known of the columns of a block.
fn learn(block: &OpenBlock, known: &BlockKinds) -> Result<(), Failure> {
    for (index, entry) in block.directory().columns.iter().enumerate() {
        known.of_column(index, || contents_of(block.handle(), index, entry))?;
    }
    known.of_rest(|| fields_of_rest(block.handle()))?;
    Ok(())
}

/// The fields of some rows of a block.
struct OfRows<'a> {
    selected: &'a Selection,
    found: PartFacts,
    /// The rows that have a field by a path seen before, by name.
    by_name: HashMap<String, Selection>,
}

impl OfRows<'_> {
    fn add_column(
        &mut self,
        block: &OpenBlock,
        index: usize,
        contents: ColumnContents,
    ) -> Result<(), Failure> {
        let entry = &block.directory().columns[index];
        let mut present = selection_of(&*block.presence(index)?, block.rows());
        present.intersect(self.selected);
        let is_plain = contents.nulls == 0
            && entry.values.is_none()
            && entry.numbers.is_none()
            && is_of_one_kind(contents.kinds);
        if is_plain {
            let mut of_values = OfValues {
                kinds: contents.kinds,
                numbers: Numbers::Unknown,
                tally: ValueTally::default(),
                variety: Variety::of(entry.encoding),
            };
            of_values.tally.give_up();
            self.push(&entry.path, present, of_values);
            return Ok(());
        }
        let column = block.column(index)?;
        let mut of_values = OfValues {
            variety: Variety::of(entry.encoding),
            ..OfValues::default()
        };
        if entry.values.is_none() {
            of_values.tally.give_up();
        }
        let present = of_values.add_rows(column, &present)?;
        self.push(&entry.path, present, of_values);
        Ok(())
    }

    fn add_rest(&mut self, block: &OpenBlock) -> Result<(), Failure> {
        let Some(rest) = block.rest()? else {
            return Ok(());
        };
        for (index, path) in rest.paths().enumerate() {
            let mut present = Selection::none(block.rows());
            let mut of_values = OfValues::default();
            of_values.tally.give_up();
            for (row, value) in rest.values_of(index)? {
                let value = value?;
                if self.selected.contains(row) && of_values.add(value) {
                    present.insert(row);
                }
            }
            // As its directory would have it, whose fields of this kind have no numbers.
            of_values.numbers = Numbers::Unknown;
            self.push(path, present, of_values);
        }
        Ok(())
    }

    /// Adds a field by its path, and the rows that have it so.
    fn push(&mut self, path: &str, mut present: Selection, mut of_values: OfValues) {
        if present.is_empty() {
            return;
        }
        let name = path::name(path).into_owned();
        match self.by_name.get_mut(&name) {
            Some(seen) => {
                // Values of both paths may be in one event: they are not told apart here.
                of_values.tally.give_up();
                present.subtract(seen);
                seen.union(&present);
            }
            None => drop(self.by_name.insert(name, present.clone())),
        }
        let events = u32::try_from(present.count()).unwrap_or(u32::MAX);
        self.found.facts.push(Fact {
            path: path.into(),
            facts: of_values.into_facts(events),
        });
    }
}

fn is_of_one_kind(kinds: FieldKinds) -> bool {
    let kinds = ScalarKind::ALL.into_iter().filter(|kind| kinds.has(*kind));
    kinds.count() == 1
}

fn selection_of(presence: &Presence, rows: usize) -> Selection {
    match presence.words() {
        Some(words) => Selection::of_words(rows, words.to_vec()),
        None => Selection::all(rows),
    }
}

/// What some values are.
#[derive(Debug, Default)]
struct OfValues {
    kinds: FieldKinds,
    numbers: Numbers,
    tally: ValueTally,
    variety: Variety,
}

impl OfValues {
    /// Looks at the values of some rows; gives those in which the value is not null.
    fn add_rows(&mut self, column: &Column, rows: &Selection) -> Result<Selection, Failure> {
        let mut present = Selection::none(rows.rows());
        for row in rows.iter() {
            if let Some(value) = column.scalar(row)?
                && self.add(value)
            {
                present.insert(row);
            }
        }
        Ok(present)
    }

    /// Looks at a value; whether it is not null.
    fn add(&mut self, value: Scalar<'_>) -> bool {
        if value == Scalar::Null {
            return false;
        }
        let kind = FieldKinds::from_iter([ScalarKind::of(value)]);
        self.kinds = self.kinds.union(kind);
        self.tally.add(value, 1);
        self.numbers = match (self.numbers, value) {
            (Numbers::Unknown, _) => Numbers::Unknown,
            (before, Scalar::Int(_) | Scalar::Float(_)) => match value.as_number() {
                Some(number) => {
                    let only = NumberRange {
                        min: number,
                        max: number,
                    };
                    Numbers::Within(match before {
                        Numbers::Within(range) => range.union(only),
                        Numbers::None | Numbers::Unknown => only,
                    })
                }
                None => Numbers::Unknown,
            },
            _ => Numbers::Unknown,
        };
        true
    }

    fn into_facts(self, events: u32) -> FieldFacts {
        FieldFacts {
            events,
            kinds: self.kinds,
            numbers: self.numbers,
            distinct_min: u32::from(!self.kinds.has(ScalarKind::Json)),
            values: ValuesOfPart::Tallied(self.tally),
            variety: self.variety,
        }
    }
}

/// What open rows say of their fields.
pub(super) fn of_open(
    rows: &PartRows<'_>,
    open: &OpenRows,
) -> Result<PartAnswer<PartFacts>, Failure> {
    let batch = open.batch();
    let mut fields: Vec<OfValues> = Vec::new();
    fields.resize_with(batch.paths().len(), OfValues::default);
    let mut counts = vec![0u32; fields.len()];
    let names: Vec<_> = batch.paths().iter().map(|path| path::name(path)).collect();
    let is_shared = share_names(batch.paths().iter().map(|path| &**path));
    let mut events = 0;
    let rows_scanned = rows.match_open(
        open,
        |_| true,
        |row, _| {
            if row.is_multiple_of(ROWS_PER_CHECK) {
                rows.budget.check()?;
            }
            events += 1;
            let mut seen: Vec<&str> = Vec::new();
            for (field, value) in batch.event(row).fields() {
                let index = field.index();
                let (Some(of_values), Some(name)) = (fields.get_mut(index), names.get(index))
                else {
                    continue;
                };
                if !of_values.add(value) {
                    continue;
                }
                if is_shared {
                    if seen.contains(&&**name) {
                        continue;
                    }
                    seen.push(name);
                }
                if let Some(count) = counts.get_mut(index) {
                    *count += 1;
                }
            }
            Ok(())
        },
    )?;
    let facts = batch.paths().iter().zip(fields).zip(counts);
    let facts = facts.filter(|((_, of_values), _)| !of_values.kinds.are_within(&[]));
    let facts = facts.map(|((path, mut of_values), count)| {
        if is_shared {
            of_values.tally.give_up();
        }
        Fact {
            path: Arc::from(&**path),
            facts: of_values.into_facts(count),
        }
    });
    Ok(PartAnswer {
        fate: Fate::OpenRows,
        found: PartFacts {
            events,
            facts: facts.collect(),
        },
        rows_scanned,
        bytes_scanned: 0,
    })
}
