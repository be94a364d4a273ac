//! `cordwood delete`: deletes events by query, after showing how many that are and asking.

use std::io::{BufRead as _, IsTerminal, Write as _, stderr, stdin};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::DeleteArguments;
use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::output::{size, write, write_json};
use crate::query::caret::point_out;
use crate::remote::Remote;

/// How often the server is asked how far it is.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

const PATH: &str = "/api/v1/deletions";

/// Counts, asks, deletes, and waits if that is wanted.
pub(crate) fn run(settings: &Settings, arguments: &DeleteArguments) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let mut body = json!({
        "query": arguments.query,
        "source_id": arguments.sources,
        "from": arguments.from,
        "to": arguments.to,
        "everything": arguments.everything,
    });
    if arguments.dry_run || !arguments.yes {
        body["dry_run"] = true.into();
        let preview = post(&remote, arguments, &body)?;
        if arguments.dry_run {
            return report_preview(settings, &preview);
        }
        ask(arguments, &preview["data"]["attributes"])?;
        body["dry_run"] = false.into();
    }
    let mut deletion = post(&remote, arguments, &body)?;
    if arguments.wait {
        deletion = wait(&remote, &deletion)?;
    }
    report(settings, &deletion)
}

fn post(remote: &Remote, arguments: &DeleteArguments, body: &Value) -> Result<Value, Failure> {
    let answer = remote.call(Method::POST, PATH, Some(body));
    answer.map_err(|failure| point_out(failure, &arguments.query))
}

/// Nothing goes before somebody has said yes to how much that is.
fn ask(arguments: &DeleteArguments, preview: &Value) -> Result<(), Failure> {
    let counted = sentence_of(preview);
    if !stdin().is_terminal() {
        return Err(
            Failure::new(counted).hint("Nothing was deleted: --yes deletes without asking.")
        );
    }
    let question = format!(
        "{counted}\nDelete them from {} for good? [y/N] ",
        arguments.sources.join(", ")
    );
    let mut answer = String::new();
    stderr()
        .write_all(question.as_bytes())
        .and_then(|()| stdin().lock().read_line(&mut answer))
        .map_err(|error| cannot("ask", &error))?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::new("Nothing was deleted")),
    }
}

fn report_preview(settings: &Settings, preview: &Value) -> Result<(), Failure> {
    if settings.json {
        return write_json(preview);
    }
    let sentence = sentence_of(&preview["data"]["attributes"]);
    write(&format!("{sentence}\n"))
}

fn sentence_of(preview: &Value) -> String {
    let (events, query) = (&preview["events"], text_of(preview, "query"));
    match preview["incomplete_reason"].as_str() {
        None => format!("{events} events match {query}."),
        Some(reason) => format!("At least {events} events match {query}: {reason}."),
    }
}

fn wait(remote: &Remote, deletion: &Value) -> Result<Value, Failure> {
    let path = format!("{PATH}/{}", text_of(&deletion["data"], "id"));
    loop {
        let now = remote.get(&path)?;
        if now["data"]["attributes"]["state"] == "purged" {
            return Ok(now);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn report(settings: &Settings, deletion: &Value) -> Result<(), Failure> {
    if settings.json {
        return write_json(deletion);
    }
    let id = text_of(&deletion["data"], "id");
    let attributes = &deletion["data"]["attributes"];
    let hidden = match attributes["events_hidden"].as_u64() {
        Some(events) => format!("{events} events are hidden"),
        None => "The events are hidden".to_owned(),
    };
    if attributes["state"] == "purged" {
        let bytes = attributes["bytes_purged"].as_u64().unwrap_or_default();
        let purged = &attributes["events_purged"];
        return write(&format!(
            "{hidden}; {purged} of {} were removed from the files (deletion {id}).\n",
            size(bytes)
        ));
    }
    write(&format!(
        "{hidden} and leave the files soon (deletion {id}).\n"
    ))
}

fn text_of<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}
