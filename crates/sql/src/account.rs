//! What the scans of a statement read, taken together.

use std::sync::{Mutex, PoisonError};

use cordwood_engine::{self as engine, Incomplete};

/// What was read to answer, and what the answer may lack.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// Why rows may be missing; empty when none can be.
    pub incomplete: Vec<Incomplete>,
    /// How many events were looked at.
    pub rows_scanned: u64,
    /// How many bytes of blocks were read.
    pub bytes_scanned: u64,
    /// All blocks of the sources scanned, once for each scan.
    pub blocks_total: u64,
    /// Those of them that could be left out.
    pub blocks_pruned: u64,
    /// The columns that are not exact.
    pub approximate: Vec<engine::Approximation>,
}

/// Where the scans of one statement write down what they read.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Account>);

impl Ledger {
    pub(crate) fn add(&self, scanned: engine::Account) {
        self.with(|account| {
            account.rows_scanned += scanned.rows_scanned;
            account.bytes_scanned += scanned.bytes_scanned;
            account.blocks_total += scanned.blocks.total;
            account.blocks_pruned += scanned.blocks.pruned();
            account.incomplete.extend(scanned.incomplete);
        });
    }

    pub(crate) fn account(&self) -> Account {
        self.with(|account| account.clone())
    }

    fn with<T>(&self, visit: impl FnOnce(&mut Account) -> T) -> T {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        visit(&mut account)
    }
}
