//! Decompression that never holds more than the limit, whatever the body claims of itself.

use std::borrow::Cow;
use std::io::{self, Read};

use crate::{ContentEncoding, Refusal};

/// The window a zstd frame may ask the decoder to allocate: 2^26 bytes, below the limit on the whole
/// body. Every zstd level but the "ultra" ones stays below it.
const ZSTD_WINDOW_LOG_MAX: u32 = 26;

/// The buffer between brotli's input and its decoder.
const BROTLI_BUFFER_BYTES: usize = 64 << 10;

pub(crate) fn decompress(
    encoding: ContentEncoding,
    body: &[u8],
    bytes_max: usize,
) -> Result<Cow<'_, [u8]>, Refusal> {
    if body.is_empty() || encoding == ContentEncoding::Identity {
        return identity(body, bytes_max);
    }
    let result = match encoding {
        ContentEncoding::Identity => return identity(body, bytes_max),
        ContentEncoding::Gzip => {
            let decoder = flate2::bufread::MultiGzDecoder::new(body);
            read_capped(decoder, body.len(), bytes_max)
        }
        ContentEncoding::Deflate => deflate(body, bytes_max),
        ContentEncoding::Zstd => zstd_frames(body, bytes_max),
        ContentEncoding::Brotli => brotli(body, bytes_max),
    };
    match result {
        Ok(Some(bytes)) => Ok(Cow::Owned(bytes)),
        Ok(None) => Err(too_large(bytes_max)),
        Err(error) => Err(Refusal::undecodable(format!(
            "the {} stream is damaged or cut off: {error}",
            encoding.name()
        ))),
    }
}

fn identity(body: &[u8], bytes_max: usize) -> Result<Cow<'_, [u8]>, Refusal> {
    if body.len() > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(Cow::Borrowed(body))
}

fn too_large(limit_bytes: usize) -> Refusal {
    Refusal::TooLarge { limit_bytes }
}

/// A zlib stream, or a bare deflate stream from the senders that took the name of the encoding
/// literally. The two are told apart by zlib's header (RFC 1950 section 2.2), which a deflate stream
/// imitates only by a chance of one in a thousand; then both are tried.
fn deflate(body: &[u8], bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let bare = || {
        let decoder = flate2::bufread::DeflateDecoder::new(body);
        read_capped(decoder, body.len(), bytes_max)
    };
    if !has_zlib_header(body) {
        return bare();
    }
    let decoder = flate2::bufread::ZlibDecoder::new(body);
    match read_capped(decoder, body.len(), bytes_max) {
        Err(zlib_error) => bare().map_err(|_| zlib_error),
        decoded => decoded,
    }
}

fn has_zlib_header(body: &[u8]) -> bool {
    const METHOD_DEFLATE: u8 = 8;
    let &[method, flags, ..] = body else {
        return false;
    };
    method & 0x0f == METHOD_DEFLATE && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

fn zstd_frames(body: &[u8], bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    read_capped(decoder, body.len(), bytes_max)
}

fn brotli(body: &[u8], bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    if has_large_brotli_window(body) {
        return Err(io::Error::other("HTTP does not know its large window"));
    }
    let decoder = brotli_decompressor::Decompressor::new(body, BROTLI_BUFFER_BYTES);
    read_capped(decoder, body.len(), bytes_max)
}

/// The extension of RFC 9841 lets a stream ask for a window of a gigabyte; RFC 7932 ends at 16 MiB. The bits that
/// announce it name no window there.
fn has_large_brotli_window(body: &[u8]) -> bool {
    body.first().is_some_and(|bits| bits & 0x7f == 0x11)
}

/// Reads to the end; `None` when there is more than `bytes_max`. The buffer begins with room for what `body_bytes` usually become,
/// of which what is not filled takes no memory, and doubles as it fills, but never past the one byte more that proves there is too
/// much.
fn read_capped(
    mut decoder: impl Read,
    body_bytes: usize,
    bytes_max: usize,
) -> io::Result<Option<Vec<u8>>> {
    /// What gzip, zstd and brotli make of logs, at the most.
    const USUAL_RATIO: usize = 8;
    const FIRST_BYTES_MIN: usize = 64 << 10;
    let first_bytes = body_bytes.saturating_mul(USUAL_RATIO).max(FIRST_BYTES_MIN);
    let mut bytes = Vec::new();
    loop {
        let filled = bytes.len();
        let room = filled.max(first_bytes).min(bytes_max + 1 - filled);
        bytes.reserve_exact(room);
        let wanted = u64::try_from(room).unwrap_or(u64::MAX);
        let read = decoder.by_ref().take(wanted).read_to_end(&mut bytes)?;
        if bytes.len() > bytes_max {
            return Ok(None);
        }
        if read < room {
            return Ok(Some(bytes));
        }
    }
}
