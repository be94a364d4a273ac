//! Sources: create, list, change, rotate the token, delete.

use std::time::Duration;

use cordwood_event::{SourceId, Timestamp};

use crate::{ClientId, Platform, Secret};

/// Sources on a page unless asked otherwise.
pub const PER_PAGE_DEFAULT: usize = 50;
/// Sources on a page at most.
pub const PER_PAGE_MAX: usize = 250;
/// How long the tokens before a rotation stay good unless asked otherwise: a day, in which a
/// forgotten shipper shows up by the last use of its token.
pub const ROTATION_OVERLAP_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);

/// A source of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its number, never reused.
    pub id: SourceId,
    /// Whose events these are.
    pub client: ClientId,
    /// Unique for its client, whatever the case of ASCII letters.
    pub name: String,
    /// What sends to it.
    pub platform: Platform,
    /// A name fit for SQL, from `name` at creation.
    pub table_name: String,
    /// Whether ingest refuses its events.
    pub ingesting_paused: bool,
    /// How many bytes a calendar month (UTC) may bring, as sent before compression; `None` for any number.
    pub quota_bytes_per_month: Option<u64>,
    /// How long its events are kept; `None` for ever.
    pub retention_days: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Its live tokens, newest first.
    pub tokens: Vec<SourceToken>,
    /// What this calendar month (UTC) brought.
    pub usage: Usage,
    /// Events stored.
    pub records_count: u64,
    /// What they took in the requests, before compression.
    pub records_bytes: u64,
}

/// What is known of a source's token; the token itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceToken {
    /// Its last four characters, to tell tokens apart.
    pub ending: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used; kept up to date to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it stops being good; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// What a source took in and refused in one calendar month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// `2026-03`.
    pub month: String,
    /// Bytes accepted, before compression.
    pub bytes: u64,
    /// Events accepted.
    pub events: u64,
    /// Requests and events refused, by reason.
    pub refused: Vec<(String, u64)>,
}

/// A source to be made.
#[derive(Clone, Debug, Default)]
pub struct NewSource {
    /// Required.
    pub name: String,
    /// A platform or an alias of one; `http` when `None`.
    pub platform: Option<String>,
    /// Whose it is; the caller's first client when `None`.
    pub client: Option<ClientId>,
    /// As [`Source::ingesting_paused`].
    pub ingesting_paused: bool,
    /// As [`Source::quota_bytes_per_month`].
    pub quota_bytes_per_month: Option<u64>,
    /// As [`Source::retention_days`].
    pub retention_days: Option<u32>,
}

/// Changes to a source; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct SourceChanges {
    /// A new name.
    pub name: Option<String>,
    /// Pause or go on.
    pub ingesting_paused: Option<bool>,
    /// A new quota; `Some(None)` lifts it.
    pub quota_bytes_per_month: Option<Option<u64>>,
    /// A new retention; `Some(None)` keeps for ever.
    pub retention_days: Option<Option<u32>>,
}

/// Which sources to list.
#[derive(Clone, Debug, Default)]
pub struct SourceFilter {
    /// Part of the name, ignoring ASCII case.
    pub name: Option<String>,
    /// A platform or an alias of one.
    pub platform: Option<String>,
    /// 1 for the first.
    pub page: Option<usize>,
    /// 1 to [`PER_PAGE_MAX`]; [`PER_PAGE_DEFAULT`] when `None`.
    pub per_page: Option<usize>,
}

/// One page of sources, by id.
#[derive(Clone, Debug)]
pub struct SourcePage {
    /// The sources on it.
    pub sources: Vec<Source>,
    /// Sources on all pages.
    pub total: usize,
    /// This page; the first is 1.
    pub page: usize,
    /// The last page; at least 1.
    pub last_page: usize,
    /// Sources on a full page.
    pub per_page: usize,
}

/// A source just made, and its token: shown here and never again.
#[derive(Clone, Debug)]
pub struct CreatedSource {
    /// The source.
    pub source: Source,
    /// Its token.
    pub token: Secret,
}

/// A source with a new token: shown here and never again.
#[derive(Clone, Debug)]
pub struct RotatedToken {
    /// The source, with all its live tokens.
    pub source: Source,
    /// The new token, good at once.
    pub token: Secret,
    /// Until when the tokens before it stay good.
    pub old_tokens_expire_at: Timestamp,
}
