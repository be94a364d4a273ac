//! Tasks on a thread whose clock the test moves: in which order they are done, and what becomes of them else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::*;
use crate::Cancel;

fn budget(cancel: &Cancel) -> Budget {
    Budget::new(Clock::new(Instant::now), None, cancel.clone())
}

/// A pool of one thread, whose clock moves only as its tasks say.
struct Clocked {
    pool: Pool,
    millis: Arc<AtomicU64>,
    done: (Sender<&'static str>, Receiver<&'static str>),
}

impl Clocked {
    fn new() -> Clocked {
        let millis = Arc::new(AtomicU64::new(0));
        let (start, passed) = (Instant::now(), Arc::clone(&millis));
        let clock =
            Clock::new(move || start + Duration::from_millis(passed.load(Ordering::Relaxed)));
        Clocked {
            pool: Pool::new(1, clock).expect("a thread"),
            millis,
            done: channel(),
        }
    }

    /// Hands in a task that takes some milliseconds and tells its name when it is done.
    fn spawn(&self, share: &Share<'_>, name: &'static str, takes: u64) {
        let (millis, done) = (Arc::clone(&self.millis), self.done.0.clone());
        share.spawn(move || {
            millis.fetch_add(takes, Ordering::Relaxed);
            done.send(name).expect("the test listens");
        });
    }

    /// Keeps the thread busy until what is given back is dropped.
    fn hold(&self, share: &Share<'_>) -> Sender<()> {
        let (release, released) = channel();
        let (begun, has_begun) = channel();
        share.spawn(move || {
            begun.send(()).expect("the test listens");
            let _ = released.recv();
        });
        has_begun.recv().expect("the task begins");
        release
    }

    fn names(&self, count: usize) -> Vec<&'static str> {
        self.done.1.iter().take(count).collect()
    }
}

#[test]
fn a_short_question_is_done_before_what_long_ones_have_waiting() {
    let clocked = Clocked::new();
    let long = clocked.pool.share();
    clocked.spawn(&long, "before", 1_000);
    assert_eq!(clocked.names(1), ["before"]);
    let running = clocked.hold(&long);
    for _ in 0..4 {
        clocked.spawn(&long, "long", 10);
    }
    let short = clocked.pool.share();
    for _ in 0..3 {
        clocked.spawn(&short, "short", 1);
    }
    drop(running);
    assert_eq!(
        clocked.names(7),
        ["short", "short", "short", "long", "long", "long", "long"]
    );
}

#[test]
fn what_was_not_begun_goes_with_its_question() {
    let clocked = Clocked::new();
    let (gone, other) = (clocked.pool.share(), clocked.pool.share());
    let running = clocked.hold(&gone);
    clocked.spawn(&gone, "gone", 1);
    clocked.spawn(&other, "other", 1);
    drop(gone);
    drop(running);
    assert_eq!(clocked.names(1), ["other"]);
    assert!(clocked.done.1.try_recv().is_err());
}

#[test]
fn a_panic_fails_its_question_and_no_other() {
    let clocked = Clocked::new();
    let failing = clocked.pool.share();
    let tasks = [1, 0].map(|divisor: u32| move || 6_u32.checked_div(divisor).expect("no zero"));
    let failed = failing.do_all(tasks.into_iter(), &budget(&Cancel::default()));
    assert!(matches!(failed, Err(Error::Broken)), "{failed:?}");
    let share = clocked.pool.share();
    let tasks = (0..5).map(|number| move || number * number);
    let done = share.do_all(tasks, &budget(&Cancel::default()));
    assert_eq!(done.expect("none panics"), Some(vec![0, 1, 4, 9, 16]));
}

/// Neither for its turn nor for a task that goes on.
#[test]
fn who_gives_up_waits_for_no_task() {
    let clocked = Clocked::new();
    let busy = clocked.pool.share();
    let running = clocked.hold(&busy);
    let cancel = Cancel::default();
    cancel.cancel();
    let share = clocked.pool.share();
    let done = share.do_all(std::iter::once(|| 7), &budget(&cancel));
    assert_eq!(done.expect("none panics"), None);
    drop(running);
}

#[test]
fn the_threads_end_with_the_pool() {
    let clocked = Clocked::new();
    let share = clocked.pool.share();
    let done = share.do_all(std::iter::once(|| 7), &budget(&Cancel::default()));
    assert_eq!((share.threads(), done.ok()), (1, Some(Some(vec![7]))));
    drop(share);
    drop(clocked.pool);
}
