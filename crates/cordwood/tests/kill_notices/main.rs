//! A real server that tells of incidents, killed with SIGKILL at random moments and started again: of every incident, whether somebody opened it or an alert
//! did, a receiver that honours the key of notices hears once.
//!
//! The moments lie anywhere from the check of an alert and the write of a notice to its attempt and what came of that: the receiver answers late, and now and
//! then takes a notice without answering. `CORDWOOD_KILL_ROUNDS` makes it longer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fired;
mod opened;
#[path = "../cli/process.rs"]
#[expect(dead_code, reason = "shared with the tests of the command line")]
mod process;
mod receiver;

use std::env;
use std::time::{Duration, SystemTime};

use crate::process::Directory;

const ROUNDS_DEFAULT: u64 = 5;
/// A notice that does not come by then is lost. A channel that could not be reached is tried again after 15 s.
const PATIENCE: Duration = Duration::from_secs(150);

fn rounds() -> u64 {
    let rounds = env::var("CORDWOOD_KILL_ROUNDS").ok();
    rounds.map_or(ROUNDS_DEFAULT, |text| text.parse().unwrap())
}

/// Xorshift (Marsaglia, 2003): moments need no better.
struct Random(u64);

impl Random {
    fn of_clock() -> Random {
        let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Random(u64::from(clock.unwrap().subsec_nanos()) | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A directory whose server may tell somebody on this machine.
fn directory() -> Directory {
    let directory = Directory::new();
    directory.write("cordwood.toml", "[outbound]\nallow = [\"127.0.0.1\"]\n");
    directory
}

/// Adds a channel that all incidents are told to.
fn add_channel(directory: &Directory, url: &str) {
    let add = [
        "channels",
        "add",
        "webhook",
        "trial",
        "--hook",
        url,
        "--default",
        "--per-minute",
        "60",
    ];
    directory.run(&add).succeeded();
}

fn token(directory: &Directory) -> String {
    let path = directory.path().join("cordwood-data/cli-token");
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}
