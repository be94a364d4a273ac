//! Blocks of the store: no bytes panic a reader of a directory or of a chunk, and none makes it allocate without bound.

use std::sync::Arc;

use bytes::Bytes;
use cordwood_store::block::{
    BlockDirectory, BlockReader, Chunk, decode_directories, encode_directories,
};
use cordwood_store::column::Values;
use cordwood_store::template::TemplateTable;

use super::Target;

/// The lengths of the table of templates and of the directory in four bytes each, both, the block.
pub(super) const BLOCK: Target = Target {
    name: "block",
    run: read_block,
    dictionary: &["\x01", "\x02", "\x03", "\x28", "\x2f"],
};

/// The length of the table of templates in four bytes, the table, directories of blocks.
pub(super) const DIRECTORIES: Target = Target {
    name: "directories",
    run: read_directories,
    dictionary: &["\x01", "\x28", "\x2f"],
};

fn read_directories(input: &[u8]) {
    let Some((templates, directories)) = split_off(input) else {
        return;
    };
    let templates = TemplateTable::decode(templates).unwrap_or_default();
    let Ok(directories) = decode_directories(directories, &Arc::new(templates)) else {
        return;
    };
    let encoded = encode_directories(&directories);
    let again = decode_directories(&encoded.bytes, &Arc::new(encoded.templates));
    assert_eq!(again.as_ref(), Ok(&directories));
}

fn read_block(input: &[u8]) {
    let Some((templates, rest)) = split_off(input) else {
        return;
    };
    let Some((directories, block)) = split_off(rest) else {
        return;
    };
    let block = Bytes::copy_from_slice(block);
    let templates = Arc::new(TemplateTable::decode(templates).unwrap_or_default());
    for mut directory in decode_directories(directories, &templates).unwrap_or_default() {
        repair_checksums(&mut directory, &block);
        read_all(directory, block.clone());
    }
}

/// What a length in four bytes says, and the rest.
fn split_off(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}

/// Else a mutation would never get further than the checksum.
fn repair_checksums(directory: &mut BlockDirectory, block: &[u8]) {
    let repair = |chunk: &mut Chunk| {
        let start = usize::try_from(chunk.offset).unwrap_or(usize::MAX);
        let length = usize::try_from(chunk.length).unwrap_or(usize::MAX);
        let bytes = block.get(start..).and_then(|bytes| bytes.get(..length));
        chunk.crc = crc32c::crc32c(bytes.unwrap_or_default());
    };
    [
        &mut directory.timestamp,
        &mut directory.sequence,
        &mut directory.level,
    ]
    .into_iter()
    .chain(&mut directory.dictionaries)
    .chain(&mut directory.presences)
    .chain(directory.columns.iter_mut().flat_map(|entry| {
        let slots = entry.text.as_mut().map(|text| &mut text.slots);
        std::iter::once(&mut entry.chunk).chain(slots)
    }))
    .chain(directory.rest.as_mut().map(|rest| &mut rest.chunk))
    .for_each(repair);
}

fn read_all(directory: BlockDirectory, block: Bytes) {
    let columns = directory.columns.len();
    let reader = BlockReader::new(Arc::new(directory), block);
    if let Ok(times) = reader.timestamps() {
        assert!(times.len() == reader.rows() && times.is_sorted());
    }
    let _ = reader.sequences();
    if let Ok(levels) = reader.levels() {
        assert!(levels.iter().all(|code| *code <= 6));
    }
    for index in 0..columns {
        let Ok(column) = reader.column(index) else {
            continue;
        };
        for (row, rank) in column.presence.iter() {
            assert_eq!(column.presence.rank(row), Some(rank));
            let alone = column.value(row);
            assert_eq!(alone.is_ok(), column.values.scalar(rank).is_ok());
        }
        if let Values::Str(texts) = &column.values {
            let _ = texts.for_each_frame(|frame| assert!(frame.get(frame.len()).is_none()));
        }
    }
    if let Ok(Some(rest)) = reader.rest() {
        let _ = rest.values();
        let _ = rest.fields(0);
        assert!(rest.paths().is_sorted());
    }
}
