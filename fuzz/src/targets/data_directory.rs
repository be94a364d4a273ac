//! A data directory with one file of any bytes: opening, reading, checking and writing on never panic, and what was
//! readable is still there after a flush and a restart.

use std::sync::Arc;

use cordwood_event::{Batch, BatchBuilder, EventHead, Scalar, SourceId, Timestamp};
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{
    Append, Decode, Disk, LoggedBody, Options, Part, ReadError, Snapshot, Store, check,
};

use super::Target;

/// One byte for the file that is replaced (0 log, 1 segment, 2 manifest), and its content.
pub(super) const DATA_DIRECTORY: Target = Target {
    name: "data_directory",
    run: read_directory,
    dictionary: &["CwdLog\r\n", "CwdSeg\r\n", "CwdMan\r\n"],
};

/// The files of the fixture of format 1.
macro_rules! fixture {
    ($path:literal) => {
        (
            $path,
            include_bytes!(concat!(
                "../../../crates/store/fixtures/data-directory-1/",
                $path
            ))
            .as_slice(),
        )
    };
}

const FIXTURE: [(&str, &[u8]); 7] = [
    fixture!("log/00000000000000000008.log"),
    fixture!("segments/00000000000000000002.seg"),
    fixture!("manifest/00000000000000000002"),
    fixture!("log/00000000000000000007.log"),
    fixture!("segments/00000000000000000001.seg"),
    fixture!("manifest/00000000000000000001"),
    fixture!("VERSION"),
];

const LOG_HEADER_BYTES: usize = 40;
const TRAILER_BYTES: usize = 20;

/// An event for every line.
struct Lines;

impl Decode for Lines {
    fn decode(&self, logged: &LoggedBody<'_>) -> Result<Batch, String> {
        let text = String::from_utf8_lossy(logged.body);
        let mut builder = BatchBuilder::new();
        for line in text.lines() {
            builder.begin_event();
            builder.set_root_field("text", Scalar::Str(line));
            builder.finish_event(EventHead {
                timestamp: logged.received_at,
                level: None,
                source_bytes: 1,
            });
        }
        Ok(builder.finish())
    }
}

fn read_directory(input: &[u8]) {
    let Some((replaced, content)) = input.split_first() else {
        return;
    };
    let replaced = usize::from(*replaced);
    let disk = SimulatedDisk::new();
    for (index, (path, bytes)) in FIXTURE.iter().enumerate() {
        let bytes = if index == replaced { content } else { bytes };
        disk.put(path, repair_checksums(path, bytes.to_vec()));
    }
    let shared: Arc<dyn Disk> = Arc::new(disk);
    let _ = check(&shared, &Lines);
    let Ok(before) = write_on(&shared) else {
        return;
    };
    let (store, _) =
        open(&shared).expect("a directory that could be opened and flushed opens again");
    assert!(count(&store.snapshot()) >= before, "events were lost");
    drop(store);
    let _ = check(&shared, &Lines);
}

/// How many events could be read before a flush of one more.
fn write_on(disk: &Arc<dyn Disk>) -> Result<usize, cordwood_store::Error> {
    let (store, _) = open(disk)?;
    let body = b"one more".to_vec();
    let received_at = Timestamp::from_nanos(0);
    let batch = Lines.decode(&LoggedBody {
        source: SourceId(1),
        received_at,
        format: "",
        body: &body,
    });
    let appended = store.append(Append {
        source: SourceId(1),
        received_at,
        format: String::new(),
        batch_key: None,
        body,
        compressed: false,
        batch: batch.expect("lines always decode"),
    });
    assert!(appended.is_ok(), "{appended:?}");
    let before = count(&store.snapshot());
    store.flush()?;
    store.close()?;
    Ok(before)
}

fn open(disk: &Arc<dyn Disk>) -> Result<(Store, cordwood_store::Recovery), cordwood_store::Error> {
    let options = Options {
        sealing_threads: 1,
        free_space_reserve_bytes: 0,
        ..Options::default()
    };
    Store::open(options, Arc::clone(disk), Arc::new(Lines))
}

/// How many events can be read.
fn count(snapshot: &Snapshot) -> usize {
    let sources = snapshot.sources();
    let parts = sources.keys().flat_map(|source| snapshot.parts(*source));
    parts.map(|part| read(&part).unwrap_or(0)).sum()
}

fn read(part: &Part) -> Result<usize, ReadError> {
    match part {
        Part::Open(rows) => Ok(rows.batch().len()),
        Part::Block(block) => {
            let rows: Vec<usize> = (0..block.rows()).collect();
            block.fields(&rows)?;
            block.levels()?;
            block.sequences()?;
            Ok(block.timestamps()?.len())
        }
    }
}

/// Else a mutation would never get further than the checksum.
fn repair_checksums(path: &str, mut bytes: Vec<u8>) -> Vec<u8> {
    let repaired = if path.starts_with("log/") {
        repair_log(&mut bytes)
    } else if path.starts_with("segments/") {
        repair_segment(&mut bytes)
    } else if path.starts_with("manifest/") {
        bytes
            .len()
            .checked_sub(4)
            .and_then(|end| put_crc(&mut bytes, 0..end, end))
    } else {
        None
    };
    // What has no place for a checksum is left as it is.
    let _ = repaired;
    bytes
}

fn repair_log(bytes: &mut [u8]) -> Option<()> {
    put_crc(bytes, 0..LOG_HEADER_BYTES - 4, LOG_HEADER_BYTES - 4)?;
    let mut offset = LOG_HEADER_BYTES;
    loop {
        let length = usize::try_from(number_at(bytes, offset + 8)?).ok()?;
        bytes.get_mut(offset + 12..offset + 16)?.fill(0);
        put_crc(bytes, offset + 8..offset + 16 + length, offset + 12)?;
        offset += 16 + length;
    }
}

fn repair_segment(bytes: &mut [u8]) -> Option<()> {
    let trailer = bytes.len().checked_sub(TRAILER_BYTES)?;
    let length = usize::try_from(number_at(bytes, trailer)?).ok()?;
    let footer = trailer.checked_sub(length)?;
    for entry in (footer..trailer).step_by(24) {
        let offset = usize::try_from(number_at(bytes, entry + 8)?).ok()?;
        let length = usize::try_from(number_at(bytes, entry + 16)?).ok()?;
        put_crc(bytes, offset..offset.checked_add(length)?, entry + 4);
    }
    put_crc(bytes, footer..trailer, trailer + 4)
}

fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

fn put_crc(bytes: &mut [u8], of: std::ops::Range<usize>, at: usize) -> Option<()> {
    let crc = crc32c::crc32c(bytes.get(of)?);
    let place = bytes.get_mut(at..)?.first_chunk_mut()?;
    *place = crc.to_le_bytes();
    Some(())
}
