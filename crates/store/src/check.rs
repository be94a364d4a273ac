//! Verifies a data directory: every file, every checksum, every column. Changes nothing.

mod log_files;
mod objects;
mod segments;

use std::io;
use std::sync::Arc;

use crate::bucket::Objects;
use crate::manifest::{self, Manifest};
use crate::segment::{self, OpenFiles};
use crate::{Decode, Disk, Error, Remote, layout, recovery};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// In the order they were found.
    pub findings: Vec<Finding>,
    /// Manifests verified.
    pub manifests: u64,
    /// Log files verified.
    pub log_files: u64,
    /// Whole records in them.
    pub log_records: u64,
    /// Events of these.
    pub log_events: u64,
    /// Segments verified.
    pub segments: u64,
    /// Blocks of these.
    pub blocks: u64,
    /// Columns of these, decoded.
    pub columns: u64,
    /// Events of these.
    pub segment_events: u64,
    /// Objects in the bucket verified.
    pub objects: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// How well objects in the bucket are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// They are there, and as long as they should be.
    #[default]
    Listed,
    /// All their bytes are read: those that were written.
    Read,
}

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file, below the data directory.
    pub file: String,
    /// A sentence.
    pub sentence: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be after a crash or an earlier repair; the next start deals with it.
    Notice,
    /// Events that were acknowledged are or may be lost.
    Damage,
}

impl CheckReport {
    /// Whether nothing is damaged.
    pub fn is_sound(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity < Severity::Damage)
    }

    fn notice(&mut self, file: impl Into<String>, sentence: impl Into<String>) {
        self.add(Severity::Notice, file.into(), sentence.into());
    }

    fn damage(&mut self, file: impl Into<String>, sentence: impl Into<String>) {
        self.add(Severity::Damage, file.into(), sentence.into());
    }

    fn add(&mut self, severity: Severity, file: String, sentence: String) {
        self.findings.push(Finding {
            severity,
            file,
            sentence,
        });
    }
}

/// Verifies the data directory `disk` is the root of. Fails only if it cannot be looked at: it is in use, of a later
/// format, or no data directory.
pub fn check(disk: &Arc<dyn Disk>, decode: &dyn Decode) -> Result<CheckReport, Error> {
    check_all(disk, decode, None)
}

/// The same, and of the segments in the bucket too.
pub fn check_with_bucket(
    disk: &Arc<dyn Disk>,
    decode: &dyn Decode,
    remote: &Remote,
    depth: Depth,
) -> Result<CheckReport, Error> {
    check_all(disk, decode, Some((remote, depth)))
}

fn check_all(
    disk: &Arc<dyn Disk>,
    decode: &dyn Decode,
    bucket: Option<(&Remote, Depth)>,
) -> Result<CheckReport, Error> {
    let found = layout::read_format(disk.as_ref())?;
    let format = found.ok_or_else(|| Error::NoDataDirectory {
        directory: disk.describe(),
    })?;
    layout::check_format(disk.as_ref(), format)?;
    let _lock = layout::lock(disk.as_ref())?;
    let mut report = CheckReport::default();
    let Some(manifest) = check_manifests(disk.as_ref(), &mut report)? else {
        return Ok(report);
    };
    check_segments(disk, &manifest, &mut report)?;
    match bucket {
        Some((remote, depth)) => {
            let objects = Objects::new(remote.clone(), manifest.home);
            objects::check(&manifest, &objects, depth, &mut report);
        }
        None => objects::note_unverified(disk.as_ref(), &manifest, &mut report),
    }
    log_files::check(disk.as_ref(), decode, &manifest, &mut report)?;
    check_quarantine(disk.as_ref(), &mut report)?;
    Ok(report)
}

/// The manifest a start would go on from, if there is one.
fn check_manifests(disk: &dyn Disk, report: &mut CheckReport) -> Result<Option<Manifest>, Error> {
    for number in manifest::list_manifests(disk)? {
        let found = manifest::read_manifest(disk, number);
        report.manifests += 1;
        if let Err(reason) = found.content {
            report.damage(manifest::path_of(number), reason);
        }
    }
    match recovery::choose_manifest(disk, &mut Vec::new()) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(Error::Damaged { file, reason }) => {
            report.damage(file, reason);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn check_segments(
    disk: &Arc<dyn Disk>,
    manifest: &Manifest,
    report: &mut CheckReport,
) -> Result<(), Error> {
    let files = Arc::new(OpenFiles::new(Arc::clone(disk), None));
    for entry in &manifest.segments {
        segments::check(entry, &files, report);
    }
    for id in segment::list_segments(disk.as_ref())? {
        if !manifest.segments.iter().any(|entry| entry.id == id) {
            report.notice(
                id.path(),
                "it is in no manifest; its events are in the log or in other segments",
            );
        }
    }
    let (heads, drafts) = segment::list_heads(disk.as_ref())?;
    for id in heads {
        if !manifest.segments.iter().any(|entry| entry.id == id) {
            report.notice(id.head_path(), "it is of a segment that is in no manifest");
        }
    }
    for draft in drafts {
        report.notice(draft, "it was never finished; the next start removes it");
    }
    Ok(())
}

fn check_quarantine(disk: &dyn Disk, report: &mut CheckReport) -> Result<(), Error> {
    let directory = layout::QUARANTINE;
    let names = match disk.list(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(Error::io("list", directory))?,
    };
    for name in names {
        let sentence = "bytes that an earlier start set aside; they can be removed";
        report.notice(format!("{directory}/{name}"), sentence);
    }
    Ok(())
}
