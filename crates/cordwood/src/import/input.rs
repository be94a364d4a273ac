//! A file to import: what it is, whether JSON or text, and its bytes without compression.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom, stdin};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::failure::{Failure, cannot};
use crate::import::progress::Progress;

/// How much of a file's beginning tells it from another under the same name.
const HEAD_BYTES: usize = 4 << 10;
/// How much is looked at to tell JSON from text.
const SNIFFED_BYTES: usize = 64 << 10;

/// How the lines of a file are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Text,
}

/// An opened file.
#[derive(Debug)]
pub(crate) struct Input {
    path: Option<PathBuf>,
    stream: Stream,
    bytes: Option<u64>,
    head: Vec<u8>,
    format: Format,
}

#[derive(Debug)]
enum Stream {
    File(File),
    Stdin,
}

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &Path, is_text: bool) -> Result<Input, Failure> {
        let failed = |error: io::Error| cannot(format!("read {}", path.display()), &error);
        if path.as_os_str() == "-" {
            // What standard input holds cannot be looked at beforehand.
            let format = if is_text { Format::Text } else { Format::Json };
            return Ok(Input {
                path: None,
                stream: Stream::Stdin,
                bytes: None,
                head: Vec::new(),
                format,
            });
        }
        let path = fs::canonicalize(path).map_err(failed)?;
        let mut file = File::open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(Failure::new(format!("{} is a directory", path.display()))
                .hint("Name the files in it."));
        }
        let head = read_start(&mut file, HEAD_BYTES).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut decoded = decode(&mut file, &head).map_err(failed)?;
        let start = read_start(&mut decoded, SNIFFED_BYTES).map_err(failed)?;
        drop(decoded);
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let format = if is_text {
            Format::Text
        } else {
            sniff(&start).map_err(|failure| failure.detail(path.display().to_string()))?
        };
        Ok(Input {
            bytes: Some(metadata.len()),
            path: Some(path),
            stream: Stream::File(file),
            head,
            format,
        })
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Its size on disk, if it has one.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Its name for people.
    pub(crate) fn name(&self) -> String {
        let name = self.path.as_deref().and_then(Path::file_name);
        name.map_or("standard input".into(), |name| {
            name.to_string_lossy().into_owned()
        })
    }

    /// The digest of its first `bytes`, which stays the same while the file grows.
    pub(crate) fn head_digest(&self, bytes: usize) -> String {
        let head = self.head.get(..bytes.min(self.head.len()));
        digest(&[head.unwrap_or_default()])
    }

    /// How much of its beginning is known.
    pub(crate) fn head_bytes(&self) -> usize {
        self.head.len()
    }

    /// Its bytes, decompressed; `progress` moves with what is read from the file.
    pub(crate) fn reader(self, progress: &Progress) -> Box<dyn Read + '_> {
        match self.stream {
            Stream::Stdin => {
                let counted = progress.count(stdin());
                Box::new(LazyDecoder::Unopened(Some(Box::new(counted))))
            }
            Stream::File(file) => {
                let counted = progress.count(file);
                Box::new(LazyDecoder::Unopened(Some(Box::new(counted))))
            }
        }
    }
}

/// Hex of a SHA-256 over parts.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Decides on a decoder at the first read, when the first bytes are there.
enum LazyDecoder<'a> {
    Unopened(Option<Box<dyn Read + 'a>>),
    Open(Box<dyn Read + 'a>),
}

impl Read for LazyDecoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let LazyDecoder::Unopened(stream) = self {
            let mut stream = stream.take().unwrap_or_else(|| Box::new(io::empty()));
            let head = read_start(&mut stream, MAGIC_BYTES)?;
            let whole = Cursor::new(head.clone()).chain(stream);
            *self = LazyDecoder::Open(decode(whole, &head)?);
        }
        match self {
            LazyDecoder::Open(stream) => stream.read(buffer),
            LazyDecoder::Unopened(_) => Ok(0),
        }
    }
}

const MAGIC_BYTES: usize = 4;

/// Decompresses what begins like gzip (RFC 1952) or zstd (RFC 8878), whatever its name.
fn decode<'a>(stream: impl Read + 'a, head: &[u8]) -> io::Result<Box<dyn Read + 'a>> {
    if head.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(MultiGzDecoder::new(BufReader::new(stream))));
    }
    if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Ok(Box::new(zstd::stream::read::Decoder::new(stream)?));
    }
    Ok(Box::new(stream))
}

fn read_start(stream: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    stream.take(bytes as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// JSON lines if the first line that is not empty is a JSON object or array.
fn sniff(start: &[u8]) -> Result<Format, Failure> {
    let mut lines = start.split(|&byte| byte == b'\n');
    let Some(first) = lines.find(|line| !line.trim_ascii().is_empty()) else {
        return Ok(Format::Json);
    };
    let first = first.trim_ascii();
    if first == b"[" || first == b"{" {
        return Err(Failure::new(
            "This is one JSON document over many lines, not a line for each event",
        )
        .hint("Make lines of it first, such as with `jq -c '.[]' FILE`, or add --text."));
    }
    let is_cut = first.len() + 1 >= start.len();
    let is_json = serde_json::from_slice::<serde_json::Value>(first).map_or_else(
        |error| is_cut && error.is_eof(),
        |value| value.is_object() || value.is_array(),
    );
    Ok(if is_json { Format::Json } else { Format::Text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_from_text() {
        let cases = [
            ("", Some(Format::Json)),
            ("{\"a\":1}\n{\"a\":2}", Some(Format::Json)),
            ("\n  {\"a\":1}\nnot json", Some(Format::Json)),
            ("[{\"a\":1}]\n", Some(Format::Json)),
            ("{\"a\":\"cut in the mid", Some(Format::Json)),
            (
                "[Sun Dec 04 04:47:44 2005] [notice] workerEnv",
                Some(Format::Text),
            ),
            ("2026-03-27 hello", Some(Format::Text)),
            ("42\n", Some(Format::Text)),
            ("[\n{\"a\":1}\n]", None),
            ("{\n \"a\":1\n}", None),
        ];
        for (text, expected) in cases {
            assert_eq!(sniff(text.as_bytes()).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn compressed_files_are_recognised_by_their_content() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"hello").expect("a vector takes all");
        let gzip = gzip.finish().expect("a vector takes all");
        let zstd = zstd::encode_all(&b"hello"[..], 1).expect("a vector takes all");
        for bytes in [gzip, zstd, b"hello".to_vec()] {
            let mut text = String::new();
            let mut decoder = LazyDecoder::Unopened(Some(Box::new(Cursor::new(bytes))));
            decoder.read_to_string(&mut text).expect("a whole stream");
            assert_eq!(text, "hello");
        }
    }
}
