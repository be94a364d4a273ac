//! The values of several fields in the newest events that match, looked at once for all of them.

use std::ops::ControlFlow;
use std::sync::Arc;

use cordwood_event::{Number, Scalar};
use cordwood_query::Target;
use cordwood_store::column::ScalarKind;

use super::{
    Asking, Coverage, Distinct, Facet, MATCHING_EVENTS, SAMPLED_EVENTS, admitted, is_surveyed,
};
use crate::value_tally::ValueTally;
use crate::{
    Cell, Error, Extent, FieldKinds, Gather, Incomplete, ScanRequest, ScannedRows, SearchRequest,
    Survey, Unread,
};

/// Memory for the values of one field: those found so far, and those of the parts that threads are at.
const TALLIES_BYTES: u64 = 4 << 20;

impl Asking<'_> {
    /// Completes facets, by their index, with what a sample says of them.
    pub(super) fn fill_from_sample(
        &mut self,
        survey: &Survey,
        sampled: &[(usize, Box<str>)],
        facets: &mut [Facet],
    ) -> Result<(), Error> {
        if sampled.is_empty() {
            return Ok(());
        }
        let memory = self.engine.means(&self.request.search).memory;
        let Some(_reserved) = memory.try_reserve(sampled.len() as u64 * TALLIES_BYTES) else {
            self.note_incomplete(Incomplete::Memory);
            return Ok(());
        };
        let found = self.sample(sampled)?;
        let is_surveyed = is_surveyed(&self.request.search.filter);
        for ((index, name), tally) in sampled.iter().zip(found.fields) {
            let Some(facet) = facets.get_mut(*index) else {
                continue;
            };
            facet.looked_at = found.events;
            facet.values = tally.values.top(self.request.values_max);
            let is_all = found.events == self.matching() && tally.values.is_whole();
            facet.distinct = match is_all {
                true => Distinct::Exactly(tally.values.distinct()),
                false => Distinct::AtLeast(tally.values.distinct()),
            };
            if is_surveyed {
                let surveyed = survey.fields.get(name).map(|field| field.distinct_min);
                facet.distinct = facet.distinct.or_more(surveyed.unwrap_or(0));
            } else {
                facet.coverage = Coverage {
                    events: tally.events,
                    of: found.events,
                };
                facet.numbers = tally.numbers();
            }
        }
        Ok(())
    }

    fn sample(&mut self, sampled: &[(usize, Box<str>)]) -> Result<Sampled, Error> {
        let events_max = match is_surveyed(&self.request.search.filter) {
            true => SAMPLED_EVENTS,
            false => MATCHING_EVENTS,
        };
        let request = ScanRequest {
            search: SearchRequest {
                sources: admitted(&self.request.search),
                ..self.request.search.clone()
            },
            extent: Extent::All,
            fields: sampled
                .iter()
                .map(|(_, name)| Target::named(name))
                .collect(),
        };
        let gather = Arc::new(Tallying {
            fields: sampled.len(),
        });
        let mut all = Sampled::of(sampled.len());
        // Parts are handed out with the newest events first.
        let account = self
            .engine
            .scan(self.snapshot, &request, &gather, &mut |found| {
                all.merge(found);
                match all.events < events_max {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
        self.note(&account);
        Ok(all)
    }
}

impl Distinct {
    fn or_more(self, distinct_min: u64) -> Distinct {
        match self {
            Distinct::AtLeast(events) => Distinct::AtLeast(events.max(distinct_min)),
            exact => exact,
        }
    }
}

/// What some events have in some fields.
#[derive(Debug)]
struct Sampled {
    events: u64,
    fields: Vec<FieldTally>,
}

/// What they have in one.
#[derive(Debug, Default)]
struct FieldTally {
    events: u64,
    kinds: FieldKinds,
    ends: Option<(Number, Number)>,
    values: ValueTally,
}

impl Sampled {
    fn of(fields: usize) -> Sampled {
        let fields = (0..fields).map(|_| FieldTally::default());
        Sampled {
            events: 0,
            fields: fields.collect(),
        }
    }

    fn merge(&mut self, other: Sampled) {
        self.events += other.events;
        for (field, more) in self.fields.iter_mut().zip(other.fields) {
            field.events += more.events;
            field.kinds = field.kinds.union(more.kinds);
            if let Some((least, greatest)) = more.ends {
                field.widen(least);
                field.widen(greatest);
            }
            field.values.merge(more.values);
        }
    }
}

impl FieldTally {
    fn add(&mut self, value: Scalar<'_>) {
        self.events += 1;
        self.kinds = self
            .kinds
            .union(FieldKinds::from_iter([ScalarKind::of(value)]));
        if let Some(number) = value.as_number() {
            self.widen(number);
        }
        self.values.add(value, 1);
    }

    fn widen(&mut self, number: Number) {
        self.ends = Some(match self.ends {
            None => (number, number),
            Some((least, greatest)) => (
                if number.compare(least).is_lt() {
                    number
                } else {
                    least
                },
                if number.compare(greatest).is_gt() {
                    number
                } else {
                    greatest
                },
            ),
        });
    }

    /// The least and the greatest value, if all are numbers.
    fn numbers(&self) -> Option<(Cell, Cell)> {
        let are_numbers = self.kinds.are_within(&[ScalarKind::Int, ScalarKind::Float]);
        let (least, greatest) = self.ends.filter(|_| are_numbers)?;
        Some((Cell::of_number(least), Cell::of_number(greatest)))
    }
}

/// Makes a sample of the rows of a part.
struct Tallying {
    fields: usize,
}

impl Gather for Tallying {
    type Gathered = Sampled;

    fn gather(&self, rows: &ScannedRows<'_>) -> Result<Sampled, Unread> {
        let mut found = Sampled::of(self.fields);
        found.events = rows.len() as u64;
        for (index, field) in found.fields.iter_mut().enumerate() {
            rows.each_value(index, &mut |value| {
                if let Some(value) = value {
                    field.add(value);
                }
            })?;
        }
        Ok(found)
    }
}
