//! Which fields a snapshot has, and of what kinds their values are: what a schema is made of.
//!
//! Kinds are read off the encodings of blocks and the values that their directories count; of other columns whose kinds
//! their encoding does not tell they are read once, and known from then on.

mod known;
mod variety;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cordwood_event::{Scalar, path};
use cordwood_query::Filter;
use cordwood_store::block::{ColumnEntry, Rest};
use cordwood_store::column::{Column, ScalarKind, Values};
use cordwood_store::{BlockHandle, Encoding, OpenRows, Part, Snapshot};

use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::{Engine, Error, SearchRequest};

/// How many parts are asked by one task: most are answered by their directories, in microseconds.
const PARTS_AT_ONCE: usize = 16;

pub(crate) use known::{BlockKinds, ColumnContents, KnownKinds};
use known::{RestFields, RestPath};
pub use variety::Variety;

/// The kinds of values a field has in some events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldKinds {
    kinds: u8,
}

impl FieldKinds {
    /// Whether some value is of this kind.
    pub fn has(self, kind: ScalarKind) -> bool {
        self.kinds & FieldKinds::bit(kind) != 0
    }

    /// Whether every value that is not null is of one of these kinds.
    pub fn are_within(self, kinds: &[ScalarKind]) -> bool {
        let allowed = kinds
            .iter()
            .fold(FieldKinds::bit(ScalarKind::Null), |bits, kind| {
                bits | FieldKinds::bit(*kind)
            });
        self.kinds & !allowed == 0
    }

    /// Those of either.
    pub fn union(self, other: FieldKinds) -> FieldKinds {
        FieldKinds {
            kinds: self.kinds | other.kinds,
        }
    }

    /// Those of values that are there.
    pub(crate) fn without_null(self) -> FieldKinds {
        FieldKinds {
            kinds: self.kinds & !FieldKinds::bit(ScalarKind::Null),
        }
    }

    fn bit(kind: ScalarKind) -> u8 {
        1 << kind as u8
    }

    fn add(&mut self, kind: ScalarKind) {
        self.kinds |= FieldKinds::bit(kind);
    }
}

impl FromIterator<ScalarKind> for FieldKinds {
    fn from_iter<K: IntoIterator<Item = ScalarKind>>(kinds: K) -> FieldKinds {
        let mut all = FieldKinds::default();
        kinds.into_iter().for_each(|kind| all.add(kind));
        all
    }
}

/// The fields of some events, by their paths in escaped form: two paths may have one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Each path with its kinds.
    pub paths: BTreeMap<Box<str>, FieldKinds>,
}

/// Which fields are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Every one.
    All,
    /// Those of these names: keys joined by dots, nothing escaped.
    Named(BTreeSet<String>),
}

impl Wanted {
    fn contains(&self, path: &str) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Named(names) => names.contains(&*path::name(path)),
        }
    }
}

impl Fields {
    fn add(&mut self, path: &str, kinds: FieldKinds) {
        match self.paths.get_mut(path) {
            Some(known) => *known = known.union(kinds),
            None => {
                self.paths.insert(path.into(), kinds);
            }
        }
    }
}

impl Engine {
    /// The fields that the sources of a request have in its range; its filter does not count. Blocks that cannot be
    /// read, and what is not reached by the deadline, are left out: the question for their rows tells of them.
    pub fn fields(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
        wanted: &Wanted,
    ) -> Result<Fields, Error> {
        let everything = SearchRequest {
            filter: Filter::All,
            ..request.clone()
        };
        let budget = self.budget(request);
        let (plan, _) = self.plan(snapshot, &everything, &budget);
        let plan = Arc::new(plan);
        let starts = (0..plan.parts.len()).step_by(PARTS_AT_ONCE);
        let of_some = |start: usize| {
            let (plan, wanted, budget) = (Arc::clone(&plan), wanted.clone(), budget.clone());
            let known = Arc::clone(self.known_kinds());
            move || {
                let parts = plan.parts.iter().skip(start).take(PARTS_AT_ONCE);
                let looking = parts.fold(Looking::new(&wanted, &known), |looking, planned| {
                    looking.after(&planned.part, &budget)
                });
                looking.into_found()
            }
        };
        let of_all = self.pool().share().do_all(starts.map(of_some), &budget)?;
        let of_all = of_all.unwrap_or_default();
        Ok(of_all.into_iter().fold(Fields::default(), merged))
    }
}

fn merged(mut all: Fields, more: Fields) -> Fields {
    for (path, kinds) in more.paths {
        all.add(&path, kinds);
    }
    all
}

/// The fields of some parts.
struct Looking<'a> {
    wanted: &'a Wanted,
    known: &'a KnownKinds,
    found: Fields,
    /// The paths of columns by their addresses, which the blocks of a segment share.
    columns: HashMap<usize, ColumnKinds>,
}

/// The kinds of the columns of one path.
struct ColumnKinds {
    path: Arc<str>,
    is_wanted: bool,
    kinds: FieldKinds,
}

impl<'a> Looking<'a> {
    fn new(wanted: &'a Wanted, known: &'a KnownKinds) -> Looking<'a> {
        Looking {
            wanted,
            known,
            found: Fields::default(),
            columns: HashMap::new(),
        }
    }

    fn after(mut self, part: &Part, budget: &Budget) -> Looking<'a> {
        // What cannot be read says so where its rows are asked for.
        let _ = self.look_at(part, budget);
        self
    }

    fn look_at(&mut self, part: &Part, budget: &Budget) -> Result<(), Failure> {
        budget.check()?;
        match part {
            Part::Open(rows) => {
                let fields = of_open(rows, self.wanted);
                for (path, kinds) in fields.paths {
                    self.found.add(&path, kinds);
                }
                Ok(())
            }
            Part::Block(handle) => self.look_at_block(handle),
        }
    }

    fn look_at_block(&mut self, handle: &BlockHandle) -> Result<(), Failure> {
        let known = self.known.of(handle);
        let block = handle.afresh();
        for (index, entry) in handle.directory().columns.iter().enumerate() {
            let column = self.columns.entry(Arc::as_ptr(&entry.path).addr());
            let column = column.or_insert_with(|| ColumnKinds {
                is_wanted: self.wanted.contains(&entry.path),
                path: Arc::clone(&entry.path),
                kinds: FieldKinds::default(),
            });
            if column.is_wanted {
                let contents = known.of_column(index, || contents_of(&block, index, entry))?;
                column.kinds = column.kinds.union(contents.kinds);
            }
        }
        if handle.directory().rest.is_none() {
            return Ok(());
        }
        match known.of_rest(|| fields_of_rest(&block))? {
            Some(rest) => {
                let wanted = rest.iter().filter(|rest| self.wanted.contains(&rest.path));
                wanted.for_each(|rest| self.found.add(&rest.path, rest.kinds));
                Ok(())
            }
            None => self.look_at_rest(&block),
        }
    }

    /// Looks at the rarest fields of a block, which are too many to be known.
    fn look_at_rest(&mut self, block: &BlockHandle) -> Result<(), Failure> {
        let Some(rest) = block.rest()? else {
            return Ok(());
        };
        for (index, path) in rest.paths().enumerate() {
            if self.wanted.contains(path) {
                let found = field_of_rest(rest, index, path)?;
                self.found.add(path, found.kinds);
            }
        }
        Ok(())
    }

    fn into_found(mut self) -> Fields {
        let columns = self.columns.into_values();
        for column in columns.filter(|column| column.is_wanted && column.kinds.kinds != 0) {
            self.found.add(&column.path, column.kinds);
        }
        self.found
    }
}

fn of_open(rows: &OpenRows, wanted: &Wanted) -> Fields {
    let batch = rows.batch();
    let paths = batch.paths();
    let is_wanted: Vec<bool> = paths.iter().map(|path| wanted.contains(path)).collect();
    let mut kinds = vec![FieldKinds::default(); paths.len()];
    for event in batch.events() {
        for (field, value) in event.fields() {
            if let Some(kinds) = kinds.get_mut(field.index()) {
                kinds.add(ScalarKind::of(value));
            }
        }
    }
    let found = paths.iter().zip(kinds).zip(is_wanted);
    let found = found.filter(|((_, kinds), is_wanted)| *is_wanted && kinds.kinds != 0);
    Fields {
        paths: found
            .map(|((path, kinds), _)| (path.clone(), kinds))
            .collect(),
    }
}

/// What the column at an index of the directory of a block holds.
pub(crate) fn contents_of(
    block: &BlockHandle,
    index: usize,
    entry: &ColumnEntry,
) -> Result<ColumnContents, Failure> {
    if let Some(contents) = told_contents(entry) {
        return Ok(contents);
    }
    let column = block.column(index)?;
    let kinds = kinds_in(&column);
    let mut nulls = 0;
    if kinds.has(ScalarKind::Null) {
        for row in 0..column.rows() {
            nulls += u32::from(column.scalar(row)? == Some(Scalar::Null));
        }
    }
    Ok(ColumnContents { kinds, nulls })
}

/// The same, where the directory alone tells.
pub(crate) fn told_contents(entry: &ColumnEntry) -> Option<ColumnContents> {
    if let Some(counted) = &entry.values {
        let rows = counted.scalars().zip(counted.iter());
        let nulls = rows.filter(|(value, _)| *value == Scalar::Null);
        return Some(ColumnContents {
            kinds: counted.scalars().map(ScalarKind::of).collect(),
            nulls: nulls.map(|(_, counted)| counted.rows).sum(),
        });
    }
    let only = match entry.encoding {
        Encoding::Int => ScalarKind::Int,
        Encoding::Float => ScalarKind::Float,
        Encoding::Str | Encoding::Hex | Encoding::Ip4 | Encoding::Text => ScalarKind::Str,
        Encoding::Const | Encoding::Dict | Encoding::Mixed => return None,
    };
    Some(ColumnContents {
        kinds: FieldKinds::from_iter([only]),
        nulls: 0,
    })
}

fn kinds_in(column: &Column) -> FieldKinds {
    let kinds = ScalarKind::ALL.into_iter();
    match &column.values {
        Values::Const(value) => FieldKinds::from_iter([ScalarKind::of(value.as_scalar())]),
        Values::Dict { values, .. } => kinds
            .filter(|kind| !values.codes_of(*kind).is_empty())
            .collect(),
        Values::Mixed(mixed) => kinds.filter(|kind| mixed.kinds().contains(kind)).collect(),
        Values::Int(_) => FieldKinds::from_iter([ScalarKind::Int]),
        Values::Float(_) => FieldKinds::from_iter([ScalarKind::Float]),
        Values::Str(_) | Values::Packed(_) | Values::Text(_) => {
            FieldKinds::from_iter([ScalarKind::Str])
        }
    }
}

/// Of the rarest fields of a block; `None` where they are too many to keep.
pub(crate) fn fields_of_rest(block: &BlockHandle) -> Result<RestFields, Failure> {
    /// As many as take about as much as the rest of a directory.
    const PATHS_MAX: usize = 1024;
    let Some(rest) = block.rest()? else {
        return Ok(Some(Box::default()));
    };
    if rest.paths().count() > PATHS_MAX {
        return Ok(None);
    }
    let paths = rest.paths().enumerate();
    let fields = paths.map(|(index, path)| field_of_rest(rest, index, path));
    fields.collect::<Result<_, Failure>>().map(Some)
}

/// One of the rarest fields of a block.
pub(crate) fn field_of_rest(rest: &Rest, index: usize, path: &str) -> Result<RestPath, Failure> {
    let mut kinds = FieldKinds::default();
    let mut events = 0;
    for (_, value) in rest.values_of(index)? {
        let kind = ScalarKind::of(value?);
        kinds.add(kind);
        events += u32::from(kind != ScalarKind::Null);
    }
    Ok(RestPath {
        path: path.into(),
        kinds,
        events,
    })
}
