//! Scenarios of sources, tokens and permissions, on a real data directory with a clock of our own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cordwood_event::Timestamp;
use cordwood_service::{Access, Caller, Clock, Options, Scope, Service};

#[derive(Debug)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

fn open(dir: &Path) -> (Service, Arc<TestClock>) {
    let start = Timestamp::parse_rfc3339("2026-03-27T10:00:00Z").unwrap();
    let clock = Arc::new(TestClock(AtomicI64::new(start.as_nanos())));
    let options = Options {
        clock: clock.clone(),
        ..Options::new(dir)
    };
    (Service::open(options).unwrap(), clock)
}

fn cli(service: &Service) -> Caller {
    let path = service.options().data_dir.join("cli-token");
    let token = std::fs::read_to_string(path).unwrap();
    service.authenticate(token.trim()).unwrap()
}

#[test]
fn the_first_start_makes_a_source_and_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let (service, _) = open(dir.path());
    let first = service.first_start().unwrap();
    assert_eq!(first.source.name, "default");
    assert_eq!(first.source_token.reveal().len(), 24);
    assert_eq!(cli(&service).access(), Access::Admin);
    drop(service);
    let (service, _) = open(dir.path());
    assert!(service.first_start().is_none());
    assert_eq!(cli(&service).scope(), &Scope::AllClients);
}
