//! What the kernel says of the server's process: processor time, memory, bytes on disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Ticks per second in `/proc`: USER_HZ, which Linux fixes at 100 for every architecture we run on.
const TICKS_PER_SECOND: f64 = 100.0;
/// Idle is less than this share of one core over [`IDLE_WINDOW`].
const IDLE_SHARE: f64 = 0.03;
const IDLE_WINDOW: Duration = Duration::from_secs(2);
/// Work after the last acknowledgement that takes longer than this is cut off and shows in the figures.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// Processor seconds of a process, of all its threads that are and were, in hundredths.
///
/// The fields after the name, which is in parentheses and may hold anything (proc_pid_stat(5)).
pub(crate) fn processor_seconds(id: u32) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).context("the server is gone")?;
    let (_, after_name) = text.rsplit_once(") ").context("an odd stat file")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks = |index: usize| -> anyhow::Result<f64> {
        Ok(fields.get(index).context("a short stat file")?.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// Processor time by the names of the threads that are, to the nanosecond; threads of one name, apart
/// from a number at its end, are summed up.
pub(crate) fn processor_time_by_thread(id: u32) -> anyhow::Result<BTreeMap<String, Duration>> {
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{id}/task"))? {
        let task = entry?.path();
        // A thread may end between the listing and the reading.
        let Ok(name) = fs::read_to_string(task.join("comm")) else {
            continue;
        };
        let Ok(schedstat) = fs::read_to_string(task.join("schedstat")) else {
            continue;
        };
        let nanos = schedstat
            .split(' ')
            .next()
            .and_then(|nanos| nanos.parse().ok());
        let name = name
            .trim()
            .trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        *threads.entry(name.to_owned()).or_default() +=
            Duration::from_nanos(nanos.context("an odd schedstat file")?);
    }
    Ok(threads)
}

/// Memory a process has resident, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) resident_bytes: u64,
    /// The most since it started, or since [`forget_memory_peak`].
    pub(crate) peak_bytes: u64,
}

pub(crate) fn memory(id: u32) -> anyhow::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).context("the server is gone")?;
    let bytes = |name: &str| -> anyhow::Result<u64> {
        let kib: u64 = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|value| value.trim().strip_suffix(" kB"))
            .with_context(|| format!("no {name}"))?
            .trim()
            .parse()?;
        Ok(kib * 1024)
    };
    Ok(Memory {
        resident_bytes: bytes("VmRSS:")?,
        peak_bytes: bytes("VmHWM:")?,
    })
}

/// From now on the peak is that of the time since (proc_pid_clear_refs(5)).
pub(crate) fn forget_memory_peak(id: u32) -> anyhow::Result<()> {
    fs::write(format!("/proc/{id}/clear_refs"), "5").context("reset the peak of memory")
}

/// The machine's load average over a minute.
pub(crate) fn load_average() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    let first = text.split(' ').next().context("an odd loadavg file")?;
    Ok(first.parse()?)
}

/// Waits until it does nothing but wait. How long that took.
pub(crate) fn wait_until_idle(id: u32) -> anyhow::Result<Duration> {
    let started = Instant::now();
    loop {
        let before = processor_seconds(id)?;
        thread::sleep(IDLE_WINDOW);
        let used = processor_seconds(id)? - before;
        let waited = started.elapsed();
        if used < IDLE_SHARE * IDLE_WINDOW.as_secs_f64() {
            return Ok(waited.saturating_sub(IDLE_WINDOW));
        }
        if waited > IDLE_TIMEOUT {
            return Ok(waited);
        }
    }
}

/// The bytes of all files below a directory.
pub(crate) fn disk_bytes(dir: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}

/// Asks the kernel to forget cached files. Whether it may be asked: it takes root.
pub(crate) fn drop_page_cache() -> bool {
    let written_back = std::process::Command::new("sync").status();
    written_back.is_ok_and(|status| status.success())
        && fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}
