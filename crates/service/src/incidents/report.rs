//! What is left to read of an incident when it is over: a report in Markdown, to be filled in by those who were there.
//!
//! What came out of logs stands in code, in fences and spans longer than any run of backticks within, and what people wrote has its markup
//! escaped: nothing of it is read as a part of the report.

use std::fmt::Write;

use cordwood_catalog::{EntryKind, KeptEvent, TimelineEntry};
use cordwood_event::Timestamp;

use super::{
    Incident, IncidentEvidence, IncidentExplanation, IncidentStatus, RelatedIncident, of_catalog,
};
use crate::silences::group_of;
use crate::{Access, Caller, Error, Service, WhatChanged};

/// Events that are shown; all are kept with the incident.
const EVENTS_SHOWN: usize = 20;
/// Characters of an event that are shown.
const EVENT_LENGTH_SHOWN: usize = 4000;

/// What those who were there are asked.
const QUESTIONS: &str = "\
## Open questions

- What did users notice, and how many of them?
- How was it noticed, and could it have been sooner?
- What was the cause, and what let it through?
- What ended it?
- What will be done so that it does not happen again, by whom and until when?
";

/// All that a report tells.
struct Told<'a> {
    incident: &'a Incident,
    client: String,
    rule: Option<String>,
    timeline: &'a [TimelineEntry],
    events: &'a [KeptEvent],
    related: &'a [RelatedIncident],
    now: Timestamp,
}

impl Service {
    /// The report of an incident, in Markdown.
    pub fn incident_report(&self, caller: &Caller, id: &str) -> Result<String, Error> {
        caller.require(Access::Read)?;
        let incident = self.find_incident(caller, id)?;
        let clients = self.catalog.clients().into_iter();
        let mut clients = clients.filter(|client| client.id == incident.client);
        let rule = incident.rule.and_then(|rule| self.catalog.rule(rule));
        let events = self.catalog.kept_events(&self.with_merged(&incident)?);
        let told = Told {
            client: clients
                .next()
                .map_or_else(String::new, |client| client.name),
            rule: rule.map(|rule| rule.content.name.clone()),
            timeline: &self.timeline_of(&incident)?,
            events: &events.map_err(of_catalog)?,
            related: &self.related_to(&incident)?,
            now: self.now(),
            incident: &incident,
        };
        Ok(told.report())
    }
}

impl Told<'_> {
    fn report(&self) -> String {
        let parts = [
            self.summary(),
            self.impact(),
            self.timeline(),
            self.causes(),
            self.kept_events(),
            self.comments(),
            self.related(),
            QUESTIONS.to_owned(),
        ];
        parts.join("\n")
    }

    fn summary(&self) -> String {
        let incident = self.incident;
        let status = match incident.status() {
            IncidentStatus::Started => "open, and nobody has acknowledged it",
            IncidentStatus::Acknowledged => "open, and acknowledged",
            IncidentStatus::Resolved => "resolved",
        };
        let mut out = format!(
            "# Incident {}: {}\n\n",
            incident.id.0,
            escaped(&incident.name)
        );
        if !incident.cause.is_empty() {
            let _ = write!(out, "{}\n\n", escaped(&incident.cause));
        }
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(out, "- {name}: {value}");
        };
        line("Client", &escaped(&self.client));
        line("Status", status);
        line("Severity", incident.severity.name());
        if let Some(rule) = &self.rule {
            line("Rule", &escaped(rule));
        }
        if let Some(group) = &incident.group {
            line("Group", &code(&group_of(Some(group)).to_string()));
        }
        line("Opened by", &escaped(&incident.opened_by));
        if let Some(assignee) = &incident.assignee {
            line("Assignee", &escaped(assignee));
        }
        for (name, value) in &incident.labels {
            line("Label", &code(&format!("{name}={value}")));
        }
        for link in &incident.links {
            let title = match link.title.is_empty() {
                true => "Link",
                false => &link.title,
            };
            line(&escaped(title), &code(&link.url));
        }
        out
    }

    fn impact(&self) -> String {
        let incident = self.incident;
        let evidence = IncidentEvidence::of(incident);
        let ended = incident.resolved.as_ref().map(|deed| deed.at);
        let lasted = lasted(incident.started_at, ended.unwrap_or(self.now));
        let mut out = String::from("## Impact\n\n");
        let _ = match ended {
            Some(ended) => writeln!(out, "- From {} to {ended}: {lasted}", incident.started_at),
            None => writeln!(out, "- Since {}: {lasted} so far", incident.started_at),
        };
        if let Some(acknowledged) = &incident.acknowledged {
            let after = self::lasted(incident.started_at, acknowledged.at);
            let _ = writeln!(
                out,
                "- Acknowledged after {after} by {}",
                escaped(&acknowledged.by)
            );
        }
        for (name, value) in [
            ("Value", &evidence.value),
            ("Threshold", &evidence.threshold),
        ] {
            if let Some(value) = value {
                let _ = writeln!(out, "- {name}: {}", escaped(value));
            }
        }
        if let Some(query) = &evidence.query {
            let _ = writeln!(out, "- Query: {}", code(query));
        }
        for (name, time) in [("From", evidence.from), ("To", evidence.to)] {
            if let Some(time) = time {
                let _ = writeln!(out, "- {name}: {time}");
            }
        }
        out
    }

    fn timeline(&self) -> String {
        let mut out = String::from("## Timeline\n\n");
        for entry in self.timeline {
            let of = match entry.incident == self.incident.id {
                true => String::new(),
                false => format!(" (incident {})", entry.incident.0),
            };
            let text = match entry.entry.kind {
                EntryKind::Comment => String::new(),
                _ if entry.entry.text.is_empty() => String::new(),
                _ => format!(": {}", escaped(&entry.entry.text)),
            };
            let kind = entry.entry.kind.name().replace('_', " ");
            let author = escaped(&entry.entry.author);
            let _ = writeln!(out, "- {} {kind}{of} by {author}{text}", entry.at);
        }
        out
    }

    fn causes(&self) -> String {
        let mut out = String::from("## What changed when it began\n\n");
        match IncidentExplanation::of(self.incident) {
            IncidentExplanation::NotYet => out.push_str("This is not known yet.\n"),
            IncidentExplanation::Failed(reason) => {
                let _ = writeln!(out, "This could not be found out: {}", escaped(&reason));
            }
            IncidentExplanation::Known(answer) => write_changes(&mut out, &answer),
        }
        out
    }

    fn kept_events(&self) -> String {
        let mut out = String::from("## Events\n\n");
        if self.events.is_empty() {
            out.push_str("None are kept.\n");
            return out;
        }
        let shown = self.events.iter().take(EVENTS_SHOWN);
        let lines: Vec<String> = shown.map(|event| one_line(&event.event)).collect();
        out.push_str(&fenced(&lines.join("\n"), "json"));
        if self.events.len() > EVENTS_SHOWN {
            let more = self.events.len() - EVENTS_SHOWN;
            let _ = writeln!(out, "\n{more} more are kept with the incident.");
        }
        out
    }

    fn comments(&self) -> String {
        let mut out = String::from("## Comments\n\n");
        let comments = self.timeline.iter();
        let mut comments = comments
            .filter(|entry| entry.entry.kind == EntryKind::Comment)
            .peekable();
        if comments.peek().is_none() {
            out.push_str("None.\n");
        }
        for comment in comments {
            let author = escaped(&comment.entry.author);
            let _ = writeln!(out, "- {} {author}:", comment.at);
            for line in comment.entry.text.lines() {
                let _ = writeln!(out, "  > {}", escaped(line));
            }
        }
        out
    }

    fn related(&self) -> String {
        let mut out = String::from("## Related incidents\n\n");
        if self.related.is_empty() {
            out.push_str("None.\n");
        }
        for related in self.related {
            let reasons: Vec<String> = related.reasons.iter().map(|why| escaped(why)).collect();
            let _ = writeln!(
                out,
                "- Incident {}, {}, {}: {}",
                related.incident.id.0,
                escaped(&related.incident.name),
                related.incident.started_at,
                reasons.join("; ")
            );
        }
        out
    }
}

fn write_changes(out: &mut String, answer: &WhatChanged) {
    for note in &answer.account.notes {
        let _ = writeln!(out, "Note: {}\n", escaped(note));
    }
    if let Some(reason) = &answer.account.incomplete_reason {
        let _ = writeln!(out, "Not everything was compared: {}\n", escaped(reason));
    }
    if answer.causes.is_empty() {
        out.push_str("No part of the events explains a change.\n");
    }
    for (number, cause) in (1..).zip(&answer.causes) {
        let shown = &cause.shown_by;
        let _ = writeln!(out, "{number}. {}", escaped(&cause.sentence));
        let _ = writeln!(
            out,
            "   {} from {} to {}",
            code(&shown.query),
            shown.from,
            shown.to
        );
    }
    for pattern in &answer.new_patterns {
        let _ = writeln!(out, "- New: {}", code(&pattern.pattern));
    }
}

/// How long something lasted, in its two largest units.
fn lasted(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.as_nanos().saturating_sub(from.as_nanos()).max(0) / 1_000_000_000;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {seconds} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// One line of it, as much as is shown.
fn one_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(EVENT_LENGTH_SHOWN)
        .collect();
    if text.chars().nth(EVENT_LENGTH_SHOWN).is_some() {
        line.push('…');
    }
    line
}

/// The longest run of backticks in a text.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

/// A block of code that its content cannot end.
fn fenced(text: &str, language: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// A span of code that its content cannot end.
fn code(text: &str) -> String {
    let text = one_line(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    let space = match text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() {
        true => " ",
        false => "",
    };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// Text in one line whose characters are all read as such.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let begins_list = |out: &str| out.chars().all(|c| c.is_ascii_digit());
    for c in text.chars() {
        match c {
            '-' | '+' | '=' | '.' | ')' if begins_list(&out) => {
                out.push('\\');
                out.push(c);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&' | '{'
            | '}' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_ends_its_code() {
        let cases = [
            ("a", "`a`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("a\nb", "`a b`"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected);
        }
        assert_eq!(fenced("a", "json"), "```json\na\n```\n");
        assert_eq!(fenced("````", ""), "`````\n````\n`````\n");
    }

    #[test]
    fn spans_of_time_have_two_units() {
        let cases = [
            (0, "0 s"),
            (61, "1 min 1 s"),
            (3661, "1 h 1 min"),
            (90_000, "1 d 1 h"),
            (-5, "0 s"),
        ];
        for (seconds, expected) in cases {
            let to = Timestamp::from_nanos(seconds * 1_000_000_000);
            assert_eq!(lasted(Timestamp::from_nanos(0), to), expected);
        }
    }

    proptest! {
        #[test]
        fn a_fence_is_longer_than_any_within(text in "[`a\n]{0,40}") {
            let block = fenced(&text, "json");
            let fence = block.split("json").next().unwrap_or_default();
            prop_assert!(!text.contains(fence));
            prop_assert!(block.ends_with(&format!("\n{fence}\n")));
        }

        #[test]
        fn escaped_text_is_one_line(text in any::<String>()) {
            prop_assert!(!escaped(&text).contains(['\n', '\r']));
        }
    }
}
