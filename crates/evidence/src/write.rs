//! Writing a file: lines are appended to a buffer of the caller's, who takes them where they go.

use crate::hash::{Digest, Hash, to_hex};
use crate::key::Key;
use crate::line::{
    Ending, Header, Manifest, Seal, to_json, write_manifest, write_record, write_seal,
};

/// A seal takes the time of about a hundred records, and at most so many records have to be looked through to name one.
pub const RECORDS_PER_SEAL: usize = 1000;

/// A file under way.
#[derive(Debug)]
pub struct Writer<'k> {
    key: &'k Key,
    header: Hash,
    chain: Hash,
    records: u64,
    /// Those not sealed yet.
    digests: Vec<Digest>,
}

impl<'k> Writer<'k> {
    /// Begins a file.
    pub fn begin(header: &Header, key: &'k Key, out: &mut Vec<u8>) -> Writer<'k> {
        let text = to_json(header);
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
        let hash = Hash::of(text.as_bytes());
        Writer {
            key,
            header: hash,
            chain: hash,
            records: 0,
            digests: Vec::with_capacity(RECORDS_PER_SEAL),
        }
    }

    /// Appends a record, a JSON text without a line feed.
    pub fn record(&mut self, record: &str, out: &mut Vec<u8>) {
        let hash = Hash::of(record.as_bytes());
        self.chain = self.chain.then(hash);
        self.records += 1;
        self.digests.push(hash.digest());
        write_record(out, self.records, record, self.chain);
        if self.digests.len() == RECORDS_PER_SEAL {
            self.seal(out);
        }
    }

    /// Ends the file; gives how many records it has.
    pub fn finish(mut self, ending: Ending, out: &mut Vec<u8>) -> u64 {
        if !self.digests.is_empty() {
            self.seal(out);
        }
        let manifest = Manifest {
            header: self.header.to_hex(),
            records: self.records,
            hash: self.chain.to_hex(),
            ending,
        };
        write_manifest(out, &manifest, |text| self.key.sign(text));
        self.records
    }

    fn seal(&mut self, out: &mut Vec<u8>) {
        let digests: String = self.digests.iter().map(|digest| to_hex(digest)).collect();
        let seal = Seal {
            header: self.header.to_hex(),
            first: self.records + 1 - self.digests.len() as u64,
            last: self.records,
            hash: self.chain.to_hex(),
            digests,
        };
        write_seal(out, &seal, |text| self.key.sign(text));
        self.digests.clear();
    }
}
