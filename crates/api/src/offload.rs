//! The one way from async into the core: a bounded number of blocking calls, a bounded queue before
//! them, and a refusal beyond.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The width of a [`Lane`].
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// Calls at once.
    pub running: usize,
    /// Calls that wait for a place; more are refused.
    pub waiting: usize,
}

/// A kind of work, with its own bounds, so that searches never keep events out nor the other way.
#[derive(Debug)]
pub(crate) struct Lane {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
    refused: AtomicU64,
    limits: LaneLimits,
}

/// A place in a lane, held from the first byte of a body to the end of the call.
#[derive(Debug)]
pub(crate) struct Place {
    running: Arc<Semaphore>,
    /// Given back on drop.
    _place: OwnedSemaphorePermit,
}

/// Why a call gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The lane is full.
    Full,
    /// The call panicked; the panic hook has told why.
    Panicked,
}

impl Lane {
    pub(crate) fn new(limits: LaneLimits) -> Lane {
        Lane {
            places: Arc::new(Semaphore::new(limits.running + limits.waiting)),
            running: Arc::new(Semaphore::new(limits.running)),
            refused: AtomicU64::new(0),
            limits,
        }
    }

    /// Takes a place without waiting.
    pub(crate) fn place(&self) -> Result<Place, Lost> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            Lost::Full
        })?;
        Ok(Place {
            running: Arc::clone(&self.running),
            _place: place,
        })
    }

    /// Runs `call` on a blocking thread, when its turn comes.
    pub(crate) async fn run<T, F>(&self, call: F) -> Result<T, Lost>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.place()?.run(call).await
    }

    /// Is done when no call runs or waits. One that comes meanwhile is refused.
    pub(crate) async fn idle(&self) {
        let all = self.limits.running + self.limits.waiting;
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        // It fails only when the lane is closed, and none ever is.
        let _ = self.places.acquire_many(all).await;
    }

    /// Calls refused because the lane was full.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Calls running or waiting now.
    pub(crate) fn in_flight(&self) -> usize {
        let all = self.limits.running + self.limits.waiting;
        all.saturating_sub(self.places.available_permits())
    }
}

impl Place {
    /// Runs `call` on a blocking thread, when its turn comes. The call goes on to its end even when
    /// nobody waits for it any more, and holds its place until then.
    pub(crate) async fn run<T, F>(self, call: F) -> Result<T, Lost>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|_| Lost::Full)?;
        let task = tokio::task::spawn_blocking(move || {
            let answer = call();
            drop((running, self));
            answer
        });
        task.await.map_err(|_| Lost::Panicked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: LaneLimits = LaneLimits {
        running: 1,
        waiting: 1,
    };

    #[tokio::test]
    async fn beyond_its_places_a_lane_refuses_and_counts() {
        let lane = Lane::new(NARROW);
        let first = lane.place().expect("a place to run");
        let second = lane.place().expect("a place to wait");
        assert_eq!(lane.place().err(), Some(Lost::Full));
        assert_eq!((lane.refused(), lane.in_flight()), (1, 2));
        drop((first, second));
        assert_eq!(lane.run(|| 7).await, Ok(7));
        assert_eq!(lane.in_flight(), 0);
    }

    #[tokio::test]
    async fn a_lane_is_idle_when_the_last_place_is_given_back() {
        let lane = Lane::new(NARROW);
        lane.idle().await;
        let place = lane.place().expect("a place");
        let idle = lane.idle();
        tokio::pin!(idle);
        let has_ended = tokio::select! {
            biased;
            () = &mut idle => true,
            () = std::future::ready(()) => false,
        };
        assert!(!has_ended);
        assert_eq!(place.run(|| 7).await, Ok(7));
        idle.await;
        assert_eq!(lane.run(|| 8).await, Ok(8));
    }

    #[tokio::test]
    async fn a_panic_gives_its_place_back() {
        let lane = Lane::new(NARROW);
        let lost = lane.run(|| panic!("on purpose")).await;
        assert_eq!(lost, Err::<(), _>(Lost::Panicked));
        assert_eq!(lane.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn a_call_nobody_waits_for_keeps_its_place_to_the_end() {
        let lane = Lane::new(NARROW);
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let place = lane.place().expect("a place");
        let abandoned = tokio::spawn(place.run(move || {
            let _ = started.send(());
            let _ = released.recv();
        }));
        has_started.await.expect("the call starts");
        abandoned.abort();
        let _ = abandoned.await;
        assert_eq!(lane.in_flight(), 1);
        release.send(()).expect("the call still waits");
        assert_eq!(lane.run(|| 7).await, Ok(7));
    }
}
