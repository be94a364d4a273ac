//! A disk in memory that loses power, fails and fills up on demand, for tests.
//!
//! What is not synced is lost when power is: bytes of a file after a random prefix (the tail may be there as zeros
//! or garbage too), names of a directory after a random prefix of its changes. After a failed sync the bytes it was for never reach the
//! disk, whatever later syncs say, as Linux does it.

mod crash;
mod inode;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile, DiskLock};
use inode::Inode;

/// What happens at a chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process ends there: this and every later operation fails. A write may have been done in part.
    Crash,
    /// The operation fails with an input/output error; a write may have been done in part, a sync loses its bytes.
    Broken,
    /// The operation fails for want of space; a write may have been done in part. Syncs and removals, which need
    /// none, succeed.
    Full,
}

/// The disk. All handles and clones share its state.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    directories: BTreeMap<String, Directory>,
    locks: BTreeSet<String>,
    operations: u64,
    faults: BTreeMap<u64, Fault>,
    is_crashed: bool,
    capacity: Option<u64>,
    unreadable: BTreeSet<String>,
}

#[derive(Clone, Debug, Default)]
struct Directory {
    names: BTreeMap<String, u64>,
    durable: BTreeMap<String, u64>,
    /// The states `names` went through since the last sync.
    unsynced: Vec<BTreeMap<String, u64>>,
}

impl Default for SimulatedDisk {
    fn default() -> SimulatedDisk {
        SimulatedDisk::new()
    }
}

impl SimulatedDisk {
    /// An empty disk without limit.
    pub fn new() -> SimulatedDisk {
        SimulatedDisk::of(State::default())
    }

    fn of(state: State) -> SimulatedDisk {
        SimulatedDisk {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// How many operations that change the disk, or make a change durable, were begun.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Lets the operation with this number, from 0, go wrong.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.lock().faults.insert(operation, fault);
    }

    /// Forgets all faults that have not happened.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Limits the bytes of all files together.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity = bytes;
    }

    /// Lets every read of a file fail.
    pub fn make_unreadable(&self, path: &str) {
        self.lock().unreadable.insert(path.to_owned());
    }

    /// Every file, by path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.lock();
        let mut files = BTreeMap::new();
        for (directory, content) in &state.directories {
            for (name, inode) in &content.names {
                let bytes = state.inodes.get(inode).map(Inode::content);
                files.insert(join(directory, name), bytes.unwrap_or_default());
            }
        }
        files
    }

    /// Puts a file there, durably, in place of one of the same name.
    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        let mut state = self.lock();
        let inode = state.add_inode(Inode::durable_with(bytes));
        let (parent, name) = split(path);
        let directory = state.directories.entry(parent.to_owned()).or_default();
        directory.names.insert(name.to_owned(), inode);
        directory.durable.insert(name.to_owned(), inode);
    }

    /// Flips one bit of a file, below everything that could notice.
    pub fn flip_bit(&self, path: &str, bit: usize) {
        let mut state = self.lock();
        if let Ok(inode) = state.inode_mut(path) {
            inode.flip_bit(bit);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts an operation and says whether it goes wrong, other than by a crash.
    fn begin(&mut self) -> io::Result<Option<Fault>> {
        self.check_alive()?;
        let number = self.operations;
        self.operations += 1;
        let fault = self.faults.remove(&number);
        self.is_crashed = fault == Some(Fault::Crash);
        Ok(fault)
    }

    /// The same for operations that are done whole or not at all.
    fn begin_atomic(&mut self) -> io::Result<()> {
        match self.begin()? {
            None => Ok(()),
            Some(fault) => Err(error_of(fault)),
        }
    }

    /// The same for operations that need no space.
    fn begin_freeing(&mut self) -> io::Result<()> {
        match self.begin()? {
            None | Some(Fault::Full) => Ok(()),
            Some(fault) => Err(error_of(fault)),
        }
    }

    fn check_alive(&self) -> io::Result<()> {
        if self.is_crashed {
            return Err(error_of(Fault::Crash));
        }
        Ok(())
    }

    fn add_inode(&mut self, inode: Inode) -> u64 {
        let number = self.next_inode;
        self.next_inode += 1;
        self.inodes.insert(number, inode);
        number
    }

    fn directory_mut(&mut self, path: &str) -> io::Result<&mut Directory> {
        self.directories.get_mut(path).ok_or_else(not_found)
    }

    fn inode_of(&self, path: &str) -> io::Result<u64> {
        let (parent, name) = split(path);
        let directory = self.directories.get(parent).ok_or_else(not_found)?;
        directory.names.get(name).copied().ok_or_else(not_found)
    }

    fn inode_mut(&mut self, path: &str) -> io::Result<&mut Inode> {
        let number = self.inode_of(path)?;
        self.inodes.get_mut(&number).ok_or_else(not_found)
    }

    fn change_names(
        &mut self,
        directory: &str,
        change: impl FnOnce(&mut BTreeMap<String, u64>),
    ) -> io::Result<()> {
        let directory = self.directory_mut(directory)?;
        change(&mut directory.names);
        directory.unsynced.push(directory.names.clone());
        Ok(())
    }

    fn add_name(&mut self, path: &str, inode: u64) -> io::Result<()> {
        let (parent, name) = split(path);
        if self.directory_mut(parent)?.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.change_names(parent, |names| {
            names.insert(name.to_owned(), inode);
        })
    }

    /// The bytes of all files that have a name.
    fn used_bytes(&self) -> u64 {
        let names = self
            .directories
            .values()
            .flat_map(|found| found.names.values());
        let named: BTreeSet<u64> = names.copied().collect();
        let inodes = named.iter().filter_map(|number| self.inodes.get(number));
        inodes.map(Inode::length).sum()
    }

    fn free_bytes(&self) -> u64 {
        match self.capacity {
            Some(capacity) => capacity.saturating_sub(self.used_bytes()),
            None => u64::MAX,
        }
    }
}

impl Disk for SimulatedDisk {
    fn describe(&self) -> String {
        "(simulated)".to_owned()
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.check_alive()?;
        // Directories are made once in the life of a data directory; losing one is losing its files, which is tested.
        state.directories.entry(path.to_owned()).or_default();
        Ok(())
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        state.begin_atomic()?;
        let number = state.next_inode;
        state.add_name(path, number)?;
        let inode = state.add_inode(Inode::default());
        Ok(self.handle(inode, path))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let state = self.lock();
        state.check_alive()?;
        let inode = state.inode_of(path)?;
        Ok(self.handle(inode, path))
    }

    fn open_for_append(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        self.open(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.begin_atomic()?;
        let inode = state.inode_of(from)?;
        let (parent, name) = split(to);
        state.change_names(parent, |names| {
            names.insert(name.to_owned(), inode);
        })?;
        let (parent, name) = split(from);
        state.change_names(parent, |names| {
            names.remove(name);
        })
    }

    fn hard_link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.begin_atomic()?;
        let inode = state.inode_of(from)?;
        state.add_name(to, inode)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.inode_of(path)?;
        state.begin_freeing()?;
        let (parent, name) = split(path);
        state.change_names(parent, |names| {
            names.remove(name);
        })
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.begin_freeing()?;
        let directory = state.directory_mut(path)?;
        directory.durable = directory.names.clone();
        directory.unsynced.clear();
        Ok(())
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let mut state = self.lock();
        state.check_alive()?;
        Ok(state.directory_mut(path)?.names.keys().cloned().collect())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(self.lock().free_bytes())
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn DiskLock>> {
        let mut state = self.lock();
        state.check_alive()?;
        if !state.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Lock {
            disk: self.clone(),
            path: path.to_owned(),
        }))
    }
}

impl SimulatedDisk {
    fn handle(&self, inode: u64, path: &str) -> Box<dyn DiskFile> {
        Box::new(Handle {
            disk: self.clone(),
            inode,
            path: path.to_owned(),
        })
    }
}

#[derive(Debug)]
struct Lock {
    disk: SimulatedDisk,
    path: String,
}

impl DiskLock for Lock {}

impl Drop for Lock {
    fn drop(&mut self) {
        self.disk.lock().locks.remove(&self.path);
    }
}

#[derive(Debug)]
struct Handle {
    disk: SimulatedDisk,
    inode: u64,
    path: String,
}

impl Handle {
    fn with<T>(
        &self,
        state: &mut State,
        act: impl FnOnce(&mut Inode) -> io::Result<T>,
    ) -> io::Result<T> {
        act(state.inodes.get_mut(&self.inode).ok_or_else(not_found)?)
    }
}

impl DiskFile for Handle {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        let fault = state.begin()?;
        let room = usize::try_from(state.free_bytes()).unwrap_or(usize::MAX);
        let written = match fault {
            // Which part is done varies with the size, so that all kinds of tears are met.
            Some(_) => bytes.len() * (bytes.len() % 4) / 4,
            None => bytes.len().min(room),
        };
        let part = bytes.get(..written).unwrap_or_default();
        self.with(&mut state, |inode| {
            inode.append(part);
            Ok(())
        })?;
        match fault {
            Some(fault) => Err(error_of(fault)),
            None if written < bytes.len() => Err(error_of(Fault::Full)),
            None => Ok(()),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.check_alive()?;
        if state.unreadable.contains(&self.path) {
            return Err(error_of(Fault::Broken));
        }
        self.with(&mut state, |inode| inode.read_at(offset, buffer))
    }

    fn length(&self) -> io::Result<u64> {
        let mut state = self.disk.lock();
        state.check_alive()?;
        self.with(&mut state, |inode| Ok(inode.length()))
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.begin_freeing()?;
        self.with(&mut state, |inode| {
            inode.truncate(length);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.lock();
        let fault = state.begin()?;
        self.with(&mut state, |inode| match fault {
            None | Some(Fault::Full) => {
                inode.sync();
                Ok(())
            }
            Some(Fault::Broken) => {
                inode.fail_sync();
                Err(error_of(Fault::Broken))
            }
            Some(Fault::Crash) => Err(error_of(Fault::Crash)),
        })
    }
}

fn error_of(fault: Fault) -> io::Error {
    match fault {
        Fault::Crash => io::Error::other("the power is off"),
        Fault::Broken => io::Error::other("simulated input/output error"),
        Fault::Full => io::ErrorKind::StorageFull.into(),
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        return name.to_owned();
    }
    format!("{directory}/{name}")
}
