//! Which fields the events of a range have, in how many of them, and what is known of their values: a survey from the
//! directories of blocks.
//!
//! Only rows that no directory counts are looked at: those not in blocks yet, and those of blocks that lie across an end of
//! the range or hold deleted rows. So a survey costs the same however many events there are in a block.

mod of_part;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cordwood_event::path;
use cordwood_query::{Filter, Target};
use cordwood_store::block::{NumberRange, ValueCounts};
use cordwood_store::column::{Dictionary, ScalarKind};
use cordwood_store::{Part, Reservation, Snapshot};

use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::fields::KnownKinds;
use crate::matching::PartRows;
use crate::part::PartAnswer;
use crate::plan::{Plan, PlannedPart};
use crate::run::{Quest, Run};
use crate::value_tally::ValueTally;
use crate::{Account, Engine, Error, FieldKinds, Incomplete, SearchRequest, Total};

pub(crate) use of_part::Variety;
use of_part::{Fact, FieldFacts, Numbers, PartFacts, ValuesOfPart};

/// Fields that are told apart. A list with more is not read by anybody; those met first are kept.
const FIELDS_MAX: usize = 10_000;

/// Memory for the values of all fields together; those of the commonest are kept.
const VALUES_BYTES_MAX: u64 = 32 << 20;

/// The fields of some events.
#[derive(Debug)]
pub struct Survey {
    /// How many events there are.
    pub events: u64,
    /// The fields by the names a query calls them by. `level`, `_source` and the time, which every event has, are not among
    /// them.
    pub fields: BTreeMap<Box<str>, SurveyedField>,
    /// Whether there are more fields than these.
    pub more: bool,
    /// What was read, and what may be missing.
    pub account: Account,
}

/// A field of some events.
#[derive(Clone, Debug, Default)]
pub struct SurveyedField {
    /// In how many events it is there and not null.
    pub events: u64,
    /// The kinds of its values but null; several of them where programs disagree.
    pub kinds: FieldKinds,
    /// The least and the greatest value, if all are numbers.
    pub numbers: Option<NumberRange>,
    /// How many different values it has at least.
    pub distinct_min: u64,
    /// Its values, if there are few of them in each block.
    pub(crate) values: Option<ValueTally>,
    pub(crate) variety: Variety,
}

impl SurveyedField {
    /// Whether the same field is text in some events and a number or a boolean in others.
    pub fn is_in_conflict(&self) -> bool {
        let has = |kind| self.kinds.has(kind);
        let is_number = has(ScalarKind::Int) || has(ScalarKind::Float);
        let kinds = [is_number, has(ScalarKind::Str), has(ScalarKind::Bool)];
        kinds.iter().filter(|has| **has).count() > 1
    }
}

impl Engine {
    /// Surveys the events that the sources of a request have in its range. Of its filter only the clauses that are about time
    /// or source alone count.
    pub fn survey(&self, snapshot: &Snapshot, request: &SearchRequest) -> Result<Survey, Error> {
        let started = self.clock().now();
        let everything = everything_of(request);
        let means = self.means(&everything);
        let (plan, planned) = self.plan(snapshot, &everything, &means.budget);
        let mut run = Run::new(&means, plan, planned);
        let mut surveying = Surveying {
            known: Arc::clone(self.known_kinds()),
            events: 0,
            fields: HashMap::new(),
            more: false,
        };
        run.pursue(&mut surveying)?;
        let mut account = run.account();
        let reserved = means.memory.try_reserve(VALUES_BYTES_MAX);
        let values_bytes_max = reserved.as_ref().map_or(0, Reservation::bytes);
        let (events, more) = (surveying.events, surveying.more);
        let fields = surveying.finish(values_bytes_max);
        account.elapsed = self.clock().now().saturating_duration_since(started);
        Ok(Survey {
            events,
            fields,
            more,
            account,
        })
    }
}

/// The request for all events in the times and sources that a request is about.
pub(crate) fn everything_of(request: &SearchRequest) -> SearchRequest {
    let bounds = request.filter.time_bounds(request.now);
    let sources = request.sources.iter();
    let sources = sources.filter(|source| request.filter.admits_source(source.id, &source.name));
    SearchRequest {
        sources: sources.cloned().collect(),
        filter: Filter::All,
        range: request.range.intersection(bounds),
        limit: 0,
        after: None,
        total: Total::NotAsked,
        ..request.clone()
    }
}

/// The quest for the fields of all parts.
struct Surveying {
    known: Arc<KnownKinds>,
    events: u64,
    fields: HashMap<Box<str>, Gathered>,
    more: bool,
}

impl Quest for Surveying {
    type Found = PartFacts;

    fn can_matter(&self, _part: &PlannedPart) -> bool {
        true
    }

    fn asks_every_part(&self) -> bool {
        true
    }

    fn settle(
        &self,
        plan: &Plan,
        part: usize,
        budget: &Budget,
    ) -> Option<Result<PartAnswer<PartFacts>, Failure>> {
        let part = &plan.parts[part];
        let Part::Block(block) = &part.part else {
            return None;
        };
        if let Err(cut) = budget.check() {
            return Some(Err(cut.into()));
        }
        let rows = PartRows { plan, part, budget };
        of_part::of_directory(&rows, block, &self.known.of(block)).map(Ok)
    }

    fn work_on(
        &self,
        part: usize,
    ) -> impl FnOnce(&Plan, &Budget) -> Result<PartAnswer<PartFacts>, Failure> + Send + 'static
    {
        let known = Arc::clone(&self.known);
        move |plan: &Plan, budget: &Budget| {
            let part = &plan.parts[part];
            let rows = PartRows { plan, part, budget };
            match &part.part {
                Part::Open(open) => of_part::of_open(&rows, open),
                Part::Block(block) => of_part::of_block(&rows, block, &known.of(block)),
            }
        }
    }

    fn take(&mut self, _part: usize, found: PartFacts) -> Result<(), Incomplete> {
        self.events += found.events;
        for Fact { path, facts } in found.facts {
            self.gather(&path::name(&path), facts);
        }
        Ok(())
    }
}

impl Surveying {
    fn gather(&mut self, name: &str, facts: FieldFacts) {
        if let Some(gathered) = self.fields.get_mut(name) {
            return gathered.add(facts);
        }
        // What stands for something else in a query cannot be asked for as a field.
        if !matches!(Target::named(name), Target::Field(_)) {
            return;
        }
        if self.fields.len() == FIELDS_MAX {
            self.more = true;
            return;
        }
        let gathered = self.fields.entry(name.into()).or_default();
        gathered.add(facts);
    }

    /// All fields, with values of so many bytes together.
    fn finish(self, mut values_bytes_max: u64) -> BTreeMap<Box<str>, SurveyedField> {
        let fields = self.fields.into_iter();
        let fields = fields.filter(|(_, gathered)| gathered.field.events > 0);
        let mut fields: Vec<(Box<str>, Gathered)> = fields.collect();
        fields.sort_by(|(a, a_field), (b, b_field)| {
            let by_events = b_field.field.events.cmp(&a_field.field.events);
            by_events.then_with(|| a.cmp(b))
        });
        let finished = fields.into_iter().map(|(name, gathered)| {
            let mut field = gathered.finish();
            field.values = field
                .values
                .filter(|values| values.bytes() <= values_bytes_max);
            values_bytes_max -= field.values.as_ref().map_or(0, ValueTally::bytes);
            (name, field)
        });
        finished.collect()
    }
}

/// What is known of a field so far.
#[derive(Default)]
struct Gathered {
    field: SurveyedField,
    has_other_values: bool,
    values: ValueTally,
    /// The counts of values that directories have, by the address of the list these are in.
    lists: HashMap<usize, OfList>,
}

/// In how many events each value of a list is.
struct OfList {
    list: Arc<Dictionary>,
    events: Vec<u64>,
}

impl Gathered {
    fn add(&mut self, facts: FieldFacts) {
        let field = &mut self.field;
        field.events += u64::from(facts.events);
        field.kinds = field.kinds.union(facts.kinds.without_null());
        field.distinct_min = field.distinct_min.max(u64::from(facts.distinct_min));
        field.variety = field.variety.max(facts.variety);
        match facts.numbers {
            Numbers::None => {}
            Numbers::Unknown => self.has_other_values = true,
            Numbers::Within(range) => {
                field.numbers = Some(field.numbers.map_or(range, |known| known.union(range)));
            }
        }
        match facts.values {
            ValuesOfPart::Unknown => self.values.give_up(),
            ValuesOfPart::Tallied(tally) => self.values.merge(tally),
            ValuesOfPart::Counted(counts) => self.count(&counts),
        }
    }

    fn count(&mut self, counts: &ValueCounts) {
        let list = counts.list();
        let of_list = self.lists.entry(Arc::as_ptr(list).addr());
        let of_list = of_list.or_insert_with(|| OfList {
            list: Arc::clone(list),
            events: vec![0; list.len()],
        });
        for counted in counts.iter() {
            if let Some(events) = of_list.events.get_mut(counted.value as usize) {
                *events += u64::from(counted.rows);
            }
        }
    }

    fn finish(mut self) -> SurveyedField {
        for of_list in self.lists.into_values() {
            for (value, events) in of_list.list.iter().zip(of_list.events) {
                self.values.add(value, events);
            }
        }
        let mut field = self.field;
        if self.has_other_values {
            field.numbers = None;
        }
        field.distinct_min = field.distinct_min.max(self.values.distinct());
        field.values = self.values.is_whole().then_some(self.values);
        field
    }
}
