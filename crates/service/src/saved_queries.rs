//! Saved queries: what a team asks again and again, under a name, with its range, sources and order.
//!
//! Callers are API tokens, so that a private query is one that its token alone sees; docs/decisions/0037 says what becomes of that.

mod starters;

use std::sync::Arc;

use cordwood_catalog::{self as catalog, ApiTokenId, SavedQueryId};
use cordwood_event::Timestamp;
use cordwood_query::TimePoint;

use crate::caller::the_one;
use crate::search::problems_of;
use crate::{Access, Caller, ClientId, Error, InvalidValue, Order, SearchRequest, Service};

pub use cordwood_catalog::Visibility;
pub(crate) use starters::starters;

/// Saved queries of one client at most: more, and nobody finds theirs.
const PER_CLIENT_MAX: usize = 1000;
/// Characters in a name at most, as in those of tokens.
const NAME_LENGTH_MAX: usize = 200;
/// Characters in a description at most: a paragraph.
const DESCRIPTION_LENGTH_MAX: usize = 2000;
/// Columns, tags or sources at most, as many as a query may name fields.
const LIST_LENGTH_MAX: usize = 256;

/// A saved query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedQuery {
    /// Its number.
    pub id: u64,
    /// Unique among those of the client, or those of the token if it is private.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The query, as it was written.
    pub query: String,
    /// From when, as written: `now-1h`.
    pub from: Option<String>,
    /// Until when.
    pub to: Option<String>,
    /// The order.
    pub order: Order,
    /// The columns to show; none for those of the answer.
    pub columns: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The sources, as written; none for all.
    pub sources: Vec<String>,
    /// Who sees it.
    pub visibility: Visibility,
    /// The client it belongs to.
    pub client: ClientId,
    /// The token that made it; `None` if it was made with the client.
    pub owner: Option<u64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a saved query is to be, or to be changed to; what is `None` stays, or is as by default.
#[derive(Clone, Debug, Default)]
pub struct SavedQueryChanges {
    /// See [`SavedQuery::name`]; needed for a new one.
    pub name: Option<String>,
    /// See [`SavedQuery::description`].
    pub description: Option<String>,
    /// See [`SavedQuery::query`].
    pub query: Option<String>,
    /// See [`SavedQuery::from`]; `Some(None)` takes it away.
    pub from: Option<Option<String>>,
    /// See [`SavedQuery::to`].
    pub to: Option<Option<String>>,
    /// See [`SavedQuery::order`].
    pub order: Option<Order>,
    /// See [`SavedQuery::columns`].
    pub columns: Option<Vec<String>>,
    /// See [`SavedQuery::tags`].
    pub tags: Option<Vec<String>>,
    /// See [`SavedQuery::sources`].
    pub sources: Option<Vec<String>>,
    /// See [`SavedQuery::visibility`]; private by default.
    pub visibility: Option<Visibility>,
}

impl Service {
    /// The saved queries that the caller sees, by name.
    pub fn list_saved_queries(&self, caller: &Caller) -> Result<Vec<SavedQuery>, Error> {
        caller.require(Access::Read)?;
        let saved = self.visible_saved_queries(caller);
        let mut saved: Vec<SavedQuery> = saved.iter().map(|saved| described(saved)).collect();
        saved.sort_by_cached_key(|saved| (saved.name.to_lowercase(), saved.id));
        Ok(saved)
    }

    /// A saved query, by its id or name.
    pub fn saved_query(&self, caller: &Caller, name: &str) -> Result<SavedQuery, Error> {
        caller.require(Access::Read)?;
        self.find_saved_query(caller, name)
            .map(|saved| described(&saved))
    }

    /// Saves a query for a client, the only one the caller sees unless it is named. A private one needs no more than searching does;
    /// one that others see needs write access.
    pub fn create_saved_query(
        &self,
        caller: &Caller,
        client: Option<ClientId>,
        new: &SavedQueryChanges,
    ) -> Result<SavedQuery, Error> {
        let content = changed(None, new);
        require_for(caller, content.visibility)?;
        let client = self.client_meant(caller, client)?;
        check(&content)?;
        let of_client = self.catalog.saved_queries();
        let of_client = of_client.iter().filter(|saved| saved.client == client);
        if of_client.count() >= PER_CLIENT_MAX {
            let message = format!("are {PER_CLIENT_MAX}, the most a client may have");
            return Err(invalid("saved queries", message));
        }
        let owner = ApiTokenId(caller.token_id());
        self.catalog
            .create_saved_query(client, owner, content, self.now())
            .map(|saved| described(&saved))
            .map_err(of_catalog)
    }

    /// Changes a saved query: a private one its owner, a shared one its owner with write access, or an admin.
    pub fn update_saved_query(
        &self,
        caller: &Caller,
        name: &str,
        changes: &SavedQueryChanges,
    ) -> Result<SavedQuery, Error> {
        let known = self.find_saved_query(caller, name)?;
        require_to_change(caller, &known)?;
        let content = changed(Some(&known.content), changes);
        require_for(caller, content.visibility)?;
        let is_anothers = known.owner != Some(ApiTokenId(caller.token_id()));
        if content.visibility == Visibility::Private && is_anothers {
            return Err(invalid(
                "visibility",
                "can't be private for a query of another token",
            ));
        }
        check(&content)?;
        self.catalog
            .update_saved_query(known.id, content, self.now())
            .map(|saved| described(&saved))
            .map_err(of_catalog)
    }

    /// Deletes a saved query; for those who may change it.
    pub fn delete_saved_query(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        let known = self.find_saved_query(caller, name)?;
        require_to_change(caller, &known)?;
        self.catalog
            .delete_saved_query(known.id)
            .map_err(of_catalog)
    }

    /// The search that a request for a saved query means: what the request itself says comes before what was saved.
    pub(crate) fn resolved(
        &self,
        caller: &Caller,
        request: &SearchRequest,
    ) -> Result<SearchRequest, Error> {
        let Some(name) = &request.saved_query else {
            return Ok(request.clone());
        };
        if !request.query.trim().is_empty() {
            return Err(Error::InvalidParameter {
                parameter: "saved_query",
                message: "there are a `query` and a `saved_query`".to_owned(),
                hint: Some("leave one of them out".to_owned()),
            });
        }
        let saved = self.saved_query(caller, name)?;
        let has_range = request.from.is_some() || request.to.is_some();
        let (from, to) = match has_range {
            true => (request.from.clone(), request.to.clone()),
            false => (saved.from, saved.to),
        };
        Ok(SearchRequest {
            query: saved.query,
            sources: match request.sources.is_empty() {
                true => saved.sources,
                false => request.sources.clone(),
            },
            from,
            to,
            order: match request.order {
                Order::NewestFirst => saved.order,
                Order::OldestFirst => Order::OldestFirst,
            },
            saved_query: None,
            ..request.clone()
        })
    }

    fn visible_saved_queries(&self, caller: &Caller) -> Vec<Arc<catalog::SavedQuery>> {
        let mut saved = self.catalog.saved_queries();
        saved.retain(|saved| is_visible(saved, caller));
        saved
    }

    /// By id, or by name: one's own before those that are shared. One that the caller may not see is not found in the same words as
    /// one that never was.
    fn find_saved_query(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Arc<catalog::SavedQuery>, Error> {
        let (visible, name) = (self.visible_saved_queries(caller), name.trim());
        let by_id = name.parse().ok().map(SavedQueryId);
        if let Some(saved) = visible.iter().find(|saved| Some(saved.id) == by_id) {
            return Ok(Arc::clone(saved));
        }
        let named = |visibility: Visibility| -> Vec<&Arc<catalog::SavedQuery>> {
            let fitting = visible.iter().filter(|saved| {
                let content = &saved.content;
                content.visibility == visibility && content.name.eq_ignore_ascii_case(name)
            });
            fitting.collect()
        };
        let mut found = named(Visibility::Private);
        if found.is_empty() {
            found = named(Visibility::Shared);
        }
        let names = visible.iter().map(|saved| saved.content.name.as_str());
        the_one("saved query", name, &found, |saved| saved.id.0, names)
    }
}

fn is_visible(saved: &catalog::SavedQuery, caller: &Caller) -> bool {
    let is_own = saved.owner == Some(ApiTokenId(caller.token_id()));
    caller.sees(saved.client) && (is_own || saved.content.visibility == Visibility::Shared)
}

fn require_for(caller: &Caller, visibility: Visibility) -> Result<(), Error> {
    caller.require(match visibility {
        Visibility::Private => Access::Read,
        Visibility::Shared => Access::Write,
    })
}

/// A shared query belongs to whoever made it; others need to be admins.
fn require_to_change(caller: &Caller, saved: &catalog::SavedQuery) -> Result<(), Error> {
    require_for(caller, saved.content.visibility)?;
    match saved.owner == Some(ApiTokenId(caller.token_id())) {
        true => Ok(()),
        false => caller.require(Access::Admin),
    }
}

fn changed(
    known: Option<&catalog::SavedQueryContent>,
    changes: &SavedQueryChanges,
) -> catalog::SavedQueryContent {
    let mut content = known.cloned().unwrap_or(catalog::SavedQueryContent {
        name: String::new(),
        visibility: Visibility::Private,
        description: String::new(),
        query: String::new(),
        from: None,
        to: None,
        is_oldest_first: false,
        columns: Vec::new(),
        tags: Vec::new(),
        sources: Vec::new(),
    });
    let change = |to: &mut String, from: &Option<String>| {
        if let Some(text) = from {
            *to = text.trim().to_owned();
        }
    };
    change(&mut content.name, &changes.name);
    change(&mut content.description, &changes.description);
    change(&mut content.query, &changes.query);
    let replace = |to: &mut Vec<String>, from: &Option<Vec<String>>| {
        if let Some(list) = from {
            *to = list.iter().map(|entry| entry.trim().to_owned()).collect();
        }
    };
    replace(&mut content.columns, &changes.columns);
    replace(&mut content.tags, &changes.tags);
    replace(&mut content.sources, &changes.sources);
    content.from = changes.from.clone().unwrap_or(content.from);
    content.to = changes.to.clone().unwrap_or(content.to);
    content.visibility = changes.visibility.unwrap_or(content.visibility);
    content.is_oldest_first = changes
        .order
        .map_or(content.is_oldest_first, |order| order == Order::OldestFirst);
    content
}

/// Refuses what cannot be; a query as a search would.
fn check(content: &catalog::SavedQueryContent) -> Result<(), Error> {
    cordwood_query::parse(&content.query)
        .map_err(|diagnostics| Error::Query(problems_of(diagnostics.0)))?;
    let mut wrong = Vec::new();
    let mut refuse = |field, message: &str| wrong.push(InvalidValue::new(field, message));
    let has_controls = |text: &str| text.chars().any(char::is_control);
    match content.name.chars().count() {
        0 => refuse("name", "can't be blank"),
        1..=NAME_LENGTH_MAX if has_controls(&content.name) => refuse("name", "has to be one line"),
        1..=NAME_LENGTH_MAX if content.name.bytes().all(|byte| byte.is_ascii_digit()) => {
            refuse("name", "can't be a number, which would be taken for an id");
        }
        1..=NAME_LENGTH_MAX => {}
        _ => refuse("name", "is too long (maximum is 200 characters)"),
    }
    if content.description.chars().count() > DESCRIPTION_LENGTH_MAX {
        refuse("description", "is too long (maximum is 2000 characters)");
    }
    for (field, time) in [("from", &content.from), ("to", &content.to)] {
        let is_time = |text: &String| TimePoint::parse(text.trim()).is_ok();
        if !time.as_ref().is_none_or(is_time) {
            refuse(field, "has to be a time such as now-1h or 2026-03-27");
        }
    }
    let lists = [
        ("columns", &content.columns),
        ("tags", &content.tags),
        ("source_id", &content.sources),
    ];
    for (field, list) in lists {
        if list.len() > LIST_LENGTH_MAX {
            refuse(field, "are too many (maximum is 256)");
        }
        let is_wrong = |entry: &String| entry.is_empty() || has_controls(entry);
        if list.iter().any(is_wrong) {
            refuse(field, "can't be blank or have several lines");
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::InvalidValues(wrong)),
    }
}

fn invalid(field: &'static str, message: impl Into<String>) -> Error {
    Error::InvalidValues(vec![InvalidValue::new(field, message)])
}

fn of_catalog(error: catalog::Error) -> Error {
    match error {
        catalog::Error::NameTaken => invalid("name", "has already been taken"),
        catalog::Error::NotFound { kind } => Error::NotFound {
            kind,
            name: "it".to_owned(),
            near: Vec::new(),
        },
        error => Error::internal("keeping a saved query", error),
    }
}

fn described(saved: &catalog::SavedQuery) -> SavedQuery {
    let content = saved.content.clone();
    SavedQuery {
        id: saved.id.0,
        name: content.name,
        description: content.description,
        query: content.query,
        from: content.from,
        to: content.to,
        order: match content.is_oldest_first {
            true => Order::OldestFirst,
            false => Order::NewestFirst,
        },
        columns: content.columns,
        tags: content.tags,
        sources: content.sources,
        visibility: content.visibility,
        client: saved.client,
        owner: saved.owner.map(|owner| owner.0),
        created_at: saved.created_at,
        updated_at: saved.updated_at,
    }
}
