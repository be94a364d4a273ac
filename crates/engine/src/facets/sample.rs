//! The values of several fields in the newest events that match, looked at once for all of them.

use std::ops::ControlFlow;
use std::sync::Arc;

use cordwood_event::{Number, Scalar};
use cordwood_query::Target;
use cordwood_store::column::ScalarKind;

use super::{Asking, Coverage, Distinct, Facet, SAMPLED_EVENTS, admitted, is_surveyed};
use crate::survey::Variety;
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
        sampled: &[(usize, Box<str>, Variety)],
        facets: &mut [Facet],
    ) -> Result<(), Error> {
        if sampled.is_empty() {
            return Ok(());
        }
        let memory = self.engine.means(&self.request.search).memory;
        let Some(_reserved) = memory.try_reserve(sampled.len() as u64 * TALLIES_BYTES) else {
            self.account.incomplete.push(Incomplete::Memory);
            return Ok(());
        };
        let found = self.sample(sampled)?;
        let is_surveyed = is_surveyed(&self.request.search.filter);
        for ((index, name, variety), tally) in sampled.iter().zip(found.fields) {
            let Some(facet) = facets.get_mut(*index) else {
                continue;
            };
            facet.looked_at = found.events;
            facet.values = tally.values.top(self.request.values_max);
            let is_all = found.events == self.matching()
                && tally.values.is_whole()
                && *variety == Variety::Few;
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

    fn sample(&mut self, sampled: &[(usize, Box<str>, Variety)]) -> Result<Sampled, Error> {
        // Of many texts no list is made, and where they are is told without them.
        let read = sampled
            .iter()
            .filter(|(.., variety)| *variety != Variety::Many);
        let request = ScanRequest {
            search: SearchRequest {
                sources: admitted(&self.request.search),
                ..self.request.search.clone()
            },
            extent: Extent::All,
            fields: read.map(|(_, name, _)| Target::named(name)).collect(),
        };
        let fields = sampled
            .iter()
            .map(|(_, name, variety)| (name.clone(), *variety));
        let gather = Arc::new(Tallying {
            fields: fields.collect(),
        });
        let mut all = Sampled::of(sampled.len());
        // Parts are handed out with the newest events first.
        let account = self
            .engine
            .scan(self.snapshot, &request, &gather, &mut |found| {
                all.merge(found);
                match all.events < SAMPLED_EVENTS {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
        self.account.include(&account);
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
    fn add(&mut self, value: Scalar<'_>, events: u64) {
        self.events += events;
        self.kinds = self
            .kinds
            .union(FieldKinds::from_iter([ScalarKind::of(value)]));
        if let Some(number) = value.as_number() {
            self.widen(number);
        }
        self.values.add(value, events);
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
    fields: Vec<(Box<str>, Variety)>,
}

impl Gather for Tallying {
    type Gathered = Sampled;

    fn gather(&self, rows: &ScannedRows<'_>) -> Result<Sampled, Unread> {
        let mut found = Sampled::of(self.fields.len());
        found.events = rows.len() as u64;
        let mut read = 0;
        for (tally, (name, variety)) in found.fields.iter_mut().zip(&self.fields) {
            match variety {
                Variety::Many => {
                    tally.events = rows.count_having(name)?;
                    continue;
                }
                Variety::Numbers => tally.values.give_up(),
                Variety::Few => {}
            }
            rows.each_different(read, &mut |value, events| tally.add(value, events))?;
            read += 1;
        }
        Ok(found)
    }
}
