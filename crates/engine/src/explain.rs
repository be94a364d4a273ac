//! Finds out why a search found nothing, by asking smaller questions.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cordwood_event::{Timestamp, path};
use cordwood_query::{Filter, Target, TimeBounds, near_names};
use cordwood_store::{Part, Snapshot};

use crate::{
    ClauseCount, Clock, Count, Emptiness, Engine, Error, Explanation, NearFields, Order, Position,
    SearchRequest, Total,
};

/// How many field names are compared with a missing one; the rest of a source with more is left out.
const KNOWN_NAMES_MAX: usize = 100_000;

pub(crate) fn explain_empty(
    engine: &Engine,
    snapshot: &Snapshot,
    request: &SearchRequest,
    emptiness: Emptiness,
    time: Duration,
) -> Result<Explanation, Error> {
    let started = engine.clock().now();
    let terms = terms_of(&request.filter);
    let mut inquiry = Inquiry {
        engine,
        snapshot,
        request,
        emptiness,
        range: request
            .range
            .intersection(request.filter.time_bounds(request.now)),
        allowance: Allowance {
            clock: engine.clock(),
            end: request
                .deadline
                .map_or(started + time, |deadline| deadline.min(started + time)),
            // The range, each term alone, each with those before it, before and after.
            questions_left: u32::try_from(2 * terms.len() + 3).unwrap_or(u32::MAX),
        },
    };
    let events_in_range = inquiry.count(Filter::All, inquiry.range)?;
    let clauses = inquiry.count_alone(&terms)?;
    let emptied_by = inquiry.emptied_by(&terms, &clauses, events_in_range)?;
    Ok(Explanation {
        events_in_range,
        clauses,
        emptied_by,
        nearest_before: inquiry.nearest_before(&terms)?,
        nearest_after: inquiry.nearest_after(&terms)?,
        elapsed: engine.clock().now().saturating_duration_since(started),
    })
}

/// The terms of the outermost conjunction.
fn terms_of(filter: &Filter) -> Vec<Filter> {
    match filter {
        Filter::All => Vec::new(),
        Filter::And(terms) => terms.clone(),
        term => vec![term.clone()],
    }
}

fn is_about_time_alone(term: &Filter) -> bool {
    let clauses = term.clauses();
    clauses.iter().all(|clause| clause.target == Target::Time)
}

/// Shares out the time among the questions still to come.
struct Allowance<'a> {
    clock: &'a Clock,
    end: Instant,
    questions_left: u32,
}

impl Allowance<'_> {
    fn next_deadline(&mut self) -> Instant {
        let now = self.clock.now();
        let share = self.end.saturating_duration_since(now) / self.questions_left.max(1);
        self.questions_left = self.questions_left.saturating_sub(1);
        now + share
    }
}

struct Inquiry<'a> {
    engine: &'a Engine,
    snapshot: &'a Snapshot,
    request: &'a SearchRequest,
    /// What is known of the request itself, so that it is not asked again.
    emptiness: Emptiness,
    /// The range of the request, narrowed by the filter's clauses on time.
    range: TimeBounds,
    allowance: Allowance<'a>,
}

impl Inquiry<'_> {
    fn question(&mut self, filter: Filter, range: TimeBounds) -> SearchRequest {
        SearchRequest {
            sources: self.request.sources.clone(),
            filter,
            range,
            order: Order::NewestFirst,
            limit: 0,
            after: None,
            up_to_sequence: self.request.up_to_sequence,
            after_sequence: self.request.after_sequence,
            total: Total::NotAsked,
            deadline: Some(self.allowance.next_deadline()),
            cancel: self.request.cancel.clone(),
            now: self.request.now,
        }
    }

    fn count(&mut self, filter: Filter, range: TimeBounds) -> Result<Count, Error> {
        let question = SearchRequest {
            total: Total::Count,
            ..self.question(filter, range)
        };
        let answer = self.engine.search(self.snapshot, &question)?;
        let matches = answer.total.unwrap_or(0);
        Ok(if answer.account.is_complete() {
            Count::Exactly(matches)
        } else {
            Count::AtLeast(matches)
        })
    }

    fn first(&mut self, filter: Filter, range: TimeBounds, order: Order) -> Result<First, Error> {
        let question = SearchRequest {
            limit: 1,
            order,
            ..self.question(filter, range)
        };
        let answer = self.engine.search(self.snapshot, &question)?;
        Ok(match answer.events.first() {
            Some(event) => First::At(event.id),
            None if answer.account.is_complete() => First::Nowhere,
            None => First::Unknown,
        })
    }

    fn count_alone(&mut self, terms: &[Filter]) -> Result<Vec<ClauseCount>, Error> {
        let missing = self.missing_fields(terms);
        let names = match missing.iter().all(Vec::is_empty) {
            true => BTreeSet::new(),
            false => self.known_names(),
        };
        let mut counts = Vec::new();
        for (term, missing) in terms.iter().zip(missing) {
            let matches = match terms.len() {
                1 if self.emptiness == Emptiness::Certain => Count::Exactly(0),
                _ => self.count_of(term)?,
            };
            counts.push(ClauseCount {
                clause: term.to_string(),
                matches,
                near_fields: near_fields(missing, &names),
            });
        }
        Ok(counts)
    }

    fn count_of(&mut self, term: &Filter) -> Result<Count, Error> {
        let range = match is_about_time_alone(term) {
            true => self.request.range,
            false => self.range,
        };
        self.count(term.clone(), range)
    }

    fn emptied_by(
        &mut self,
        terms: &[Filter],
        counts: &[ClauseCount],
        events_in_range: Count,
    ) -> Result<Option<usize>, Error> {
        if events_in_range.is_none() {
            // Nothing is there to be matched: if the filter says when, that is why.
            return Ok(terms.iter().position(is_about_time_alone));
        }
        if let Some(index) = counts.iter().position(|count| count.matches.is_none()) {
            return Ok(Some(index));
        }
        for end in 2..=terms.len() {
            if end == terms.len() && self.emptiness == Emptiness::Certain {
                return Ok(Some(end - 1));
            }
            let together = Filter::and(terms[..end].to_vec());
            match self.first(together, self.range, Order::NewestFirst)? {
                First::At(_) => {}
                First::Nowhere => return Ok(Some(end - 1)),
                First::Unknown => return Ok(None),
            }
        }
        Ok(None)
    }

    fn nearest_before(&mut self, terms: &[Filter]) -> Result<Option<Position>, Error> {
        let Some(last) = self.range.first.as_nanos().checked_sub(1) else {
            return Ok(None);
        };
        let before = TimeBounds {
            first: Timestamp::MIN,
            last: Timestamp::from_nanos(last),
        };
        self.first(without_time(terms), before, Order::NewestFirst)
            .map(First::position)
    }

    fn nearest_after(&mut self, terms: &[Filter]) -> Result<Option<Position>, Error> {
        let Some(first) = self.range.last.as_nanos().checked_add(1) else {
            return Ok(None);
        };
        let after = TimeBounds {
            first: Timestamp::from_nanos(first),
            last: Timestamp::MAX,
        };
        self.first(without_time(terms), after, Order::OldestFirst)
            .map(First::position)
    }

    /// The fields that each term names and no event in the range has. Most are found in the first block.
    fn missing_fields(&mut self, terms: &[Filter]) -> Vec<Vec<String>> {
        let mut fields: Vec<Vec<String>> = terms.iter().map(fields_of).collect();
        let mut missing: BTreeSet<String> = fields.iter().flatten().cloned().collect();
        self.each_path(&mut |path| {
            let name = path::name(path);
            missing.retain(|field| *field != *name && !is_inside(field, &name));
            !missing.is_empty()
        });
        for fields in &mut fields {
            fields.retain(|field| missing.contains(field));
        }
        fields
    }

    /// The names of all fields in the range, as a reader knows them, and those that need no column.
    fn known_names(&mut self) -> BTreeSet<String> {
        let without_column = [Target::Level, Target::Source];
        let mut names = BTreeSet::from(without_column.map(|target| target.name().to_owned()));
        self.each_path(&mut |path| {
            let name = path::name(path);
            if !names.contains(&*name) {
                names.insert(name.into_owned());
            }
            names.len() < KNOWN_NAMES_MAX
        });
        names
    }

    /// Visits the paths of all blocks and open rows in the range, many of them often, while `goes_on` says so. Of blocks whose
    /// rarest fields share a chunk, only the others: a field that rare is hardly the one that was meant.
    fn each_path(&mut self, goes_on: &mut dyn FnMut(&str) -> bool) {
        let everything = self.question(Filter::All, self.range);
        let budget = self.engine.budget(&everything);
        let (plan, _) = self.engine.plan(self.snapshot, &everything, &budget);
        let _ = plan.parts.iter().all(|part| match &part.part {
            Part::Open(rows) => rows.batch().paths().iter().all(|path| goes_on(path)),
            Part::Block(block) => {
                let mut columns = block.directory().columns.iter();
                columns.all(|column| goes_on(&column.path))
            }
        });
    }
}

/// Where the first match lies.
enum First {
    At(Position),
    Nowhere,
    /// Time did not suffice.
    Unknown,
}

impl First {
    fn position(self) -> Option<Position> {
        match self {
            First::At(position) => Some(position),
            First::Nowhere | First::Unknown => None,
        }
    }
}

fn without_time(terms: &[Filter]) -> Filter {
    let others = terms.iter().filter(|term| !is_about_time_alone(term));
    Filter::and(others.cloned().collect())
}

/// The fields a term names, each once.
fn fields_of(term: &Filter) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for clause in term.clauses() {
        if let Target::Field(field) = &clause.target
            && !fields.iter().any(|known| known == field.as_str())
        {
            fields.push(field.as_str().to_owned());
        }
    }
    fields
}

/// With each field that no event has the names that may have been meant.
fn near_fields(missing: Vec<String>, names: &BTreeSet<String>) -> Vec<NearFields> {
    let near = |missing: String| NearFields {
        near: near_names(&missing, names.iter().map(String::as_str))
            .into_iter()
            .map(str::to_owned)
            .collect(),
        missing,
    };
    missing.into_iter().map(near).collect()
}

/// Whether the field would lie inside an array stored under `name`.
fn is_inside(field: &str, name: &str) -> bool {
    field
        .strip_prefix(name)
        .is_some_and(|rest| rest.starts_with('.'))
}
