//! A notice in words, as all channels have them: a headline, facts, lines of log, and what can be done.

use cordwood_event::Timestamp;

use crate::links::is_link;
use crate::{Links, Notice, NoticeKind, Sample, Severity};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Something that can be done about a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) label: &'static str,
    pub(crate) url: String,
}

/// What happened to what.
pub(crate) fn headline(notice: &Notice) -> String {
    let title = &notice.title;
    match notice.kind {
        NoticeKind::Acknowledged => format!("Acknowledged: {title}"),
        NoticeKind::Resolved => format!("Resolved: {title}"),
        NoticeKind::Reopened => format!("Reopened: {title}"),
        NoticeKind::Failing => format!("Cannot be checked: {title}"),
        NoticeKind::Working => format!("Checked again: {title}"),
        NoticeKind::Opened | NoticeKind::Digest | NoticeKind::Test => title.clone(),
    }
}

/// A sign that is seen before the headline is read.
pub(crate) fn mark(notice: &Notice) -> &'static str {
    match (notice.kind, notice.severity) {
        (NoticeKind::Resolved | NoticeKind::Working, _) => "✅",
        (NoticeKind::Acknowledged, _) => "👀",
        (_, Severity::Critical) => "🔴",
        (_, Severity::Error) => "🟠",
        (_, Severity::Warning) => "🟡",
        (_, Severity::Info) => "🔵",
    }
}

/// Red, green and blue of a notice.
pub(crate) fn colour(notice: &Notice) -> u32 {
    match (notice.kind, notice.severity) {
        (NoticeKind::Resolved | NoticeKind::Working, _) => 0x2e_a0_43,
        (NoticeKind::Acknowledged, _) | (_, Severity::Info) => 0x3b_82_f6,
        (_, Severity::Critical) => 0xb9_1c_1c,
        (_, Severity::Error) => 0xea_58_0c,
        (_, Severity::Warning) => 0xd9_9e_0b,
    }
}

/// What is known, by name.
pub(crate) fn facts(notice: &Notice) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut tell = |name: &str, value: String| facts.push((name.to_owned(), value));
    tell("Severity", notice.severity.to_string());
    tell("Client", notice.client.clone());
    if let Some(rule) = &notice.rule {
        tell("Rule", rule.clone());
    }
    for (field, value) in &notice.group {
        tell(field, value.clone());
    }
    if let Some(value) = &notice.value {
        tell("Value", value.clone());
    }
    if let Some(threshold) = &notice.threshold {
        tell("Threshold", threshold.clone());
    }
    tell("Since", time(notice.since));
    if let Some(until) = notice.until {
        let lasted = span(notice.since, until);
        tell("Until", format!("{} ({lasted})", time(until)));
    }
    if !notice.labels.is_empty() {
        let labels = notice.labels.iter();
        let labels: Vec<String> = labels
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        tell("Labels", labels.join(", "));
    }
    if let Some(runbook) = notice.runbook.as_ref().filter(|runbook| !is_link(runbook)) {
        tell("Runbook", runbook.clone());
    }
    facts
}

/// What can be done; acknowledging comes first, and only for what is to be looked at.
pub(crate) fn actions(notice: &Notice, links: &Links) -> Vec<Action> {
    let asks = matches!(notice.kind, NoticeKind::Opened | NoticeKind::Reopened);
    let runbook = notice.runbook.clone().filter(|runbook| is_link(runbook));
    let all = [
        ("Acknowledge", links.acknowledge.clone().filter(|_| asks)),
        ("Open incident", links.incident.clone()),
        ("See events", links.events(notice)),
        ("Runbook", runbook),
    ];
    let known = all.into_iter().filter_map(|(label, url)| {
        let url = url?;
        Some(Action { label, url })
    });
    known.collect()
}

/// An event in a line, or as many as its message has.
pub(crate) fn sample_line(sample: &Sample) -> String {
    let level = match &sample.level {
        Some(level) => format!(" {level}"),
        None => String::new(),
    };
    let message = sample.message.replace(
        |character: char| character.is_control() && character != '\n',
        " ",
    );
    format!("{} {}{level} {message}", sample.dt, sample.source)
}

/// A time for people: to the second, in UTC.
pub(crate) fn time(time: Timestamp) -> String {
    let nanos = time.as_nanos();
    let second = Timestamp::from_nanos(nanos - nanos.rem_euclid(NANOS_PER_SECOND));
    let text = second.to_string();
    let text = text.strip_suffix(".000Z").unwrap_or(&text);
    format!("{} UTC", text.replacen('T', " ", 1))
}

/// How long something was, for people: its two largest units.
fn span(from: Timestamp, to: Timestamp) -> String {
    let nanos = to.as_nanos().saturating_sub(from.as_nanos()).max(0);
    let seconds = nanos / NANOS_PER_SECOND;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans_are_for_people() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).expect("a time");
        let from = at("2026-03-27T10:15:30.987654Z");
        assert_eq!(time(from), "2026-03-27 10:15:30 UTC");
        let cases = [
            ("2026-03-27T10:15:30.999Z", "0 s"),
            ("2026-03-27T10:16:20Z", "49 s"),
            ("2026-03-27T10:27:31Z", "12 min 0 s"),
            ("2026-03-27T12:20:31Z", "2 h 5 min"),
            ("2026-03-30T11:20:31Z", "3 d 1 h"),
            ("2026-03-26T11:20:31Z", "0 s"),
        ];
        for (to, expected) in cases {
            assert_eq!(span(from, at(to)), expected, "{to}");
        }
    }
}
