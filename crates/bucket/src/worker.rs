//! The thread that runs what is asked of the bucket, and how callers wait for it.

use std::future::Future;
use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;

type Job = BoxFuture<'static, ()>;

/// A thread with a runtime. Ended and joined when dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    /// One job for each caller that waits: they bound it.
    jobs: Option<UnboundedSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(crate) fn start() -> io::Result<Worker> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (jobs, mut waiting) = unbounded_channel::<Job>();
        let thread = thread::Builder::new()
            .name("bucket".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    while let Some(job) = waiting.recv().await {
                        tokio::spawn(job);
                    }
                });
            })?;
        Ok(Worker {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs a job to its end, at most so long. Callers may be threads of any kind; none may be the worker's own.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        deadline: Duration,
        job: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<T> {
        let (answer, answered) = sync_channel(1);
        let job = Box::pin(async move {
            // Who has gone away needs no answer.
            let _ = answer.send(timeout(deadline, job).await);
        });
        let ended = || io::Error::other("the thread that speaks with the bucket has ended");
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(job).map_err(|_| ended())?;
        match answered.recv() {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => {
                let seconds = deadline.as_secs();
                let message = format!("no answer within {seconds} s");
                Err(io::Error::new(io::ErrorKind::TimedOut, message))
            }
            Err(_) => Err(ended()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Nobody waits for a job any more: callers borrow the worker.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
