//! What the next process finds.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::inode::Inode;
use super::{Directory, SimulatedDisk, State};

impl SimulatedDisk {
    /// The disk as the next process finds it after this one was killed: all of what it wrote is there.
    pub fn after_kill(&self) -> SimulatedDisk {
        let state = self.lock();
        SimulatedDisk::of(State {
            inodes: state.inodes.clone(),
            next_inode: state.next_inode,
            directories: state.directories.clone(),
            capacity: state.capacity,
            ..State::default()
        })
    }

    /// The disk as the next process finds it after the power failed. The seed decides how much of what was not
    /// synced is there all the same; 0 for nothing of it.
    pub fn after_power_loss(&self, seed: u64) -> SimulatedDisk {
        let state = self.lock();
        let directories = state.directories.iter().map(|(path, directory)| {
            let left = names_left(directory, seed, path);
            (path.clone(), left)
        });
        let inodes = state.inodes.iter().map(|(number, inode)| {
            let left = bytes_left(inode, seed, *number);
            (*number, left)
        });
        SimulatedDisk::of(State {
            inodes: inodes.collect(),
            next_inode: state.next_inode,
            directories: directories.collect(),
            capacity: state.capacity,
            ..State::default()
        })
    }
}

fn names_left(directory: &Directory, seed: u64, path: &str) -> Directory {
    let kept = choose(seed, path, directory.unsynced.len());
    let names = match kept.checked_sub(1) {
        Some(last) => directory.unsynced.get(last),
        None => None,
    };
    let names = names.unwrap_or(&directory.durable).clone();
    Directory {
        durable: names.clone(),
        names,
        unsynced: Vec::new(),
    }
}

fn bytes_left(inode: &Inode, seed: u64, number: u64) -> Inode {
    let kept = choose(seed, ("bytes", number), inode.unsynced_bytes());
    let is_tail_zeroed = choose(seed, ("tail", number), 1) == 1;
    inode.after_power_loss(kept, is_tail_zeroed)
}

/// A number up to `max`, by chance; 0 for the seed 0.
fn choose(seed: u64, what: impl Hash, max: usize) -> usize {
    if seed == 0 {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    (seed, what).hash(&mut hasher);
    let chosen = hasher.finish() % (max as u64 + 1);
    usize::try_from(chosen).unwrap_or(max)
}
