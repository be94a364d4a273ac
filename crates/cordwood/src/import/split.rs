//! Cuts a stream of lines into batches, at line ends, the same way each time.

use std::io::{self, Read};

/// A batch: large enough that one fsync serves many lines, small enough to be sent again.
const BATCH_BYTES: usize = 4 << 20;
/// A line beyond the server's limit for one event is skipped here and reported.
const LINE_BYTES_MAX: usize = 10 << 20;

/// A run of bytes of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteRange {
    pub offset: u64,
    pub bytes: u64,
}

impl ByteRange {
    pub(crate) fn end(self) -> u64 {
        self.offset + self.bytes
    }
}

/// What is already known of the stream from an earlier import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Batches cut but perhaps not stored; in order.
    pub unsettled: Vec<ByteRange>,
    /// Where cutting goes on.
    pub next: u64,
}

/// A part of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Whole lines to be sent.
    Batch { offset: u64, body: Vec<u8> },
    /// A line that is too long for an event.
    TooLong(ByteRange),
}

impl Piece {
    pub(crate) fn range(&self) -> ByteRange {
        match self {
            Piece::Batch { offset, body } => ByteRange {
                offset: *offset,
                bytes: body.len() as u64,
            },
            Piece::TooLong(range) => *range,
        }
    }

    /// Lines in it, empty ones not counted.
    pub(crate) fn lines(&self) -> u64 {
        match self {
            Piece::Batch { body, .. } => {
                let lines = body.split(|&byte| byte == b'\n');
                lines.filter(|line| !line.trim_ascii().is_empty()).count() as u64
            }
            Piece::TooLong(_) => 1,
        }
    }
}

/// Reads a stream and cuts it.
#[derive(Debug)]
pub(crate) struct Splitter<R> {
    reader: R,
    /// Read but not yet given out; begins at `offset`.
    buffer: Vec<u8>,
    offset: u64,
    is_at_end: bool,
    plan: Plan,
    batch_bytes: usize,
    line_bytes_max: usize,
}

impl<R: Read> Splitter<R> {
    pub(crate) fn new(reader: R, plan: Plan) -> Splitter<R> {
        Splitter {
            reader,
            buffer: Vec::new(),
            offset: 0,
            is_at_end: false,
            plan,
            batch_bytes: BATCH_BYTES,
            line_bytes_max: LINE_BYTES_MAX,
        }
    }

    /// The next piece: first the batches an earlier import left unsettled, then new ones.
    pub(crate) fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        if !self.plan.unsettled.is_empty() {
            let range = self.plan.unsettled.remove(0);
            return self.again(range).map(Some);
        }
        if self.offset < self.plan.next {
            self.skip_to(self.plan.next)?;
        }
        self.cut()
    }

    /// The piece that `range` was before.
    fn again(&mut self, range: ByteRange) -> io::Result<Piece> {
        self.skip_to(range.offset)?;
        let bytes = usize::try_from(range.bytes).unwrap_or(usize::MAX);
        if bytes > self.batch_bytes.max(self.line_bytes_max) {
            self.skip_to(range.end())?;
            return Ok(Piece::TooLong(range));
        }
        while self.buffer.len() < bytes {
            if !self.fill()? {
                return Err(shrunk());
            }
        }
        Ok(self.take(bytes))
    }

    fn cut(&mut self) -> io::Result<Option<Piece>> {
        while self.buffer.len() < self.batch_bytes && self.fill()? {}
        let window = self.buffer.len().min(self.batch_bytes);
        let line_end = |bytes: &[u8]| bytes.iter().rposition(|&byte| byte == b'\n');
        let whole_lines = self.buffer.get(..window).and_then(line_end);
        if self.buffer.is_empty() {
            Ok(None)
        } else if self.is_at_end && self.buffer.len() <= self.batch_bytes {
            // The last line may have no line end.
            Ok(Some(self.take(self.buffer.len())))
        } else if let Some(index) = whole_lines {
            Ok(Some(self.take(index + 1)))
        } else {
            self.cut_long_line().map(Some)
        }
    }

    /// A line that is longer than a batch: a batch of its own, or too long.
    fn cut_long_line(&mut self) -> io::Result<Piece> {
        let mut searched = 0;
        let start = self.offset;
        let mut is_too_long = false;
        loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            let found = unsearched.iter().position(|&byte| byte == b'\n');
            let line = match found {
                Some(index) => Some(searched + index + 1),
                None if self.is_at_end => Some(self.buffer.len()),
                None => None,
            };
            match line {
                Some(bytes) if is_too_long || bytes > self.line_bytes_max => {
                    self.forget(bytes);
                    let bytes = self.offset - start;
                    return Ok(Piece::TooLong(ByteRange {
                        offset: start,
                        bytes,
                    }));
                }
                Some(bytes) => return Ok(self.take(bytes)),
                None => {}
            }
            searched = self.buffer.len();
            if searched > self.line_bytes_max {
                // Its bytes are of no more use; only its end is looked for.
                is_too_long = true;
                self.forget(searched);
                searched = 0;
            }
            self.fill()?;
        }
    }

    fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        while self.offset < offset {
            if self.buffer.is_empty() && !self.fill()? {
                return Err(shrunk());
            }
            let left = usize::try_from(offset - self.offset).unwrap_or(usize::MAX);
            self.forget(left.min(self.buffer.len()));
        }
        Ok(())
    }

    /// Reads some more; whether there was any.
    fn fill(&mut self) -> io::Result<bool> {
        const READ_BYTES: u64 = 1 << 20;
        if self.is_at_end {
            return Ok(false);
        }
        let mut part = Read::by_ref(&mut self.reader).take(READ_BYTES);
        self.is_at_end = part.read_to_end(&mut self.buffer)? == 0;
        Ok(!self.is_at_end)
    }

    fn take(&mut self, bytes: usize) -> Piece {
        let rest = self.buffer.split_off(bytes);
        let body = std::mem::replace(&mut self.buffer, rest);
        let offset = self.offset;
        self.offset += body.len() as u64;
        Piece::Batch { offset, body }
    }

    fn forget(&mut self, bytes: usize) {
        self.buffer.drain(..bytes);
        self.offset += bytes as u64;
    }
}

fn shrunk() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "it is shorter than when its import began; --restart imports it anew",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splitter(text: &str, plan: Plan) -> Splitter<&[u8]> {
        Splitter {
            batch_bytes: 8,
            line_bytes_max: 12,
            ..Splitter::new(text.as_bytes(), plan)
        }
    }

    /// The pieces as text; lines that are too long as their range.
    fn check(text: &str, plan: Plan, expected: &[&str]) {
        let mut splitter = splitter(text, plan);
        let mut pieces = Vec::new();
        while let Some(piece) = splitter.next_piece().expect("a readable stream") {
            pieces.push(match piece {
                Piece::Batch { offset, body } => {
                    format!("{offset}:{}", String::from_utf8_lossy(&body))
                }
                Piece::TooLong(range) => format!("{}..{}", range.offset, range.end()),
            });
        }
        assert_eq!(pieces, expected, "{text:?}");
    }

    #[test]
    fn batches_end_at_line_ends() {
        let plan = Plan::default;
        check("", plan(), &[]);
        check("a\n", plan(), &["0:a\n"]);
        check("a", plan(), &["0:a"]);
        check("aaa\nbbb\nccc\n", plan(), &["0:aaa\nbbb\n", "8:ccc\n"]);
        check("aaa\nbbbb\nc", plan(), &["0:aaa\n", "4:bbbb\nc"]);
        check("aaaaaaaaaa\nb", plan(), &["0:aaaaaaaaaa\n", "11:b"]);
        check("aaaaaaaaaaaaaaaaaaaa\nb\n", plan(), &["0..21", "21:b\n"]);
        check("b\naaaaaaaaaaaaaaaaaaaa", plan(), &["0:b\n", "2..22"]);
        check("\n\n\n", plan(), &["0:\n\n\n"]);
    }

    #[test]
    fn unsettled_batches_are_cut_as_before() {
        let range = |offset, bytes| ByteRange { offset, bytes };
        let plan = |unsettled: &[ByteRange], next| Plan {
            unsettled: unsettled.to_vec(),
            next,
        };
        let text = "aaa\nbbb\nccc\nddd\n";
        check(text, plan(&[], 8), &["8:ccc\nddd\n"]);
        check(text, plan(&[], 16), &[]);
        check(text, plan(&[range(0, 4)], 8), &["0:aaa\n", "8:ccc\nddd\n"]);
        check(text, plan(&[range(4, 4)], 16), &["4:bbb\n"]);
        // What was a last line without an end has grown; it is sent as it was.
        check(
            text,
            plan(&[range(0, 6)], 6),
            &["0:aaa\nbb", "6:b\nccc\n", "12:ddd\n"],
        );
        check(
            "aaaaaaaaaaaaaaaaaaaa\nb\n",
            plan(&[range(0, 21)], 21),
            &["0..21", "21:b\n"],
        );
    }

    #[test]
    fn a_stream_that_shrank_is_an_error() {
        let plan = Plan {
            unsettled: Vec::new(),
            next: 9,
        };
        assert!(splitter("aaa\n", plan).next_piece().is_err());
    }

    #[test]
    fn lines_are_counted_without_empty_ones() {
        let piece = |body: &str| Piece::Batch {
            offset: 0,
            body: body.into(),
        };
        let cases = [("", 0), ("a\n", 1), ("a\n\n \r\nb", 2)];
        for (body, expected) in cases {
            assert_eq!(piece(body).lines(), expected, "{body:?}");
        }
    }
}
