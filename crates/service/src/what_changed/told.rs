//! From what was found to what is answered: sentences, queries, and the account.

use std::time::Duration;

use cordwood_query::{Filter, Query, TimeBounds};

use super::answer::{
    Cause, Change, Evidence, PatternChange, QuietService, ServiceChange, ValueChange, WhatChanged,
    WhatChangedAccount, WindowAccount,
};
use super::causes::{Found, rates};
use super::counts::Counts;
use super::evidence::Direction;
use super::outcome::{Numbers, Outcome};
use super::patterns::FoundPattern;
use super::reading::Reading;
use super::windows::{Both, seconds};
use super::{Compared, Comparison, sentence, services, values};
use crate::retention::cut_by_retention;

impl Compared {
    pub(super) fn into_answer(
        self,
        reading: &Reading<'_>,
        comparison: Comparison,
        elapsed: Duration,
    ) -> WhatChanged {
        let told = Told {
            reading,
            query: &comparison.query,
        };
        let longer = seconds(reading.windows.current) / seconds(reading.windows.baseline);
        let outcomes = self.outcomes.iter().zip(&self.drifts).enumerate();
        let events = &self.whole.events;
        let is_comparable = self.notes.is_empty();
        let lone = |values: Vec<values::LoneValue>| if is_comparable { values } else { Vec::new() };
        let new_values = lone(values::new_values(events, longer)).into_iter();
        let vanished = lone(values::vanished_values(events, longer)).into_iter();
        let (unusual, quiet) = (self.services.errors, self.services.quiet);
        let notes = [self.notes, self.patterns.notes].concat();
        WhatChanged {
            changes: outcomes
                .map(|(index, (outcome, drift))| {
                    told.change(outcome, self.whole.totals(index), *drift)
                })
                .collect(),
            causes: self
                .causes
                .into_iter()
                .filter_map(|found| Some(told.cause(self.outcomes.get(found.outcome)?, found)))
                .collect(),
            services: unusual
                .into_iter()
                .map(|service| told.service(&self.errors, service))
                .collect(),
            quiet: quiet
                .into_iter()
                .map(|service| told.quiet(service))
                .collect(),
            new_values: new_values.map(|value| told.new_value(value)).collect(),
            vanished_values: vanished.map(|value| told.vanished_value(value)).collect(),
            new_patterns: told.patterns(self.patterns.new),
            vanished_patterns: told.patterns(self.patterns.vanished),
            changed_patterns: told.patterns(self.patterns.changed),
            account: account_of(reading, &comparison, (events, notes), elapsed),
            hints: comparison.hints,
        }
    }
}

fn account_of(
    reading: &Reading<'_>,
    comparison: &Comparison,
    (events, mut notes): (&Both<Counts>, Vec<String>),
    elapsed: Duration,
) -> WhatChangedAccount {
    let read = &reading.account;
    let reasons: Vec<String> = read.incomplete.iter().map(ToString::to_string).collect();
    let windows = reading.windows.zip(events.as_ref()).zip(read.blocks);
    let (sources, now) = (&comparison.sources, comparison.now);
    let windows = windows.map(|((window, counts), blocks)| WindowAccount {
        from: window.first,
        to: window.last,
        events: counts.total,
        kept_from: cut_by_retention(sources, window, reading.snapshot, now),
        blocks,
    });
    let names = [
        ("window", &windows.current),
        ("baseline", &windows.baseline),
    ];
    notes.extend(names.into_iter().filter_map(|(name, window)| {
        let kept_from = window.kept_from.values().max()?;
        Some(format!(
            "some events of the {name} are not kept any more: from {kept_from} on all are"
        ))
    }));
    WhatChangedAccount {
        query: comparison.query.to_string(),
        windows,
        complete: reasons.is_empty(),
        incomplete_reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        notes,
        sources: comparison.sources.iter().map(|source| source.id).collect(),
        rows_scanned: read.rows_scanned,
        bytes_scanned: read.bytes_scanned,
        counts: read.questions,
        elapsed,
    }
}

/// What is told of the events that match a query.
struct Told<'a> {
    reading: &'a Reading<'a>,
    query: &'a Query,
}

impl Told<'_> {
    fn change(&self, outcome: &Outcome, numbers: Numbers, everywhere: f64) -> Change {
        let rates = rates(outcome, numbers, self.reading);
        Change {
            sentence: sentence::of_change(&outcome.kind, numbers, rates, everywhere),
            everywhere,
            shown_by: self.shown_by(vec![outcome.filter.clone()], self.current()),
            kind: outcome.kind.clone(),
            events: numbers.events,
            hits: numbers.hits,
            rates,
        }
    }

    fn cause(&self, outcome: &Outcome, found: Found) -> Cause {
        let rates = rates(outcome, found.numbers, self.reading);
        let direction = found.observation.direction();
        let window = match (direction, found.numbers.hits.current) {
            (Direction::Down, 0) => self.reading.windows.baseline,
            _ => self.current(),
        };
        let filters = vec![found.part.filter(), outcome.filter.clone()];
        Cause {
            sentence: sentence::of_cause(&outcome.kind, &found, rates),
            shown_by: self.shown_by(filters, window),
            kind: outcome.kind.clone(),
            direction,
            values: found.part.values().to_vec(),
            events: found.numbers.events,
            hits: found.numbers.hits,
            rates,
            expected: found.observation.expected,
            explained: found.explained,
            score: found.observation.evidence(),
            alike: found.alike,
        }
    }

    fn service(&self, errors: &Outcome, found: services::ServiceErrors) -> ServiceChange {
        let filters = vec![found.service.filter(), errors.filter.clone()];
        ServiceChange {
            sentence: sentence::of_service(&found.service, found.rate, found.usual),
            shown_by: self.shown_by(filters, self.current()),
            service: found.service,
            events: found.events,
            errors: found.errors,
            rate: found.rate,
            usual: found.usual,
            score: found.evidence,
        }
    }

    fn quiet(&self, found: services::QuietService) -> QuietService {
        let baseline = self.reading.windows.baseline;
        QuietService {
            sentence: sentence::of_quiet(&found.service, found.events.current, found.usual),
            shown_by: self.shown_by(vec![found.service.filter()], baseline),
            service: found.service,
            events: found.events,
            usual: found.usual,
            last_seen: found.last_seen,
        }
    }

    fn new_value(&self, found: values::LoneValue) -> ValueChange {
        ValueChange {
            sentence: sentence::of_new(&found.value, found.events),
            shown_by: self.shown_by(vec![found.value.filter()], self.current()),
            value: found.value,
            events: Both {
                current: found.events,
                baseline: 0,
            },
        }
    }

    fn vanished_value(&self, found: values::LoneValue) -> ValueChange {
        let baseline = self.reading.windows.baseline;
        ValueChange {
            sentence: sentence::of_vanished(&found.value, found.events),
            shown_by: self.shown_by(vec![found.value.filter()], baseline),
            value: found.value,
            events: Both {
                current: 0,
                baseline: found.events,
            },
        }
    }

    fn patterns(&self, found: Vec<FoundPattern>) -> Vec<PatternChange> {
        found.into_iter().map(|found| self.pattern(found)).collect()
    }

    fn pattern(&self, found: FoundPattern) -> PatternChange {
        let window = match found.events.current {
            0 => self.reading.windows.baseline,
            _ => self.current(),
        };
        let is_unseen = found.first_seen >= self.current().first;
        PatternChange {
            sentence: sentence::of_pattern(&found, is_unseen),
            shown_by: self.shown_by(vec![found.filter], window),
            id: found.id,
            pattern: found.text,
            direction: found.observation.direction(),
            events: found.events,
            levels: found.levels,
            expected: found.observation.expected,
            first_seen: found.first_seen,
            is_unseen,
            score: found.observation.evidence(),
            example: found.example,
        }
    }

    fn current(&self) -> TimeBounds {
        self.reading.windows.current
    }

    fn shown_by(&self, filters: Vec<Filter>, window: TimeBounds) -> Evidence {
        let filters = std::iter::once(self.query.filter.clone()).chain(filters);
        Evidence {
            query: Filter::and(filters.collect()).to_string(),
            from: window.first,
            to: window.last,
        }
    }
}
