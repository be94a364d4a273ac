//! Facets: the fields of what a filter finds, each with its commonest values.
//!
//! Everything that directories count is taken from a [`Survey`]. What they do not count is looked up in a sample of the
//! newest events that match; of fields that are asked for by name it is counted over all of them. Each facet says in how many
//! events its numbers were found.

mod exact;
mod sample;

use cordwood_query::{Filter, Target, Test};
use cordwood_store::Snapshot;

use crate::survey::Variety;
use crate::value_tally::{VALUES_MAX, ValueTally};
use crate::{
    Account, Cell, Count, Engine, Error, FieldKinds, SearchRequest, SearchedSource, Survey,
    SurveyedField, Total, ValueCount,
};

/// Fields whose values are shown unless some are named: as many as a panel beside the events shows.
pub const FACETS_DEFAULT: usize = 20;

/// Events of a sample, at least where there are so many: several blocks' worth, looked at in tens of milliseconds.
const SAMPLED_EVENTS: u64 = 50_000;

/// A question for facets.
#[derive(Clone, Debug)]
pub struct FacetsRequest {
    /// Which events: its order, limit and total do not count.
    pub search: SearchRequest,
    /// The fields whose values are asked for, all matching events counted; none for the commonest, of a sample where
    /// counting would mean to read.
    pub fields: Vec<String>,
    /// How many values of each.
    pub values_max: usize,
}

/// The facets of some events.
#[derive(Debug)]
pub struct Facets {
    /// How many events match.
    pub matches: Count,
    /// The fields asked for.
    pub facets: Vec<Facet>,
    /// All fields of the range, whether they match or not. Its account is a part of the other.
    pub survey: Survey,
    /// What was read, and what may be missing.
    pub account: Account,
}

/// A field with its commonest values.
#[derive(Clone, Debug)]
pub struct Facet {
    /// As a query names it.
    pub name: Box<str>,
    /// The kinds its values have anywhere in the range.
    pub kinds: FieldKinds,
    /// Whether programs disagree about its type.
    pub is_in_conflict: bool,
    /// In how many events it is there and not null.
    pub coverage: Coverage,
    /// How many events were looked at for what follows.
    pub looked_at: u64,
    /// How many different values it has.
    pub distinct: Distinct,
    /// The commonest values; none where they are too many or too long to be listed, unless the field was named.
    pub values: Vec<ValueCount>,
    /// The least and the greatest value, if all are numbers.
    pub numbers: Option<(Cell, Cell)>,
}

/// In how many of some events a field is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// In so many.
    pub events: u64,
    /// Of so many.
    pub of: u64,
}

/// How many different values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distinct {
    /// So many.
    Exactly(u64),
    /// About so many: estimated.
    About(u64),
    /// So many or more.
    AtLeast(u64),
}

impl Engine {
    /// Finds the facets of the events that match. Blocks the caller as [`Engine::search`] does, and as there, whatever cuts it
    /// short is said in the account.
    pub fn facets(&self, snapshot: &Snapshot, request: &FacetsRequest) -> Result<Facets, Error> {
        let started = self.clock().now();
        let survey = self.survey(snapshot, &request.search)?;
        let mut asking = Asking {
            engine: self,
            snapshot,
            request,
            account: survey.account.clone(),
            matches: Count::Exactly(survey.events),
        };
        if !survey.account.is_complete() {
            asking.matches = Count::AtLeast(survey.events);
        }
        let facets = asking.facets(&survey)?;
        let (matches, mut account) = (asking.matches, asking.account);
        account.elapsed = self.clock().now().saturating_duration_since(started);
        Ok(Facets {
            matches,
            facets,
            survey,
            account,
        })
    }
}

/// A question for facets under way.
struct Asking<'a> {
    engine: &'a Engine,
    snapshot: &'a Snapshot,
    request: &'a FacetsRequest,
    account: Account,
    matches: Count,
}

impl Asking<'_> {
    fn facets(&mut self, survey: &Survey) -> Result<Vec<Facet>, Error> {
        let is_surveyed = is_surveyed(&self.request.search.filter);
        if !is_surveyed {
            self.count_matches()?;
        }
        let is_named = !self.request.fields.is_empty();
        let mut facets = Vec::new();
        let mut sampled = Vec::new();
        for name in self.wanted(survey) {
            let field = survey.fields.get(&*name).cloned().unwrap_or_default();
            if !matches!(Target::named(&name), Target::Field(_)) {
                facets.push(self.of_head(&name)?);
            } else if is_surveyed && let Some(values) = &field.values {
                facets.push(self.of_survey(&name, &field, values));
            } else if is_named {
                let facet = self.of_all_matches(&name, &field)?;
                facets.push(facet);
            } else {
                // Of a field with many values there is nothing to list; how many events have it is known of all.
                if !is_surveyed || field.variety == Variety::Few {
                    sampled.push((facets.len(), name.clone(), field.variety));
                }
                facets.push(self.of_survey(&name, &field, &ValueTally::default()));
            }
        }
        self.fill_from_sample(survey, &sampled, &mut facets)?;
        Ok(facets)
    }

    /// The names of the fields asked for, or those of the commonest, after the level and the source, which every event has.
    fn wanted(&self, survey: &Survey) -> Vec<Box<str>> {
        if !self.request.fields.is_empty() {
            let named = self.request.fields.iter();
            return named.map(|name| name.as_str().into()).collect();
        }
        let mut commonest: Vec<(&Box<str>, u64)> = survey
            .fields
            .iter()
            .map(|(name, field)| (name, field.events))
            .collect();
        commonest.sort_by(|(a, a_events), (b, b_events)| b_events.cmp(a_events).then(a.cmp(b)));
        let heads = ["level", "_source"].map(Box::from);
        let commonest = commonest.into_iter().take(FACETS_DEFAULT);
        let commonest = commonest.map(|(name, _)| name.clone());
        heads.into_iter().chain(commonest).collect()
    }

    fn count_matches(&mut self) -> Result<(), Error> {
        let counting = SearchRequest {
            limit: 0,
            after: None,
            total: Total::Count,
            ..self.request.search.clone()
        };
        let counted = self.engine.search(self.snapshot, &counting)?;
        let total = counted.total.unwrap_or(0);
        self.matches = match counted.account.is_complete() {
            true => Count::Exactly(total),
            false => Count::AtLeast(total),
        };
        // What the question is about is said by its own account.
        let surveyed = std::mem::replace(&mut self.account, counted.account);
        self.account.include(&surveyed);
        Ok(())
    }

    /// What the survey alone says of a field, where it says of all that match.
    fn of_survey(&self, name: &str, field: &SurveyedField, values: &ValueTally) -> Facet {
        let events = self.matching();
        Facet {
            name: name.into(),
            kinds: field.kinds,
            is_in_conflict: field.is_in_conflict(),
            coverage: Coverage {
                events: field.events,
                of: events,
            },
            looked_at: events,
            distinct: distinct_of(field.values.as_ref(), field.distinct_min),
            values: values.top(self.request.values_max),
            numbers: field
                .numbers
                .map(|range| (Cell::of_number(range.min), Cell::of_number(range.max))),
        }
    }

    fn matching(&self) -> u64 {
        match self.matches {
            Count::Exactly(events) | Count::AtLeast(events) => events,
        }
    }
}

fn distinct_of(values: Option<&ValueTally>, distinct_min: u64) -> Distinct {
    match values {
        Some(values) if values.is_whole() => Distinct::Exactly(values.distinct()),
        _ => Distinct::AtLeast(distinct_min),
    }
}

/// Whether a survey of the times and sources of a filter is one of all that it finds.
fn is_surveyed(filter: &Filter) -> bool {
    match filter {
        Filter::All => true,
        Filter::And(terms) => terms.iter().all(is_surveyed),
        Filter::Clause(clause) => match clause.target {
            Target::Time => matches!(clause.test, Test::Time(_)),
            Target::Source => true,
            _ => false,
        },
        Filter::Or(_) | Filter::Not(_) => false,
    }
}

/// Whether groups that were counted are all there are.
fn is_whole(groups: usize) -> bool {
    groups < VALUES_MAX
}

/// The sources of a request that can hold a match.
fn admitted(request: &SearchRequest) -> Vec<SearchedSource> {
    let sources = request.sources.iter();
    let sources = sources.filter(|source| request.filter.admits_source(source.id, &source.name));
    sources.cloned().collect()
}
