//! The events of the rows found: only these have their other columns decoded.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cordwood_event::{Event, EventId, Level, SourceId, Value};
use cordwood_store::{BlockHandle, Part, Reservation};

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::plan::Plan;
use crate::run::{Run, working_bytes};
use crate::top::Found;
use crate::{Error, Incomplete};

/// Open rows of more bytes, as sent, are copied in several turns, so that a page of large events ends in time.
const TURN_BYTES: usize = 8 << 20;

/// Groups that take no more memory together are fetched at once, nor more than an answer may: only then it is seen how much there is.
const WAVE_BYTES: u64 = 32 << 20;

/// The events of the rows found, as far as they go into one answer.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Row by row; `None` for a row of a block that turned out to be unreadable.
    pub(crate) events: Vec<Option<Event>>,
    /// How many of the rows that covers: fewer than all when the events are large.
    pub(crate) until: usize,
    /// Why it is fewer, if it is.
    pub(crate) cut: Option<Incomplete>,
    /// What the events take.
    pub(crate) memory: Reservation,
}

/// The events of one part, and what was read for them.
#[derive(Debug)]
struct OfPart {
    events: Vec<Event>,
    bytes_read: u64,
}

/// The rows found in one part, by their index among all found.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) part: usize,
    pub(crate) rows: Vec<usize>,
}

impl Run<'_> {
    /// The events of the rows found, as many as there is memory for. Rows of a block that turns out to be unreadable are
    /// noted and left out.
    pub(crate) fn fetch(&mut self, found: &[Found]) -> Result<Fetched, Error> {
        let budget = self.means().budget.without_deadline();
        let answers = self.means().answers;
        let groups = self.in_turns(found);
        let mut events: Vec<Option<Event>> = found.iter().map(|_| None).collect();
        let mut memory = answers.begin();
        let mut cut = None;
        let mut groups_done = 0;
        while groups_done < groups.len() {
            let (wave, bytes) = self.next_wave(&groups[groups_done..], found);
            if groups_done > 0 && memory.bytes() >= answers.bytes_max() {
                cut = Some(Incomplete::Answer {
                    bytes_max: answers.bytes_max(),
                });
                break;
            }
            let Some(_working) = answers.work(bytes, &budget) else {
                cut = Some(self.why_no_memory());
                break;
            };
            let Some(fetched) = self.fetch_wave(wave, found, &budget)? else {
                cut = Some(Incomplete::Cancelled);
                break;
            };
            let of_part = fetched.iter().flatten().flat_map(|of_part| &of_part.events);
            let bytes = of_part.map(size_of_event).sum();
            if !answers.grow(&mut memory, bytes, &budget) {
                cut = Some(self.why_no_memory());
                break;
            }
            self.take_wave(wave, fetched, &mut events);
            groups_done += wave.len();
        }
        let first_left = groups.get(groups_done).and_then(|group| group.rows.first());
        let until = first_left.copied().unwrap_or(found.len());
        events.truncate(until);
        memory.shrink_to(events.iter().flatten().map(size_of_event).sum());
        if until == 0 {
            self.note_unreached(groups.iter().map(|group| group.part));
        }
        if let Some(cut) = &cut
            && (until == 0 || *cut == Incomplete::Cancelled)
        {
            self.note(cut.clone());
        }
        Ok(Fetched {
            events,
            until,
            cut,
            memory,
        })
    }

    fn why_no_memory(&self) -> Incomplete {
        match self.means().budget.is_cancelled() {
            true => Incomplete::Cancelled,
            false => Incomplete::Memory,
        }
    }

    fn take_wave(
        &mut self,
        wave: &[Group],
        fetched: Vec<Result<OfPart, Failure>>,
        events: &mut [Option<Event>],
    ) {
        for (group, outcome) in wave.iter().zip(fetched) {
            match outcome {
                Ok(of_part) => {
                    self.count_bytes(of_part.bytes_read);
                    for (index, event) in group.rows.iter().zip(of_part.events) {
                        events[*index] = Some(event);
                    }
                }
                Err(Failure::Cut(cut)) => self.note(cut.into()),
                Err(Failure::Unreadable(detail) | Failure::OutOfReach(detail)) => {
                    self.note_unfetched(group.part, detail);
                }
            }
        }
    }

    /// The rows found by their parts, those of one part in several turns when they are large.
    fn in_turns(&self, found: &[Found]) -> Vec<Group> {
        let mut turns = Vec::new();
        for group in by_part(found) {
            let Part::Open(rows) = &self.plan.parts[group.part].part else {
                turns.push(group);
                continue;
            };
            let mut bytes = 0;
            let mut turn = Vec::new();
            for index in group.rows {
                bytes += rows
                    .batch()
                    .event(found[index].place.row as usize)
                    .source_bytes();
                turn.push(index);
                if bytes >= TURN_BYTES {
                    bytes = 0;
                    turns.push(Group {
                        part: group.part,
                        rows: std::mem::take(&mut turn),
                    });
                }
            }
            if !turn.is_empty() {
                turns.push(Group {
                    part: group.part,
                    rows: turn,
                });
            }
        }
        turns.sort_by_key(|group| group.rows.first().copied());
        turns
    }

    /// The first groups, of which rows are fetched side by side: one for each thread at least, so that all have work, and as many as
    /// take little memory together, so that none waits for the others after each. With the memory they take.
    fn next_wave<'g>(&self, groups: &'g [Group], found: &[Found]) -> (&'g [Group], u64) {
        let bytes_max = WAVE_BYTES.min(self.means().answers.bytes_max());
        let (mut count, mut bytes) = (0, 0);
        for group in groups {
            let of_group = self.bytes_of(group, found);
            if count >= self.means().share.threads() && bytes + of_group > bytes_max {
                break;
            }
            count += 1;
            bytes += of_group;
        }
        (&groups[..count], bytes)
    }

    /// About the most memory that fetching the rows of a group takes, the events included.
    fn bytes_of(&self, group: &Group, found: &[Found]) -> u64 {
        match &self.plan.parts[group.part].part {
            Part::Block(block) => bytes_of_rows(block, group.rows.len()),
            Part::Open(rows) => {
                let rows = group.rows.iter().map(|index| {
                    let row = found[*index].place.row as usize;
                    rows.batch().event(row).source_bytes() as u64
                });
                rows.sum()
            }
        }
    }

    fn fetch_wave(
        &self,
        wave: &[Group],
        found: &[Found],
        budget: &Budget,
    ) -> Result<Option<Vec<Result<OfPart, Failure>>>, Error> {
        let fetch_group = |group: &Group| {
            let (plan, part, budget) = (Arc::clone(&self.plan), group.part, budget.clone());
            let rows = group.rows.iter().map(|index| found[*index]);
            let rows: Vec<Found> = rows.collect();
            move || fetch_from_part(&plan, part, &rows, &budget)
        };
        if let [only] = wave {
            let fetched = catch_unwind(AssertUnwindSafe(fetch_group(only)));
            return fetched
                .map(|fetched| Some(vec![fetched]))
                .map_err(|_| Error::Broken);
        }
        let tasks = wave.iter().map(fetch_group);
        let share = &self.means().share;
        match share.has_used_much() {
            true => share.afresh().do_all(tasks, budget),
            false => share.do_all(tasks, budget),
        }
    }
}

/// Groups in the order of their first rows.
pub(crate) fn by_part(found: &[Found]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of_part: BTreeMap<u32, usize> = BTreeMap::new();
    for (index, found) in found.iter().enumerate() {
        let group = *group_of_part.entry(found.place.part).or_insert_with(|| {
            groups.push(Group {
                part: found.place.part as usize,
                rows: Vec::new(),
            });
            groups.len() - 1
        });
        groups[group].rows.push(index);
    }
    groups
}

/// The events of `found`, which all lie in the part at `index` of the plan, in the same order.
fn fetch_from_part(
    plan: &Plan,
    index: usize,
    found: &[Found],
    budget: &Budget,
) -> Result<OfPart, Failure> {
    let part = &plan.parts[index];
    let source = plan.sources[part.source].searched.id;
    match &part.part {
        Part::Open(rows) => {
            let copy = |found: &Found| {
                budget.check()?;
                let event = rows.batch().event(found.place.row as usize);
                Ok(Event::copy_of(event, source, found.id.sequence))
            };
            Ok(OfPart {
                events: found.iter().map(copy).collect::<Result<_, Failure>>()?,
                bytes_read: 0,
            })
        }
        Part::Block(block) => fetch_from_block(block, source, found, budget),
    }
}

fn fetch_from_block(
    handle: &BlockHandle,
    source: SourceId,
    found: &[Found],
    budget: &Budget,
) -> Result<OfPart, Failure> {
    let block = OpenBlock::new(handle);
    let rows: Vec<(usize, EventId)> = found
        .iter()
        .map(|found| (found.place.row as usize, found.id))
        .collect();
    let events = events_of_block(&block, source, &rows, budget)?;
    Ok(OfPart {
        bytes_read: block.bytes_read(),
        events,
    })
}

/// The events of some rows of a block, in their order; each row comes with its id.
pub(crate) fn events_of_block(
    block: &OpenBlock,
    source: SourceId,
    rows: &[(usize, EventId)],
    budget: &Budget,
) -> Result<Vec<Event>, Failure> {
    let places: Vec<usize> = rows.iter().map(|(row, _)| *row).collect();
    let levels = block.levels()?.of_ranks(&places)?;
    let events = rows.iter().zip(levels).map(|((_, id), code)| {
        let level = u8::try_from(code).ok().and_then(Level::from_code);
        event_without_fields(*id, source, level)
    });
    let mut events: Vec<Event> = events.collect();
    for (index, entry) in block.directory().columns.iter().enumerate() {
        budget.check()?;
        let presence = block.presence(index)?;
        if rows.iter().any(|(row, _)| presence.contains(*row)) {
            let values = block.values_of(index, &places)?;
            for (event, value) in events.iter_mut().zip(values) {
                event
                    .fields
                    .extend(value.map(|value| (entry.path.as_ref().into(), value)));
            }
        }
    }
    if let Some(rest) = block.rest()? {
        for (event, (row, _)) in events.iter_mut().zip(rows) {
            budget.check()?;
            for (path, value) in rest.fields(*row)? {
                event.fields.push((path.into(), value.to_value()));
            }
        }
    }
    Ok(events)
}

/// About the most memory that some rows of a block take: the chunks as they are stored, some frames of each decompressed, and the events.
fn bytes_of_rows(block: &BlockHandle, rows: usize) -> u64 {
    /// What is decompressed takes some times as much as it does stored.
    const TIMES_STORED: u64 = 4;
    let directory = block.directory();
    let of_rows = directory.source_bytes / u64::from(directory.rows.max(1)) * rows as u64;
    let few = directory.encoded_bytes() * TIMES_STORED + of_rows;
    few.min(working_bytes(block))
}

fn event_without_fields(id: EventId, source: SourceId, level: Option<Level>) -> Event {
    Event {
        id,
        source,
        level,
        fields: Vec::new(),
    }
}

/// About the memory an event takes.
fn size_of_event(event: &Event) -> u64 {
    let text_bytes = |value: &Value| match value {
        Value::Str(text) | Value::Json(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
    };
    let fields = event.fields.iter();
    let bytes =
        fields.map(|(path, value)| size_of::<(Box<str>, Value)>() + path.len() + text_bytes(value));
    (size_of::<Event>() + bytes.sum::<usize>()) as u64
}
