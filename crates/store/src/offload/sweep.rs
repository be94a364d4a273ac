//! Looks for objects that no manifest names, and for named ones that are not there.
//!
//! The first are of uploads that were never committed, and of segments whose removal a crash cut short. An upload of a killed
//! process may still arrive, and a manifest that is kept beside the newest may name one: what no manifest names goes when two
//! sweeps in a row have found it so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::Error;
use crate::bucket::Objects;
use crate::manifest::Manifest;
use crate::segment::SegmentId;

/// When to sweep, and what the last one found.
#[derive(Debug)]
pub(super) struct Sweep {
    interval: Duration,
    /// Whether there is no damage: with some, what no manifest names may be all that is left of its events.
    may_remove: bool,
    last: Option<Instant>,
    unnamed: BTreeSet<SegmentId>,
    missing: BTreeSet<SegmentId>,
}

/// What a sweep did.
#[derive(Debug, Default)]
pub(super) struct Swept {
    pub(super) removed: u64,
    /// Objects that a manifest names and the bucket has not, or not with as many bytes.
    pub(super) missing: u64,
}

impl Sweep {
    pub(super) fn new(interval: Duration, may_remove: bool) -> Sweep {
        Sweep {
            interval,
            may_remove,
            last: None,
            unnamed: BTreeSet::new(),
            missing: BTreeSet::new(),
        }
    }

    /// When the next one is due; `None` for at once.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.last.map(|last| last + self.interval)
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due_at().is_none_or(|due_at| due_at <= now)
    }

    pub(super) fn run(&mut self, manifest: &Manifest, objects: &Objects) -> Result<Swept, Error> {
        // Also after a failure it is not tried again at once.
        self.last = Some(Instant::now());
        let listed = objects.list();
        let listed = listed.map_err(Error::bucket("list", "the objects in the bucket"))?;
        let listed: BTreeMap<SegmentId, u64> = listed.into_iter().collect();
        let named = manifest.segments.iter();
        let named = named.filter(|entry| entry.object.is_some());
        let named: BTreeMap<SegmentId, u64> =
            named.map(|entry| (entry.id, entry.file_bytes)).collect();
        self.note_missing(&named, &listed);
        let mut swept = Swept {
            removed: 0,
            missing: self.missing.len() as u64,
        };
        let unnamed = listed.keys().filter(|id| !named.contains_key(*id));
        let before = std::mem::replace(&mut self.unnamed, unnamed.copied().collect());
        if !self.may_remove {
            return Ok(swept);
        }
        for id in before.intersection(&self.unnamed) {
            let removed = objects.remove(*id);
            removed.map_err(Error::bucket("remove the object of", id.path()))?;
            swept.removed += 1;
        }
        Ok(swept)
    }

    /// Each is said once.
    fn note_missing(
        &mut self,
        named: &BTreeMap<SegmentId, u64>,
        listed: &BTreeMap<SegmentId, u64>,
    ) {
        let missing = named
            .iter()
            .filter(|(id, bytes)| listed.get(id) != Some(bytes));
        let missing: BTreeSet<SegmentId> = missing.map(|(id, _)| *id).collect();
        for id in missing.difference(&self.missing) {
            let file = id.path();
            tracing::error!(
                file,
                "the bucket has not the object of a segment that it should have"
            );
        }
        self.missing = missing;
    }
}
