//! What is known of the import of one file: a small JSON file, replaced whole at each step.
//!
//! It lives in the data directory when the server's is at hand, else in the state directory of the
//! XDG base directory specification. Its name holds the file and the source with the time it was
//! made, so that a new installation is not taken for one that has the events already; not the
//! server's address, which may be another when it is back.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::ImportArguments;
use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::import::input::{Input, digest};
use crate::import::split::{ByteRange, Plan};

/// The journal of one file.
#[derive(Debug)]
pub(crate) struct Journal {
    /// `None` for standard input, which cannot be resumed.
    path: Option<PathBuf>,
    record: Record,
    is_resumed: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Record {
    /// For a person who looks.
    file: String,
    /// In the batch keys, so that the same bytes imported anew are other batches.
    run: String,
    /// How much of the file's beginning `head_digest` is of.
    head_bytes: usize,
    head_digest: String,
    /// Everything before has been cut into batches.
    next: u64,
    /// Offset and length of the batches not yet known to be stored.
    unsettled: Vec<(u64, u64)>,
}

impl Journal {
    /// The journal of `input`, from an earlier import or new.
    pub(crate) fn open(
        settings: &Settings,
        source: &Value,
        arguments: &ImportArguments,
        input: &Input,
    ) -> Result<Journal, Failure> {
        let identity = identity(source, arguments, input);
        let path = input
            .path()
            .map(|_| directory(settings).map(|dir| dir.join(format!("{identity}.json"))))
            .transpose()?;
        let earlier = path.as_deref().and_then(read);
        let is_same = |record: &Record| {
            input.head_bytes() >= record.head_bytes
                && input.head_digest(record.head_bytes) == record.head_digest
        };
        let has_earlier = earlier.is_some();
        let earlier = earlier.filter(|record| is_same(record) && !arguments.restart);
        let is_resumed = earlier.is_some();
        let record = earlier.unwrap_or_else(|| {
            // Without an earlier import the run is made of the file itself: should the journal be
            // lost, the server still knows the batches of the last hour by their keys.
            let is_fresh = arguments.restart || has_earlier || path.is_none();
            Record::new(input, &identity, is_fresh)
        });
        let journal = Journal {
            path,
            record,
            is_resumed,
        };
        journal.save()?;
        Ok(journal)
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.is_resumed && self.record.next > 0
    }

    /// Part of the key of each batch.
    pub(crate) fn run(&self) -> &str {
        &self.record.run
    }

    /// Where the import goes on.
    pub(crate) fn plan(&self) -> Plan {
        let unsettled = self.record.unsettled.iter();
        let mut unsettled: Vec<ByteRange> = unsettled
            .map(|&(offset, bytes)| ByteRange { offset, bytes })
            .collect();
        unsettled.sort_unstable();
        Plan {
            unsettled,
            next: self.record.next,
        }
    }

    /// Before a batch is sent.
    pub(crate) fn note_planned(&mut self, range: ByteRange) -> Result<(), Failure> {
        let entry = (range.offset, range.bytes);
        if !self.record.unsettled.contains(&entry) {
            self.record.unsettled.push(entry);
        }
        self.record.next = self.record.next.max(range.end());
        self.save()
    }

    /// After a batch is on the server's disk.
    pub(crate) fn note_settled(&mut self, range: ByteRange) -> Result<(), Failure> {
        let entry = (range.offset, range.bytes);
        self.record.unsettled.retain(|other| *other != entry);
        self.save()
    }

    /// After the last batch. The journal stays, so that a second import of the same file sends only
    /// what was added to it.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.save()
    }

    /// Says how to go on, where that is possible.
    pub(crate) fn explain_stop(&self, failure: Failure) -> Failure {
        if self.path.is_none() || self.record.next == 0 {
            return failure;
        }
        let hint = failure.hint_text().map(|hint| format!("{hint} "));
        failure.hint(format!(
            "{}The same command goes on where this one stopped.",
            hint.unwrap_or_default()
        ))
    }

    fn save(&self) -> Result<(), Failure> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let replaced = serde_json::to_vec_pretty(&self.record)
            .map_err(io::Error::from)
            .and_then(|text| {
                let written = path.with_extension("json.new");
                fs::write(&written, text)?;
                fs::rename(&written, path)
            });
        replaced.map_err(|error| {
            cannot(format!("note progress in {}", path.display()), &error)
                .hint("Progress is kept so that a stopped import goes on without doubling.")
        })
    }
}

impl Record {
    fn new(input: &Input, identity: &str, is_fresh: bool) -> Record {
        let head_bytes = input.head_bytes();
        let head_digest = input.head_digest(head_bytes);
        let run = if is_fresh {
            random_run()
        } else {
            digest(&[identity.as_bytes(), head_digest.as_bytes()])
        };
        Record {
            file: input
                .path()
                .map_or(String::new(), |path| path.display().to_string()),
            run: run.chars().take(32).collect(),
            head_bytes,
            head_digest,
            next: 0,
            unsettled: Vec::new(),
        }
    }
}

fn random_run() -> String {
    use cordwood_service::Random;
    let mut bytes = [0; 16];
    cordwood_service::SystemRandom.fill(&mut bytes);
    digest(&[&bytes])
}

fn identity(source: &Value, arguments: &ImportArguments, input: &Input) -> String {
    let path = input.path().unwrap_or(Path::new("-"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parts = [
        path.display().to_string(),
        text(&source["id"]),
        text(&source["attributes"]["created_at"]),
        arguments.dt_field.clone().unwrap_or_default(),
        format!("{:?}", input.format()),
    ];
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    digest(&parts).chars().take(32).collect()
}

/// Where journals are kept; made when missing.
fn directory(settings: &Settings) -> Result<PathBuf, Failure> {
    let is_local = settings.token.is_none() && settings.data_dir.is_dir();
    let directory = if is_local {
        settings.data_dir.join("imports")
    } else {
        state_home()?.join("cordwood").join("imports")
    };
    let made = fs::create_dir_all(&directory);
    made.map_err(|error| cannot(format!("make {}", directory.display()), &error))?;
    Ok(directory)
}

fn state_home() -> Result<PathBuf, Failure> {
    let of = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    of("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(of("HOME")?).join(".local/state")))
        .ok_or_else(|| {
            Failure::new("There is no place to note the progress of the import")
                .hint("Set HOME or XDG_STATE_HOME.")
        })
}

/// A journal that cannot be read counts as none: the import begins anew, under other keys.
fn read(path: &Path) -> Option<Record> {
    let text = fs::read(path).ok()?;
    serde_json::from_slice(&text).ok()
}
