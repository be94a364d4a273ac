//! The key that evidence is signed with, and what an export says of itself in its header.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use cordwood_event::Timestamp;
use cordwood_evidence::{Ending, Header, Key, PublicKey, Range, Requester, Source, Writer};

use super::export::Export;
use super::task::Task;
use crate::{Access, Caller, Error, Order, Random, Service};

/// The file in the data directory that holds the key: 32 random bytes.
const KEY_FILE: &str = "evidence-key";

impl Service {
    /// The key that evidence of this server is verified with; made when it is first asked for.
    pub fn evidence_key(&self, caller: &Caller) -> Result<PublicKey, Error> {
        caller.require(Access::Read)?;
        let options = &self.options;
        let key = signing_key(&options.data_dir, &*options.random);
        key.map(|key| key.public())
            .map_err(|error| Error::internal("reading the key of evidence", error))
    }
}

/// The key, made if there is none. It is never replaced: files signed with it are verified for years.
pub(super) fn signing_key(data_dir: &Path, random: &dyn Random) -> io::Result<Key> {
    let path = data_dir.join(KEY_FILE);
    match fs::read(&path) {
        Ok(bytes) => return key_of(&bytes),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    let mut secret = [0; 32];
    random.fill(&mut secret);
    match write_once(&path, &secret) {
        // Somebody else has made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => key_of(&fs::read(&path)?),
        written => written.map(|()| Key::from_bytes(&secret)),
    }
}

fn key_of(bytes: &[u8]) -> io::Result<Key> {
    let secret: &[u8; 32] = bytes.try_into().map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the file {KEY_FILE} has {} bytes, not 32", bytes.len()),
        )
    })?;
    Ok(Key::from_bytes(secret))
}

/// Writes a file that is not there yet, whole or not at all, for its owner's eyes only.
fn write_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // A link is made only where there is no file.
    fs::hard_link(&draft, path)?;
    fs::remove_file(&draft)?;
    let directory = path.parent().unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// Where records of evidence go to.
pub(super) struct Records<'a, W> {
    writer: Writer<'a>,
    sink: W,
    line: Vec<u8>,
}

impl<'a, W: Write> Records<'a, W> {
    pub(super) fn begin(export: &Export, task: &Task, key: &'a Key, sink: W) -> Records<'a, W> {
        let mut line = Vec::new();
        let writer = Writer::begin(&header(export, task, key), key, &mut line);
        Records { writer, sink, line }
    }

    /// Writes a line of JSON as a record.
    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        self.writer.record(line.trim_end(), &mut self.line);
        self.sink.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }

    /// Writes the manifest.
    pub(super) fn finish(
        mut self,
        now: Timestamp,
        incomplete_reason: Option<String>,
    ) -> io::Result<()> {
        let ending = Ending {
            finished_at: now.to_string(),
            incomplete_reason,
        };
        self.writer.finish(ending, &mut self.line);
        self.sink.write_all(&self.line)
    }
}

fn header(export: &Export, task: &Task, key: &Key) -> Header {
    let sources = task.search.sources.iter().map(|source| Source {
        id: source.id.to_string(),
        name: source.name.clone(),
    });
    Header {
        cordwood_evidence: Header::VERSION,
        export: export.id.clone(),
        query: export.query.clone(),
        range: Range {
            from: export.from.map(|time| time.to_string()),
            to: export.to.map(|time| time.to_string()),
        },
        sources: sources.collect(),
        order: match export.order {
            Order::OldestFirst => "oldest_first",
            Order::NewestFirst => "newest_first",
        }
        .to_owned(),
        requested_by: Requester {
            token_id: export.requester.token_id,
            token_name: export.requester.token_name.clone(),
        },
        requested_at: export.created_at.to_string(),
        public_key: key.public().to_string(),
    }
}
