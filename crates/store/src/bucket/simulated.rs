//! A bucket in memory that fails, lies and goes away on demand, for tests.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Bucket, Content, Listed};

/// What happens at a chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketFault {
    /// The bucket cannot be reached; nothing is done.
    Unreachable,
    /// What was asked for is done, and the answer is lost.
    AnswerLost,
    /// A bit of what is stored or given back is another.
    Corrupt,
    /// Fewer bytes are given back than were asked for, or only they are stored.
    Short,
}

/// The bucket. All clones share its objects.
#[derive(Clone, Debug, Default)]
pub struct SimulatedBucket {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    operations: u64,
    faults: BTreeMap<u64, BucketFault>,
    is_down: bool,
    reads: Vec<(String, Range<u64>)>,
}

impl SimulatedBucket {
    /// How many operations were begun.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Lets the operation with this number, from 0, go wrong.
    pub fn fail_at(&self, operation: u64, fault: BucketFault) {
        self.lock().faults.insert(operation, fault);
    }

    /// Forgets all faults that have not happened.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Makes it unreachable, or reachable again.
    pub fn set_down(&self, is_down: bool) {
        self.lock().is_down = is_down;
    }

    /// Every object, by name.
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        self.lock().objects.clone()
    }

    /// Puts an object there, past all faults.
    pub fn insert(&self, name: &str, bytes: impl Into<Bytes>) {
        self.lock().objects.insert(name.to_owned(), bytes.into());
    }

    /// Takes an object away, past all faults.
    pub fn take(&self, name: &str) -> Option<Bytes> {
        self.lock().objects.remove(name)
    }

    /// The ranges that were read since this was asked last.
    pub fn take_reads(&self) -> Vec<(String, Range<u64>)> {
        std::mem::take(&mut self.lock().reads)
    }

    /// A bucket of its own with the same objects: what another process finds.
    pub fn fork(&self) -> SimulatedBucket {
        let fork = SimulatedBucket::default();
        fork.lock().objects = self.objects();
        fork
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self) -> io::Result<Option<BucketFault>> {
        let number = self.operations;
        self.operations += 1;
        let fault = self.faults.remove(&number);
        if self.is_down || fault == Some(BucketFault::Unreachable) {
            return Err(unreachable());
        }
        Ok(fault)
    }
}

impl Bucket for SimulatedBucket {
    fn describe(&self) -> String {
        "(simulated)".to_owned()
    }

    fn put(&self, name: &str, content: &dyn Content) -> io::Result<()> {
        let length = usize::try_from(content.length()).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        content.read_at(0, &mut bytes)?;
        let mut state = self.lock();
        let fault = state.begin()?;
        let stored = distorted(bytes.into(), fault);
        state.objects.insert(name.to_owned(), stored);
        answer(fault)
    }

    fn read(&self, name: &str, range: Range<u64>) -> io::Result<Bytes> {
        let mut state = self.lock();
        state.reads.push((name.to_owned(), range.clone()));
        let fault = state.begin()?;
        let object = state.objects.get(name).ok_or(io::ErrorKind::NotFound)?;
        let end = range.end.min(object.len() as u64);
        if range.start >= end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (start, end) = (to_index(range.start), to_index(end));
        let bytes = distorted(object.slice(start..end), fault);
        answer(fault).map(|()| bytes)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        let fault = state.begin()?;
        state.objects.remove(name);
        answer(fault)
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<Listed>> {
        let mut state = self.lock();
        let fault = state.begin()?;
        let objects = state.objects.iter();
        let named = objects.filter(|(name, _)| name.starts_with(prefix));
        let listed = named.map(|(name, bytes)| Listed {
            name: name.clone(),
            bytes: bytes.len() as u64,
        });
        answer(fault).map(|()| listed.collect())
    }
}

fn distorted(bytes: Bytes, fault: Option<BucketFault>) -> Bytes {
    match fault {
        Some(BucketFault::Corrupt) => {
            let mut bytes = bytes.to_vec();
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 4;
            }
            bytes.into()
        }
        Some(BucketFault::Short) => bytes.slice(..bytes.len() / 2),
        _ => bytes,
    }
}

fn answer(fault: Option<BucketFault>) -> io::Result<()> {
    match fault {
        Some(BucketFault::AnswerLost) => Err(unreachable()),
        _ => Ok(()),
    }
}

fn unreachable() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "simulated outage")
}

fn to_index(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
