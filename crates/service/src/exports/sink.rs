//! The file of an export while it is written: compressed on the way, counted, and never larger than there is room for.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::write::GzEncoder;

use super::format::Compression;

/// Writes of this size go to the file.
const BUFFER_BYTES: usize = 256 << 10;

/// Faster than the engine finds events on one thread, and within a fifth of what higher levels reach.
const ZSTD_LEVEL: i32 = 1;

/// Where an export is written to.
pub(super) enum Sink {
    Plain(Counted),
    Gzip(GzEncoder<Counted>),
    Zstd(zstd::Encoder<'static, Counted>),
}

/// A file that counts its bytes and refuses more than it may have.
pub(super) struct Counted {
    file: BufWriter<File>,
    bytes: Arc<AtomicU64>,
    bytes_max: u64,
}

impl Sink {
    /// Writes to `file`, which is empty, at most `bytes_max`; `bytes` is told how many there are.
    pub(super) fn new(
        file: File,
        compression: Compression,
        bytes: Arc<AtomicU64>,
        bytes_max: u64,
    ) -> io::Result<Sink> {
        let counted = Counted {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            bytes,
            bytes_max,
        };
        Ok(match compression {
            Compression::None => Sink::Plain(counted),
            Compression::Gzip => Sink::Gzip(GzEncoder::new(counted, flate2::Compression::fast())),
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(counted, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Sink::Zstd(encoder)
            }
        })
    }

    /// Ends the file and has it written through to the disk.
    pub(super) fn finish(self) -> io::Result<()> {
        let mut counted = match self {
            Sink::Plain(counted) => counted,
            Sink::Gzip(encoder) => encoder.finish()?,
            Sink::Zstd(encoder) => encoder.finish()?,
        };
        counted.file.flush()?;
        counted.file.get_ref().sync_all()
    }
}

impl Write for Sink {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Plain(counted) => counted.write(buffer),
            Sink::Gzip(encoder) => encoder.write(buffer),
            Sink::Zstd(encoder) => encoder.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Plain(counted) => counted.flush(),
            Sink::Gzip(encoder) => encoder.flush(),
            Sink::Zstd(encoder) => encoder.flush(),
        }
    }
}

impl Write for Counted {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let bytes = self.bytes.load(Ordering::Relaxed);
        let asked = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        if bytes.saturating_add(asked) > self.bytes_max {
            return Err(io::Error::from(io::ErrorKind::QuotaExceeded));
        }
        let written = self.file.write(buffer)?;
        self.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
