//! Texts of a column, decompressed frame by frame as they are asked for.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::packed::Packed;
use crate::encoding::{Corrupt, frame};

/// Texts by rank. A clone shares what has been decompressed.
#[derive(Clone, Debug, Default)]
pub struct StrValues {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By rank, where the text ends within its frame.
    ends: Vec<u32>,
    frames: Vec<StoredFrame>,
}

/// A frame as stored, and its text once somebody asked for a value of it.
#[derive(Debug)]
pub(crate) struct StoredFrame {
    /// The rank after its last.
    end_rank: usize,
    text: FrameText,
    decoded: OnceLock<Box<str>>,
}

impl StoredFrame {
    pub(crate) fn new(end_rank: usize, text: FrameText) -> StoredFrame {
        StoredFrame {
            end_rank,
            text,
            decoded: OnceLock::new(),
        }
    }
}

/// How the text of a frame is kept.
#[derive(Debug)]
pub(crate) enum FrameText {
    Plain(Bytes),
    Zstd(Bytes),
    /// Some of the texts of a list, in another form.
    Packed(Arc<Packed>, Range<usize>),
}

/// The texts of consecutive ranks, concatenated.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The rank of the first text.
    pub first_rank: usize,
    /// All texts, one after the other.
    pub text: Cow<'a, str>,
    /// Where each of them ends in `text`.
    pub ends: &'a [u32],
}

impl Frame<'_> {
    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at `index` of the frame, which has the rank `first_rank + index`.
    pub fn get(&self, index: usize) -> Option<&str> {
        self.text.get(range_in(self.ends, index)?)
    }

    /// The index of the text that holds the byte at `offset` of `text`, which lies within it.
    pub fn index_at(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= offset)
    }
}

impl StrValues {
    /// `ends` has one entry per rank, relative to the start of its frame; the frames cover all ranks in order.
    pub(crate) fn of_frames(ends: Vec<u32>, frames: Vec<StoredFrame>) -> StrValues {
        StrValues {
            inner: Arc::new(Inner { ends, frames }),
        }
    }

    /// The given texts as one frame in memory, 4 GiB at most; what does not fit is left out.
    pub fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> StrValues {
        let mut joined = String::new();
        let mut ends = Vec::new();
        for text in texts {
            let Ok(end) = u32::try_from(joined.len() + text.len()) else {
                break;
            };
            joined.push_str(text);
            ends.push(end);
        }
        let frame = StoredFrame {
            end_rank: ends.len(),
            text: FrameText::Plain(Bytes::new()),
            decoded: OnceLock::from(joined.into_boxed_str()),
        };
        StrValues::of_frames(ends, vec![frame])
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.inner.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inner.ends.is_empty()
    }

    /// The text of rank `rank`; decompresses its frame the first time, and keeps it.
    pub fn get(&self, rank: usize) -> Result<&str, Corrupt> {
        let index = self.frame_of(rank);
        let (first_rank, ends) = self.ends_of(index)?;
        let text = self.text_of(index)?;
        range_in(ends, rank - first_rank)
            .and_then(|range| text.get(range))
            .ok_or(Corrupt("a text cut within a character"))
    }

    /// Decompresses all frames that are not yet, and keeps them: every text can be had then.
    pub fn keep_all(&self) -> Result<(), Corrupt> {
        (0..self.frame_count()).try_for_each(|index| self.text_of(index).map(|_| ()))
    }

    /// How many bytes the text of rank `rank` has; decompresses nothing.
    pub fn byte_len(&self, rank: usize) -> Option<usize> {
        let (first_rank, ends) = self.ends_of(self.frame_of(rank)).ok()?;
        range_in(ends, rank.checked_sub(first_rank)?).map(|range| range.len())
    }

    /// How many frames there are.
    pub fn frame_count(&self) -> usize {
        self.inner.frames.len()
    }

    /// The frame that holds rank `rank`.
    pub fn frame_of(&self, rank: usize) -> usize {
        self.inner
            .frames
            .partition_point(|frame| frame.end_rank <= rank)
    }

    /// The ranks of the texts of a frame; decompresses nothing.
    pub fn frame_ranks(&self, index: usize) -> Range<usize> {
        let end_of = |index: usize| {
            self.inner
                .frames
                .get(index)
                .map_or(self.len(), |f| f.end_rank)
        };
        index.checked_sub(1).map_or(0, end_of)..end_of(index)
    }

    /// A frame for scanning: borrowed if it is decompressed already, else decompressed for the caller alone.
    pub fn frame(&self, index: usize) -> Result<Frame<'_>, Corrupt> {
        let (first_rank, ends) = self.ends_of(index)?;
        let stored = self.stored(index)?;
        let text = match stored.decoded.get() {
            Some(text) => Cow::Borrowed(&**text),
            None => Cow::Owned(stored.text.decode(text_len(ends))?),
        };
        Ok(Frame {
            first_rank,
            text,
            ends,
        })
    }

    /// Visits every frame in rank order, decompressed one at a time.
    pub fn for_each_frame(&self, mut visit: impl FnMut(Frame<'_>)) -> Result<(), Corrupt> {
        for index in 0..self.frame_count() {
            visit(self.frame(index)?);
        }
        Ok(())
    }

    fn stored(&self, index: usize) -> Result<&StoredFrame, Corrupt> {
        let frame = self.inner.frames.get(index);
        frame.ok_or(Corrupt("a rank past the last text"))
    }

    fn ends_of(&self, index: usize) -> Result<(usize, &[u32]), Corrupt> {
        let end_rank = self.stored(index)?.end_rank;
        let first_rank = match index.checked_sub(1) {
            Some(previous) => self.stored(previous)?.end_rank,
            None => 0,
        };
        let ends = self.inner.ends.get(first_rank..end_rank);
        Ok((
            first_rank,
            ends.ok_or(Corrupt("frames beyond the last text"))?,
        ))
    }

    fn text_of(&self, index: usize) -> Result<&str, Corrupt> {
        let stored = self.stored(index)?;
        if let Some(text) = stored.decoded.get() {
            return Ok(text);
        }
        let (_, ends) = self.ends_of(index)?;
        let text = stored.text.decode(text_len(ends))?.into_boxed_str();
        Ok(stored.decoded.get_or_init(|| text))
    }
}

impl FrameText {
    /// Decompresses `text_len` bytes of UTF-8.
    pub(crate) fn decode(&self, text_len: usize) -> Result<String, Corrupt> {
        let text = match self {
            FrameText::Plain(plain) => plain.to_vec(),
            FrameText::Zstd(compressed) => frame::decompress(compressed, text_len)?,
            FrameText::Packed(packed, slots) => packed.rebuild(slots.clone()),
        };
        if text.len() != text_len {
            return Err(Corrupt("a frame of another length than its texts"));
        }
        String::from_utf8(text).map_err(|_| Corrupt("text that is not UTF-8"))
    }
}

fn text_len(ends: &[u32]) -> usize {
    ends.last().map_or(0, |end| *end as usize)
}

fn range_in(ends: &[u32], index: usize) -> Option<Range<usize>> {
    let start = match index.checked_sub(1) {
        Some(previous) => *ends.get(previous)? as usize,
        None => 0,
    };
    Some(start..*ends.get(index)? as usize)
}
