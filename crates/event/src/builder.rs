//! Builds a [`Batch`] from the events of a decoder: keys and values in document order.
//!
//! Objects are flattened as they come: the builder keeps a trie of keys, so a key seen before costs
//! one comparison when events repeat their keys in the same order, as events do.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::batch::{Cell, CellKind, Row};
use crate::{Batch, FieldId, Level, Scalar, Timestamp, path};

/// What is known of an event apart from its fields.
#[derive(Clone, Copy, Debug)]
pub struct EventHead {
    /// The event's time.
    pub timestamp: Timestamp,
    /// The normalised level.
    pub level: Option<Level>,
    /// How many bytes of the request the event took.
    pub source_bytes: u32,
}

/// A state of a [`BatchBuilder`].
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    rows: usize,
    cells: usize,
    text: usize,
}

/// The object already has this key. The decoder decides what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuplicateKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct NodeId(u32);

const ROOT: NodeId = NodeId(0);
const NO_EVENT: u32 = 0;

/// A key in the trie of all objects seen.
#[derive(Debug)]
struct Node {
    parent: NodeId,
    /// Where the key lies in `BatchBuilder::keys`. A body may bring millions of keys, too many for an
    /// allocation each.
    key_start: u32,
    key_bytes: u32,
    /// Whether a JSON string literal can spell the key by nothing but itself.
    is_plain: bool,
    field: Option<FieldId>,
    /// The event that last used the key, to notice duplicates; `NO_EVENT` before the first.
    last_event: u32,
    /// The key that followed this one last time: a guess at the next.
    next_guess: Option<NodeId>,
    /// The first key inside this object last time.
    first_guess: Option<NodeId>,
}

impl Node {
    fn new(parent: NodeId, key_start: u32, key: &str) -> Node {
        let must_be_escaped = |byte: u8| matches!(byte, b'"' | b'\\' | ..b' ');
        Node {
            parent,
            key_start,
            key_bytes: narrow(key.len()),
            is_plain: !key.bytes().any(must_be_escaped),
            field: None,
            last_event: NO_EVENT,
            next_guess: None,
            first_guess: None,
        }
    }

    #[inline]
    fn key<'a>(&self, keys: &'a str) -> &'a str {
        let start = self.key_start as usize;
        keys.get(start..start + self.key_bytes as usize)
            .expect("the builder wrote whole keys")
    }
}

/// A node in the hash table, with enough of its hash to move it when the table grows, and to pass over it when looking
/// for another, without a visit to its key: of millions of keys, each visit misses the cache.
#[derive(Clone, Copy, Debug)]
struct Child {
    hash: u32,
    node: NodeId,
}

impl Child {
    /// Spread over 64 bits again, since the table uses both ends.
    fn table_hash(hash: u32) -> u64 {
        /// 2^64 divided by the golden ratio (Knuth, TAOCP volume 3, section 6.4).
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        u64::from(hash).wrapping_mul(SPREAD)
    }
}

#[derive(Debug)]
struct OpenObject {
    node: NodeId,
    current: Option<NodeId>,
}

/// Collects events into a [`Batch`].
///
/// For each event: [`begin_event`](Self::begin_event), then keys with their values or objects,
/// then [`finish_event`](Self::finish_event) or [`abandon_event`](Self::abandon_event).
#[derive(Debug)]
pub struct BatchBuilder {
    batch: Batch,
    nodes: Vec<Node>,
    /// The keys of all nodes, end to end.
    keys: String,
    /// The node of each field.
    field_nodes: Vec<NodeId>,
    /// The bytes of all paths.
    path_bytes: usize,
    children: HashTable<Child>,
    hasher: RandomState,
    open: Vec<OpenObject>,
    event_number: u32,
    open_first_cell: usize,
    open_first_text: usize,
    /// Whether an event was taken back, whose fields may be no other's.
    has_forgotten: bool,
}

impl Default for BatchBuilder {
    fn default() -> BatchBuilder {
        BatchBuilder::new()
    }
}

impl BatchBuilder {
    /// An empty builder.
    pub fn new() -> BatchBuilder {
        BatchBuilder {
            batch: Batch::default(),
            nodes: vec![Node::new(ROOT, 0, "")],
            keys: String::new(),
            field_nodes: Vec::new(),
            path_bytes: 0,
            children: HashTable::new(),
            hasher: RandomState::new(),
            open: Vec::new(),
            event_number: NO_EVENT,
            open_first_cell: 0,
            open_first_text: 0,
            has_forgotten: false,
        }
    }

    /// Makes room for so many bytes of text. Room that is not used is given back in the end.
    pub fn reserve_text(&mut self, bytes: usize) {
        self.batch.text.reserve(bytes);
    }

    /// The events finished so far.
    pub fn event_count(&self) -> usize {
        self.batch.rows.len()
    }

    /// The fields met so far, by [`FieldId`]; only ever grows.
    pub fn paths(&self) -> &[Box<str>] {
        &self.batch.paths
    }

    /// The memory held so far, in bytes, without room that was only set aside. Takes no time.
    ///
    /// Reckoned with fixed sizes, not with those that the compiler gives this version: a decoder stops at a limit of
    /// memory, and must stop at the same event when a log is replayed by a later version.
    pub fn memory_bytes(&self) -> usize {
        const CELL_BYTES: usize = 16;
        const ROW_BYTES: usize = 24;
        /// Its slice, its place in the allocator's table, its node.
        const PATH_BYTES: usize = 32;
        /// Itself, a slot in the hash table and the room that both leave empty as they grow.
        const NODE_BYTES: usize = 64;
        self.batch.text.len()
            + self.batch.cells.len() * CELL_BYTES
            + self.batch.rows.len() * ROW_BYTES
            + self.batch.paths.len() * PATH_BYTES
            + self.path_bytes
            + self.keys.len()
            + self.nodes.len() * NODE_BYTES
    }

    /// The state between two events, to come back to with [`rewind`](Self::rewind).
    pub fn mark(&self) -> Mark {
        Mark {
            rows: self.batch.rows.len(),
            cells: self.batch.cells.len(),
            text: self.batch.text.len(),
        }
    }

    /// Forgets all events since `mark`, which must be one of this builder's and not already rewound past. Their
    /// paths stay.
    pub fn rewind(&mut self, mark: Mark) {
        self.batch.rows.truncate(mark.rows);
        self.batch.cells.truncate(mark.cells);
        self.batch.text.truncate(mark.text);
        self.has_forgotten = true;
        self.close_event();
    }

    /// Starts an event; its root object is open.
    pub fn begin_event(&mut self) {
        self.event_number += 1;
        self.close_event();
        self.open.push(OpenObject {
            node: ROOT,
            current: None,
        });
    }

    /// Names the value or object that comes next.
    pub fn key(&mut self, key: &str) -> Result<(), DuplicateKey> {
        let object = self.open.last().expect("a key belongs to an open object");
        let (parent, previous) = (object.node, object.current);
        let node = self.child(parent, previous, key);
        let event_number = self.event_number;
        let entry = &mut self.nodes[node.0 as usize];
        if entry.last_event == event_number {
            return Err(DuplicateKey);
        }
        entry.last_event = event_number;
        if let Some(object) = self.open.last_mut() {
            object.current = Some(node);
        }
        Ok(())
    }

    /// Names what comes next by the text behind the opening quote of a JSON key, if that is the key which came here last
    /// time, then a quote; gives the length of the key. The short way through [`key`](Self::key) for most keys.
    #[inline]
    pub fn quoted_key(&mut self, text: &[u8]) -> Option<usize> {
        let object = self.open.last_mut()?;
        let guess = match object.current {
            Some(node) => self.nodes[node.0 as usize].next_guess,
            None => self.nodes[object.node.0 as usize].first_guess,
        }?;
        let node = &mut self.nodes[guess.0 as usize];
        let key = node.key(&self.keys).as_bytes();
        let is_this = node.is_plain
            && node.last_event != self.event_number
            && text.get(key.len()) == Some(&b'"')
            && text.starts_with(key);
        if !is_this {
            return None;
        }
        node.last_event = self.event_number;
        object.current = Some(guess);
        Some(key.len())
    }

    /// Opens an object as the value of the last key.
    pub fn begin_object(&mut self) {
        let node = self.current_node();
        self.open.push(OpenObject {
            node,
            current: None,
        });
    }

    /// Closes the innermost object. An empty one is kept as the value `{}`.
    pub fn end_object(&mut self) {
        let closed = self.open.pop().expect("an object was opened");
        if closed.current.is_none() && !self.open.is_empty() {
            self.value(Scalar::Json("{}"));
        }
    }

    /// The value of the last key.
    pub fn value(&mut self, value: Scalar<'_>) {
        let node = self.current_node();
        let field = self.field_of(node);
        self.push_cell(field, value);
    }

    /// Sets a field of the root object that the event did not send itself, such as a parse error.
    /// Does nothing when it did.
    pub fn set_root_field(&mut self, key: &str, value: Scalar<'_>) {
        let node = self.child_by_hash(ROOT, key);
        let event_number = self.event_number;
        let entry = &mut self.nodes[node.0 as usize];
        if entry.last_event == event_number {
            return;
        }
        entry.last_event = event_number;
        let field = self.field_of(node);
        self.push_cell(field, value);
    }

    /// The fields of the event being built, in order.
    pub fn open_fields(&self) -> impl Iterator<Item = (FieldId, Scalar<'_>)> {
        self.batch.cells[self.open_first_cell..]
            .iter()
            .map(|cell| (cell.field, self.batch.scalar(cell)))
    }

    /// The field in place `index` of [`open_fields`](Self::open_fields); the way to look through the fields without
    /// their values.
    pub fn open_field(&self, index: usize) -> Option<FieldId> {
        let cell = self.batch.cells.get(self.open_first_cell + index)?;
        Some(cell.field)
    }

    /// The value of the field in place `index` of [`open_fields`](Self::open_fields).
    pub fn open_value(&self, index: usize) -> Option<Scalar<'_>> {
        let cell = self.batch.cells.get(self.open_first_cell + index)?;
        Some(self.batch.scalar(cell))
    }

    /// Takes a field out of the event being built, when its value lives elsewhere (as `dt` does).
    pub fn remove_open_field(&mut self, field: FieldId) {
        let cells = &self.batch.cells[self.open_first_cell..];
        if let Some(index) = cells.iter().position(|cell| cell.field == field) {
            self.batch.cells.remove(self.open_first_cell + index);
        }
    }

    /// Whether the event being built has this key in its root object.
    pub fn has_root_key(&mut self, key: &str) -> bool {
        let node = self.child_by_hash(ROOT, key);
        self.nodes[node.0 as usize].last_event == self.event_number
    }

    /// Gives the root key `from` of the event being built the name `to`, with all below it, when Cordwood
    /// needs `from` for itself. The event must not use `to`.
    pub fn rename_root_key(&mut self, from: &str, to: &str) {
        let from = self.child_by_hash(ROOT, from);
        let to = self.child_by_hash(ROOT, to);
        self.nodes[to.0 as usize].last_event = self.event_number;
        for index in self.open_first_cell..self.batch.cells.len() {
            let field = self.batch.cells[index].field;
            let node = self.field_nodes[field.index()];
            if let Some(renamed) = self.moved(node, from, to) {
                self.batch.cells[index].field = self.field_of(renamed);
            }
        }
    }

    /// The node that stands below `to` as `node` does below `from`; `None` when it does not.
    fn moved(&mut self, node: NodeId, from: NodeId, to: NodeId) -> Option<NodeId> {
        if node == from {
            return Some(to);
        }
        if node == ROOT {
            return None;
        }
        let Node { parent, .. } = self.nodes[node.0 as usize];
        let parent = self.moved(parent, from, to)?;
        let key = self.key_of(node).to_owned();
        Some(self.child_by_hash(parent, &key))
    }

    /// Keeps the event.
    pub fn finish_event(&mut self, head: EventHead) {
        let cell_count = self.batch.cells.len() - self.open_first_cell;
        self.batch.rows.push(Row {
            first_cell: narrow(self.open_first_cell),
            cell_count: narrow(cell_count),
            source_bytes: head.source_bytes,
            level: head.level,
            timestamp: head.timestamp,
        });
        self.close_event();
    }

    /// Forgets the event being built, if there is one.
    pub fn abandon_event(&mut self) {
        self.batch.cells.truncate(self.open_first_cell);
        self.batch.text.truncate(self.open_first_text);
        self.has_forgotten |= !self.open.is_empty();
        self.open.clear();
    }

    /// The batch of all finished events.
    pub fn finish(mut self) -> Batch {
        if self.has_forgotten {
            self.drop_unused_paths();
        }
        self.batch.text.shrink_to_fit();
        self.batch.cells.shrink_to_fit();
        self.batch.rows.shrink_to_fit();
        self.batch
    }

    /// Appends a copy of an event of another batch, as [`EventRef`](crate::EventRef) gives it. Used to gather small
    /// batches into larger ones.
    pub fn copy_event(&mut self, event: crate::EventRef<'_>, fields: &mut FieldMap) {
        self.begin_event();
        for (field, value) in event.fields() {
            let field = fields.translate(self, event.batch(), field);
            self.push_cell(field, value);
        }
        self.finish_event(EventHead {
            timestamp: event.timestamp(),
            level: event.level(),
            source_bytes: narrow(event.source_bytes()),
        });
    }

    /// The field at an escaped path, for [`set_field`](Self::set_field).
    pub fn field_at(&mut self, path: &str) -> FieldId {
        let node = path::keys(path).fold(ROOT, |parent, key| self.child_by_hash(parent, &key));
        self.field_of(node)
    }

    /// Gives the event being built a field, at most once each: for events that come back from columns.
    pub fn set_field(&mut self, field: FieldId, value: Scalar<'_>) {
        self.push_cell(field, value);
    }

    /// Whatever comes next belongs to another event.
    fn close_event(&mut self) {
        self.open.clear();
        self.open_first_cell = self.batch.cells.len();
        self.open_first_text = self.batch.text.len();
    }

    /// Keeps only the paths of fields that some event has, so that a refused event leaves no names behind.
    fn drop_unused_paths(&mut self) {
        let mut is_used = vec![false; self.batch.paths.len()];
        for cell in &self.batch.cells {
            is_used[cell.field.index()] = true;
        }
        let mut next = 0;
        let renumbered: Vec<FieldId> = is_used
            .iter()
            .map(|is_used| {
                let field = FieldId(next);
                next += u32::from(*is_used);
                field
            })
            .collect();
        for cell in &mut self.batch.cells {
            cell.field = renumbered[cell.field.index()];
        }
        let mut is_used = is_used.into_iter();
        self.batch.paths.retain(|_| is_used.next() == Some(true));
        self.batch.paths.shrink_to_fit();
    }

    fn current_node(&self) -> NodeId {
        let object = self.open.last().expect("a value belongs to an open object");
        object.current.expect("a value follows its key")
    }

    fn child(&mut self, parent: NodeId, previous: Option<NodeId>, key: &str) -> NodeId {
        let guess = match previous {
            Some(node) => self.nodes[node.0 as usize].next_guess,
            None => self.nodes[parent.0 as usize].first_guess,
        };
        if let Some(node) = guess
            && self.key_of(node) == key
        {
            return node;
        }
        let node = self.child_by_hash(parent, key);
        match previous {
            Some(previous) => self.nodes[previous.0 as usize].next_guess = Some(node),
            None => self.nodes[parent.0 as usize].first_guess = Some(node),
        }
        node
    }

    fn child_by_hash(&mut self, parent: NodeId, key: &str) -> NodeId {
        let hash = narrow((self.hasher.hash_one((parent, key)) >> u32::BITS) as usize);
        let (nodes, keys) = (&self.nodes, &self.keys);
        let is_child = |child: &Child| {
            let node = &nodes[child.node.0 as usize];
            child.hash == hash && node.parent == parent && node.key(keys) == key
        };
        if let Some(child) = self.children.find(Child::table_hash(hash), is_child) {
            return child.node;
        }
        let node = NodeId(narrow(self.nodes.len()));
        let key_start = narrow(self.keys.len());
        self.keys.push_str(key);
        self.nodes.push(Node::new(parent, key_start, key));
        self.children
            .insert_unique(Child::table_hash(hash), Child { hash, node }, |child| {
                Child::table_hash(child.hash)
            });
        node
    }

    fn key_of(&self, node: NodeId) -> &str {
        self.nodes[node.0 as usize].key(&self.keys)
    }

    fn field_of(&mut self, node: NodeId) -> FieldId {
        if let Some(field) = self.nodes[node.0 as usize].field {
            return field;
        }
        let path = self.path_of(node);
        let field = FieldId(narrow(self.batch.paths.len()));
        self.path_bytes += path.len();
        self.batch.paths.push(path);
        self.field_nodes.push(node);
        self.nodes[node.0 as usize].field = Some(field);
        field
    }

    fn path_of(&self, node: NodeId) -> Box<str> {
        let mut keys = Vec::new();
        let mut current = node;
        while current != ROOT {
            keys.push(self.key_of(current));
            current = self.nodes[current.0 as usize].parent;
        }
        let mut joined = String::new();
        for (index, key) in keys.iter().rev().enumerate() {
            path::push_key(&mut joined, key, index == 0);
        }
        joined.into()
    }

    fn push_cell(&mut self, field: FieldId, value: Scalar<'_>) {
        let (kind, bits) = match value {
            Scalar::Null => (CellKind::Null, 0),
            Scalar::Bool(boolean) => (CellKind::Bool, u64::from(boolean)),
            Scalar::Int(integer) => (CellKind::Int, integer.cast_unsigned()),
            Scalar::Float(float) => (CellKind::Float, float.to_bits()),
            Scalar::Str(text) => (CellKind::Str, self.push_text(text)),
            Scalar::Json(text) => (CellKind::Json, self.push_text(text)),
        };
        self.batch.cells.push(Cell { field, kind, bits });
    }

    fn push_text(&mut self, text: &str) -> u64 {
        let start = u64::from(narrow(self.batch.text.len()));
        self.batch.text.push_str(text);
        start << 32 | u64::from(narrow(text.len()))
    }
}

/// Translates the fields of one batch into those of a builder; one per pair of them.
#[derive(Debug, Default)]
pub struct FieldMap {
    translated: Vec<Option<FieldId>>,
}

impl FieldMap {
    fn translate(&mut self, to: &mut BatchBuilder, from: &Batch, field: FieldId) -> FieldId {
        if self.translated.len() < from.paths().len() {
            self.translated.resize(from.paths().len(), None);
        }
        if let Some(known) = self.translated[field.index()] {
            return known;
        }
        let mut node = ROOT;
        for key in path::keys(&from.paths()[field.index()]) {
            node = to.child_by_hash(node, &key);
        }
        let translated = to.field_of(node);
        self.translated[field.index()] = Some(translated);
        translated
    }
}

/// A batch is bounded by the 100 MiB limit on a decompressed body, far below 2^32 of anything.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("a batch stays below 2^32 bytes")
}
