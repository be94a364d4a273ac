//! Writes the fixture of a data directory, in the format of this version, to an empty directory:
//! `cargo run -p cordwood-store --example data_directory -- crates/store/fixtures/data-directory-<version>`.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "the code of a test"
)]

#[path = "../tests/store/lines.rs"]
mod lines;

use std::sync::Arc;

use cordwood_store::Store;
use cordwood_store::disk::FileSystem;

fn main() {
    let directory = std::env::args().nth(1).expect("the directory to write");
    let disk = Arc::new(FileSystem::new(&directory));
    let (store, _) = Store::open(lines::small_options(), disk, Arc::new(lines::Lines)).unwrap();
    for number in 0..lines::FIXTURE_BATCHES {
        store.append(lines::fixture_batch(number)).unwrap();
        if number == 10 || number == 20 {
            store.flush().unwrap();
        }
    }
    store.close().unwrap();
}
