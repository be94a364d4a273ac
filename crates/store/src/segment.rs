//! A segment: one immutable file of blocks with its directory. Complete or absent.
//!
//! `docs/format.md` describes the bytes. This file must not know the manifest or the log.

mod file;
mod footer;
mod head;
mod open_files;
mod pages;
mod postings;
mod read_ahead;
mod sections;
mod tokens;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use cordwood_event::{SourceId, Timestamp};

use crate::block::{BlockDirectory, Chunk, decode_directories};
use crate::disk::DiskFile;
use crate::encoding::Corrupt;
use crate::fixed::{Fixed, NUMBER_END};
use crate::postings::{ListPlace, WordLists};
use crate::template::TemplateTable;
use crate::tokens::{BlockSet, WordHash};
use crate::{Disk, Error, ReadFailure, SourceTotals};

pub(crate) use file::{Keeping, SegmentFile};
use footer::Section;
pub(crate) use footer::{Footer, HEADER_BYTES, SectionId, header};
pub(crate) use head::{list_heads, write as write_head};
pub(crate) use open_files::OpenFiles;
use postings::SegmentPostings;
use read_ahead::{ChunkRead, ReadAhead, Wanted};
use tokens::SegmentTokens;
pub(crate) use write::{BlockSource, SegmentWriter, sort_fresh};

/// The directory of segments.
pub(crate) const DIRECTORY: &str = "segments";
const SUFFIX: &str = ".seg";
const HEAD_SUFFIX: &str = ".head";
/// A file in the making; of no meaning.
const DRAFT: &str = ".draft";

/// Names a segment, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentId(pub(crate) u64);

impl SegmentId {
    /// The path of the file.
    pub(crate) fn path(self) -> String {
        format!("{DIRECTORY}/{}", self.file_name())
    }

    /// The same without its directory.
    pub(crate) fn file_name(self) -> String {
        format!("{:020}{SUFFIX}", self.0)
    }

    /// The path of what is kept of the file when it goes.
    pub(crate) fn head_path(self) -> String {
        format!("{DIRECTORY}/{:020}{HEAD_SUFFIX}", self.0)
    }

    /// The path of the file, or its head, in the making.
    pub(crate) fn draft_path(self) -> String {
        format!("{DIRECTORY}/{:020}{DRAFT}", self.0)
    }

    /// The segment in the file of this path.
    pub(crate) fn of_path(path: &str) -> Option<SegmentId> {
        let name = path.strip_prefix(DIRECTORY)?.strip_prefix('/')?;
        SegmentId::of_file(name)
    }

    /// The segment in a file of this name, without its directory.
    pub(crate) fn of_file(name: &str) -> Option<SegmentId> {
        SegmentId::of_name(name, SUFFIX)
    }

    /// The segment in a head of this name, without its directory.
    pub(crate) fn of_head(name: &str) -> Option<SegmentId> {
        SegmentId::of_name(name, HEAD_SUFFIX)
    }

    fn of_name(name: &str, suffix: &str) -> Option<SegmentId> {
        let digits = name.strip_suffix(suffix)?;
        let is_canonical = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|number| *number < NUMBER_END);
        number.filter(|_| is_canonical).map(SegmentId)
    }
}

/// Where a block lies and what it holds.
#[derive(Clone, Debug)]
pub(crate) struct SegmentBlock {
    pub(crate) source: SourceId,
    pub(crate) offset: u64,
    pub(crate) directory: Arc<BlockDirectory>,
}

impl SegmentBlock {
    /// The time of the first event.
    pub(crate) fn start(&self) -> Timestamp {
        self.directory.timestamps.0
    }
}

/// What a manifest says of a segment in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// The checksum of all its bytes, CRC-32C.
    pub(crate) crc: u32,
}

/// A segment whose footer and directory have been read and verified.
#[derive(Debug)]
pub(crate) struct Segment {
    path: String,
    id: SegmentId,
    format_version: u32,
    file_bytes: u64,
    files: Arc<OpenFiles>,
    read_errors: AtomicU64,
    /// Whether no manifest names it any more: its file goes when the last snapshot lets go of it.
    is_retired: AtomicBool,
    /// Whether its file is on the local disk.
    is_local: AtomicBool,
    /// Set once a manifest says that it is in the bucket.
    object: OnceLock<Object>,
    /// Ordered by source, then by time of the first event.
    pub(crate) blocks: Vec<SegmentBlock>,
    sources: BTreeMap<SourceId, OfSource>,
    /// `None` if it has none, or one that is damaged.
    tokens: Option<SegmentTokens>,
    /// The same.
    postings: Option<SegmentPostings>,
    read_ahead: ReadAhead,
}

/// The blocks of one source, which lie together, and how much is in them.
#[derive(Debug)]
struct OfSource {
    blocks: Range<usize>,
    totals: SourceTotals,
    /// Bytes of the blocks as encoded.
    block_bytes: u64,
}

impl Segment {
    /// Reads the footer and the directory. The error says why the segment cannot be used.
    pub(crate) fn open(id: SegmentId, files: Arc<OpenFiles>) -> Result<Segment, SegmentError> {
        let file = files.get(id)?;
        let file_bytes = file.length()?;
        let footer = Footer::read(&file, file_bytes)?;
        let directories = read_section(&file, &footer, SectionId::Directory)?;
        let places = read_section(&file, &footer, SectionId::Places)?;
        let malformed = |corrupt: Corrupt| SegmentError::Malformed(corrupt.0.to_owned());
        let templates = match footer.section(SectionId::Templates) {
            Some(_) => {
                let bytes = read_section(&file, &footer, SectionId::Templates)?;
                TemplateTable::decode(&bytes).map_err(malformed)?
            }
            None => TemplateTable::default(),
        };
        let directories =
            decode_directories(&directories, &Arc::new(templates)).map_err(malformed)?;
        let blocks = place_blocks(directories, &places, &footer)?;
        let tokens = SegmentTokens::open(&file, &footer, blocks.len());
        let postings = SegmentPostings::open(&file, &footer, blocks.len());
        let damaged = [tokens.as_ref().err(), postings.as_ref().err()];
        let damaged = damaged.into_iter().flatten().inspect(|error| {
            tracing::error!(file = id.path(), %error, "what tells where words are cannot be used");
        });
        Ok(Segment {
            path: id.path(),
            id,
            format_version: footer.version,
            file_bytes,
            files,
            read_errors: AtomicU64::new(damaged.count() as u64),
            is_retired: AtomicBool::new(false),
            is_local: AtomicBool::new(file.is_local()),
            object: OnceLock::new(),
            tokens: tokens.ok().flatten(),
            postings: postings.ok().flatten(),
            sources: sources_of(&blocks),
            blocks,
            read_ahead: ReadAhead::default(),
        })
    }

    /// Opens a segment that was written just now; one that cannot be used is removed.
    pub(crate) fn open_written(
        id: SegmentId,
        files: &Arc<OpenFiles>,
    ) -> Result<Arc<Segment>, Error> {
        let segment = Segment::open(id, Arc::clone(files));
        let segment = segment.map_err(|error| {
            let _ = files.remove(id);
            Error::Damaged {
                file: id.path(),
                reason: format!("just written, and {error}"),
            }
        })?;
        Ok(Arc::new(segment))
    }

    /// Lets the file go with the last who reads it.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
    }

    /// The path of the file, which may be gone where the segment is in the bucket.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The version of the format that it is written in.
    pub(crate) fn format_version(&self) -> u32 {
        self.format_version
    }

    /// Whether its file is on the local disk.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local.load(Ordering::Relaxed)
    }

    /// What the manifest says of its object, if it has one.
    pub(crate) fn object(&self) -> Option<Object> {
        self.object.get().copied()
    }

    /// A manifest says that it is in the bucket.
    pub(crate) fn set_object(&self, object: Object) {
        let _ = self.object.set(object);
    }

    /// Lets go of its file: it is in the bucket, and its head is here.
    pub(crate) fn send_away(&self) -> Result<(), Error> {
        let removed = self.files.send_away(self.id);
        removed.map_err(Error::io("remove", &*self.path))?;
        self.is_local.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Its file is here again.
    pub(crate) fn came_home(&self) {
        self.files.close(self.id);
        self.is_local.store(true, Ordering::Relaxed);
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.id
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// The blocks of a source, each with its place in `blocks`.
    pub(crate) fn blocks_of(
        &self,
        source: SourceId,
    ) -> impl ExactSizeIterator<Item = (usize, &SegmentBlock)> {
        let found = self.sources.get(&source);
        let range = found.map_or(0..0, |found| found.blocks.clone());
        let blocks = self.blocks.get(range.clone()).unwrap_or_default();
        range.zip(blocks)
    }

    /// How much there is of a source.
    pub(crate) fn totals_of(&self, source: SourceId) -> Option<&SourceTotals> {
        self.sources.get(&source).map(|found| &found.totals)
    }

    /// How much there is of each source.
    pub(crate) fn totals(&self) -> impl Iterator<Item = (SourceId, SourceTotals)> {
        let sources = self.sources.iter();
        sources.map(|(source, found)| (*source, found.totals))
    }

    /// Bytes of the blocks of each source.
    pub(crate) fn block_bytes_by_source(&self) -> impl Iterator<Item = (SourceId, u64)> {
        let sources = self.sources.iter();
        sources.map(|(source, found)| (*source, found.block_bytes))
    }

    /// What some bytes of blocks take of the file, their share of all that is beside blocks included.
    pub(crate) fn disk_bytes(&self, block_bytes: u64) -> u64 {
        let all: u64 = self.block_bytes_by_source().map(|(_, bytes)| bytes).sum();
        let bytes = u128::from(block_bytes) * u128::from(self.file_bytes) / u128::from(all.max(1));
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Reads bytes; who asks verifies them.
    pub(crate) fn read(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let file = self.files.get(self.id)?;
        let mut bytes = vec![0; length];
        file.read_at(offset, &mut bytes)?;
        Ok(bytes.into())
    }

    /// Reads a chunk of the block at an index; who asks verifies it. If it had to be waited for, those of the next blocks are
    /// read ahead.
    pub(crate) fn read_chunk(&self, index: u32, chunk: Chunk) -> io::Result<Bytes> {
        let Some(block) = self.blocks.get(index as usize) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let started = Instant::now();
        let bytes = self.read(
            block.offset + u64::from(chunk.offset),
            chunk.length as usize,
        )?;
        let wanted = self.read_ahead.note(ChunkRead {
            block: index,
            directory: &block.directory,
            chunk,
            took: started.elapsed(),
        });
        if let Some(wanted) = wanted {
            self.will_need(&wanted);
        }
        Ok(bytes)
    }

    /// Advice: what fails here fails for who reads, if anybody does.
    fn will_need(&self, wanted: &Wanted) {
        let Ok(file) = self.files.get(self.id) else {
            return;
        };
        let blocks = wanted
            .blocks()
            .map_while(|index| self.blocks.get(index as usize));
        for block in blocks {
            if let Some(chunk) = wanted.chunk_in(&block.directory) {
                let start = block.offset + u64::from(chunk.offset);
                file.will_need(start..start + u64::from(chunk.length));
            }
        }
    }

    /// The bytes as they are, for who reads all of them.
    pub(crate) fn file(&self) -> io::Result<Arc<SegmentFile>> {
        self.files.get(self.id)
    }

    /// The blocks that may hold the word, by their place in `blocks`; `None` when nothing is known.
    pub(crate) fn blocks_with(&self, word: WordHash) -> Result<Option<BlockSet>, ReadFailure> {
        let Some(tokens) = &self.tokens else {
            return Ok(None);
        };
        let found = tokens.find(word, self);
        if found.is_err() {
            self.count_read_error();
        }
        found.map(Some)
    }

    /// Where the lists of a word of a column are; `None` when nothing is known.
    pub(crate) fn lists_of(
        &self,
        path: &str,
        word: &str,
    ) -> Result<Option<WordLists>, ReadFailure> {
        let Some(postings) = &self.postings else {
            return Ok(None);
        };
        let found = postings.find(path, word, self);
        if found.is_err() {
            self.count_read_error();
        }
        found.map(Some)
    }

    /// The ranks of the texts in a list that [`lists_of`](Self::lists_of) found.
    pub(crate) fn read_list(&self, place: ListPlace) -> Result<Vec<u32>, ReadFailure> {
        match &self.postings {
            Some(postings) => postings.read(place, self),
            None => Err(ReadFailure::Malformed("no posting lists".to_owned())),
        }
    }

    /// Verifies all posting lists.
    pub(crate) fn check_postings(&self) -> Result<(), ReadFailure> {
        let postings = self.postings.as_ref();
        postings.map_or(Ok(()), |postings| postings.check(self))
    }

    /// Verifies the whole token map.
    pub(crate) fn check_tokens(&self) -> Result<(), ReadFailure> {
        let tokens = self.tokens.as_ref();
        tokens.map_or(Ok(()), |tokens| tokens.check(self))
    }

    pub(crate) fn count_read_error(&self) {
        self.read_errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read_errors(&self) -> u64 {
        self.read_errors.load(Ordering::Relaxed)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if !self.is_retired.load(Ordering::Relaxed) {
            return;
        }
        if let (Some(_), Some(cache)) = (self.object(), self.files.cache()) {
            cache.objects().doom(self.id);
        }
        if let Err(error) = self.files.remove(self.id) {
            // The next start removes it.
            tracing::warn!(%error, segment = self.path, "could not remove a segment that is not needed any more");
        }
    }
}

/// Why a segment cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SegmentError {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the checksum of its {0} does not match")]
    Checksum(&'static str),
    #[error("it was written by a later version of Cordwood (format {0})")]
    NewerFormat(u32),
    #[error("it is malformed: {0}")]
    Malformed(String),
}

pub(crate) fn read_section(
    file: &SegmentFile,
    footer: &Footer,
    id: SectionId,
) -> Result<Vec<u8>, SegmentError> {
    let section = footer.section(id);
    let section = section.ok_or_else(|| SegmentError::Malformed(format!("no {}", id.name())))?;
    let length = usize::try_from(section.length).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    file.read_at(section.offset, &mut bytes)?;
    if crc32c::crc32c(&bytes) != section.crc {
        return Err(SegmentError::Checksum(id.name()));
    }
    Ok(bytes)
}

/// Joins each block's directory with its source and offset. Every block must lie within the blocks section.
fn place_blocks(
    directories: Vec<BlockDirectory>,
    places: &[u8],
    footer: &Footer,
) -> Result<Vec<SegmentBlock>, SegmentError> {
    let malformed = || SegmentError::Malformed("the places of its blocks".to_owned());
    let mut fields = Fixed::new(places);
    let mut blocks = Vec::with_capacity(directories.len());
    for directory in directories {
        let source = SourceId(fields.u64().ok_or_else(malformed)?);
        let offset = fields.u64().ok_or_else(malformed)?;
        let end = offset.checked_add(directory.encoded_bytes());
        if offset < HEADER_BYTES as u64 || end.is_none_or(|end| end > footer.blocks_end()) {
            return Err(malformed());
        }
        blocks.push(SegmentBlock {
            source,
            offset,
            directory: Arc::new(directory),
        });
    }
    if !fields.rest().is_empty() || !blocks.is_sorted_by_key(|block| block.source) {
        return Err(malformed());
    }
    Ok(blocks)
}

fn sources_of(blocks: &[SegmentBlock]) -> BTreeMap<SourceId, OfSource> {
    let mut sources: BTreeMap<SourceId, OfSource> = BTreeMap::new();
    for (index, block) in blocks.iter().enumerate() {
        let found = sources.entry(block.source).or_insert(OfSource {
            blocks: index..index,
            totals: SourceTotals::NONE,
            block_bytes: 0,
        });
        found.block_bytes += block.directory.encoded_bytes();
        found.blocks.end = index + 1;
        found.totals.add(&SourceTotals::of_block(&block.directory));
    }
    sources
}

/// Writes a file whole: under a name of no meaning, synced, and then under its own; on return it is durable.
pub(crate) fn write_draft(
    disk: &dyn Disk,
    draft: &str,
    path: &str,
    write: impl FnOnce(&dyn DiskFile) -> io::Result<()>,
) -> Result<(), Error> {
    match disk.remove(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("remove", draft)(error));
        }
        _ => {}
    }
    let file = disk.create(draft).map_err(Error::io("create", draft))?;
    let written = write(file.as_ref())
        .and_then(|()| file.sync())
        .and_then(|()| disk.rename(draft, path))
        .and_then(|()| disk.sync_dir(DIRECTORY));
    written.map_err(|error| {
        // Should it stay, the next start removes it.
        let _ = disk.remove(draft);
        Error::io("write", path)(error)
    })
}

/// The segments that have a file, whatever its state.
pub(crate) fn list_segments(disk: &dyn Disk) -> Result<Vec<SegmentId>, Error> {
    let names = disk.list(DIRECTORY).map_err(Error::io("list", DIRECTORY))?;
    Ok(names
        .iter()
        .filter_map(|name| SegmentId::of_file(name))
        .collect())
}
