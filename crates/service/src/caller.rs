//! For whom a use case acts, and what that allows.

use std::sync::Arc;

use cordwood_catalog::{Source, TokenHash};
use cordwood_query::near_names;

use crate::{Error, Service};

pub use cordwood_catalog::{Access, ClientId, Scope};

/// Who asks: made by [`Service::authenticate`](crate::Service::authenticate) from an API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    access: Access,
    scope: Scope,
    token_id: u64,
    token_name: String,
}

impl Caller {
    /// What the caller may do.
    pub fn access(&self) -> Access {
        self.access
    }

    /// The clients the caller acts for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The number of the API token.
    pub fn token_id(&self) -> u64 {
        self.token_id
    }

    /// The name of the API token, for logs.
    pub fn token_name(&self) -> &str {
        &self.token_name
    }

    /// Whether the caller may know of this client at all.
    pub fn sees(&self, client: ClientId) -> bool {
        match &self.scope {
            Scope::AllClients => true,
            Scope::Clients(clients) => clients.contains(&client),
        }
    }

    /// The one place where access is checked.
    pub fn require(&self, needed: Access) -> Result<(), Error> {
        if self.access >= needed {
            Ok(())
        } else {
            Err(Error::Forbidden {
                needed,
                has: self.access,
            })
        }
    }
}

impl Service {
    /// The caller an API token stands for.
    pub fn authenticate(&self, api_token: &str) -> Result<Caller, Error> {
        let token = self
            .catalog
            .find_api_token(TokenHash::of(api_token), self.now())
            .ok_or(Error::Unauthenticated)?;
        Ok(Caller {
            access: token.access,
            scope: token.scope,
            token_id: token.id.0,
            token_name: token.name,
        })
    }

    /// The sources a caller may know of, by id. Every other look at sources starts here.
    pub(crate) fn visible_sources(&self, caller: &Caller) -> Vec<Arc<Source>> {
        let mut sources = self.catalog.sources();
        sources.retain(|source| caller.sees(source.client));
        sources
    }

    /// The source a caller means by an id, an `src-` id or a name. One of another client is not
    /// found in the same words as one that never was.
    pub(crate) fn find_source(&self, caller: &Caller, name: &str) -> Result<Arc<Source>, Error> {
        pick_source(&self.visible_sources(caller), name)
    }
}

/// The source meant by `name`: its id, `src-` and its id, or its name; the name in any case if there
/// is none in this one.
pub(crate) fn pick_source(visible: &[Arc<Source>], name: &str) -> Result<Arc<Source>, Error> {
    let name = name.trim();
    if let Some(id) = source_number(name)
        && let Some(source) = visible.iter().find(|source| source.id.0 == id)
    {
        return Ok(Arc::clone(source));
    }
    let named = |fits: &dyn Fn(&str) -> bool| -> Vec<&Arc<Source>> {
        visible.iter().filter(|source| fits(&source.name)).collect()
    };
    let mut found = named(&|own| own == name);
    if found.is_empty() {
        found = named(&|own| own.eq_ignore_ascii_case(name));
    }
    let names = visible.iter().map(|source| source.name.as_str());
    the_one("source", name, &found, |source| source.id.0, names)
}

/// The one record that a name means. Of none, says which of `names` may have been meant; of several, their ids.
pub(crate) fn the_one<'n, T>(
    kind: &'static str,
    name: &str,
    found: &[&Arc<T>],
    id: impl Fn(&T) -> u64,
    names: impl Iterator<Item = &'n str>,
) -> Result<Arc<T>, Error> {
    match found {
        [record] => Ok(Arc::clone(record)),
        [] => Err(Error::NotFound {
            kind,
            name: name.to_owned(),
            near: near_names(name, names)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }),
        several => Err(Error::Ambiguous {
            kind,
            name: name.to_owned(),
            ids: several
                .iter()
                .map(|record| id(record).to_string())
                .collect(),
        }),
    }
}

/// The number in `7` or `src-7`.
pub(crate) fn source_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("src-").unwrap_or(name);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}
