//! The events of the rows found: only these have their other columns decoded.

use cordwood_event::{Event, Value};
use cordwood_store::Part;

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
            budget.check()?;
            let copy = |found: &Found| {
                let row = found.place.row as usize;
                Event::copy_of(rows.batch().event(row), source, found.id.sequence)
            };
            Ok(Fetched {
                events: found.iter().map(copy).collect(),
                bytes_read: 0,
            })
        }
    }
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
