//! The lines of a file: what stands in each, and how it is told apart.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;

/// The version of the format.
pub(crate) const VERSION: u32 = 1;

/// The first line: what was asked, of what, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format: 1.
    pub cordwood_evidence: u32,
    /// Which export it is.
    pub export: String,
    /// The query as understood.
    pub query: String,
    /// The range, inclusive.
    pub range: Range,
    /// The sources searched.
    pub sources: Vec<Source>,
    /// `oldest_first` or `newest_first`.
    pub order: String,
    /// Who asked.
    pub requested_by: Requester,
    /// When, RFC 3339.
    pub requested_at: String,
    /// The key that the seals and the manifest are signed with.
    pub public_key: String,
}

/// Times in RFC 3339; null for no end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first instant.
    pub from: Option<String>,
    /// The last.
    pub to: Option<String>,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its id.
    pub id: String,
    /// The name it had.
    pub name: String,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// The number of the API token.
    pub token_id: u64,
    /// Its name.
    pub token_name: String,
}

impl Header {
    /// The version this crate writes and reads.
    pub const VERSION: u32 = VERSION;
}

/// What is known only at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// When the last record was written, RFC 3339.
    pub finished_at: String,
    /// Why records may be missing; null when every match is there.
    pub incomplete_reason: Option<String>,
}

/// A seal: which records the lines before it are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// The hash of the header, so that no seal stands in for one of another file.
    pub(crate) header: String,
    /// The first record it covers.
    pub(crate) first: u64,
    /// The last.
    pub(crate) last: u64,
    /// The hash of the chain after the last.
    pub(crate) hash: String,
    /// The digests of the records, 16 hexadecimal digits each.
    pub(crate) digests: String,
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) header: String,
    /// How many records there are.
    pub(crate) records: u64,
    /// The hash of the chain after the last.
    pub(crate) hash: String,
    #[serde(flatten)]
    pub(crate) ending: Ending,
}

/// A line, taken apart. Nothing in it is believed yet.
#[derive(Debug)]
pub(crate) enum Line<'l> {
    /// `{"n":1,"event":…,"hash":"…"}`
    Record {
        number: u64,
        record: &'l str,
        hash: Option<Hash>,
    },
    /// `{"seal":{…},"signature":"…"}`
    Seal { text: &'l str, signature: &'l str },
    /// `{"manifest":{…},"signature":"…"}`
    Manifest { text: &'l str, signature: &'l str },
    /// None of ours.
    Other,
}

const RECORD: &str = "{\"n\":";
const EVENT: &str = ",\"event\":";
const HASH: &str = ",\"hash\":\"";
const SEAL: &str = "{\"seal\":";
const MANIFEST: &str = "{\"manifest\":";
const SIGNATURE: &str = ",\"signature\":\"";
const END: &str = "\"}";

impl<'l> Line<'l> {
    /// Takes a line apart, byte for byte: one with other white space in it is none of ours.
    pub(crate) fn parse(line: &'l str) -> Line<'l> {
        Line::record(line)
            .or_else(|| {
                let (text, signature) = signed(line, SEAL)?;
                Some(Line::Seal { text, signature })
            })
            .or_else(|| {
                let (text, signature) = signed(line, MANIFEST)?;
                Some(Line::Manifest { text, signature })
            })
            .unwrap_or(Line::Other)
    }

    fn record(line: &'l str) -> Option<Line<'l>> {
        let (number, rest) = line.strip_prefix(RECORD)?.split_once(EVENT)?;
        let (record, hash) = rest.strip_suffix(END)?.rsplit_once(HASH)?;
        let parsed: u64 = number.parse().ok()?;
        (parsed.to_string() == number).then(|| Line::Record {
            number: parsed,
            record,
            hash: Hash::from_hex(hash),
        })
    }
}

fn signed<'l>(line: &'l str, prefix: &str) -> Option<(&'l str, &'l str)> {
    let rest = line.strip_prefix(prefix)?.strip_suffix(END)?;
    rest.rsplit_once(SIGNATURE)
}

/// Appends the line of a record.
pub(crate) fn write_record(out: &mut Vec<u8>, number: u64, record: &str, hash: Hash) {
    let number = number.to_string();
    let hash = hash.to_hex();
    for piece in [RECORD, &number, EVENT, record, HASH, &hash, END, "\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// Appends the line of a seal.
pub(crate) fn write_seal(out: &mut Vec<u8>, seal: &Seal, sign: impl Fn(&[u8]) -> String) {
    write_signed(out, SEAL, &to_json(seal), sign);
}

/// Appends the line of the manifest.
pub(crate) fn write_manifest(
    out: &mut Vec<u8>,
    manifest: &Manifest,
    sign: impl Fn(&[u8]) -> String,
) {
    write_signed(out, MANIFEST, &to_json(manifest), sign);
}

fn write_signed(out: &mut Vec<u8>, prefix: &str, text: &str, sign: impl Fn(&[u8]) -> String) {
    let signature = sign(text.as_bytes());
    for piece in [prefix, text, SIGNATURE, &signature, END, "\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// A record of ours as JSON.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are JSON")
}
