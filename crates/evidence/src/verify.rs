//! Verifying a file, line by line in bounded memory: seals say what their records are, the chain that nothing between them was
//! changed, and the manifest where the file ends.

use std::io::{self, BufRead};

use crate::compare::{Difference, Found, compare, findings};
use crate::finding::{Finding, Report};
use crate::hash::{DIGEST_BYTES, Digest, Hash, from_hex};
use crate::key::PublicKey;
use crate::line::{Header, Line, Manifest, Seal, VERSION};

/// A line is no longer than an event can be, and a little.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// So many records may stand before a seal; more were never written so.
const UNSEALED_MAX: usize = 100_000;

/// So many findings are named.
const FINDINGS_MAX: usize = 100;

/// Why a file could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum Unverifiable {
    /// It could not be read.
    #[error("the file cannot be read")]
    Read(#[from] io::Error),
    /// The first line is not the header of one, and nothing in it is signed.
    #[error("the file is no evidence: its first line is no header")]
    NoEvidence,
    /// It was written by a newer version.
    #[error("the file has version {0}, this program reads up to {VERSION}")]
    TooNew(u32),
}

/// Verifies a file with the key that is known to be the server's, or else with the one its header names: then it is as the
/// holder of that key wrote it, whoever that is.
pub fn verify(mut file: impl BufRead, known: Option<PublicKey>) -> Result<Report, Unverifiable> {
    let mut line = Vec::new();
    read_line(&mut file, &mut line)?;
    let header: Option<Header> = serde_json::from_slice(&line).ok();
    if let Some(header) = &header
        && header.cordwood_evidence > VERSION
    {
        return Err(Unverifiable::TooNew(header.cordwood_evidence));
    }
    let named = header.as_ref().map(|header| header.public_key.as_str());
    let key = known.or_else(|| named.and_then(PublicKey::parse));
    let key = key.ok_or(Unverifiable::NoEvidence)?;
    let mut verifier = Verifier::new(key, Hash::of(&line));
    while read_line(&mut file, &mut line)? == Ended::ByLineFeed {
        verifier.take(&String::from_utf8_lossy(&line));
    }
    if !line.is_empty() {
        // What is left of the line in which the file was cut off.
        verifier.is_torn = true;
    }
    if header.is_none() && !verifier.has_signed {
        return Err(Unverifiable::NoEvidence);
    }
    Ok(verifier.finish(header))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    ByLineFeed,
    ByFile,
}

fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> Result<Ended, Unverifiable> {
    line.clear();
    io::Read::take(&mut *file, LINE_BYTES_MAX).read_until(b'\n', line)?;
    match line.pop_if(|last| *last == b'\n') {
        Some(_) => Ok(Ended::ByLineFeed),
        None if line.len() as u64 == LINE_BYTES_MAX => Err(Unverifiable::NoEvidence),
        None => Ok(Ended::ByFile),
    }
}

/// A record that no seal has covered yet.
struct Unsealed {
    number: Option<u64>,
    hash: Hash,
    /// The hash of the chain that stands in the line.
    chained: Option<Hash>,
}

struct Verifier {
    key: PublicKey,
    header: Hash,
    /// The hash of the chain after the last record that a seal covered, as the seal says.
    chain: Hash,
    unsealed: Vec<Unsealed>,
    /// How many records seals have covered.
    sealed: u64,
    records: u64,
    differences: Vec<Difference>,
    findings: Vec<Finding>,
    /// Records that are as they were sealed, in lines whose numbers or hashes are not. Whoever makes these anew behind a record
    /// they dropped has them wrong in all lines that follow, which says nothing more.
    renumbered: Vec<u64>,
    manifest: Option<Option<Manifest>>,
    /// Whether the key has signed anything in it.
    has_signed: bool,
    is_torn: bool,
    has_more: bool,
}

impl Verifier {
    fn new(key: PublicKey, header: Hash) -> Verifier {
        Verifier {
            key,
            header,
            chain: header,
            unsealed: Vec::new(),
            sealed: 0,
            records: 0,
            differences: Vec::new(),
            findings: Vec::new(),
            renumbered: Vec::new(),
            manifest: None,
            has_signed: false,
            is_torn: false,
            has_more: false,
        }
    }

    fn take(&mut self, line: &str) {
        if self.manifest.is_some() {
            let claims = match Line::parse(line) {
                Line::Record { number, .. } => Some(number),
                _ => None,
            };
            let behind = self.sealed;
            return self.note(Finding::Added { behind, claims });
        }
        match Line::parse(line) {
            Line::Record {
                number,
                record,
                hash,
            } => self.take_record(Some(number), Hash::of(record.as_bytes()), hash),
            Line::Other => self.take_record(None, Hash::of(line.as_bytes()), None),
            Line::Seal { text, signature } => self.take_seal(text, signature),
            Line::Manifest { text, signature } => self.take_manifest(text, signature),
        }
    }

    fn take_record(&mut self, number: Option<u64>, hash: Hash, chained: Option<Hash>) {
        self.records += 1;
        if self.unsealed.len() == UNSEALED_MAX {
            self.has_more = true;
            return;
        }
        self.unsealed.push(Unsealed {
            number,
            hash,
            chained,
        });
    }

    fn take_seal(&mut self, text: &str, signature: &str) {
        let seal: Option<Seal> = serde_json::from_str(text).ok();
        let is_signed = self.is_signed(text, signature);
        let read = seal.filter(|_| is_signed).and_then(|seal| {
            let (header, chain) = (Hash::from_hex(&seal.header)?, Hash::from_hex(&seal.hash)?);
            Some((header, chain, digests(&seal)?, seal))
        });
        let Some((header, chain, digests, seal)) = read else {
            return self.take_forged_seal();
        };
        self.check_header(header);
        let (first, last) = (seal.first, seal.last);
        if first <= self.sealed {
            self.unsealed.clear();
            return self.note(Finding::SealMisplaced { first, last });
        }
        if first > self.sealed + 1 {
            self.skip_to(first, digests.len());
        }
        self.check_records(first, chain, &digests);
        (self.sealed, self.chain) = (last, chain);
        self.unsealed.clear();
    }

    fn is_signed(&mut self, text: &str, signature: &str) -> bool {
        let is_signed = self.key.has_signed(text.as_bytes(), signature);
        self.has_signed |= is_signed;
        is_signed
    }

    /// The first seal that is signed says what the header was.
    fn check_header(&mut self, header: Hash) {
        if header != self.header {
            self.note(Finding::HeaderEdited);
        }
        if self.sealed == 0 {
            self.chain = header;
        }
    }

    /// Records that no seal covers were dropped with their seal, unless there are lines enough for them.
    fn skip_to(&mut self, first: u64, covered: usize) {
        let missing = (self.sealed + 1, first - 1);
        let surplus = self.unsealed.len().saturating_sub(covered);
        let gap = usize::try_from(first - 1 - self.sealed).unwrap_or(usize::MAX);
        let (first, last) = missing;
        if surplus == 0 {
            return self.note(Finding::Dropped { first, last });
        }
        self.unsealed.drain(..surplus.min(gap));
        self.note(Finding::SealDropped { first, last });
    }

    fn take_forged_seal(&mut self) {
        let (first, last) = (self.sealed + 1, self.sealed + self.unsealed.len() as u64);
        self.note(Finding::SealForged { first, last });
        let hashes = self.unsealed.iter().map(|record| record.hash);
        self.chain = hashes.fold(self.chain, Hash::then);
        self.sealed = last;
        self.unsealed.clear();
    }

    /// The records before a seal against what it says they are.
    fn check_records(&mut self, first: u64, chain: Hash, digests: &[Digest]) {
        let found = self.unsealed.iter().map(|record| Found {
            digest: record.hash.digest(),
            claims: record.number,
        });
        let found: Vec<Found> = found.collect();
        let differences = compare(digests, first, &found);
        if !differences.is_empty() {
            let room = FINDINGS_MAX
                .saturating_mul(2)
                .saturating_sub(self.differences.len());
            self.has_more |= differences.len() > room;
            self.differences.extend(differences.into_iter().take(room));
            return;
        }
        let before = match first == self.sealed + 1 {
            true => Some(self.chain),
            // The hash before them is not known, as their seal is gone.
            false => None,
        };
        self.check_chain(first, before, chain);
    }

    /// Numbers and hashes in the lines, and that the chain of the records ends where the seal says.
    fn check_chain(&mut self, first: u64, before: Option<Hash>, sealed: Hash) {
        let mut chain = before;
        let mut edited = Vec::new();
        for (number, record) in (first..).zip(&self.unsealed) {
            chain = chain.map(|chain| chain.then(record.hash));
            let is_chained = chain.is_none() || record.chained == chain;
            if record.number != Some(number) || !is_chained {
                edited.push(number);
            }
        }
        if chain.is_some_and(|chain| chain != sealed) {
            let last = first + (self.unsealed.len() as u64).saturating_sub(1);
            return self.note(Finding::Changed { first, last });
        }
        let room = FINDINGS_MAX.saturating_sub(self.renumbered.len());
        self.renumbered.extend(edited.into_iter().take(room));
    }

    fn take_manifest(&mut self, text: &str, signature: &str) {
        self.check_unsealed();
        let manifest: Option<Manifest> = serde_json::from_str(text).ok();
        let is_signed = self.is_signed(text, signature);
        let Some(manifest) = manifest.filter(|_| is_signed) else {
            self.manifest = Some(None);
            return self.note(Finding::ManifestForged);
        };
        if let Some(header) = Hash::from_hex(&manifest.header) {
            self.check_header(header);
        }
        if manifest.records > self.sealed {
            let (first, last) = (self.sealed + 1, manifest.records);
            self.note(Finding::Dropped { first, last });
        } else if manifest.records < self.sealed
            || Hash::from_hex(&manifest.hash) != Some(self.chain)
        {
            self.note(Finding::ManifestContradicts);
        }
        self.manifest = Some(Some(manifest));
    }

    /// Records that stand before the manifest without a seal.
    fn check_unsealed(&mut self) {
        let (first, last) = (self.sealed + 1, self.sealed + self.unsealed.len() as u64);
        if first <= last {
            self.note(Finding::SealDropped { first, last });
            let hashes = self.unsealed.iter().map(|record| record.hash);
            self.chain = hashes.fold(self.chain, Hash::then);
            self.sealed = last;
            self.unsealed.clear();
        }
    }

    fn note(&mut self, finding: Finding) {
        match self.findings.len() < FINDINGS_MAX {
            true if self.findings.contains(&finding) => {}
            true => self.findings.push(finding),
            false => self.has_more = true,
        }
    }

    fn finish(mut self, header: Option<Header>) -> Report {
        if self.manifest.is_none() {
            let behind = self.sealed + self.unsealed.len() as u64;
            self.note(Finding::Truncated { behind });
        } else if self.is_torn {
            let (behind, claims) = (self.sealed, None);
            self.note(Finding::Added { behind, claims });
        }
        let mut all = findings(&self.differences);
        all.append(&mut self.findings);
        if all.is_empty() {
            let edited = self.renumbered.iter();
            all.extend(edited.map(|record| Finding::Edited { record: *record }));
        }
        self.has_more |= all.len() > FINDINGS_MAX;
        all.truncate(FINDINGS_MAX);
        if header.is_none() && !all.contains(&Finding::HeaderEdited) {
            all.insert(0, Finding::HeaderEdited);
        }
        Report {
            findings: all,
            has_more: self.has_more,
            records: self.records,
            header,
            ending: self.manifest.flatten().map(|manifest| manifest.ending),
            public_key: self.key,
        }
    }
}

/// The digests in a seal, as many as it says.
fn digests(seal: &Seal) -> Option<Vec<Digest>> {
    let bytes = from_hex(&seal.digests)?;
    let count = seal.last.checked_sub(seal.first)?.checked_add(1)?;
    if bytes.len() as u64 != count.checked_mul(DIGEST_BYTES as u64)? {
        return None;
    }
    let digests = bytes.chunks(DIGEST_BYTES);
    digests.map(|digest| digest.try_into().ok()).collect()
}
