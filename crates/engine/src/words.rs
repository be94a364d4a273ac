//! Which blocks the token maps leave in question, clause by clause: found out once for each segment.

use std::collections::HashMap;

use cordwood_query::{CompiledClause, RequiredWords};
use cordwood_store::tokens::{BlockSet, WordHash};
use cordwood_store::{BlockHandle, SegmentWords, Tokens};

use crate::condition::ClauseId;
use crate::narrow::count_levels;

/// A clause that asks for more alternatives is not looked up: each costs a read or two per segment, and some of so many
/// are in every block.
const ALTERNATIVES_MAX: usize = 256;

/// Of a phrase, so many of the longest words; these are the rarest as a rule.
const WORDS_MAX: usize = 8;

/// A clause that can be looked up.
#[derive(Debug)]
struct Wanted {
    clause: ClauseId,
    /// A block with a match holds all words of any of these.
    sets: Vec<Vec<WordHash>>,
}

/// The words of all clauses, and what was found out about segments so far.
#[derive(Debug)]
pub(crate) struct WordSearch<'p> {
    clauses: &'p [CompiledClause],
    wanted: Vec<Wanted>,
    /// By segment, for each of `wanted`: the blocks that may match, if the segment can tell.
    candidates: HashMap<u64, Vec<Option<BlockSet>>>,
}

impl<'p> WordSearch<'p> {
    pub(crate) fn new(clauses: &'p [CompiledClause]) -> WordSearch<'p> {
        let wanted = clauses.iter().enumerate().filter_map(|(index, clause)| {
            let sets = sets_of(clause).filter(|sets| sets.len() <= ALTERNATIVES_MAX)?;
            Some(Wanted {
                clause: ClauseId(index),
                sets,
            })
        });
        WordSearch {
            wanted: wanted.collect(),
            clauses,
            candidates: HashMap::new(),
        }
    }

    /// The clauses that hold for no row of the block, as its words and levels tell.
    pub(crate) fn absent(&mut self, block: &BlockHandle) -> Vec<ClauseId> {
        if self.wanted.is_empty() {
            return Vec::new();
        }
        let wanted = self.wanted.iter().map(|wanted| wanted.clause);
        let may_match: Vec<bool> = match block.tokens() {
            Tokens::OfBlock(words) => {
                let has_all = |set: &Vec<WordHash>| set.iter().all(|word| words.may_hold(*word));
                let has_any = |wanted: &Wanted| wanted.sets.iter().any(has_all);
                self.wanted.iter().map(has_any).collect()
            }
            Tokens::OfSegment(segment, index) => {
                let candidates = self.candidates.entry(segment.segment());
                let candidates = candidates.or_insert_with(|| {
                    let blocks_of = |wanted: &Wanted| blocks_with_any(&wanted.sets, segment);
                    self.wanted.iter().map(blocks_of).collect()
                });
                let is_candidate = |blocks: &Option<BlockSet>| {
                    blocks.as_ref().is_none_or(|blocks| blocks.contains(index))
                };
                candidates.iter().map(is_candidate).collect()
            }
        };
        wanted
            .zip(may_match)
            .filter(|(clause, may_match)| !may_match && !self.is_named(*clause, block))
            .map(|(clause, _)| clause)
            .collect()
    }

    /// Whether the clause holds for the name of a level that occurs in the block; names are no words of it.
    fn is_named(&self, clause: ClauseId, block: &BlockHandle) -> bool {
        match &self.clauses[clause.0] {
            CompiledClause::Level(level) | CompiledClause::AnyField(_, level) => {
                count_levels(level, block.directory()) > 0
            }
            _ => false,
        }
    }
}

/// What a stored value must hold for the clause; `None` when that is not known.
fn sets_of(clause: &CompiledClause) -> Option<Vec<Vec<WordHash>>> {
    let words = match clause {
        CompiledClause::Field(_, predicate) | CompiledClause::AnyField(predicate, _) => {
            predicate.required_words()
        }
        CompiledClause::Level(level) => level.raw()?.required_words(),
        CompiledClause::Time(_) | CompiledClause::Source(_) | CompiledClause::Id(_) => return None,
    };
    match words {
        RequiredWords::Unknown => None,
        RequiredWords::AnyOf(sets) => Some(sets.into_iter().map(hashes_of).collect()),
    }
}

fn hashes_of(mut words: Vec<String>) -> Vec<WordHash> {
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let longest = words.iter().take(WORDS_MAX);
    longest.filter_map(|word| WordHash::of(word)).collect()
}

/// The blocks that hold all words of any of the sets; `None` when the segment cannot tell.
fn blocks_with_any(sets: &[Vec<WordHash>], segment: SegmentWords<'_>) -> Option<BlockSet> {
    let mut any = BlockSet::none(segment.blocks());
    for set in sets {
        any.union(&blocks_with_all(set, segment)?);
    }
    Some(any)
}

fn blocks_with_all(words: &[WordHash], segment: SegmentWords<'_>) -> Option<BlockSet> {
    let mut all = BlockSet::all(segment.blocks());
    for word in words {
        all.intersect(&segment.blocks_with(*word)?);
        if all.is_empty() {
            break;
        }
    }
    Some(all)
}
