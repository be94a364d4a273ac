//! The events of the rows found: only these have their other columns decoded.

use cordwood_event::{Event, EventId, Level, SourceId, Value};
use cordwood_store::column::{Column, Presence};
use cordwood_store::{BlockHandle, Part};

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::plan::Plan;
use crate::top::Found;

/// The events of one part, and what was read for them.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) events: Vec<Event>,
    pub(crate) bytes_read: u64,
}

/// The events of `found`, which all lie in the part at `index` of the plan, in the same order.
pub(crate) fn fetch(
    plan: &Plan,
    index: usize,
    found: &[Found],
    budget: &Budget,
) -> Result<Fetched, Failure> {
    let part = &plan.parts[index];
    let source = plan.sources[part.source].searched.id;
    match &part.part {
        Part::Open(rows) => {
            let copy = |found: &Found| {
                let row = found.place.row as usize;
                Event::copy_of(rows.batch().event(row), source, found.id.sequence)
            };
            Ok(Fetched {
                events: found.iter().map(copy).collect(),
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
) -> Result<Fetched, Failure> {
    let block = OpenBlock::new(handle);
    let levels = block.levels()?;
    let level_of = |found: &Found| {
        let code = levels.get(found.place.row as usize);
        code.and_then(|code| Level::from_code(*code))
    };
    let mut events: Vec<Event> = found
        .iter()
        .map(|found| event_without_fields(found.id, source, level_of(found)))
        .collect();
    for (index, entry) in block.directory().columns.iter().enumerate() {
        budget.check()?;
        let presence = block.presence(index)?;
        if found.iter().any(|found| has_row(&presence, found)) {
            add_values(&mut events, found, &entry.path, block.column(index)?)?;
        }
    }
    if let Some(rest) = block.rest()? {
        for (event, found) in events.iter_mut().zip(found) {
            for (path, value) in rest.fields(found.place.row as usize)? {
                event.fields.push((path.into(), value.to_value()));
            }
        }
    }
    Ok(Fetched {
        bytes_read: block.bytes_read(),
        events,
    })
}

fn event_without_fields(id: EventId, source: SourceId, level: Option<Level>) -> Event {
    Event {
        id,
        source,
        level,
        fields: Vec::new(),
    }
}

fn has_row(presence: &Presence, found: &Found) -> bool {
    presence.contains(found.place.row as usize)
}

fn add_values(
    events: &mut [Event],
    found: &[Found],
    path: &str,
    column: &Column,
) -> Result<(), Failure> {
    for (event, found) in events.iter_mut().zip(found) {
        if let Some(value) = column.value(found.place.row as usize)? {
            event.fields.push((path.into(), value));
        }
    }
    Ok(())
}

/// About the memory the fields of an event take.
pub(crate) fn size_of_fields(event: &Event) -> u64 {
    let text_bytes = |value: &Value| match value {
        Value::Str(text) | Value::Json(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
    };
    let fields = event.fields.iter();
    let bytes =
        fields.map(|(path, value)| size_of::<(Box<str>, Value)>() + path.len() + text_bytes(value));
    bytes.sum::<usize>() as u64
}
