//! Events and tables as agents read them: equal events folded with a count, as many as fit, and where to go on.

use std::collections::HashMap;

use cordwood_event::{Event, json};
use cordwood_service::SearchAnswer;
use serde_json::{Map, Value, json as value};

use crate::failure::Failure;
use crate::mcp::account::account;
use crate::mcp::answer::Answer;
use crate::mcp::budget::{Budget, cut_text, length};
use crate::mcp::tool::Call;
use crate::parameters::Parameters;
use crate::rest::query_answer::{column_names, write_row};
use crate::rest::query_meta::QueryMeta;
use crate::rest::query_request::read_search;

/// The member that says how many events one stands for.
const REPEATED: &str = "_repeated";
/// What it takes in the answer.
const REPEATED_BYTES: usize = 100;

/// What was found, with as many events or rows as the budget holds.
pub(super) fn found(found: SearchAnswer, budget: Budget) -> Answer {
    match &found.table {
        Some(_) => of_table(found, budget),
        None => of_events(&found, budget),
    }
}

fn of_events(found: &SearchAnswer, budget: Budget) -> Answer {
    let folded = fold(found, budget);
    let shown = folded.shown;
    let answer = Answer::read(Value::Array(folded.events), &QueryMeta::of(found));
    let is_empty = found.events.is_empty();
    let answer = answer
        .told("events_returned", shown)
        .texts(budget.text_chars());
    let answer = match found.next_after(shown) {
        Some(cursor) => answer
            .told("next_cursor", cursor)
            .next("More events match: the same call with `cursor` = `meta.next_cursor`."),
        None if shown < found.events.len() => {
            answer.next("Not all events fit: ask more narrowly, or pass a larger `max_tokens`.")
        }
        None => answer,
    };
    match is_empty {
        true => nothing_found(answer),
        false => answer.next_if(folded.has_cuts.then_some(
            "Texts ending in `…[cut: …]` are longer: logs_context with the event's `_id` and `whole` = true has them.",
        )),
    }
}

/// Where to look after an empty answer.
fn nothing_found(answer: Answer) -> Answer {
    let mut next: Vec<String> = Vec::new();
    if let Some(clauses) = answer.meta("clauses").as_array() {
        let unknown = clauses
            .iter()
            .filter_map(|clause| clause["unknown_fields"].as_array());
        for field in unknown.flatten() {
            if let (Some(field), Some(near)) = (field["field"].as_str(), field["near"][0].as_str())
            {
                next.push(format!(
                    "No event has a field `{field}`; one that has a near name is `{near}`."
                ));
            }
        }
    }
    for (name, side) in [("nearest_before", "`from`"), ("nearest_after", "`to`")] {
        if let Some(at) = answer.meta(name).as_str() {
            next.push(format!(
                "The nearest event that matches is at {at}: widen {side} to include it."
            ));
        }
    }
    if next.is_empty() {
        // Of all events nobody asks why there are none.
        let in_range = answer.meta("events_in_range");
        let sentence = match in_range.is_null() || in_range == &value!(0) {
            true => {
                "The range has no events at all: widen it, or see with source_health whether events arrive."
            }
            false => {
                "Nothing matches: `meta.explanation` and `meta.clauses` say why. Take a clause away, widen the range, or see with \
                 source_health whether events arrive."
            }
        };
        next.push(sentence.to_owned());
    }
    next.into_iter().fold(answer, Answer::next)
}

/// What `meta` says of an answer to which no event matches.
const REASONS: [&str; 5] = [
    "explanation",
    "events_in_range",
    "clauses",
    "nearest_before",
    "nearest_after",
];

/// An answer that computed nothing, with why: what each clause of `filter` matches alone, and where the nearest matches are. Where events match
/// after all, nothing was computed for another reason, and the answer stays as it is.
pub(super) async fn with_reasons(
    answer: Answer,
    call: &Call,
    filter: &str,
) -> Result<Answer, Failure> {
    let mut scope = call.arguments.clone();
    scope.retain(|name, _| matches!(&**name, "source_id" | "from" | "to"));
    let mut request = read_search(&Parameters::of_json(scope)?)?;
    request.query = filter.to_owned();
    request.batch_size = Some(1);
    let found = call.search_again(request).await?;
    if !found.events.is_empty() {
        return Ok(answer);
    }
    let mut reasons = account(&QueryMeta::of(&found));
    let told = REASONS
        .iter()
        .fold(answer, |answer, name| match reasons.remove(*name) {
            Some(reason) => answer.told(name, reason),
            None => answer,
        });
    Ok(nothing_found(told))
}

struct Folded {
    events: Vec<Value>,
    /// How many of the events found these stand for.
    shown: usize,
    has_cuts: bool,
}

/// The events in their order, those that differ in time alone as one, until the budget is full.
fn fold(found: &SearchAnswer, budget: Budget) -> Folded {
    let mut folded = Folded {
        events: Vec::new(),
        shown: 0,
        has_cuts: false,
    };
    let mut place_of: HashMap<String, usize> = HashMap::new();
    // The account of the answer takes its part.
    let mut left = budget.bytes().saturating_sub(length(&QueryMeta::of(found)));
    for event in &found.events {
        let Some(mut members) = as_sent(event, found.source_name(event.source)) else {
            continue;
        };
        let key = content_of(&members);
        if let Some(place) = place_of.get(&key) {
            repeat(folded.events.get_mut(*place), &members);
            folded.shown += 1;
            continue;
        }
        let whole = length(&members);
        members
            .iter_mut()
            .for_each(|(_, value)| cut_text(value, budget.text_chars()));
        let bytes = length(&members) + 1;
        if bytes > left && !folded.events.is_empty() {
            break;
        }
        left = left.saturating_sub(bytes + REPEATED_BYTES / 4);
        folded.has_cuts |= length(&members) < whole;
        place_of.insert(key, folded.events.len());
        folded.events.push(Value::Object(members));
        folded.shown += 1;
    }
    folded
}

/// An event as it was sent, with `dt`, `level`, `message`, `_id` and `_source`.
pub(super) fn as_sent(event: &Event, source_name: &str) -> Option<Map<String, Value>> {
    let mut text = String::new();
    json::write_event(&mut text, event, source_name);
    serde_json::from_str(&text).ok()
}

/// What an event says, whenever it says it.
fn content_of(members: &Map<String, Value>) -> String {
    let content = members
        .iter()
        .filter(|(name, _)| *name != "dt" && *name != "_id");
    let content: Vec<(&String, &Value)> = content.collect();
    value!(content).to_string()
}

/// Counts one more event like `event`.
fn repeat(event: Option<&mut Value>, other: &Map<String, Value>) {
    let Some(Value::Object(event)) = event else {
        return;
    };
    let count = event
        .get(REPEATED)
        .and_then(|repeated| repeated["count"].as_u64());
    let last = other.get("dt").cloned().unwrap_or_default();
    let repeated = value!({ "count": count.unwrap_or(1) + 1, "last_in_order_dt": last });
    event.insert(REPEATED.to_owned(), repeated);
}

fn of_table(found: SearchAnswer, budget: Budget) -> Answer {
    let meta = QueryMeta::of(&found);
    let Some(table) = found.table else {
        return Answer::records(Value::Null);
    };
    let names = column_names(&table.columns);
    let rows = table.rows.iter().filter_map(|row| {
        let mut text = String::new();
        write_row(&mut text, &names, row);
        serde_json::from_str(&text).ok()
    });
    let rows: Vec<Value> = rows.collect();
    let is_empty = rows.is_empty();
    let answer = Answer::read(Value::Array(rows), &meta).texts(budget.text_chars());
    let answer = answer.next_if(table.more.then_some(
        "There are more rows: add `| sort by … | limit n`, or a `where`, to see those that matter.",
    ));
    match is_empty && !answer.meta("explanation").is_null() {
        true => nothing_found(answer),
        false => answer,
    }
}
