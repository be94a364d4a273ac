//! Finds a literal in raw UTF-8 bytes, ignoring case.
//!
//! A run of ASCII in the literal is looked for by its two rarest bytes at their distance, 64 places at a
//! time in a loop the compiler turns into vector instructions (the packed pair of the `memchr` crate, with case
//! folded on the way), and verified where both are met. Literals without ASCII are compared at each
//! character that is not ASCII.

use std::ops::Range;

use super::fold::{first_char, fold, last_char};

/// How many places one step of the vector loop looks at.
const LANES: usize = 64;

/// A literal to find, compiled.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    /// The literal, folded.
    needle: Box<[char]>,
    anchor: Anchor,
}

#[derive(Clone, Debug)]
enum Anchor {
    /// The literal holds this run of ASCII, `chars_before` characters from its start.
    Ascii { run: AsciiRun, chars_before: usize },
    /// The literal holds no ASCII.
    NonAscii,
}

/// A non-empty run of ASCII to find, in lower case.
#[derive(Clone, Debug)]
struct AsciiRun {
    bytes: Box<[u8]>,
    /// The two rarest bytes, or twice the only one.
    first: Probe,
    second: Probe,
}

/// One byte of the run: at `offset`, a haystack byte `b` meets it when `b | case_bit == byte`.
#[derive(Clone, Copy, Debug)]
struct Probe {
    offset: usize,
    byte: u8,
    case_bit: u8,
}

impl Finder {
    /// A finder of `literal`, which must not be empty.
    pub(super) fn new(literal: &str) -> Finder {
        let needle: Box<[char]> = literal.chars().map(fold).collect();
        let anchor = match best_ascii_run(&needle) {
            Some(run) => Anchor::Ascii {
                run: AsciiRun::new(&needle[run.clone()]),
                chars_before: run.start,
            },
            None => Anchor::NonAscii,
        };
        Finder { needle, anchor }
    }

    /// The literal, folded.
    pub(super) fn literal(&self) -> &[char] {
        &self.needle
    }

    /// A part of the literal that is ASCII, in lower case, if there is one.
    pub(super) fn ascii(&self) -> Option<&[u8]> {
        match &self.anchor {
            Anchor::Ascii { run, .. } => Some(&run.bytes),
            Anchor::NonAscii => None,
        }
    }

    /// Whether all of the literal is ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        self.ascii()
            .is_some_and(|part| part.len() == self.needle.len())
    }

    /// The first place at or after `from` where the literal stands.
    pub(super) fn find(&self, haystack: &[u8], from: usize) -> Option<Range<usize>> {
        match &self.anchor {
            Anchor::Ascii { run, .. } if self.is_ascii() => {
                let start = run.find(haystack, from)?;
                Some(start..start + run.bytes.len())
            }
            Anchor::Ascii { run, chars_before } => {
                self.find_around(haystack, from, run, *chars_before)
            }
            Anchor::NonAscii => self.find_by_char(haystack, from),
        }
    }

    fn find_around(
        &self,
        haystack: &[u8],
        from: usize,
        run: &AsciiRun,
        chars_before: usize,
    ) -> Option<Range<usize>> {
        let (before, rest) = self.needle.split_at(chars_before);
        let after = &rest[run.bytes.len()..];
        let mut at = from;
        loop {
            let anchor = run.find(haystack, at)?;
            let anchor_end = anchor + run.bytes.len();
            let start = match_backwards(before, haystack, from..anchor);
            let end = match_forwards(after, haystack, anchor_end);
            if let (Some(start), Some(end)) = (start, end) {
                return Some(start..end);
            }
            at = anchor + 1;
        }
    }

    fn find_by_char(&self, haystack: &[u8], from: usize) -> Option<Range<usize>> {
        /// The least byte that begins a character of several bytes.
        const FIRST_LEAD: u8 = 0xC0;
        let mut at = from;
        loop {
            at = skip_ascii(haystack, at);
            let tail = haystack.get(at..)?;
            at += tail.iter().position(|byte| *byte >= FIRST_LEAD)?;
            if let Some(end) = match_forwards(&self.needle, haystack, at) {
                return Some(at..end);
            }
            at += first_char(haystack.get(at..)?)?.1;
        }
    }
}

/// The end of the whole blocks of ASCII from `from` on.
fn skip_ascii(haystack: &[u8], from: usize) -> usize {
    let tail = haystack.get(from..).unwrap_or_default();
    let blocks = tail
        .chunks_exact(LANES)
        .take_while(|block| block.is_ascii());
    from + blocks.count() * LANES
}

/// Where `chars` end when they stand at `at`.
fn match_forwards(chars: &[char], haystack: &[u8], mut at: usize) -> Option<usize> {
    for expected in chars {
        let (c, length) = first_char(haystack.get(at..)?)?;
        if fold(c) != *expected {
            return None;
        }
        at += length;
    }
    Some(at)
}

/// Where `chars` begin when they stand at the end of `haystack[within]`.
fn match_backwards(chars: &[char], haystack: &[u8], within: Range<usize>) -> Option<usize> {
    let (from, mut at) = (within.start, within.end);
    for expected in chars.iter().rev() {
        let (c, length) = last_char(haystack.get(from..at)?)?;
        if fold(c) != *expected {
            return None;
        }
        at -= length;
    }
    Some(at)
}

/// The run of ASCII whose two rarest bytes are rarest together; of equals the first.
fn best_ascii_run(needle: &[char]) -> Option<Range<usize>> {
    let mut best: Option<(u32, Range<usize>)> = None;
    let mut start = 0;
    while start < needle.len() {
        let length = needle[start..].iter().take_while(|c| c.is_ascii()).count();
        if length > 0 {
            let run = AsciiRun::new(&needle[start..start + length]);
            let commonness = run.commonness();
            if best.as_ref().is_none_or(|(least, _)| commonness < *least) {
                best = Some((commonness, start..start + length));
            }
        }
        start += length + 1;
    }
    best.map(|(_, run)| run)
}

impl AsciiRun {
    fn new(folded: &[char]) -> AsciiRun {
        let bytes: Box<[u8]> = folded
            .iter()
            .map(|c| u8::try_from(*c).expect("the run is ASCII"))
            .collect();
        let mut by_rarity: Vec<usize> = (0..bytes.len()).collect();
        by_rarity.sort_by_key(|offset| commonness(bytes[*offset]));
        let first = by_rarity[0];
        let second = by_rarity.get(1).copied().unwrap_or(first);
        let probe = |offset: usize| Probe {
            offset,
            byte: bytes[offset],
            case_bit: if bytes[offset].is_ascii_lowercase() {
                0x20
            } else {
                0
            },
        };
        AsciiRun {
            first: probe(first),
            second: probe(second),
            bytes,
        }
    }

    /// How common the pair of probes is, as the sum of two ranks; a single byte counts as if beside
    /// the commonest.
    fn commonness(&self) -> u32 {
        let second = match self.bytes.len() {
            1 => u32::from(u8::MAX),
            _ => u32::from(commonness(self.second.byte)),
        };
        u32::from(commonness(self.first.byte)) + second
    }

    fn find(&self, haystack: &[u8], from: usize) -> Option<usize> {
        // The places where the run can start, as seen by each probe.
        let places = haystack.len().checked_sub(self.bytes.len())? + 1;
        let first = haystack.get(from + self.first.offset..places + self.first.offset)?;
        let second = haystack.get(from + self.second.offset..places + self.second.offset)?;
        let firsts = first.chunks_exact(LANES);
        let seconds = second.chunks_exact(LANES);
        let (first_rest, second_rest) = (firsts.remainder(), seconds.remainder());
        let mut at = from;
        for (first, second) in firsts.zip(seconds) {
            if self.meets_any(first, second)
                && let Some(found) = self.verify(haystack, at, first, second)
            {
                return Some(found);
            }
            at += LANES;
        }
        self.verify(haystack, at, first_rest, second_rest)
    }

    /// Whether both probes are met at any of the places. Branch-free, for the sake of vectors.
    fn meets_any(&self, first: &[u8], second: &[u8]) -> bool {
        let mut met = 0_u8;
        for (a, b) in first.iter().zip(second) {
            met |= u8::from(self.difference(*a, *b) == 0);
        }
        met != 0
    }

    /// Zero when both probes are met.
    fn difference(&self, a: u8, b: u8) -> u8 {
        ((a | self.first.case_bit) ^ self.first.byte)
            | ((b | self.second.case_bit) ^ self.second.byte)
    }

    /// The first of the places from `at` on where the whole run stands.
    fn verify(&self, haystack: &[u8], at: usize, first: &[u8], second: &[u8]) -> Option<usize> {
        first
            .iter()
            .zip(second)
            .enumerate()
            .filter(|(_, (a, b))| self.difference(**a, **b) == 0)
            .map(|(index, _)| at + index)
            .find(|start| {
                haystack
                    .get(*start..start + self.bytes.len())
                    .is_some_and(|window| window.eq_ignore_ascii_case(&self.bytes))
            })
    }
}

/// How common a lower-case ASCII byte is in logs: a rank, 0 for the rarest. Letters as in English text with
/// the paths, ids and key-value pairs of logs mixed in; what is not listed is rare.
fn commonness(byte: u8) -> u8 {
    const COMMON_FIRST: &[u8] = b" etaoinrs0cdl1mp2u345f-gh/6789.b:=yvw_,\"k()[]x;%jzq'";
    match COMMON_FIRST.iter().position(|common| *common == byte) {
        Some(index) => u8::try_from(COMMON_FIRST.len() - index).unwrap_or(u8::MAX),
        None => 0,
    }
}
