//! Opening a data directory: the newest manifest, its segments, and the log above its floor.

mod choose;
mod replay;

use std::sync::Arc;

use crate::batch_keys::BatchKeys;
use crate::bucket::{Objects, RangeCache};
use crate::log::{self, Position};
use crate::manifest::Manifest;
use crate::segment::{OpenFiles, Segment, SegmentId, list_heads, list_segments};
use crate::shared::Shared;
use crate::view::{Published, View};
use crate::{Decode, Disk, Error, Missing, Options};

pub(crate) use choose::choose_manifest;
use replay::Replay;

/// What was found and done when a data directory was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments that can be read.
    pub segments: u64,
    /// Records of the log that were replayed.
    pub replayed_records: u64,
    /// Events in them.
    pub replayed_events: u64,
    /// Bytes at the end of the log of a write that never finished, and so was never acknowledged. They were cut off, and set
    /// aside in `quarantine`.
    pub torn_bytes: u64,
    /// What is damaged or missing: acknowledged events may be among it. Each is a sentence.
    pub damage: Vec<String>,
}

/// What the threads of an open store begin with.
pub(crate) struct Recovered {
    pub(crate) manifest: Manifest,
    pub(crate) files: Arc<OpenFiles>,
    pub(crate) position: Position,
    pub(crate) keys: BatchKeys,
    pub(crate) next_sequence: u64,
    pub(crate) recovery: Recovery,
}

/// The state before the log is replayed.
pub(crate) struct Opened {
    manifest: Manifest,
    files: Arc<OpenFiles>,
    recovery: Recovery,
    pub(crate) shared: Arc<Shared>,
}

/// Reads the manifest and opens its segments.
pub(crate) fn open(options: Options, disk: Arc<dyn Disk>) -> Result<Opened, Error> {
    let mut recovery = Recovery::default();
    let manifest = choose_manifest(disk.as_ref(), &mut recovery.damage)?;
    let cache = open_cache(&options, &disk, &manifest)?;
    let files = Arc::new(OpenFiles::new(Arc::clone(&disk), cache));
    let (segments, missing) = open_segments(&manifest, &files);
    recovery.segments = segments.len() as u64;
    recovery
        .damage
        .extend(missing.iter().map(Missing::to_string));
    if files.cache().is_none() {
        let away = segments.iter().filter(|segment| !segment.is_local());
        let away = away.count();
        if away > 0 {
            tracing::warn!(
                segments = away,
                "segments lie in a bucket and the configuration names none: answers say what is missing"
            );
        }
    }
    let deletions = manifest.standing_deletions().cloned().collect();
    let evictions = manifest.evictions.clone();
    let view = View::new(
        manifest.next_sequence,
        segments,
        missing,
        deletions,
        evictions,
    );
    Ok(Opened {
        manifest,
        files,
        recovery,
        shared: Arc::new(Shared::new(options, disk, Published::new(view))),
    })
}

/// The range cache of the bucket, if there is one.
fn open_cache(
    options: &Options,
    disk: &Arc<dyn Disk>,
    manifest: &Manifest,
) -> Result<Option<Arc<RangeCache>>, Error> {
    let Some(remote) = options.remote.clone() else {
        return Ok(None);
    };
    let objects = Arc::new(Objects::new(remote, manifest.home));
    let live = manifest.segments.iter().map(|entry| entry.id).collect();
    let cache = RangeCache::open(
        Arc::clone(disk),
        objects,
        options.free_space_reserve_bytes,
        &live,
    );
    let cache = cache.map_err(Error::io("open", "the cache of the bucket"))?;
    Ok(Some(Arc::new(cache)))
}

/// Opens the segments of a manifest; says what is in those that cannot be.
pub(crate) fn open_segments(
    manifest: &Manifest,
    files: &Arc<OpenFiles>,
) -> (Vec<Arc<Segment>>, Vec<Missing>) {
    let mut segments = Vec::new();
    let mut missing = Vec::new();
    for entry in &manifest.segments {
        match Segment::open(entry.id, Arc::clone(files)) {
            Ok(segment) => {
                if let Some(object) = entry.object {
                    segment.set_object(object);
                }
                segments.push(Arc::new(segment));
            }
            Err(error) => missing.extend(entry.sources.iter().map(|lost| Missing {
                source: lost.source,
                file: entry.id.path(),
                reason: error.to_string(),
                totals: lost.totals,
            })),
        }
    }
    (segments, missing)
}

impl Opened {
    /// Replays the log, and makes it ready to be written on. The sealing threads must be running.
    pub(crate) fn replay(self, decode: &dyn Decode) -> Result<Recovered, Error> {
        let Opened {
            mut manifest,
            files,
            recovery,
            shared,
        } = self;
        let disk = shared.disk.as_ref();
        let numbers = drop_unused_files(disk, list_log(disk, &manifest)?)?;
        let mut replay = Replay::new(&shared, decode, &manifest, recovery);
        for number in &numbers {
            replay.file(*number, numbers.last() == Some(number))?;
        }
        let next_sequence = replay.next_sequence;
        let (position, keys, mut recovery) = replay.finish();
        let position = match position {
            Some(position) => position,
            None => {
                let number = numbers.last().map_or(0, |last| last + 1);
                log::begin_file(disk, number.max(manifest.log_floor), next_sequence)?
            }
        };
        remove_leftovers(disk, &mut manifest, &mut recovery)?;
        Ok(Recovered {
            manifest,
            files,
            position,
            keys,
            next_sequence,
            recovery,
        })
    }
}

/// The numbers of the log files from the floor on, rising.
pub(crate) fn list_log(disk: &dyn Disk, manifest: &Manifest) -> Result<Vec<u64>, Error> {
    let names = disk.list(log::DIRECTORY);
    let names = names.map_err(Error::io("list", log::DIRECTORY))?;
    let numbers = names.iter().filter_map(|name| log::file_number(name));
    let mut numbers: Vec<u64> = numbers
        .filter(|number| *number >= manifest.log_floor)
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes files without a record from the end, so that the last one left is the one that was written last.
fn drop_unused_files(disk: &dyn Disk, mut numbers: Vec<u64>) -> Result<Vec<u64>, Error> {
    while let Some(last) = numbers.last() {
        let path = log::file_name(*last);
        let length = disk.open(&path).and_then(|file| file.length());
        if length.map_err(Error::io("open", &*path))? > log::HEADER_BYTES as u64 {
            break;
        }
        disk.remove(&path).map_err(Error::io("remove", path))?;
        numbers.pop();
    }
    Ok(numbers)
}

/// Removes what no manifest needs: flushed log files, and segments that were never committed, whose events the log or
/// other segments have, or that merges have replaced. With damage such a segment may be all that is left of them, and stays.
fn remove_leftovers(
    disk: &dyn Disk,
    manifest: &mut Manifest,
    recovery: &mut Recovery,
) -> Result<(), Error> {
    crate::manifest::remove_below_floor(disk, manifest)?;
    for id in list_segments(disk)? {
        manifest.next_segment = manifest.next_segment.max(id.0 + 1);
        if manifest.segments.iter().any(|entry| entry.id == id) {
            continue;
        }
        let path = id.path();
        if recovery.damage.is_empty() {
            disk.remove(&path).map_err(Error::io("remove", path))?;
        } else {
            let sentence = format!("{path} is in no manifest; it was kept because of the damage");
            recovery.damage.push(sentence);
        }
    }
    remove_heads(disk, manifest, recovery.damage.is_empty())
}

/// Removes heads of segments that the manifest does not name, unless they may be all that tells where a segment lies, and
/// files that were never finished.
fn remove_heads(disk: &dyn Disk, manifest: &Manifest, is_sound: bool) -> Result<(), Error> {
    let (heads, drafts) = list_heads(disk)?;
    let is_live = |id: &SegmentId| manifest.segments.iter().any(|entry| entry.id == *id);
    let heads = heads.into_iter().filter(|id| is_sound && !is_live(id));
    for path in heads.map(SegmentId::head_path).chain(drafts) {
        disk.remove(&path).map_err(Error::io("remove", path))?;
    }
    Ok(())
}
