//! Compressed runs of bytes: a zstd frame, or the bytes themselves where that is no longer.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use super::Corrupt;
use super::cursor::{Cursor, push_varint};

/// Level 1 is a tenth to a third faster to encode and 4 % larger over all columns of the reference corpus (frames of
/// 256 KiB: 12 against 14 to 21 ms per block of 6 MB, 35.8 against 34.2 bytes per event); a block is written once
/// and kept for weeks, and either is far from being the bottleneck of ingest.
const ZSTD_LEVEL: i32 = 3;

/// Below this many bytes a zstd frame is hardly ever shorter than the bytes.
const COMPRESSED_FROM_BYTES: usize = 32;

/// A zstd block of up to 128 KiB takes at least four bytes, whatever is in it: with the length of a frame
/// this bounds what damaged bytes can make a reader allocate.
const BLOCK_TEXT_BYTES_MAX: usize = 128 << 10;
const BLOCK_BYTES_MIN: usize = 4;

/// Compresses; keeps zstd's working memory from one frame to the next, and leaves it to the next compressor of its thread.
pub(crate) struct Compressor {
    /// `None` once it is left.
    zstd: Option<ZstdCompressor>,
}

type ZstdCompressor = zstd::bulk::Compressor<'static>;

thread_local! {
    /// What the last compressor of the thread left: a thread that seals or merges makes one for each block or section, and tables
    /// made anew would have to be cleared. It carries nothing from one frame to the next.
    static LEFT: Cell<Option<ZstdCompressor>> = const { Cell::new(None) };
}

/// Bytes as they go to disk.
pub(crate) struct Compressed {
    pub(crate) is_zstd: bool,
    pub(crate) bytes: Vec<u8>,
}

impl Compressor {
    pub(crate) fn new() -> Compressor {
        let make = || {
            let made = ZstdCompressor::new(ZSTD_LEVEL);
            made.expect("zstd fails only where any allocation would")
        };
        Compressor {
            zstd: Some(LEFT.take().unwrap_or_else(make)),
        }
    }

    pub(crate) fn compress(&mut self, plain: &[u8]) -> Compressed {
        if plain.len() >= COMPRESSED_FROM_BYTES
            && let Some(zstd) = &mut self.zstd
            && let Ok(bytes) = zstd.compress(plain)
            && bytes.len() < plain.len()
        {
            return Compressed {
                is_zstd: true,
                bytes,
            };
        }
        Compressed {
            is_zstd: false,
            bytes: plain.to_vec(),
        }
    }

    /// Appends a frame that [`read_frame`] reads; the length of `plain` must be known to the reader.
    pub(crate) fn push_frame(&mut self, out: &mut Vec<u8>, plain: &[u8]) {
        let compressed = self.compress(plain);
        push_header(out, &compressed);
        out.extend_from_slice(&compressed.bytes);
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        LEFT.set(self.zstd.take());
    }
}

/// Appends the stored length and whether it is zstd.
pub(crate) fn push_header(out: &mut Vec<u8>, compressed: &Compressed) {
    push_varint(
        out,
        (compressed.bytes.len() as u64) << 1 | u64::from(compressed.is_zstd),
    );
}

/// The stored length and whether it is zstd.
pub(crate) fn read_header(cursor: &mut Cursor<'_>) -> Result<(usize, bool), Corrupt> {
    let header = cursor.varint()?;
    let length = usize::try_from(header >> 1);
    let length = length.map_err(|_| Corrupt("a frame longer than memory"))?;
    Ok((length, header & 1 == 1))
}

/// Reads a frame of `plain_len` bytes.
pub(crate) fn read_frame(cursor: &mut Cursor<'_>, plain_len: usize) -> Result<Vec<u8>, Corrupt> {
    view_frame(cursor, plain_len).map(Cow::into_owned)
}

/// The same, without a copy of what is not compressed.
pub(crate) fn view_frame<'a>(
    cursor: &mut Cursor<'a>,
    plain_len: usize,
) -> Result<Cow<'a, [u8]>, Corrupt> {
    let (length, is_zstd) = read_header(cursor)?;
    let stored = cursor.take(length)?;
    if is_zstd {
        decompress(stored, plain_len).map(Cow::Owned)
    } else if length == plain_len {
        Ok(Cow::Borrowed(stored))
    } else {
        Err(Corrupt("a plain frame of another length"))
    }
}

thread_local! {
    /// zstd's working memory, kept by each thread: making it anew took a seventh of the time of a scan of messages in
    /// frames of 64 KiB. It carries nothing from one frame to the next.
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        const { RefCell::new(None) };
}

/// Decompresses one zstd frame, which says itself that it holds `plain_len` bytes. Allocates no more.
pub(crate) fn decompress(compressed: &[u8], plain_len: usize) -> Result<Vec<u8>, Corrupt> {
    let blocks = compressed.len() / BLOCK_BYTES_MIN + 1;
    let declared = zstd::bulk::Decompressor::upper_bound(compressed);
    if declared != Some(plain_len) || plain_len > blocks.saturating_mul(BLOCK_TEXT_BYTES_MAX) {
        return Err(Corrupt("a compressed frame of another length"));
    }
    let plain = DECOMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(decompressor) => decompressor.decompress(compressed, plain_len),
        None => kept
            .insert(zstd::bulk::Decompressor::new()?)
            .decompress(compressed, plain_len),
    });
    match plain {
        Ok(plain) if plain.len() == plain_len => Ok(plain),
        _ => Err(Corrupt("a compressed frame that does not decompress")),
    }
}
