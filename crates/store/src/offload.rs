//! The thread that speaks with the bucket: it copies closed segments there, lets go of files that have no room here, and
//! removes objects that nobody needs.
//!
//! The manifest is the only truth. A segment is in the bucket once a manifest says so, which it does only when the object was
//! read back whole; its file goes only when both manifests that are kept say so; an object goes only when neither does.

mod sweep;
mod upload;

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Instant;

use crate::bucket::{Home, Objects};
use crate::manifest::Chain;
use crate::segment::{Segment, SegmentFile, write_draft, write_head};
use crate::shared::Shared;
use crate::work_signal::Wake;
use crate::{Disk, Error};

use sweep::Sweep;

/// Files go also when less than so many times the reserve is free: before events are refused for want of space.
const FREE_SPACE_FACTOR: u64 = 4;

/// What one round with the bucket did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offloaded {
    /// Segments copied to the bucket, read back and committed.
    pub uploaded: u64,
    /// Files of segments let go, which are read from the bucket now.
    pub evicted: u64,
    /// Objects removed.
    pub removed: u64,
}

/// Copies to the bucket.
#[derive(Debug)]
pub(crate) struct Offloader {
    shared: Arc<Shared>,
    chain: Arc<Chain>,
    objects: Arc<Objects>,
    sweep: Sweep,
    /// Whether the manifest before the newest may not say yet what is in the bucket.
    is_newest_alone: bool,
    is_failing: bool,
}

impl Offloader {
    /// `is_sound`: with damage, objects that no manifest names may be all that is left of their events, and stay.
    pub(crate) fn new(
        shared: Arc<Shared>,
        chain: Arc<Chain>,
        objects: Arc<Objects>,
        damage: &[String],
    ) -> Offloader {
        Offloader {
            sweep: Sweep::new(objects.remote.sweep_interval, damage.is_empty()),
            shared,
            chain,
            objects,
            is_newest_alone: true,
            is_failing: false,
        }
    }

    /// Does what there is to do, whenever there may be something, until the store closes.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            let sweep_at = self.sweep.due_at().unwrap_or_else(Instant::now);
            match shared.offload.wait(Some(sweep_at)) {
                Wake::Due => {
                    let result = self.offload();
                    self.note(result.map(drop));
                }
                Wake::Requested(answer) => {
                    let result = self.offload();
                    shared.offload.answer(&answer, result);
                }
                Wake::Closed => return,
            }
        }
    }

    /// A failure is said when it begins and when it ends; what fails is tried again, ever more seldom.
    fn note(&mut self, result: Result<(), Error>) {
        match result {
            Ok(()) => {
                if self.is_failing {
                    tracing::info!("the bucket takes segments again");
                }
                self.is_failing = false;
                self.shared.offload.succeeded();
            }
            Err(Error::Closed) => {}
            Err(error) => {
                if !self.is_failing {
                    let source = std::error::Error::source(&error);
                    tracing::warn!(%error, source, "could not work with the bucket, will try again");
                }
                self.is_failing = true;
                self.shared.offload.postpone();
            }
        }
    }

    /// One round. What fails does not keep the rest from being done; the first failure is told.
    fn offload(&mut self) -> Result<Offloaded, Error> {
        self.shared.check_not_poisoned()?;
        let mut done = Offloaded::default();
        let uploaded = self.upload_all(&mut done);
        let evicted = self.evict(&mut done);
        let removed = self.remove_doomed(&mut done);
        let swept = self.sweep_if_due(&mut done);
        self.shared.counters.offloaded(&done);
        uploaded.and(evicted).and(removed).and(swept)?;
        Ok(done)
    }

    /// Before there is an object, a manifest says where objects are: those of a process that was killed are found again.
    fn settle_home(&self) -> Result<(), Error> {
        if self.objects.home().is_some() {
            return Ok(());
        }
        let home = Home::choose();
        let disk = self.shared.disk.as_ref();
        self.chain.commit(disk, |next| next.home = Some(home))?;
        self.objects.settle(home);
        Ok(())
    }

    /// Copies all that is not in the bucket, newest last: what is about to go from here was here longest.
    fn upload_all(&mut self, done: &mut Offloaded) -> Result<(), Error> {
        let mut pending = self.segments(|segment| segment.object().is_none());
        pending.retain(|segment| segment.is_local());
        if !pending.is_empty() {
            self.settle_home()?;
        }
        for segment in pending {
            let uploaded = upload::upload(&segment, &self.objects, &self.shared.offload);
            let object = uploaded.inspect_err(|error| {
                if !matches!(error, Error::Closed) {
                    self.shared.counters.upload_failed();
                }
            })?;
            let mut is_named = false;
            self.chain.commit(self.shared.disk.as_ref(), |next| {
                let found = next
                    .segments
                    .iter_mut()
                    .find(|entry| entry.id == segment.id());
                if let Some(entry) = found {
                    entry.object = Some(object);
                    is_named = true;
                }
            })?;
            self.is_newest_alone = true;
            self.shared.counters.uploaded(segment.file_bytes());
            if is_named {
                done.uploaded += 1;
                segment.set_object(object);
            } else {
                // A merge has taken it meanwhile.
                self.objects.doom(segment.id());
            }
        }
        Ok(())
    }

    /// Whether so many bytes of segments are too many here: by the limit, or because the disk is about to refuse events.
    fn is_crowded(&self, bytes: u64) -> bool {
        let reserve_bytes = self.shared.options.free_space_reserve_bytes;
        let comfort = reserve_bytes.saturating_mul(FREE_SPACE_FACTOR);
        let free_bytes = self.shared.disk.free_bytes();
        bytes > self.objects.remote.local_bytes_max || free_bytes.is_ok_and(|free| free < comfort)
    }

    /// Lets go of the files with the oldest events until the others have room.
    fn evict(&mut self, done: &mut Offloaded) -> Result<(), Error> {
        let disk = self.shared.disk.as_ref();
        let mut local = self.segments(|segment| segment.is_local());
        let mut bytes: u64 = local.iter().map(|segment| segment.file_bytes()).sum();
        local.retain(|segment| segment.object().is_some());
        local.sort_by_key(|segment| Reverse(segment.totals().map(|(_, of)| of.time_max).max()));
        while self.is_crowded(bytes)
            && let Some(oldest) = local.pop()
        {
            if self.is_newest_alone {
                // The manifest that is kept beside the newest, in case that one goes bad, must not count on files that are gone.
                self.chain.commit(disk, |_| {})?;
                self.is_newest_alone = false;
            }
            let file = oldest.file().map_err(Error::io("open", oldest.path()))?;
            write_head(disk, oldest.id(), &file)?;
            oldest.send_away()?;
            bytes -= oldest.file_bytes();
            done.evicted += 1;
        }
        Ok(())
    }

    fn remove_doomed(&self, done: &mut Offloaded) -> Result<(), Error> {
        let mut doomed = self.objects.take_doomed().into_iter();
        for id in doomed.by_ref() {
            if let Err(error) = self.objects.remove(id) {
                // They are tried again in the next round, or found by a sweep.
                self.objects.doom(id);
                doomed.for_each(|later| self.objects.doom(later));
                return Err(Error::bucket("remove the object of", id.path())(error));
            }
            done.removed += 1;
        }
        Ok(())
    }

    fn sweep_if_due(&mut self, done: &mut Offloaded) -> Result<(), Error> {
        // An object that this manifest does not name may be named by one whose commit failed, and be needed after a crash.
        let Some(manifest) = self.chain.newest_if_certain() else {
            return Ok(());
        };
        if !self.sweep.is_due(Instant::now()) {
            return Ok(());
        }
        let swept = self.sweep.run(&manifest, &self.objects)?;
        self.shared.counters.objects_missing(swept.missing);
        done.removed += swept.removed;
        Ok(())
    }

    /// Segments that can be read, oldest first.
    fn segments(&self, filter: impl Fn(&Arc<Segment>) -> bool) -> Vec<Arc<Segment>> {
        let view = self.shared.published.get();
        let mut segments: Vec<Arc<Segment>> = view.segments.iter().cloned().collect();
        segments.retain(filter);
        segments
    }
}

/// Brings the file of a segment back from the bucket, for a merge; its head stays, for when it goes again.
pub(crate) fn bring_home(
    disk: &dyn Disk,
    objects: &Objects,
    segment: &Segment,
) -> Result<(), Error> {
    let id = segment.id();
    let expected = segment.object().map(|object| object.crc);
    let mut failure = None;
    let written = write_draft(disk, &id.draft_path(), segment.path(), |file| {
        let read = objects.read_all(id, segment.file_bytes(), |piece| file.append(piece));
        match read {
            Ok(crc) if Some(crc) == expected => Ok(()),
            Ok(_) => Err(std::io::Error::other(upload::NOT_THE_SAME)),
            Err(error) => Err(error),
        }
        .inspect_err(|error| failure = Some((error.kind(), error.to_string())))
    });
    match (written, failure) {
        (Ok(()), _) => {
            segment.came_home();
            Ok(())
        }
        (Err(_), Some((kind, reason))) => {
            let source = std::io::Error::new(kind, reason);
            Err(Error::bucket("bring back", segment.path())(source))
        }
        (Err(error), None) => Err(error),
    }
}
