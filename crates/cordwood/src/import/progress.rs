//! The progress bar: bytes read, rate, time left. Quiet where nobody watches.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// One bar for all files.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    /// A bar to `bytes`. Drawn on standard error if that is a terminal and `is_quiet` is not set.
    pub(crate) fn new(bytes: u64, is_quiet: bool) -> Progress {
        let bar = if is_quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr())
        };
        let template = "{msg}  {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress {
            bar,
            began: Instant::now(),
        }
    }

    /// Before a file.
    pub(crate) fn begin(&self, name: &str, is_resumed: bool) {
        self.bar.set_message(name.to_owned());
        if is_resumed {
            self.say(format!("{name}: going on where an earlier import ended"));
        }
    }

    /// While the server cannot take more.
    pub(crate) fn waiting(&self, why: &str, pause: Duration) {
        let why = why.lines().next().unwrap_or_default();
        self.say(format!(
            "{why}; trying again in {:.1} s",
            pause.as_secs_f64()
        ));
    }

    fn say(&self, line: String) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.println(line);
    }

    /// Moves the bar with what is read.
    pub(crate) fn count<R: Read>(&self, reader: R) -> Counted<'_, R> {
        Counted {
            reader,
            bar: &self.bar,
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// A reader that moves the bar.
#[derive(Debug)]
pub(crate) struct Counted<'a, R> {
    reader: R,
    bar: &'a ProgressBar,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bar.inc(read as u64);
        Ok(read)
    }
}
