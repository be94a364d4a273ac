//! How many different values fields have, as far as the directories of blocks tell: which of them have few enough that it is
//! worth asking for each.

use std::collections::{BTreeMap, HashMap, HashSet};

use cordwood_event::path;
use cordwood_query::Filter;
use cordwood_store::block::ColumnEntry;
use cordwood_store::column::ScalarKind;
use cordwood_store::{BlockHandle, Encoding, OpenRows, Part, Snapshot};

use super::FieldKinds;
use crate::datum::Datum;
use crate::key::Key;
use crate::{Engine, SearchRequest};

/// How much the values of a field vary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variety {
    /// How many events have the field, in the blocks and among the open rows that the range touches.
    pub present: u64,
    /// No part has more different values than these; `None` when it is known of none.
    pub values: Option<u32>,
    /// Whether they are known of all of these; else there are some with many values.
    pub is_known: bool,
    /// The kinds of its values, as far as encodings tell: none of them is left out where they tell nothing.
    pub kinds: FieldKinds,
}

impl Variety {
    /// That of these events and more.
    #[must_use]
    pub fn with(self, more: Variety) -> Variety {
        Variety {
            present: self.present + more.present,
            values: self.values.max(more.values),
            is_known: self.is_known && more.is_known,
            kinds: self.kinds.union(more.kinds),
        }
    }
}

/// More different values among open rows are as good as all different.
const OPEN_VALUES_MAX: usize = 4096;

impl Engine {
    /// How the values of fields vary in the range of a request, by their names; its filter does not count. Reads no block.
    /// Fields that are so rare that they have no column of their own are left out.
    pub fn varieties(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
    ) -> BTreeMap<String, Variety> {
        let everything = SearchRequest {
            filter: Filter::All,
            ..request.clone()
        };
        let budget = self.budget(request);
        let (plan, _) = self.plan(snapshot, &everything, &budget);
        let mut found = BTreeMap::new();
        for planned in &plan.parts {
            if budget.check().is_err() {
                break;
            }
            match &planned.part {
                Part::Open(rows) => add_open(&mut found, rows),
                Part::Block(block) => add_block(&mut found, block),
            }
        }
        found
    }
}

fn add(found: &mut BTreeMap<String, Variety>, path: &str, of_part: Variety) {
    let name = path::name(path);
    match found.get_mut(&*name) {
        Some(known) => *known = known.with(of_part),
        None => {
            found.insert(name.into_owned(), of_part);
        }
    }
}

fn add_block(found: &mut BTreeMap<String, Variety>, block: &BlockHandle) {
    for entry in &block.directory().columns {
        let values = values_of(entry);
        let of_block = Variety {
            present: entry.present.into(),
            values,
            is_known: values.is_some(),
            kinds: kinds_told(entry),
        };
        add(found, &entry.path, of_block);
    }
}

fn values_of(entry: &ColumnEntry) -> Option<u32> {
    match entry.encoding {
        Encoding::Const => Some(1),
        Encoding::Dict => Some(entry.dictionary_len.into()),
        // Addresses repeat, and are as short as a code.
        Encoding::Ip4 => Some(entry.present),
        _ => None,
    }
}

/// Without looking into the block.
fn kinds_told(entry: &ColumnEntry) -> FieldKinds {
    match (entry.encoding, &entry.values) {
        (Encoding::Int, _) => FieldKinds::from_iter([ScalarKind::Int]),
        (Encoding::Float, _) => FieldKinds::from_iter([ScalarKind::Float]),
        (Encoding::Str | Encoding::Hex | Encoding::Ip4 | Encoding::Text, _) => {
            FieldKinds::from_iter([ScalarKind::Str])
        }
        (_, Some(counted)) => counted.scalars().map(ScalarKind::of).collect(),
        _ if entry.numbers.is_some() => FieldKinds::from_iter([ScalarKind::Int, ScalarKind::Float]),
        _ => ScalarKind::ALL.into_iter().collect(),
    }
}

fn add_open(found: &mut BTreeMap<String, Variety>, rows: &OpenRows) {
    /// Of the values of one field.
    #[derive(Default)]
    struct OfField {
        present: u64,
        different: HashSet<Key>,
        kinds: FieldKinds,
    }
    let batch = rows.batch();
    let mut fields: HashMap<usize, OfField> = HashMap::new();
    for event in batch.events() {
        for (field, value) in event.fields() {
            let of_field = fields.entry(field.index()).or_default();
            of_field.present += 1;
            of_field.kinds.add(ScalarKind::of(value));
            if of_field.different.len() <= OPEN_VALUES_MAX {
                let leaf = Datum::Scalar(value).leaf();
                of_field.different.insert(leaf.map_or(Key::Null, Key::of));
            }
        }
    }
    for (index, of_field) in fields {
        let count = of_field.different.len();
        let values = u32::try_from(count).ok();
        let values = values.filter(|_| count <= OPEN_VALUES_MAX);
        let of_open = Variety {
            present: of_field.present,
            values,
            is_known: values.is_some(),
            kinds: of_field.kinds,
        };
        if let Some(path) = batch.paths().get(index) {
            add(found, path, of_open);
        }
    }
}
