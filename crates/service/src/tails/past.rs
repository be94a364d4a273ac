//! What came before a tail began: since its reader left, or the newest events.
//!
//! The store is asked for it, in a snapshot taken after the reader was seated: what the snapshot holds is the past, everything
//! else arrives. Found are the newest events by their time; told are they in the order of arrival, so that a reader who
//! leaves in the middle of the past can go on from there too.

use std::time::Duration;

use cordwood_engine::{self as engine, Cancel, LiveQuery, LiveRow, Order, SearchedSource, Total};
use cordwood_event::{Event, Timestamp};
use cordwood_store::Snapshot;

use super::reader::{DropReason, Dropped, READER_BYTES_MAX, READER_ROWS_MAX};
use super::{Since, TAIL_TIME_MAX};
use crate::{Error, Service};

/// Events found at once, where stages may leave some out.
const PAGE_EVENTS: usize = 1000;

/// Events looked at, where stages leave most of them out.
const SELECTED_FROM_MAX: usize = 100_000;

/// How long the stages may take for one event.
const STAGES_TIME_MAX: Duration = Duration::from_secs(1);

/// What is told of the past.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// In the order of arrival.
    pub(crate) rows: Vec<LiveRow>,
    pub(crate) dropped: Option<Dropped>,
    /// Why the past may lack events, if it may.
    pub(crate) incomplete_reason: Option<String>,
    pub(crate) rows_scanned: u64,
    pub(crate) bytes_scanned: u64,
}

/// Where and what to search.
pub(crate) struct PastRequest<'a> {
    pub(crate) since: Since,
    pub(crate) sources: Vec<SearchedSource>,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) now: Timestamp,
    pub(crate) cancel: &'a Cancel,
}

impl Service {
    pub(crate) fn past(
        &self,
        live: &mut LiveQuery,
        request: &PastRequest<'_>,
    ) -> Result<Past, Error> {
        match request.since {
            Since::Now => Ok(Past::default()),
            Since::After(position) if position > request.snapshot.last_sequence() => Ok(Past {
                dropped: Some(Dropped {
                    reason: DropReason::UnknownPosition,
                    count: None,
                }),
                ..Past::default()
            }),
            Since::After(_) => self.newest(live, request, READER_ROWS_MAX),
            Since::Last(rows) => self.newest(live, request, rows),
        }
    }

    fn newest(
        &self,
        live: &mut LiveQuery,
        request: &PastRequest<'_>,
        rows_max: usize,
    ) -> Result<Past, Error> {
        let mut search = self.past_search(live, request, rows_max);
        let mut past = Past::default();
        let mut looked_at = 0;
        let mut matches = None;
        let has_more = loop {
            let found = self.engine.search(request.snapshot, &search);
            let found = found.map_err(|error| Error::internal("searching", error))?;
            if found
                .account
                .incomplete
                .contains(&engine::Incomplete::Cancelled)
            {
                return Err(Error::Cancelled);
            }
            past.rows_scanned += found.account.rows_scanned;
            past.bytes_scanned += found.account.bytes_scanned;
            matches = matches.or(found.total);
            looked_at += found.events.len();
            let (is_complete, next) = (found.account.is_complete(), found.next);
            let is_full = self.take_page(live, request, found.events, (&mut past.rows, rows_max));
            if !is_complete {
                let reasons = found.account.incomplete.iter().map(ToString::to_string);
                past.incomplete_reason = Some(reasons.collect::<Vec<_>>().join("; "));
                break true;
            }
            let is_full = is_full || (past.rows.len() >= rows_max && next.is_some());
            if is_full || next.is_none() || looked_at >= SELECTED_FROM_MAX {
                break is_full || next.is_some();
            }
            search.after = next;
            search.total = Total::NotAsked;
        };
        past.rows.sort_by_key(|row| row.id().sequence);
        if has_more && matches!(request.since, Since::After(_)) {
            let is_counted = past.incomplete_reason.is_none() && !live.is_selective();
            let left_out = matches.map(|all| all.saturating_sub(past.rows.len() as u64));
            past.dropped = (left_out != Some(0)).then_some(Dropped {
                reason: DropReason::TooFarBack,
                count: left_out.filter(|_| is_counted),
            });
        }
        Ok(past)
    }

    fn past_search(
        &self,
        live: &LiveQuery,
        request: &PastRequest<'_>,
        rows_max: usize,
    ) -> engine::SearchRequest {
        let (after_sequence, total) = match request.since {
            Since::After(position) => (Some(position), Total::Count),
            Since::Now | Since::Last(_) => (None, Total::NotAsked),
        };
        let sources = request.sources.clone();
        engine::SearchRequest {
            order: Order::NewestFirst,
            after_sequence,
            total,
            deadline: self.options.clock.instant().checked_add(TAIL_TIME_MAX),
            cancel: request.cancel.clone(),
            ..engine::SearchRequest::newest(
                sources,
                live.filter().clone(),
                rows_max.min(PAGE_EVENTS),
                request.now,
            )
        }
    }

    /// Takes events through the stages, as many as there is room for; whether there was no room for all.
    fn take_page(
        &self,
        live: &mut LiveQuery,
        request: &PastRequest<'_>,
        events: Vec<Event>,
        (rows, rows_max): (&mut Vec<LiveRow>, usize),
    ) -> bool {
        let mut bytes: u64 = rows.iter().map(LiveRow::bytes).sum();
        for event in events {
            let source = request
                .sources
                .iter()
                .find(|source| source.id == event.source);
            let name = source.map_or("", |source| &*source.name);
            let until = self.options.clock.instant() + STAGES_TIME_MAX;
            let Some(row) = live.pass(event, name, until) else {
                continue;
            };
            bytes += row.bytes();
            // One row is told however large it is.
            if rows.len() >= rows_max || (bytes > READER_BYTES_MAX && !rows.is_empty()) {
                return true;
            }
            rows.push(row);
        }
        false
    }
}
