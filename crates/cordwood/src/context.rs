//! `cordwood context`: the events around an event, with a mark at it.

use std::io::{Write as _, stderr, stdout};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ureq::http::Method;

use crate::args::ContextArguments;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::write;
use crate::query::fields::Fields;
use crate::query::lines;
use crate::remote::{Remote, path_segment, query_string};
use crate::terminal::{Colour, Ink, printable};

/// The answer; events are kept as the server wrote them.
#[derive(Deserialize)]
struct Answer {
    data: Vec<Box<RawValue>>,
    context: Value,
    meta: Value,
}

/// Prints the events, in order of time.
pub(crate) fn run(settings: &Settings, arguments: &ContextArguments) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let [before, after] =
        [arguments.before, arguments.after].map(|events| events.map(|n| n.to_string()));
    let parameters = query_string(&[
        ("before", before.as_deref()),
        ("after", after.as_deref()),
        ("within", arguments.within.as_deref()),
        ("same", arguments.same.as_deref()),
    ]);
    let path = format!(
        "/api/v1/events/{}/context{parameters}",
        path_segment(&arguments.id)
    );
    let text = remote.send(Method::GET, &path, &[], None)?.into_success()?;
    if settings.json {
        return write(&format!("{text}\n"));
    }
    let answer: Answer = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("The server's answer cannot be read: {error}")))?;
    write(&text_of(&answer, Colour::of(&stdout()))?)?;
    // Where standard error is gone, there is nobody to tell.
    let _ = stderr().write_all(account(&answer).as_bytes());
    Ok(())
}

fn text_of(answer: &Answer, colour: Colour) -> Result<String, Failure> {
    let index = answer.context["index"].as_u64().unwrap_or_default();
    let mut out = String::new();
    for (place, event) in (0u64..).zip(&answer.data) {
        let event = Fields::parse(event.get()).map_err(|error| {
            Failure::new(format!("An event of the answer cannot be read: {error}"))
        })?;
        match place == index {
            true => colour.paint(&mut out, Ink::Bold, "> "),
            false => out.push_str("  "),
        }
        lines::write(&mut out, &event, colour);
    }
    Ok(out)
}

fn account(answer: &Answer) -> String {
    let context = &answer.context;
    let more = match (
        context["more_before"] == true,
        context["more_after"] == true,
    ) {
        (true, true) => ", and more on both sides (--before N --after N)",
        (true, false) => ", and more before (--before N)",
        (false, true) => ", and more after (--after N)",
        (false, false) => "",
    };
    let same = &context["same"];
    let mut out = format!(
        "{} events with {}={}{more}; {:.1} ms\n",
        answer.data.len(),
        printable(same["field"].as_str().unwrap_or_default()),
        printable(same["value"].as_str().unwrap_or_default()),
        answer.meta["took_ms"].as_f64().unwrap_or_default(),
    );
    if let Some(reason) = answer.meta["incomplete_reason"].as_str() {
        out.push_str(&format!("INCOMPLETE: {}\n", printable(reason)));
    }
    out
}
