//! Completion of a query that is being typed: what the language expects at a place, with the fields and values that the caller's
//! events have.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use cordwood_engine::{self as engine, Cancel};
use cordwood_query::{
    Completion, Expected, Filter, Target, WordKind, complete, near_names, written_name,
    written_value,
};
use cordwood_store::Snapshot;

use super::{Account, Cell, SearchRequest, account_for, chosen_sources, searched};
use crate::range::range;
use crate::sources::within;
use crate::{Access, Caller, Error, Service};

/// Suggestions unless asked otherwise: a list that is read while typing.
pub const SUGGESTIONS_DEFAULT: usize = 20;
/// Suggestions at most.
pub const SUGGESTIONS_MAX: usize = 100;
/// How long looking for fields and values may take: whoever types does not wait.
const TIME: Duration = Duration::from_millis(200);
/// Values among which those that begin as typed are looked for.
const VALUES_MAX: usize = 1000;
/// Names every event can be asked by, beside its fields.
const HEADS: [&str; 4] = ["level", "dt", "_source", "_id"];

/// A question for what may stand at a place in a query.
#[derive(Clone, Debug, Default)]
pub struct CompleteRequest {
    /// The text so far as its query, with sources and range; the rest does not count.
    pub search: SearchRequest,
    /// The place, in bytes of the text; its end when `None`.
    pub position: Option<usize>,
    /// How many suggestions, [`SUGGESTIONS_DEFAULT`] when `None`, up to [`SUGGESTIONS_MAX`].
    pub limit: Option<usize>,
}

/// What may stand there.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The bytes of the text that a suggestion takes the place of.
    pub replaced: Range<usize>,
    /// The best first.
    pub suggestions: Vec<Suggestion>,
    /// What was read to find fields and values, and whether all were looked at; looking for them ends before whoever types
    /// would wait.
    pub account: Account,
}

/// One thing that may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What takes the place, quotes and all.
    pub text: String,
    /// What is shown.
    pub label: String,
    /// What it is.
    pub kind: SuggestionKind,
    /// In how many events it is, if that is known.
    pub events: Option<u64>,
}

/// What a suggestion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuggestionKind {
    /// A field.
    Field,
    /// A column of a table.
    Column,
    /// A value.
    Value,
    /// A word of the language.
    Keyword,
    /// An operator of it.
    Operator,
    /// A stage.
    Stage,
    /// A function.
    Function,
}

/// Where fields and values are looked for.
struct Looking<'a> {
    service: &'a Service,
    snapshot: Snapshot,
    request: engine::SearchRequest,
    /// What was read, if anything had to be.
    account: Option<engine::Account>,
}

impl Service {
    /// What may stand at a place in a query, of the fields and values that the caller may know of. A text that is no query yet
    /// is no mistake here.
    pub fn complete(
        &self,
        caller: &Caller,
        request: &CompleteRequest,
        cancel: &Cancel,
    ) -> Result<Completed, Error> {
        caller.require(Access::Read)?;
        let started = self.options.clock.instant();
        let limit = within("limit", request.limit, SUGGESTIONS_DEFAULT, SUGGESTIONS_MAX)?;
        let text = &request.search.query;
        let completion = complete(text, request.position.unwrap_or(text.len()));
        let sources = chosen_sources(&self.visible_sources(caller), &request.search.sources)?;
        let now = self.now();
        let (from, to) = (&request.search.from, &request.search.to);
        let mut looking = Looking {
            service: self,
            snapshot: self.store.snapshot(),
            request: engine::SearchRequest {
                range: range(from.as_deref(), to.as_deref(), now)?,
                deadline: started.checked_add(TIME),
                cancel: cancel.clone(),
                ..engine::SearchRequest::newest(searched(&sources, now), Filter::All, 0, now)
            },
            account: None,
        };
        let suggestions = looking.suggestions(&completion)?;
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let read = looking.account.unwrap_or_else(|| engine::Account {
            incomplete: Vec::new(),
            range: looking.request.range,
            covered: looking.request.range,
            rows_scanned: 0,
            bytes_scanned: 0,
            blocks: engine::BlockCounts::default(),
            segments: 0,
            elapsed: Duration::ZERO,
        });
        let account = account_for((text.clone(), now), &sources, &read, &looking.snapshot);
        let elapsed = self.options.clock.instant();
        Ok(Completed {
            replaced: completion.replaced,
            suggestions: ranked(suggestions, &completion.typed, limit),
            account: Account {
                elapsed: elapsed.saturating_duration_since(started),
                ..account
            },
        })
    }
}

impl Looking<'_> {
    fn suggestions(&mut self, completion: &Completion) -> Result<Vec<Suggestion>, Error> {
        let mut suggestions = Vec::new();
        for expected in &completion.expected {
            match expected {
                Expected::Clause => suggestions.extend(self.fields(":")?),
                Expected::Field => suggestions.extend(self.fields("")?),
                Expected::Column(name) => suggestions.push(Suggestion {
                    text: written_name(name),
                    label: name.clone(),
                    kind: SuggestionKind::Column,
                    events: None,
                }),
                Expected::Value(target) => suggestions.extend(self.values(target)?),
                Expected::Word { text, kind } => suggestions.push(Suggestion {
                    text: (*text).to_owned(),
                    label: (*text).to_owned(),
                    kind: kind_of(*kind),
                    events: None,
                }),
            }
        }
        Ok(suggestions)
    }

    /// The names of fields, the commonest first, as they begin a clause or stand alone.
    fn fields(&mut self, operator: &str) -> Result<Vec<Suggestion>, Error> {
        let survey = self.service.engine.survey(&self.snapshot, &self.request);
        let survey = survey.map_err(|error| Error::internal("listing fields", error))?;
        self.note(&survey.account);
        let mut fields: Vec<(&str, Option<u64>)> = survey
            .fields
            .iter()
            .map(|(name, field)| (&**name, Some(field.events)))
            .collect();
        fields.sort_by_key(|(_, events)| std::cmp::Reverse(*events));
        let heads = HEADS.map(|name| (name, None));
        let all = fields.into_iter().chain(heads);
        let named = all.map(|(name, events)| Suggestion {
            text: format!("{}{operator}", written_name(name)),
            label: name.to_owned(),
            kind: SuggestionKind::Field,
            events,
        });
        Ok(named.collect())
    }

    /// The values of a field, the commonest first.
    fn values(&mut self, target: &Target) -> Result<Vec<Suggestion>, Error> {
        let field = match target {
            // The language names the levels; times and ids are not chosen from a list.
            Target::Level | Target::Time | Target::Id | Target::AnyField => return Ok(Vec::new()),
            Target::Field(_) | Target::Source => target.name().to_owned(),
        };
        let request = engine::FacetsRequest {
            search: self.request.clone(),
            fields: vec![field],
            values_max: VALUES_MAX,
        };
        let facets = self.service.engine.facets(&self.snapshot, &request);
        let facets = facets.map_err(|error| Error::internal("listing values", error))?;
        self.note(&facets.account);
        let values = facets.facets.into_iter().flat_map(|facet| facet.values);
        let values = values.filter_map(|counted| {
            let label = label_of(&counted.value)?;
            Some(Suggestion {
                text: written_value(&label),
                label,
                kind: SuggestionKind::Value,
                events: Some(counted.events),
            })
        });
        Ok(values.collect())
    }

    fn note(&mut self, account: &engine::Account) {
        match &mut self.account {
            Some(read) => read.include(account),
            None => self.account = Some(account.clone()),
        }
    }
}

fn kind_of(kind: WordKind) -> SuggestionKind {
    match kind {
        WordKind::Keyword => SuggestionKind::Keyword,
        WordKind::Operator => SuggestionKind::Operator,
        WordKind::Stage => SuggestionKind::Stage,
        WordKind::Function => SuggestionKind::Function,
        WordKind::Value => SuggestionKind::Value,
    }
}

/// A value as it is written.
fn label_of(value: &Cell) -> Option<String> {
    match value {
        Cell::Null | Cell::Time(_) => None,
        Cell::Bool(boolean) => Some(boolean.to_string()),
        Cell::Int(integer) => Some(integer.to_string()),
        Cell::Float(float) => Some(float.to_string()),
        Cell::Str(text) | Cell::Json(text) => (!text.is_empty()).then(|| text.to_string()),
    }
}

/// Those that begin as typed, then those that hold it, in the order they have; where there is none, those that may have been
/// meant.
fn ranked(suggestions: Vec<Suggestion>, typed: &str, limit: usize) -> Vec<Suggestion> {
    let typed = typed.to_lowercase();
    let place_of = |suggestion: &Suggestion| {
        let label = suggestion.label.to_lowercase();
        match label.find(&typed) {
            Some(0) => Some(0),
            Some(_) => Some(1),
            None => None,
        }
    };
    let mut fitting: Vec<(usize, Suggestion)> = suggestions
        .iter()
        .filter_map(|suggestion| Some((place_of(suggestion)?, suggestion.clone())))
        .collect();
    fitting.sort_by_key(|(place, _)| *place);
    if !fitting.is_empty() {
        let fitting = fitting.into_iter().map(|(_, suggestion)| suggestion);
        return fitting.take(limit).collect();
    }
    let by_label: BTreeMap<&str, &Suggestion> = suggestions
        .iter()
        .map(|suggestion| (suggestion.label.as_str(), suggestion))
        .collect();
    let near = near_names(&typed, by_label.keys().copied());
    let near = near.into_iter().filter_map(|label| by_label.get(label));
    near.take(limit).copied().cloned().collect()
}
