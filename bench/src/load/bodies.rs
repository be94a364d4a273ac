//! Bodies of whole lines, as they go on the wire.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

/// How a body is compressed on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    /// At level 1, as shippers do that send much.
    Gzip,
    /// At level 1.
    Zstd,
}

/// One body.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// Bytes of the lines, before they were compressed.
    pub(crate) raw_bytes: u64,
    pub(crate) on_wire: Vec<u8>,
}

/// A file cut into bodies that end with a line.
#[derive(Debug)]
pub(crate) struct Bodies {
    file: File,
    body_bytes: usize,
    encoding: Encoding,
    /// The beginning of a line that the body before had no room for.
    rest: Vec<u8>,
}

impl Encoding {
    /// What `Content-Encoding` says.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Encoding::Plain => None,
            Encoding::Gzip => Some("gzip"),
            Encoding::Zstd => Some("zstd"),
        }
    }

    fn compress(self, lines: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        Ok(match self {
            Encoding::Plain => lines,
            Encoding::Zstd => zstd::bulk::compress(&lines, 1)?,
            Encoding::Gzip => {
                let level = flate2::Compression::fast();
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(&lines)?;
                encoder.finish()?
            }
        })
    }
}

impl Bodies {
    pub(crate) fn open(
        path: &Path,
        body_bytes: usize,
        encoding: Encoding,
    ) -> anyhow::Result<Bodies> {
        Ok(Bodies {
            file: File::open(path).with_context(|| format!("open {}", path.display()))?,
            body_bytes,
            encoding,
            rest: Vec::new(),
        })
    }

    fn next_lines(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let mut lines = std::mem::take(&mut self.rest);
        let room = self.body_bytes.saturating_sub(lines.len()) as u64;
        (&self.file).take(room).read_to_end(&mut lines)?;
        if lines.is_empty() {
            return Ok(None);
        }
        let newline = lines.iter().rposition(|&byte| byte == b'\n');
        let end = newline.context("a line is longer than a body, or the last is not ended")?;
        self.rest = lines.split_off(end + 1);
        Ok(Some(lines))
    }

    fn next_body(&mut self) -> anyhow::Result<Option<Body>> {
        let Some(lines) = self.next_lines()? else {
            return Ok(None);
        };
        Ok(Some(Body {
            raw_bytes: lines.len() as u64,
            on_wire: self.encoding.compress(lines)?,
        }))
    }
}

impl Iterator for Bodies {
    type Item = anyhow::Result<Body>;

    fn next(&mut self) -> Option<anyhow::Result<Body>> {
        self.next_body().transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::{Bodies, Encoding};

    #[test]
    fn bodies_are_whole_lines_and_lose_nothing() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("lines");
        let text: String = (0..1000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
        std::fs::write(&path, &text).expect("the file is written");
        for encoding in [Encoding::Plain, Encoding::Gzip, Encoding::Zstd] {
            for body_bytes in [16, 100, 4096, 1 << 20] {
                let bodies = Bodies::open(&path, body_bytes, encoding).expect("the file is there");
                let mut read = Vec::new();
                for body in bodies {
                    let body = body.expect("the lines fit");
                    let lines = decompress(encoding, &body.on_wire);
                    assert!(lines.ends_with(b"\n") && lines.len() <= body_bytes);
                    assert_eq!(lines.len() as u64, body.raw_bytes);
                    read.extend_from_slice(&lines);
                }
                assert_eq!(read, text.as_bytes());
            }
        }
    }

    fn decompress(encoding: Encoding, on_wire: &[u8]) -> Vec<u8> {
        match encoding {
            Encoding::Plain => on_wire.to_vec(),
            Encoding::Zstd => zstd::bulk::decompress(on_wire, 1 << 20).expect("it is zstd"),
            Encoding::Gzip => {
                let mut lines = Vec::new();
                let mut decoder = flate2::read::GzDecoder::new(on_wire);
                decoder.read_to_end(&mut lines).expect("it is gzip");
                lines
            }
        }
    }
}
