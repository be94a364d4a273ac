//! Sources: create, list, change, rotate the token, delete.

use std::time::Duration;

use cordwood_catalog::{self as catalog, NewToken};
use cordwood_event::{SourceId, Timestamp};
use cordwood_query::{Filter, TimeBounds, near_names};
use cordwood_store::SourceTotals;

use crate::caller::source_number;
use crate::platform::{PLATFORMS, Platform, UnknownPlatform};
use crate::retention::retention;
use crate::{Access, Caller, ClientId, Error, InvalidValue, Secret, Service, deleted_sources};

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
    /// How many bytes on disk it may take; of what is over, the oldest events go. `None` for any number.
    pub disk_bytes_max: Option<u64>,
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
    /// Bytes that they take on disk. Events that came in the last minutes may be in the log only, and take none.
    pub disk_bytes: u64,
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
    /// As [`Source::disk_bytes_max`].
    pub disk_bytes_max: Option<u64>,
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
    /// A new limit of bytes on disk; `Some(None)` lifts it.
    pub disk_bytes_max: Option<Option<u64>>,
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

/// Days of retention at most: ten years, as Better Stack has it.
const RETENTION_DAYS_MAX: u32 = 3652;
/// The smallest limit of bytes on disk. Whole blocks go, of up to a megabyte each: below this a source would be empty as often
/// as not.
const DISK_BYTES_MAX_MIN: u64 = 1 << 20;
/// Characters in a name at most; what fits a line of a page.
const NAME_LENGTH_MAX: usize = 200;

impl Service {
    /// Makes a source and its first token.
    pub fn create_source(&self, caller: &Caller, new: &NewSource) -> Result<CreatedSource, Error> {
        caller.require(Access::Admin)?;
        let mut invalid = Vec::new();
        check_name(&new.name, &mut invalid);
        check_retention(new.retention_days, &mut invalid);
        check_disk_bytes(new.disk_bytes_max, &mut invalid);
        let platform = platform_of(new.platform.as_deref(), &mut invalid);
        let client = self.client_for(caller, new.client, &mut invalid);
        let (Some(client), Some(platform), true) = (client, platform, invalid.is_empty()) else {
            return Err(Error::InvalidValues(invalid));
        };
        let record = catalog::NewSource {
            client,
            name: new.name.trim().to_owned(),
            platform: platform.name().to_owned(),
            ingesting_paused: new.ingesting_paused,
            quota_bytes_per_month: new.quota_bytes_per_month,
            retention_days: new.retention_days,
            disk_bytes_max: new.disk_bytes_max,
        };
        let token = NewToken::for_source(&*self.options.random);
        let source = self
            .catalog
            .create_source(&record, &token, self.now())
            .map_err(|error| of_catalog("making a source", error))?;
        Ok(CreatedSource {
            source: self.describe(&source),
            token: token.secret,
        })
    }

    /// The caller's sources, by id, a page at a time.
    pub fn list_sources(
        &self,
        caller: &Caller,
        filter: &SourceFilter,
    ) -> Result<SourcePage, Error> {
        caller.require(Access::Read)?;
        let per_page = within("per_page", filter.per_page, PER_PAGE_DEFAULT, PER_PAGE_MAX)?;
        let page = within("page", filter.page, 1, usize::MAX)?;
        let mut sources = self.visible_sources(caller);
        if let Some(part) = &filter.name {
            let part = part.to_ascii_lowercase();
            sources.retain(|source| source.name.to_ascii_lowercase().contains(&part));
        }
        if let Some(platform) = &filter.platform {
            let platform = parse_platform(platform).map_err(|message| Error::InvalidParameter {
                parameter: "platform",
                message,
                hint: None,
            })?;
            sources.retain(|source| source.platform == platform.name());
        }
        let skipped = (page - 1).saturating_mul(per_page);
        let snapshot = self.store.snapshot();
        let (stored, on_disk) = (snapshot.sources(), snapshot.disk_bytes());
        let on_page = sources.iter().skip(skipped).take(per_page);
        Ok(SourcePage {
            sources: on_page
                .map(|source| {
                    let disk_bytes = on_disk.get(&source.id).copied().unwrap_or(0);
                    self.describe_with(source, stored.get(&source.id), disk_bytes)
                })
                .collect(),
            total: sources.len(),
            page,
            last_page: sources.len().div_ceil(per_page).max(1),
            per_page,
        })
    }

    /// One source: by id, `src-` id or name.
    pub fn source(&self, caller: &Caller, source: &str) -> Result<Source, Error> {
        caller.require(Access::Read)?;
        Ok(self.describe(&*self.find_source(caller, source)?))
    }

    /// Changes a source.
    pub fn update_source(
        &self,
        caller: &Caller,
        source: &str,
        changes: &SourceChanges,
    ) -> Result<Source, Error> {
        caller.require(Access::Admin)?;
        let source = self.find_source(caller, source)?;
        let mut invalid = Vec::new();
        if let Some(name) = &changes.name {
            check_name(name, &mut invalid);
        }
        check_retention(changes.retention_days.flatten(), &mut invalid);
        check_disk_bytes(changes.disk_bytes_max.flatten(), &mut invalid);
        if !invalid.is_empty() {
            return Err(Error::InvalidValues(invalid));
        }
        let changes = catalog::SourceChanges {
            name: changes.name.as_ref().map(|name| name.trim().to_owned()),
            ingesting_paused: changes.ingesting_paused,
            quota_bytes_per_month: changes.quota_bytes_per_month,
            retention_days: changes.retention_days,
            disk_bytes_max: changes.disk_bytes_max,
        };
        let changed = self
            .catalog
            .update_source(source.id, &changes, self.now())
            .map_err(|error| of_catalog("changing a source", error))?;
        if changes.retention_days.is_some() || changes.disk_bytes_max.is_some() {
            // At once: what is to be kept must not go with the next merge.
            self.store
                .set_retention(retention(&self.catalog, self.now()));
        }
        Ok(self.describe(&changed))
    }

    /// Gives a source a new token. The old ones stay good for `overlap`
    /// ([`ROTATION_OVERLAP_DEFAULT`] when `None`), or not at all with zero.
    pub fn rotate_source_token(
        &self,
        caller: &Caller,
        source: &str,
        overlap: Option<Duration>,
    ) -> Result<RotatedToken, Error> {
        caller.require(Access::Admin)?;
        let source = self.find_source(caller, source)?;
        let now = self.now();
        let old_expire_at = after(now, overlap.unwrap_or(ROTATION_OVERLAP_DEFAULT));
        let token = NewToken::for_source(&*self.options.random);
        self.catalog
            .rotate_source_token(source.id, &token, old_expire_at, now)
            .map_err(|error| of_catalog("rotating a token", error))?;
        Ok(RotatedToken {
            source: self.describe(&source),
            token: token.secret,
            old_tokens_expire_at: old_expire_at,
        })
    }

    /// Deletes a source and its tokens. Its events can no longer be found by anyone, and the store begins to purge them.
    pub fn delete_source(&self, caller: &Caller, source: &str) -> Result<(), Error> {
        caller.require(Access::Admin)?;
        let source = self.find_source(caller, source)?;
        self.catalog
            .delete_source(source.id, self.now())
            .map_err(|error| of_catalog("deleting a source", error))?;
        // Should the store refuse that now, housekeeping asks again.
        deleted_sources::delete_events(&self.catalog, &self.store, self.now(), false);
        self.delete_kept_events(caller, &[source], &Filter::All, TimeBounds::ALL)
    }

    /// The whole picture of a source.
    pub(crate) fn describe(&self, source: &catalog::Source) -> Source {
        let snapshot = self.store.snapshot();
        let stored = snapshot.totals(source.id);
        let disk_bytes = snapshot.disk_bytes().remove(&source.id).unwrap_or(0);
        self.describe_with(source, stored.as_ref(), disk_bytes)
    }

    fn describe_with(
        &self,
        source: &catalog::Source,
        stored: Option<&SourceTotals>,
        disk_bytes: u64,
    ) -> Source {
        let now = self.now();
        let usage = self.catalog.usage(source.id);
        let usage = usage
            .map(|usage| usage.in_month_of(now))
            .unwrap_or_default();
        let tokens = self.catalog.source_tokens(source.id, now);
        Source {
            id: source.id,
            client: source.client,
            name: source.name.clone(),
            platform: source.platform.parse().unwrap_or(Platform::HTTP),
            table_name: source.table_name.clone(),
            ingesting_paused: source.ingesting_paused,
            quota_bytes_per_month: source.quota_bytes_per_month,
            retention_days: source.retention_days,
            disk_bytes_max: source.disk_bytes_max,
            created_at: source.created_at,
            updated_at: source.updated_at,
            tokens: tokens.into_iter().map(SourceToken::from).collect(),
            usage: Usage {
                month: usage.month.to_string(),
                bytes: usage.bytes,
                events: usage.events,
                refused: usage.refused.into_iter().collect(),
            },
            records_count: stored.map_or(0, |totals| totals.rows),
            records_bytes: stored.map_or(0, |totals| totals.event_bytes),
            disk_bytes,
        }
    }

    /// Whose a new source is. A client the caller does not see is as good as none.
    fn client_for(
        &self,
        caller: &Caller,
        wanted: Option<ClientId>,
        invalid: &mut Vec<InvalidValue>,
    ) -> Option<ClientId> {
        let clients = self.catalog.clients();
        let mut visible = clients.iter().filter(|client| caller.sees(client.id));
        let found = match wanted {
            Some(wanted) => visible.find(|client| client.id == wanted),
            None => visible.next(),
        };
        if found.is_none() {
            invalid.push(InvalidValue::new("client_id", "does not exist"));
        }
        found.map(|client| client.id)
    }
}

impl From<catalog::SourceToken> for SourceToken {
    fn from(token: catalog::SourceToken) -> SourceToken {
        SourceToken {
            ending: token.ending,
            created_at: token.created_at,
            last_used_at: token.last_used_at,
            expires_at: token.expires_at,
        }
    }
}

/// Names that read as an id are refused: `--source 5` must not mean two things.
fn check_name(name: &str, invalid: &mut Vec<InvalidValue>) {
    let name = name.trim();
    if name.is_empty() {
        invalid.push(InvalidValue::new("name", "can't be blank"));
    } else if name.chars().count() > NAME_LENGTH_MAX {
        let message = format!("is too long (maximum is {NAME_LENGTH_MAX} characters)");
        invalid.push(InvalidValue::new("name", message));
    } else if name.chars().any(char::is_control) {
        invalid.push(InvalidValue::new(
            "name",
            "can't contain control characters",
        ));
    } else if source_number(name).is_some() {
        let message = "can't be a number or `src-` and a number, which are ids";
        invalid.push(InvalidValue::new("name", message));
    }
}

fn check_retention(days: Option<u32>, invalid: &mut Vec<InvalidValue>) {
    if days.is_some_and(|days| !(1..=RETENTION_DAYS_MAX).contains(&days)) {
        let message = format!("must be 1 to {RETENTION_DAYS_MAX} days");
        invalid.push(InvalidValue::new("logs_retention", message));
    }
}

fn check_disk_bytes(bytes: Option<u64>, invalid: &mut Vec<InvalidValue>) {
    if bytes.is_some_and(|bytes| bytes < DISK_BYTES_MAX_MIN) {
        let message = format!("must be {DISK_BYTES_MAX_MIN} bytes or more");
        invalid.push(InvalidValue::new("disk_bytes_max", message));
    }
}

fn platform_of(name: Option<&str>, invalid: &mut Vec<InvalidValue>) -> Option<Platform> {
    let Some(name) = name else {
        return Some(Platform::HTTP);
    };
    match parse_platform(name) {
        Ok(platform) => Some(platform),
        Err(message) => {
            invalid.push(InvalidValue::new("platform", message));
            None
        }
    }
}

fn parse_platform(name: &str) -> Result<Platform, String> {
    name.parse().map_err(|UnknownPlatform| {
        let near = near_names(name, PLATFORMS.into_iter());
        match near.is_empty() {
            true => format!("`{name}` is not a platform we know"),
            false => format!(
                "`{name}` is not a platform we know, did you mean {}?",
                near.join(", ")
            ),
        }
    })
}

/// A number of a request, from 1 up.
pub(crate) fn within(
    parameter: &'static str,
    given: Option<usize>,
    default: usize,
    max: usize,
) -> Result<usize, Error> {
    let number = given.unwrap_or(default);
    if (1..=max).contains(&number) {
        return Ok(number);
    }
    let message = match max {
        usize::MAX => format!("`{parameter}` must be 1 or more, not {number}"),
        max => format!("`{parameter}` must be 1 to {max}, not {number}"),
    };
    Err(Error::InvalidParameter {
        parameter,
        message,
        hint: None,
    })
}

fn after(now: Timestamp, duration: Duration) -> Timestamp {
    let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_nanos(now.as_nanos().saturating_add(nanos))
}

/// What an error of the catalog means to a caller.
fn of_catalog(doing: &'static str, error: catalog::Error) -> Error {
    match error {
        catalog::Error::NameTaken => {
            Error::InvalidValues(vec![InvalidValue::new("name", "has already been taken")])
        }
        catalog::Error::TooManyTokens { .. } => Error::InvalidParameter {
            parameter: "overlap",
            message: error.to_string(),
            hint: Some("rotate with an overlap of 0 to end the old tokens at once".to_owned()),
        },
        error => Error::internal(doing, error),
    }
}
