//! The keys of all objects that a builder has met: a trie, in which the key that comes next is guessed before it is
//! looked up.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rapidhash::fast::RandomState;

use super::{NO_EVENT, narrow};
use crate::{FieldId, path};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodeId(u32);

/// The node of events themselves. As a guess, or as the key before the first of an object, it stands for none: it is no key.
pub(super) const ROOT: NodeId = NodeId(0);

impl NodeId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A key in the trie.
#[derive(Debug)]
pub(super) struct Node {
    parent: NodeId,
    /// Where the literal of the key begins in `Keys::literals`. A body may bring millions of keys, too many for an allocation
    /// each.
    literal_start: u32,
    key_bytes: u32,
    /// Whether a JSON string literal can spell the key by nothing but itself.
    is_plain: bool,
    pub(super) field: Option<FieldId>,
    /// The event that last used the key, to notice duplicates; `NO_EVENT` before the first.
    pub(super) last_event: u32,
    /// The last two keys that followed this one, the newer first: guesses at the next.
    next_guesses: [NodeId; 2],
    /// The first key inside this object last time.
    first_guess: NodeId,
    /// Where the text lies that was last kept for the key.
    pub(super) last_text: LastText,
}

/// A long text in the batch that a JSON string literal spells by nothing but itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastText {
    /// As in a cell.
    pub(super) bits: u64,
    /// The event it came with; `NO_EVENT` if there is none.
    pub(super) event: u32,
}

impl Node {
    fn new(parent: NodeId, literal_start: usize, key: &str) -> Node {
        let must_be_escaped = |byte: u8| matches!(byte, b'"' | b'\\' | ..b' ');
        Node {
            parent,
            literal_start: narrow(literal_start),
            key_bytes: narrow(key.len()),
            is_plain: !key.bytes().any(must_be_escaped),
            field: None,
            last_event: NO_EVENT,
            next_guesses: [ROOT; 2],
            first_guess: ROOT,
            last_text: LastText::default(),
        }
    }
}

/// How many bytes of a literal are compared at once, which is all of most.
const LANES: usize = size_of::<u128>();

/// The bytes around a key in its literal, the opening quote first.
const QUOTE: &str = "\"";
const QUOTE_AND_COLON: &str = "\":";
const AROUND_KEY_BYTES: usize = QUOTE.len() + QUOTE_AND_COLON.len();

/// What stands behind the last literal, so that as many bytes can be read from the start of each.
const PADDING: &str = "                ";
const _: () = assert!(PADDING.len() == LANES);

/// The keys as JSON spells them with the colon behind, end to end.
#[derive(Debug)]
struct Literals {
    text: String,
}

impl Literals {
    fn new() -> Literals {
        Literals {
            text: PADDING.to_owned(),
        }
    }

    /// Adds a key; says where its literal begins.
    fn push(&mut self, key: &str) -> usize {
        let start = self.len();
        self.text.truncate(start);
        for part in [QUOTE, key, QUOTE_AND_COLON, PADDING] {
            self.text.push_str(part);
        }
        start
    }

    fn len(&self) -> usize {
        self.text.len() - PADDING.len()
    }

    #[inline]
    fn key(&self, node: &Node) -> &str {
        let start = node.literal_start as usize + QUOTE.len();
        self.text
            .get(start..start + node.key_bytes as usize)
            .expect("the builder wrote whole keys")
    }

    /// The length of the literal of `node`, if `json` begins with it.
    #[inline]
    fn length_if_spelled(&self, node: &Node, json: &[u8]) -> Option<usize> {
        let start = node.literal_start as usize;
        let length = node.key_bytes as usize + AROUND_KEY_BYTES;
        let literals = self.text.as_bytes().get(start..)?;
        let expected = u128::from_le_bytes(*literals.first_chunk()?);
        let found = u128::from_le_bytes(*json.first_chunk()?);
        let unused_lanes = LANES - length.min(LANES);
        let is_it = (expected ^ found) << (8 * unused_lanes) == 0
            && node.is_plain
            && (length <= LANES || json.get(LANES..length) == literals.get(LANES..length));
        is_it.then_some(length)
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

/// The trie.
#[derive(Debug)]
pub(super) struct Keys {
    nodes: Vec<Node>,
    literals: Literals,
    children: HashTable<Child>,
    hasher: RandomState,
}

impl Keys {
    pub(super) fn new() -> Keys {
        Keys {
            nodes: vec![Node::new(ROOT, 0, "")],
            literals: Literals::new(),
            children: HashTable::new(),
            hasher: RandomState::new(),
        }
    }

    /// The memory held, in bytes, reckoned as [`BatchBuilder::memory_bytes`](super::BatchBuilder::memory_bytes) says.
    pub(super) fn memory_bytes(&self) -> usize {
        /// Itself, a slot in the hash table and the room that both leave empty as they grow.
        const NODE_BYTES: usize = 96;
        self.literals.len() + self.nodes.len() * NODE_BYTES
    }

    #[inline]
    pub(super) fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node.index()]
    }

    #[inline]
    pub(super) fn node_mut(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node.index()]
    }

    pub(super) fn parent(&self, node: NodeId) -> NodeId {
        self.node(node).parent
    }

    pub(super) fn key(&self, node: NodeId) -> &str {
        self.literals.key(self.node(node))
    }

    /// The key in `parent` after `previous` (`ROOT`: the first) with whose literal `json` begins, and the length of that; `None`
    /// if none of the guesses is right.
    #[inline]
    pub(super) fn guess(
        &mut self,
        parent: NodeId,
        previous: NodeId,
        json: &[u8],
    ) -> Option<(NodeId, usize)> {
        if previous == ROOT {
            let guess = self.node(parent).first_guess;
            return Some((guess, self.length_if_spelled(guess, json)?));
        }
        let [newer, older] = self.node(previous).next_guesses;
        if let Some(length) = self.length_if_spelled(newer, json) {
            return Some((newer, length));
        }
        let length = self.length_if_spelled(older, json)?;
        self.node_mut(previous).next_guesses = [older, newer];
        Some((older, length))
    }

    #[inline]
    fn length_if_spelled(&self, guess: NodeId, json: &[u8]) -> Option<usize> {
        if guess == ROOT {
            return None;
        }
        self.literals.length_if_spelled(self.node(guess), json)
    }

    /// The key `key` in `parent`, which came after `previous` (`ROOT`: as the first).
    pub(super) fn child(&mut self, parent: NodeId, previous: NodeId, key: &str) -> NodeId {
        let node = self.child_by_hash(parent, key);
        if previous == ROOT {
            self.node_mut(parent).first_guess = node;
        } else {
            let guesses = &mut self.node_mut(previous).next_guesses;
            if guesses[0] != node {
                *guesses = [node, guesses[0]];
            }
        }
        node
    }

    pub(super) fn child_by_hash(&mut self, parent: NodeId, key: &str) -> NodeId {
        let hash = narrow((self.hasher.hash_one((parent, key)) >> u32::BITS) as usize);
        let (nodes, literals) = (&self.nodes, &self.literals);
        let is_child = |child: &Child| {
            let node = &nodes[child.node.index()];
            child.hash == hash && node.parent == parent && literals.key(node) == key
        };
        if let Some(child) = self.children.find(Child::table_hash(hash), is_child) {
            return child.node;
        }
        let node = NodeId(narrow(self.nodes.len()));
        let literal_start = self.literals.push(key);
        self.nodes.push(Node::new(parent, literal_start, key));
        self.children
            .insert_unique(Child::table_hash(hash), Child { hash, node }, |child| {
                Child::table_hash(child.hash)
            });
        node
    }

    /// The path from the root to a node, escaped as [`mod@crate::path`] says.
    pub(super) fn path(&self, node: NodeId) -> Box<str> {
        let mut keys = Vec::new();
        let mut current = node;
        while current != ROOT {
            keys.push(self.key(current));
            current = self.parent(current);
        }
        let mut joined = String::new();
        for (index, key) in keys.iter().rev().enumerate() {
            path::push_key(&mut joined, key, index == 0);
        }
        joined.into()
    }
}
