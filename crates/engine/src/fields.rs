//! Which fields a snapshot has, and of what kinds their values are: what a schema is made of.
//!
//! Kinds are read off the encodings and the dictionaries of blocks; only columns whose kind changes from row to row are
//! read for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cordwood_event::path;
use cordwood_query::Filter;
use cordwood_store::column::{Column, ScalarKind, Values};
use cordwood_store::{BlockHandle, Encoding, OpenRows, Part, Snapshot};

use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::{Engine, Error, SearchRequest};

/// How many parts are asked by one task: most are answered by their directories, in microseconds.
const PARTS_AT_ONCE: usize = 16;

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

    fn bit(kind: ScalarKind) -> u8 {
        1 << kind as u8
    }

    fn add(&mut self, kind: ScalarKind) {
        self.kinds |= FieldKinds::bit(kind);
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
    fn add(&mut self, path: &str, kind: ScalarKind) {
        match self.paths.get_mut(path) {
            Some(kinds) => kinds.add(kind),
            None => self.paths.entry(path.into()).or_default().add(kind),
        }
    }

    fn merge(mut self, other: Fields) -> Fields {
        for (path, kinds) in other.paths {
            let known = self.paths.entry(path).or_default();
            *known = known.union(kinds);
        }
        self
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
        let (plan, _) = self.plan(snapshot, &everything);
        let plan = Arc::new(plan);
        let budget = self.budget(request);
        let starts = (0..plan.parts.len()).step_by(PARTS_AT_ONCE);
        let of_some = |start: usize| {
            let (plan, wanted, budget) = (Arc::clone(&plan), wanted.clone(), budget.clone());
            move || {
                let parts = plan.parts.iter().skip(start).take(PARTS_AT_ONCE);
                let of_parts = parts
                    .map(|planned| fields_of(&planned.part, &wanted, &budget).unwrap_or_default());
                of_parts.fold(Fields::default(), Fields::merge)
            }
        };
        let of_all = self.pool().share().do_all(starts.map(of_some))?;
        Ok(of_all.into_iter().fold(Fields::default(), Fields::merge))
    }
}

fn fields_of(part: &Part, wanted: &Wanted, budget: &Budget) -> Result<Fields, Failure> {
    budget.check()?;
    match part {
        Part::Open(rows) => Ok(of_open(rows, wanted)),
        Part::Block(handle) => of_block(handle, wanted),
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

fn of_block(handle: &BlockHandle, wanted: &Wanted) -> Result<Fields, Failure> {
    let block = handle.afresh();
    let mut fields = Fields::default();
    for (index, entry) in block.directory().columns.iter().enumerate() {
        if !wanted.contains(&entry.path) {
            continue;
        }
        match entry.encoding {
            Encoding::Int => fields.add(&entry.path, ScalarKind::Int),
            Encoding::Float => fields.add(&entry.path, ScalarKind::Float),
            Encoding::Str | Encoding::Hex | Encoding::Ip4 | Encoding::Text => {
                fields.add(&entry.path, ScalarKind::Str);
            }
            Encoding::Const | Encoding::Dict | Encoding::Mixed => {
                add_kinds_of(&block.column(index)?, &entry.path, &mut fields);
            }
        }
    }
    if let Some(rest) = block.rest()? {
        for (index, path) in rest.paths().enumerate() {
            if wanted.contains(path) {
                for (_, value) in rest.values_of(index)? {
                    fields.add(path, ScalarKind::of(value?));
                }
            }
        }
    }
    Ok(fields)
}

fn add_kinds_of(column: &Column, path: &str, fields: &mut Fields) {
    let kinds = ScalarKind::ALL.into_iter();
    match &column.values {
        Values::Const(value) => fields.add(path, ScalarKind::of(value.as_scalar())),
        Values::Dict { values, .. } => kinds
            .filter(|kind| !values.codes_of(*kind).is_empty())
            .for_each(|kind| fields.add(path, kind)),
        Values::Mixed(mixed) => kinds
            .filter(|kind| mixed.kinds().contains(kind))
            .for_each(|kind| fields.add(path, kind)),
        Values::Int(_) => fields.add(path, ScalarKind::Int),
        Values::Float(_) => fields.add(path, ScalarKind::Float),
        Values::Str(_) | Values::Packed(_) | Values::Text(_) => fields.add(path, ScalarKind::Str),
    }
}
