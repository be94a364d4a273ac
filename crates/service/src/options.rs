//! What a [`Service`](crate::Service) is opened with: where, how large, and the world outside.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use cordwood_event::Timestamp;
use cordwood_notify::Outbound;
use cordwood_store::Remote;

pub use cordwood_catalog::Random;

/// The time of day, as an argument.
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The same on a clock that never runs backwards, for deadlines.
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// Options of a [`Service`](crate::Service).
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory that holds everything; made when missing.
    pub data_dir: PathBuf,
    /// The ceiling that bodies, batches, open rows and queries keep to together.
    pub memory_bytes_max: u64,
    /// Events go from the log to a segment when they are this old, or earlier when there are many.
    pub flush_age: Duration,
    /// The bucket that closed segments go to, if any.
    pub remote: Option<Remote>,
    /// How much of the disk exports may take, all together.
    pub exports_bytes_max: u64,
    /// Where people reach this server: what links in notices begin with.
    pub public_url: String,
    /// What notices may be sent to beside the public internet.
    pub outbound: Outbound,
    /// Threads for queries; `None` for one per core.
    pub query_threads: Option<usize>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Where tokens come from.
    pub random: Arc<dyn Random>,
}

impl Options {
    /// The ceiling unless told otherwise: 1 GiB.
    pub const MEMORY_BYTES_MAX_DEFAULT: u64 = 1 << 30;

    /// 20 GiB: a few exports of everything on a machine of this kind.
    pub const EXPORTS_BYTES_MAX_DEFAULT: u64 = 20 << 30;

    /// Where a server listens unless told otherwise.
    pub const PUBLIC_URL_DEFAULT: &str = "http://127.0.0.1:4747";

    /// Ten minutes: segments of a slow source are not too small, and a restart reads little of the log.
    pub const FLUSH_AGE_DEFAULT: Duration = Duration::from_secs(600);

    /// The options of a server: the system's clock and randomness, 1 GiB of memory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Options {
        Options {
            data_dir: data_dir.into(),
            memory_bytes_max: Options::MEMORY_BYTES_MAX_DEFAULT,
            flush_age: Options::FLUSH_AGE_DEFAULT,
            remote: None,
            exports_bytes_max: Options::EXPORTS_BYTES_MAX_DEFAULT,
            public_url: Options::PUBLIC_URL_DEFAULT.to_owned(),
            outbound: Outbound::default(),
            query_threads: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_nanos(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// The system's source of randomness.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("a system without randomness cannot give out tokens");
    }
}
