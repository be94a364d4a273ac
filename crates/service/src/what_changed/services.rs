//! Each service against its own past: whether its errors are more than usual, and whether it has gone quiet.

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use cordwood_query::{Filter, TimeBounds};
use serde::{Deserialize, Serialize};

use super::evidence::{EVIDENCE_MIN, Observation, PRIOR_EVENTS, TOLERATED};
use super::fields::ComparedField;
use super::outcome::{Outcome, float};
use super::part::FieldValue;
use super::reading::Reading;
use super::windows::{Both, past};
use crate::Error;

/// Services that are told of, those that changed most first.
const SERVICES_MAX: usize = 20;
/// From fewer events in a window no rate is told.
const EVENTS_MIN: f64 = 20.0;
/// From fewer windows no spread is told.
const WINDOWS_MIN: usize = 3;
/// So many times the spread is beyond what is usual: of a hundred usual windows one is.
const SPREADS: f64 = 3.0;
/// With so much less than usual a service has gone quiet.
const QUIET_SHARE: f64 = 0.1;

/// What is usual: the mean over past windows and how far they lie from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub spread: f64,
    /// Over how many windows.
    pub windows: usize,
}

/// A service whose errors are not what they usually are.
#[derive(Clone, Debug)]
pub(super) struct ServiceErrors {
    pub(super) service: FieldValue,
    pub(super) events: Both<u64>,
    pub(super) errors: Both<u64>,
    pub(super) rate: f64,
    pub(super) usual: Usual,
    pub(super) evidence: f64,
}

/// A service of which next to nothing came.
#[derive(Clone, Debug)]
pub(super) struct QuietService {
    pub(super) service: FieldValue,
    pub(super) events: Both<u64>,
    pub(super) usual: Usual,
    pub(super) last_seen: Option<Timestamp>,
}

/// What became of the services.
#[derive(Clone, Debug, Default)]
pub(super) struct ServicesSeen {
    pub(super) errors: Vec<ServiceErrors>,
    pub(super) quiet: Vec<QuietService>,
}

/// The numbers of one service, window by window.
#[derive(Clone, Debug, Default)]
struct Record {
    current: (u64, u64),
    baseline: (u64, u64),
    /// Events and errors of past windows, those in which no service had any left out.
    past: Vec<(u64, u64)>,
}

/// Compares each value of `field` with its own past.
pub(super) fn compare(
    reading: &mut Reading<'_>,
    field: &ComparedField,
    errors: &Outcome,
) -> Result<ServicesSeen, Error> {
    let records = records(reading, field, errors)?;
    let mut seen = ServicesSeen::default();
    for (value, record) in records {
        let service = FieldValue {
            field: field.name.clone(),
            value,
        };
        match quiet(&record) {
            Some(usual) => seen.quiet.push(QuietService {
                last_seen: reading.last_seen(service.filter())?,
                events: record.events(),
                service,
                usual,
            }),
            None => seen.errors.extend(unusual_errors(service, &record)),
        }
        if reading.is_cut() {
            break;
        }
    }
    seen.errors
        .sort_by(|a, b| b.evidence.total_cmp(&a.evidence));
    seen.errors.truncate(SERVICES_MAX);
    seen.quiet
        .sort_by(|a, b| b.usual.mean.total_cmp(&a.usual.mean));
    seen.quiet.truncate(SERVICES_MAX);
    Ok(seen)
}

/// The numbers of every service that was seen in any of the windows.
fn records(
    reading: &mut Reading<'_>,
    field: &ComparedField,
    errors: &Outcome,
) -> Result<BTreeMap<String, Record>, Error> {
    let mut records: BTreeMap<String, Record> = BTreeMap::new();
    let windows = reading.windows;
    let of_window = numbers(reading, windows.current, field, errors)?;
    for (value, numbers) in of_window {
        records.entry(value).or_default().current = numbers;
    }
    let of_baseline = numbers(reading, windows.baseline, field, errors)?;
    for (value, numbers) in &of_baseline {
        records.entry(value.clone()).or_default().baseline = *numbers;
    }
    let mut windows_before = 0;
    for window in past(windows) {
        if reading.is_cut() {
            break;
        }
        let of_window = match window == windows.baseline {
            true => of_baseline.clone(),
            false => numbers(reading, window, field, errors)?,
        };
        if of_window.is_empty() {
            continue;
        }
        for (value, numbers) in of_window {
            let record = records.entry(value).or_default();
            // Of windows before it was first seen it is known that it had nothing.
            record.past.resize(windows_before, (0, 0));
            record.past.push(numbers);
        }
        windows_before += 1;
        records
            .values_mut()
            .for_each(|record| record.past.resize(windows_before, (0, 0)));
    }
    Ok(records)
}

/// Events and errors by service.
fn numbers(
    reading: &mut Reading<'_>,
    window: TimeBounds,
    field: &ComparedField,
    errors: &Outcome,
) -> Result<BTreeMap<String, (u64, u64)>, Error> {
    let fields = std::slice::from_ref(field);
    let filters = [Filter::All, errors.filter.clone()];
    let (counts, _) = reading.count(window, &filters, fields)?;
    let rows_of = |case: usize| {
        let counts = counts
            .get(case)
            .and_then(|counts| counts.field(&field.name));
        counts.map(|counts| counts.rows.clone()).unwrap_or_default()
    };
    let errors = rows_of(1);
    let with_errors = rows_of(0).into_iter().map(|(value, rows)| {
        let errors = errors.get(&value).copied();
        (value, (rows, errors.unwrap_or(0)))
    });
    Ok(with_errors.collect())
}

impl Record {
    fn events(&self) -> Both<u64> {
        Both {
            current: self.current.0,
            baseline: self.baseline.0,
        }
    }
}

/// What was usual of a service that has gone quiet; `None` if it has not.
fn quiet(record: &Record) -> Option<Usual> {
    let events = record.past.iter().map(|(events, _)| float(*events));
    let usual = usual(events.collect())?;
    let chance = usual.mean.sqrt();
    let least = usual.mean - SPREADS * usual.spread.max(chance);
    let observed = float(record.current.0);
    let is_quiet =
        usual.mean >= EVENTS_MIN && observed <= usual.mean * QUIET_SHARE && observed < least;
    is_quiet.then_some(usual)
}

/// The errors of a service if there are more of them, or fewer, than usual.
fn unusual_errors(service: FieldValue, record: &Record) -> Option<ServiceErrors> {
    let enough = record
        .past
        .iter()
        .filter(|(events, _)| float(*events) >= EVENTS_MIN);
    let rates = enough.map(|(events, errors)| float(*errors) / float(*events));
    let usual = usual(rates.collect())?;
    let events = float(record.current.0);
    if events < EVENTS_MIN {
        return None;
    }
    let rate = float(record.current.1) / events;
    // A rate of none in a few windows is not certain to be none.
    let mean = usual.mean.max(0.5 / PRIOR_EVENTS.max(events));
    let evidence = Observation {
        observed: float(record.current.1),
        expected: events * mean,
    }
    .evidence();
    let is_beyond = (rate - usual.mean).abs() > SPREADS * usual.spread
        && (rate > usual.mean * TOLERATED || rate < usual.mean / TOLERATED);
    (is_beyond && evidence >= EVIDENCE_MIN).then(|| ServiceErrors {
        service,
        events: record.events(),
        errors: Both {
            current: record.current.1,
            baseline: record.baseline.1,
        },
        rate,
        usual,
        evidence,
    })
}

/// `None` of too few windows.
fn usual(values: Vec<f64>) -> Option<Usual> {
    if values.len() < WINDOWS_MIN {
        return None;
    }
    let count = float(values.len() as u64);
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some(Usual {
        mean,
        spread: (squares / (count - 1.0)).sqrt(),
        windows: values.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(current: (u64, u64), past: &[(u64, u64)]) -> Record {
        Record {
            current,
            baseline: past[0],
            past: past.to_vec(),
        }
    }

    fn service() -> FieldValue {
        FieldValue {
            field: "service".to_owned(),
            value: "api".to_owned(),
        }
    }

    #[test]
    fn errors_are_told_when_they_are_beyond_the_spread() {
        let steady = [(1000, 4), (1000, 5), (1000, 3), (1000, 4)];
        let more = unusual_errors(service(), &record((1000, 60), &steady)).unwrap();
        assert!((more.rate - 0.06).abs() < 1e-9 && (more.usual.mean - 0.004).abs() < 1e-9);
        assert!(unusual_errors(service(), &record((1000, 6), &steady)).is_none());
        // As many are nothing special for one that often has as many.
        let restless = [(1000, 4), (1000, 90), (1000, 3), (1000, 70)];
        assert!(unusual_errors(service(), &record((1000, 60), &restless)).is_none());
        // Too little is known.
        assert!(unusual_errors(service(), &record((1000, 60), &steady[..2])).is_none());
        assert!(unusual_errors(service(), &record((10, 9), &steady)).is_none());
    }

    #[test]
    fn a_service_is_quiet_when_it_used_not_to_be() {
        let steady = [(1000, 0), (1100, 0), (900, 0)];
        assert!(quiet(&record((0, 0), &steady)).is_some());
        assert!(quiet(&record((90, 0), &steady)).is_some());
        assert!(quiet(&record((500, 0), &steady)).is_none());
        assert!(
            quiet(&record((0, 0), &[(9, 0), (11, 0), (10, 0)])).is_none(),
            "it never said much"
        );
        assert!(
            quiet(&record((0, 0), &[(3000, 0), (0, 0), (0, 0), (0, 0)])).is_none(),
            "a job that runs now and then"
        );
    }
}
