//! The patterns that each source has had since its first event, as the catalog keeps them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use cordwood_catalog::{self as catalog, LearntPattern, LearntPatterns};
use cordwood_engine as engine;
use cordwood_engine::pattern::{PatternId, PatternQuery};
use cordwood_event::{Level, SourceId, Timestamp};
use cordwood_query::FieldName;

use super::{NewPattern, PatternFound};

/// The field whose patterns are kept.
pub(super) const MESSAGE: &str = "message";

/// What is known of all sources. Readers wait for nobody but each other.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    by_source: RwLock<BTreeMap<SourceId, Arc<LearntPatterns>>>,
}

/// What is known of some sources.
#[derive(Debug)]
pub(super) struct Seen {
    by_source: BTreeMap<SourceId, Arc<LearntPatterns>>,
}

impl Registry {
    pub(crate) fn new(known: BTreeMap<SourceId, LearntPatterns>) -> Registry {
        let known = known.into_iter();
        Registry {
            by_source: RwLock::new(known.map(|(id, learnt)| (id, Arc::new(learnt))).collect()),
        }
    }

    /// What is known of a source.
    pub(super) fn of(&self, source: SourceId) -> Arc<LearntPatterns> {
        let known = self.by_source.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.get(&source).map(Arc::clone).unwrap_or_default()
    }

    pub(super) fn put(&self, source: SourceId, learnt: Arc<LearntPatterns>) {
        let known = self.by_source.write();
        known
            .unwrap_or_else(PoisonError::into_inner)
            .insert(source, learnt);
    }

    /// Forgets sources that are gone.
    pub(super) fn keep(&self, sources: &[Arc<catalog::Source>]) {
        let known = self.by_source.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.retain(|id, _| sources.iter().any(|source| source.id == *id));
    }

    pub(super) fn seen_in(&self, sources: &[Arc<catalog::Source>]) -> Seen {
        let known = sources.iter().map(|source| (source.id, self.of(source.id)));
        Seen {
            by_source: known.collect(),
        }
    }

    /// When any of the sources has had each pattern first, by id.
    pub(super) fn first_seen(
        &self,
        sources: &[Arc<catalog::Source>],
    ) -> BTreeMap<String, Timestamp> {
        let mut first_seen = BTreeMap::new();
        for learnt in self.seen_in(sources).by_source.values() {
            for (form, pattern) in &learnt.by_form {
                let id = PatternId::of_form(form).to_string();
                let first = first_seen.entry(id).or_insert(pattern.first_seen);
                *first = (*first).min(pattern.first_seen);
            }
        }
        first_seen
    }

    pub(crate) fn new_since(
        &self,
        sources: &[Arc<catalog::Source>],
        since: Timestamp,
    ) -> Vec<NewPattern> {
        let mut new = Vec::new();
        for (source, learnt) in self.seen_in(sources).by_source {
            let is_new = |(_, pattern): &(&String, &LearntPattern)| pattern.first_seen >= since;
            new.extend(
                learnt
                    .by_form
                    .iter()
                    .filter(is_new)
                    .map(|(form, pattern)| NewPattern {
                        source,
                        id: PatternId::of_form(form),
                        text: pattern.text.clone(),
                        query: PatternQuery::of(MESSAGE, form).text,
                        first_seen: pattern.first_seen,
                        last_seen: pattern.last_seen,
                        seen: pattern.count,
                    }),
            );
        }
        new.sort_by_key(|pattern| std::cmp::Reverse(pattern.first_seen));
        new
    }
}

impl Seen {
    /// What the sources of a pattern have had of it. Only of messages anything is kept.
    fn of<'s>(
        &'s self,
        field: &FieldName,
        pattern: &'s engine::Pattern,
    ) -> impl Iterator<Item = &'s LearntPattern> {
        let is_kept = field.as_str() == MESSAGE;
        let sources = self.by_source.values().filter(move |_| is_kept);
        sources.filter_map(|learnt| learnt.by_form.get(&pattern.form))
    }

    pub(super) fn first_seen(&self, field: &FieldName, pattern: &engine::Pattern) -> Timestamp {
        let seen = self.of(field, pattern).map(|seen| seen.first_seen);
        seen.fold(pattern.first.timestamp, Timestamp::min)
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.by_source.values().map(|learnt| learnt.forgotten).sum()
    }

    /// A pattern as it is answered, of so many events.
    pub(super) fn told(
        &self,
        field: &FieldName,
        pattern: engine::Pattern,
        events: u64,
    ) -> PatternFound {
        let last_seen = self.of(field, &pattern).map(|seen| seen.last_seen);
        let last_seen = last_seen.fold(pattern.last.timestamp, Timestamp::max);
        let seen: u64 = self.of(field, &pattern).map(|seen| seen.count).sum();
        let levels = [None].into_iter().chain(Level::ALL.map(Some));
        let levels = levels.filter_map(|level| {
            let code = level.map_or(0, |level| usize::from(level.code()));
            let count = *pattern.by_level.get(code).filter(|count| **count > 0)?;
            Some((level.map_or("none", Level::name), count))
        });
        PatternFound {
            first_seen: self.first_seen(field, &pattern),
            last_seen,
            seen: seen.max(pattern.count),
            levels: levels.collect(),
            id: pattern.id,
            text: pattern.text,
            query: pattern.query,
            count: pattern.count,
            share: share(pattern.count, events),
            trend: pattern.by_bucket,
            sources: pattern.by_source,
            first: pattern.first.timestamp,
            last: pattern.last.timestamp,
            example: pattern.example,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share is a float")]
fn share(count: u64, events: u64) -> f64 {
    count as f64 / events.max(1) as f64
}
