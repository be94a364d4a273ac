//! Evidence: records in a file that says of itself, without the server it came from, whether anything in it was changed.
//!
//! A file is lines of JSON: a header, records chained by hashes, after every so many records a signed seal, and a signed manifest
//! at the end. `docs/evidence.md` says the exact bytes. Seals hold a short digest of each record, so that who verifies can name the
//! record that was edited, dropped, moved or added, also where whoever did it has made all the hashes anew.
//!
//! The crate is pure. It must not know events, exports, files or time: a record is a JSON text in one line.
#![warn(missing_docs)]

mod compare;
mod finding;
mod hash;
mod key;
mod line;
mod verify;
mod write;

pub use finding::{Finding, Report};
pub use key::{Key, PublicKey};
pub use line::{Ending, Header, Range, Requester, Source};
pub use verify::{Unverifiable, verify};
pub use write::{RECORDS_PER_SEAL, Writer};
