//! A notice: what people are told, whatever the channel.

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cut::{cut, one_line};
use crate::{Severity, times};

/// Samples in a notice at most: enough to see what it is about.
pub const SAMPLES_MAX: usize = 3;

/// Characters in a title at most: what a subject line can hold.
const TITLE_LENGTH_MAX: usize = 300;
/// Characters in a cause, and in a runbook, at most: what the narrowest provider shows of a text.
const TEXT_LENGTH_MAX: usize = 2000;
/// Characters in the message of a sample at most: a few lines on a phone.
const SAMPLE_LENGTH_MAX: usize = 500;
/// Characters in a name or a value at most.
const WORD_LENGTH_MAX: usize = 200;
/// Fields of a group, and labels, at most.
const FIELDS_MAX: usize = 20;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// An incident began.
    Opened,
    /// Somebody looks at it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// It was taken to be over and is not.
    Reopened,
    /// A rule cannot be evaluated.
    Failing,
    /// It can be again.
    Working,
    /// Several notices in one, because there were too many.
    Digest,
    /// Somebody tries a channel.
    Test,
}

impl NoticeKind {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            NoticeKind::Opened => "opened",
            NoticeKind::Acknowledged => "acknowledged",
            NoticeKind::Resolved => "resolved",
            NoticeKind::Reopened => "reopened",
            NoticeKind::Failing => "failing",
            NoticeKind::Working => "working",
            NoticeKind::Digest => "digest",
            NoticeKind::Test => "test",
        }
    }
}

/// What people are told. Links to the incident are not in it: they are made when it is sent, because one of them is as good as a
/// key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// The name of the incident, or of what it is about: one line.
    pub title: String,
    /// Why, in a sentence or a few.
    pub cause: String,
    /// How bad it is.
    pub severity: Severity,
    /// The name of the client it happened to.
    pub client: String,
    /// The name of the rule, if one fired.
    pub rule: Option<String>,
    /// The fields of the rule's group and their values.
    #[serde(default)]
    pub group: Vec<(String, String)>,
    /// Since when it is so.
    #[serde(with = "times")]
    pub since: Timestamp,
    /// Until when it was; `None` while it is.
    #[serde(default, with = "times::optional")]
    pub until: Option<Timestamp>,
    /// What was measured, for people: `7.2 %`.
    pub value: Option<String>,
    /// What it is held against: `above 5 %`.
    pub threshold: Option<String>,
    /// Events that show it; those behind the first [`SAMPLES_MAX`] are left out.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// Where the exact window can be seen: a URL, or a path of this server.
    pub sample_link: Option<String>,
    /// The number of the incident.
    pub incident: Option<u64>,
    /// The labels of the rule or the incident.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What to do about it: a URL or a text.
    pub runbook: Option<String>,
}

impl Notice {
    /// The same with nothing in it longer than it may be: what came out of logs can be of any length.
    pub fn bounded(&self) -> Notice {
        let word = |text: &String| cut(&one_line(text), WORD_LENGTH_MAX);
        let pair = |(name, value): (&String, &String)| (word(name), word(value));
        Notice {
            kind: self.kind,
            title: cut(&one_line(&self.title), TITLE_LENGTH_MAX),
            cause: cut(&self.cause, TEXT_LENGTH_MAX),
            severity: self.severity,
            client: word(&self.client),
            rule: self.rule.as_ref().map(word),
            group: self
                .group
                .iter()
                .take(FIELDS_MAX)
                .map(|(name, value)| pair((name, value)))
                .collect(),
            since: self.since,
            until: self.until,
            value: self.value.as_ref().map(word),
            threshold: self.threshold.as_ref().map(word),
            samples: self
                .samples
                .iter()
                .take(SAMPLES_MAX)
                .map(Sample::bounded)
                .collect(),
            sample_link: self
                .sample_link
                .clone()
                .filter(|link| link.len() <= TEXT_LENGTH_MAX),
            incident: self.incident,
            labels: self.labels.iter().take(FIELDS_MAX).map(pair).collect(),
            runbook: self.runbook.as_ref().map(|text| cut(text, TEXT_LENGTH_MAX)),
        }
    }
}

impl Sample {
    fn bounded(&self) -> Sample {
        let word = |text: &String| cut(&one_line(text), WORD_LENGTH_MAX);
        Sample {
            dt: self.dt,
            source: word(&self.source),
            level: self.level.as_ref().map(word),
            message: cut(&self.message, SAMPLE_LENGTH_MAX),
        }
    }
}

/// An event that shows what a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When it happened.
    #[serde(with = "times")]
    pub dt: Timestamp,
    /// The name of its source.
    pub source: String,
    /// Its level, if it has one.
    pub level: Option<String>,
    /// Its message.
    pub message: String,
}
