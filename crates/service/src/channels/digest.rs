//! Many notices in one, for a channel that would get more than its share.

use cordwood_catalog::{Channel, NewNotice, WaitingNotice};
use cordwood_notify::{Notice, NoticeKind, Severity};

/// Lines of a digest at most: what fits on a screen.
const LINES_MAX: usize = 20;
/// Characters of a title in a line.
const LINE_LENGTH_MAX: usize = 80;

/// The one notice that tells of `waiting`, which are two at least; `None` if none of them can be read.
pub(super) fn of(channel: &Channel, waiting: &[WaitingNotice]) -> Option<NewNotice> {
    let notices = waiting.iter().filter_map(|waiting| read(&waiting.notice));
    let notices: Vec<Notice> = notices.collect();
    let (first, last) = (waiting.first()?, waiting.last()?);
    let notice = notice(&notices)?;
    Some(NewNotice {
        channel: channel.id,
        incident: None,
        rule: None,
        kind: notice.kind.name().to_owned(),
        idempotency_key: format!("digest/{}/{}-{}", channel.id.0, first.id.0, last.id.0),
        notice: serde_json::to_string(&notice.bounded()).expect("a notice is JSON"),
    })
}

/// The notice as it was written. One that was written before its incident had a number has it from the outbox.
pub(super) fn read(notice: &NewNotice) -> Option<Notice> {
    let mut read: Notice = serde_json::from_str(&notice.notice).ok()?;
    let number = notice.incident.map(|incident| incident.0);
    read.incident = read.incident.or(number);
    Some(read)
}

fn notice(of: &[Notice]) -> Option<Notice> {
    let first = of.first()?;
    let mut clients: Vec<&str> = of.iter().map(|notice| notice.client.as_str()).collect();
    clients.sort_unstable();
    clients.dedup();
    Some(Notice {
        kind: NoticeKind::Digest,
        title: format!("{} notices at once", of.len()),
        cause: lines(of),
        severity: of
            .iter()
            .map(|notice| notice.severity)
            .max()
            .unwrap_or(Severity::Info),
        client: clients.join(", "),
        rule: None,
        group: Vec::new(),
        since: of
            .iter()
            .map(|notice| notice.since)
            .min()
            .unwrap_or(first.since),
        until: None,
        value: Some(counts(of)),
        threshold: None,
        samples: Vec::new(),
        sample_link: None,
        incident: None,
        labels: Default::default(),
        runbook: None,
    })
}

/// The worst first, and of these the newest.
fn lines(of: &[Notice]) -> String {
    let mut notices: Vec<&Notice> = of.iter().collect();
    notices.sort_by_key(|notice| std::cmp::Reverse((notice.severity, notice.since)));
    let line = |notice: &&Notice| {
        let title: String = notice.title.chars().take(LINE_LENGTH_MAX).collect();
        format!("{} {}: {title}", notice.severity, notice.kind.name())
    };
    let mut lines: Vec<String> = notices.iter().take(LINES_MAX).map(line).collect();
    if notices.len() > LINES_MAX {
        lines.push(format!("and {} more", notices.len() - LINES_MAX));
    }
    lines.join("\n")
}

/// `12 opened, 3 resolved`.
fn counts(of: &[Notice]) -> String {
    use NoticeKind::*;
    let kinds = [
        Opened,
        Reopened,
        Acknowledged,
        Resolved,
        Failing,
        Working,
        Digest,
        Test,
    ];
    let counts = kinds.iter().filter_map(|kind| {
        let count = of.iter().filter(|notice| notice.kind == *kind).count();
        (count > 0).then(|| format!("{count} {}", kind.name()))
    });
    counts.collect::<Vec<_>>().join(", ")
}
