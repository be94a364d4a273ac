//! Builds a [`Batch`] from the events of a decoder: keys and values in document order.
//!
//! Objects are flattened as they come: the builder keeps a trie of [keys], so a key seen before costs
//! one comparison when events repeat their keys in the same order, as events do; and so does a text that a key had last time.

mod keys;

use keys::{Keys, LastText, NodeId, ROOT};

use crate::batch::{Cell, CellKind, Row, text_place};
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
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    rows: usize,
    cells: usize,
    text: usize,
    repeated_bytes: usize,
}

/// The object already has this key. The decoder decides what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuplicateKey;

const NO_EVENT: u32 = 0;

/// The first of so many parts of a large body tells how much room the others take.
const PARTS_OF_BODY: usize = 16;

/// Collects events into a [`Batch`].
///
/// For each event: [`begin_event`](Self::begin_event), then keys with their values or objects,
/// then [`finish_event`](Self::finish_event) or [`abandon_event`](Self::abandon_event).
#[derive(Debug)]
pub struct BatchBuilder {
    batch: Batch,
    keys: Keys,
    /// The node of each field.
    field_nodes: Vec<NodeId>,
    /// The bytes of all paths.
    path_bytes: usize,
    /// The object being filled: `ROOT`, or the key it is the value of.
    object: NodeId,
    /// The last key in it; `ROOT` before the first.
    current: NodeId,
    /// The objects around it, the outermost first.
    outer: Vec<NodeId>,
    /// Whether an event has begun.
    is_open: bool,
    event_number: u32,
    /// The last event with which text was taken back: where a text lay before may now be another.
    forgotten_event: u32,
    /// The state before the event being built.
    opened: Mark,
    /// The bytes of texts that were not kept again.
    repeated_bytes: usize,
    /// Whether an event was taken back, whose fields may be no other's.
    has_forgotten: bool,
    room: Room,
}

/// Room for a body that is set aside once its first events tell how much it takes.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    /// `None` if there is nothing to be set aside any more.
    body_bytes: Option<usize>,
    /// Of the events so far.
    source_bytes: usize,
}

impl Default for BatchBuilder {
    fn default() -> BatchBuilder {
        BatchBuilder::new()
    }
}

impl BatchBuilder {
    /// The most bytes of a [`short_text`](Self::short_text).
    pub const SHORT_TEXT_BYTES: usize = 16;

    /// An empty builder.
    pub fn new() -> BatchBuilder {
        BatchBuilder {
            batch: Batch::default(),
            keys: Keys::new(),
            field_nodes: Vec::new(),
            path_bytes: 0,
            object: ROOT,
            current: ROOT,
            outer: Vec::new(),
            is_open: false,
            event_number: NO_EVENT,
            forgotten_event: NO_EVENT,
            opened: Mark::default(),
            repeated_bytes: 0,
            has_forgotten: false,
            room: Room::default(),
        }
    }

    /// Makes room for what a body of so many bytes becomes: of a large one, for its first part, and for the rest once that has told how
    /// much it takes. Room that is not used is given back in the end; but pages given back a few at a time are of no use to the next
    /// body, which would have the kernel clear others, so that it should be little.
    pub fn reserve(&mut self, body_bytes: usize) {
        /// A field with its key takes about twenty bytes of JSON.
        const BODY_BYTES_PER_CELL: usize = 16;
        const LARGE_BYTES: usize = 64 << 10;
        let mut bytes = body_bytes;
        if body_bytes >= LARGE_BYTES {
            bytes /= PARTS_OF_BODY;
            self.room.body_bytes = Some(body_bytes);
        }
        self.batch.text.reserve(bytes);
        self.batch.cells.reserve(bytes / BODY_BYTES_PER_CELL);
    }

    /// Makes room for the rest of the body, if this is the time.
    fn reserve_rest(&mut self) {
        let Some(body_bytes) = self.room.body_bytes else {
            return;
        };
        let seen = self.room.source_bytes;
        if seen < body_bytes / PARTS_OF_BODY {
            return;
        }
        self.room.body_bytes = None;
        let unseen = body_bytes.saturating_sub(seen);
        // A little more than so far: a body that needs a little more than there is would take twice as much.
        let of_rest = |of_seen: usize| (of_seen + of_seen / PARTS_OF_BODY) * unseen / seen.max(1);
        let batch = &mut self.batch;
        batch.text.reserve_exact(of_rest(batch.text.len()));
        batch.cells.reserve_exact(of_rest(batch.cells.len()));
        batch.rows.reserve_exact(of_rest(batch.rows.len()));
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
    /// Reckoned with fixed sizes, not with those that the compiler gives this version, and as if every text was kept: a decoder
    /// stops at a limit of memory, and must stop at the same event when a log is replayed by a later version.
    pub fn memory_bytes(&self) -> usize {
        const CELL_BYTES: usize = 16;
        const ROW_BYTES: usize = 24;
        /// Its slice, its place in the allocator's table, its node.
        const PATH_BYTES: usize = 32;
        self.batch.text.len()
            + self.repeated_bytes
            + self.batch.cells.len() * CELL_BYTES
            + self.batch.rows.len() * ROW_BYTES
            + self.batch.paths.len() * PATH_BYTES
            + self.path_bytes
            + self.keys.memory_bytes()
    }

    /// The state between two events, to come back to with [`rewind`](Self::rewind).
    pub fn mark(&self) -> Mark {
        Mark {
            rows: self.batch.rows.len(),
            cells: self.batch.cells.len(),
            text: self.batch.text.len(),
            repeated_bytes: self.repeated_bytes,
        }
    }

    /// Forgets all events since `mark`, which must be one of this builder's and not already rewound past. Their
    /// paths stay.
    pub fn rewind(&mut self, mark: Mark) {
        self.has_forgotten = true;
        self.take_back(mark);
    }

    /// Starts an event; its root object is open.
    pub fn begin_event(&mut self) {
        self.event_number += 1;
        self.close_event();
        self.is_open = true;
    }

    /// Names the value or object that comes next.
    pub fn key(&mut self, key: &str) -> Result<(), DuplicateKey> {
        debug_assert!(self.is_open, "a key belongs to an event");
        let node = self.keys.child(self.object, self.current, key);
        let event_number = self.event_number;
        let entry = self.keys.node_mut(node);
        if entry.last_event == event_number {
            return Err(DuplicateKey);
        }
        entry.last_event = event_number;
        self.current = node;
        Ok(())
    }

    /// Names what comes next by the head of a JSON text, if that is the literal of a key which came here before, and a colon; gives
    /// the length of both. The short way through [`key`](Self::key) for most keys.
    #[inline]
    pub fn spelled_key(&mut self, json: &[u8]) -> Option<usize> {
        let (node, length) = self.keys.guess(self.object, self.current, json)?;
        let entry = self.keys.node_mut(node);
        if entry.last_event == self.event_number {
            return None;
        }
        entry.last_event = self.event_number;
        self.current = node;
        Some(length)
    }

    /// Opens an object as the value of the last key.
    pub fn begin_object(&mut self) {
        self.outer.push(self.object);
        self.object = self.current;
        self.current = ROOT;
    }

    /// Closes the innermost object. An empty one is kept as the value `{}`.
    pub fn end_object(&mut self) {
        let is_empty = self.current == ROOT;
        self.current = self.object;
        self.object = self.outer.pop().expect("an object was opened");
        if is_empty {
            self.value(Scalar::Json("{}"));
        }
    }

    /// The value of the last key.
    #[inline]
    pub fn value(&mut self, value: Scalar<'_>) {
        let field = self.field_of(self.current);
        self.push_cell(field, value);
    }

    /// The value of the last key: the first `length` bytes of `lanes`, which has [`SHORT_TEXT_BYTES`](Self::SHORT_TEXT_BYTES). All
    /// are copied at once, and those that are too many taken back.
    #[inline]
    pub fn short_text(&mut self, lanes: &str, length: usize) {
        // Known to the compiler from here on, so that it copies without a call.
        assert!(lanes.len() == Self::SHORT_TEXT_BYTES);
        let field = self.field_of(self.current);
        let start = self.batch.text.len();
        self.batch.text.push_str(lanes);
        self.batch.text.truncate(start + length);
        self.push_text_cell(field, text_bits(start, length));
    }

    /// The value of the last key: a longer text that JSON spells by nothing but itself.
    #[inline]
    pub fn plain_text(&mut self, text: &str) {
        let field = self.field_of(self.current);
        let bits = self.push_text(text);
        self.push_text_cell(field, bits);
        self.keys.node_mut(self.current).last_text = LastText {
            bits,
            event: self.event_number,
        };
    }

    /// The value of the last key, if what is behind the opening quote of a JSON string is the text that the key had last
    /// time, then a quote; gives its length. Such a text is in the batch once.
    #[inline]
    pub fn repeated_text(&mut self, text: &[u8]) -> Option<usize> {
        let node = self.keys.node(self.current);
        let last = node.last_text;
        if last.event <= self.forgotten_event {
            return None;
        }
        let place = text_place(last.bits);
        let length = place.len();
        let is_this = text.get(length) == Some(&b'"')
            && text.get(..length) == self.batch.text.as_bytes().get(place);
        let field = node.field.filter(|_| is_this)?;
        self.push_text_cell(field, last.bits);
        self.repeated_bytes += length;
        Some(length)
    }

    /// Sets a field of the root object that the event did not send itself, such as a parse error.
    /// Does nothing when it did.
    pub fn set_root_field(&mut self, key: &str, value: Scalar<'_>) {
        let node = self.keys.child_by_hash(ROOT, key);
        let event_number = self.event_number;
        let entry = self.keys.node_mut(node);
        if entry.last_event == event_number {
            return;
        }
        entry.last_event = event_number;
        let field = self.field_of(node);
        self.push_cell(field, value);
    }

    /// Which fields the event being built has, in order.
    pub fn open_fields(&self) -> impl ExactSizeIterator<Item = FieldId> {
        self.open_cells().iter().map(|cell| cell.field)
    }

    /// The value of the field in place `index` of [`open_fields`](Self::open_fields).
    pub fn open_value(&self, index: usize) -> Option<Scalar<'_>> {
        let cell = self.open_cells().get(index)?;
        Some(self.batch.scalar(cell))
    }

    fn open_cells(&self) -> &[Cell] {
        &self.batch.cells[self.opened.cells..]
    }

    /// Takes the fields in these places of [`open_fields`](Self::open_fields), which rise, out of the event being built, when
    /// their values live elsewhere (as `dt` does).
    pub fn remove_open_fields(&mut self, indices: &[usize]) {
        let cells = &mut self.batch.cells;
        for (removed, index) in indices.iter().enumerate() {
            let from = self.opened.cells + index + 1;
            let next = indices.get(removed + 1);
            let end = next.map_or(cells.len(), |next| self.opened.cells + next);
            cells.copy_within(from..end, from - 1 - removed);
        }
        cells.truncate(cells.len() - indices.len());
    }

    /// Whether the event being built has this key in its root object.
    pub fn has_root_key(&mut self, key: &str) -> bool {
        let node = self.keys.child_by_hash(ROOT, key);
        self.keys.node(node).last_event == self.event_number
    }

    /// Gives the root key `from` of the event being built the name `to`, with all below it, when Cordwood
    /// needs `from` for itself. The event must not use `to`.
    pub fn rename_root_key(&mut self, from: &str, to: &str) {
        let from = self.keys.child_by_hash(ROOT, from);
        let to = self.keys.child_by_hash(ROOT, to);
        self.keys.node_mut(to).last_event = self.event_number;
        for index in self.opened.cells..self.batch.cells.len() {
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
        let parent = self.moved(self.keys.parent(node), from, to)?;
        let key = self.keys.key(node).to_owned();
        Some(self.keys.child_by_hash(parent, &key))
    }

    /// Keeps the event.
    pub fn finish_event(&mut self, head: EventHead) {
        let cell_count = self.batch.cells.len() - self.opened.cells;
        self.batch.rows.push(Row {
            first_cell: narrow(self.opened.cells),
            cell_count: narrow(cell_count),
            source_bytes: head.source_bytes,
            level: head.level,
            timestamp: head.timestamp,
        });
        self.room.source_bytes += head.source_bytes as usize;
        self.reserve_rest();
        self.close_event();
    }

    /// Forgets the event being built, if there is one.
    pub fn abandon_event(&mut self) {
        self.has_forgotten |= self.is_open;
        self.take_back(self.opened);
    }

    /// The batch of all finished events.
    pub fn finish(mut self) -> Batch {
        if self.has_forgotten {
            self.drop_unused_paths();
        }
        let batch = &mut self.batch;
        if is_roomy(batch.text.len(), batch.text.capacity()) {
            batch.text.shrink_to_fit();
        }
        if is_roomy(batch.cells.len(), batch.cells.capacity()) {
            batch.cells.shrink_to_fit();
        }
        if is_roomy(batch.rows.len(), batch.rows.capacity()) {
            batch.rows.shrink_to_fit();
        }
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
        let node = path::keys(path).fold(ROOT, |parent, key| self.keys.child_by_hash(parent, &key));
        self.field_of(node)
    }

    /// Gives the event being built a field, at most once each: for events that come back from columns.
    pub fn set_field(&mut self, field: FieldId, value: Scalar<'_>) {
        self.push_cell(field, value);
    }

    /// Whatever comes next belongs to another event.
    fn close_event(&mut self) {
        self.object = ROOT;
        self.current = ROOT;
        self.outer.clear();
        self.is_open = false;
        self.opened = self.mark();
    }

    fn take_back(&mut self, mark: Mark) {
        self.batch.rows.truncate(mark.rows);
        self.batch.cells.truncate(mark.cells);
        self.batch.text.truncate(mark.text);
        self.repeated_bytes = mark.repeated_bytes;
        self.forgotten_event = self.event_number;
        self.close_event();
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

    #[inline]
    fn field_of(&mut self, node: NodeId) -> FieldId {
        match self.keys.node(node).field {
            Some(field) => field,
            None => self.add_field(node),
        }
    }

    fn add_field(&mut self, node: NodeId) -> FieldId {
        let path = self.keys.path(node);
        let field = FieldId(narrow(self.batch.paths.len()));
        self.path_bytes += path.len();
        self.batch.paths.push(path);
        self.field_nodes.push(node);
        self.keys.node_mut(node).field = Some(field);
        field
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

    #[inline]
    fn push_text_cell(&mut self, field: FieldId, bits: u64) {
        self.batch.cells.push(Cell {
            field,
            kind: CellKind::Str,
            bits,
        });
    }

    fn push_text(&mut self, text: &str) -> u64 {
        let start = self.batch.text.len();
        self.batch.text.push_str(text);
        text_bits(start, text.len())
    }
}

/// Whether so much room is left that it is worth giving back.
fn is_roomy(length: usize, capacity: usize) -> bool {
    capacity - length > length / 8
}

#[inline]
fn text_bits(start: usize, length: usize) -> u64 {
    u64::from(narrow(start)) << 32 | u64::from(narrow(length))
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
            node = to.keys.child_by_hash(node, &key);
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
