//! The decompressors: no stream panics, and none grows beyond the limit.

use cordwood_event::Timestamp;
use cordwood_ingest::{ContentEncoding, ContentKind, Format, Limits, Refusal, decode};

use super::Target;

/// Small, so that a bomb is refused soon and executions stay many.
const DECOMPRESSED_BYTES_MAX: usize = 1 << 20;

pub(super) const GZIP: Target = Target {
    name: "gzip",
    run: |body| check(ContentEncoding::Gzip, body),
    dictionary: &["\x1f\x08\x08\x00"],
};

pub(super) const DEFLATE: Target = Target {
    name: "deflate",
    run: |body| check(ContentEncoding::Deflate, body),
    dictionary: &["\x78\x01", "\x78\x5e"],
};

pub(super) const ZSTD: Target = Target {
    name: "zstd",
    run: |body| check(ContentEncoding::Zstd, body),
    dictionary: &["\x28", "\x2f"],
};

pub(super) const BROTLI: Target = Target {
    name: "brotli",
    run: |body| check(ContentEncoding::Brotli, body),
    dictionary: &["\x0b\x02", "\x1b"],
};

fn check(encoding: ContentEncoding, body: &[u8]) {
    let format = Format {
        kind: ContentKind::Ndjson,
        encoding,
        dt_field: None,
    };
    let limits = Limits {
        decompressed_bytes_max: DECOMPRESSED_BYTES_MAX,
        ..Limits::CONTRACT
    };
    match decode(&format, body, Timestamp::from_nanos(0), &limits) {
        Ok(decoded) => assert!(decoded.decompressed_bytes <= DECOMPRESSED_BYTES_MAX),
        Err(Refusal::TooLarge { limit_bytes }) => assert_eq!(limit_bytes, DECOMPRESSED_BYTES_MAX),
        Err(_) => {}
    }
}
