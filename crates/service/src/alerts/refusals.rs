//! When sources refused what was sent to them: what is missing then was perhaps sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordwood_alerts::Window;
use cordwood_catalog as catalog;
use cordwood_event::{SourceId, Timestamp};

use crate::{Refusal, Service};

/// Refusals seen since the server was started.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    by_source: BTreeMap<SourceId, Refused>,
    /// When nothing could be written last, and why.
    unwritable: Option<(Timestamp, String)>,
}

/// What a source refused.
#[derive(Clone, Debug)]
struct Refused {
    at: Timestamp,
    reason: String,
    /// How many requests its quota had refused by then.
    over_quota: u64,
}

impl Refusals {
    /// Looks at all sources.
    pub(super) fn look(&mut self, service: &Service, now: Timestamp) {
        let health = service.health();
        if !health.can_write {
            self.unwritable = Some((now, health.problems.join("; ")));
        }
        let sources = service.catalog.sources();
        self.by_source
            .retain(|id, _| sources.iter().any(|source| source.id == *id));
        for source in sources {
            self.look_at(service, &source, now);
        }
    }

    fn look_at(&mut self, service: &Service, source: &catalog::Source, now: Timestamp) {
        let usage = service.catalog.usage(source.id);
        let refused = usage.map(|usage| usage.in_month_of(now).refused);
        let over_quota = refused
            .and_then(|refused| refused.get(Refusal::QuotaExceeded.code()).copied())
            .unwrap_or(0);
        let known = self.by_source.get(&source.id);
        let is_refusing = known.is_some_and(|known| over_quota > known.over_quota);
        let reason = match (source.ingesting_paused, is_refusing) {
            (true, _) => format!("source `{}` is paused", source.name),
            (false, true) => format!("the quota of source `{}` is spent", source.name),
            (false, false) => String::new(),
        };
        if !reason.is_empty() || known.is_none() {
            let at = if reason.is_empty() {
                Timestamp::MIN
            } else {
                now
            };
            let refused = Refused {
                at,
                reason,
                over_quota,
            };
            self.by_source.insert(source.id, refused);
        }
    }

    /// Why not all that was sent to some sources in a window could arrive, if so.
    pub(super) fn within(
        &self,
        window: Window,
        sources: &[Arc<catalog::Source>],
    ) -> Option<String> {
        if let Some((at, reason)) = &self.unwritable
            && *at >= window.start
        {
            return Some(reason.clone());
        }
        let of_sources = sources
            .iter()
            .filter_map(|source| self.by_source.get(&source.id));
        of_sources
            .filter(|refused| refused.at >= window.start)
            .map(|refused| refused.reason.clone())
            .next()
    }
}
