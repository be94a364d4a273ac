//! API tokens: create, list, revoke.

use cordwood_event::Timestamp;

use cordwood_catalog::{self as catalog, ApiTokenId, ApiTokenPurpose, NewToken};

use crate::{Access, Caller, Error, InvalidValue, Scope, Secret, Service};

/// What is known of an API token; the token itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its number, never reused.
    pub id: u64,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub access: Access,
    /// For which clients.
    pub scope: Scope,
    /// Its last four characters, to tell tokens apart.
    pub ending: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used; kept up to date to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it stops being good; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// An API token to be made.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// What it is for; required.
    pub name: String,
    /// What it allows; no more than its maker has.
    pub access: Access,
    /// For which clients; no more than its maker sees.
    pub scope: Scope,
    /// When it stops being good; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// An API token just made: its text is shown here and never again.
#[derive(Clone, Debug)]
pub struct CreatedApiToken {
    /// What is known of it.
    pub api_token: ApiToken,
    /// Its text.
    pub token: Secret,
}

/// Characters in a name at most.
const NAME_LENGTH_MAX: usize = 200;

impl Service {
    /// Makes an API token. It can do no more than its maker, for no more clients.
    pub fn create_api_token(
        &self,
        caller: &Caller,
        new: &NewApiToken,
    ) -> Result<CreatedApiToken, Error> {
        caller.require(Access::Admin)?;
        let now = self.now();
        let invalid = self.invalid_values_of(caller, new, now);
        if !invalid.is_empty() {
            return Err(Error::InvalidValues(invalid));
        }
        let record = catalog::NewApiToken {
            name: new.name.trim().to_owned(),
            purpose: ApiTokenPurpose::General,
            access: new.access,
            scope: new.scope.clone(),
            expires_at: new.expires_at,
        };
        let token = NewToken::for_api(&*self.options.random);
        let made = self
            .catalog
            .create_api_token(&record, &token, now)
            .map_err(|error| Error::internal("making an API token", error))?;
        Ok(CreatedApiToken {
            api_token: made.into(),
            token: token.secret,
        })
    }

    /// The API tokens for clients the caller sees, revoked ones too, by id. A token for clients
    /// beyond the caller's is not shown.
    pub fn list_api_tokens(&self, caller: &Caller) -> Result<Vec<ApiToken>, Error> {
        caller.require(Access::Admin)?;
        let tokens = self.catalog.api_tokens().into_iter();
        let visible = tokens.filter(|token| includes(caller.scope(), &token.scope));
        Ok(visible.map(ApiToken::from).collect())
    }

    /// Revokes an API token, by id; it is refused from now on.
    pub fn revoke_api_token(&self, caller: &Caller, id: u64) -> Result<ApiToken, Error> {
        let visible = self.list_api_tokens(caller)?;
        if !visible.iter().any(|token| token.id == id) {
            return Err(Error::NotFound {
                kind: "API token",
                name: id.to_string(),
                near: Vec::new(),
            });
        }
        self.catalog
            .revoke_api_token(ApiTokenId(id), self.now())
            .map(ApiToken::from)
            .map_err(|error| Error::internal("revoking an API token", error))
    }

    fn invalid_values_of(
        &self,
        caller: &Caller,
        new: &NewApiToken,
        now: Timestamp,
    ) -> Vec<InvalidValue> {
        let mut invalid = Vec::new();
        let name = new.name.trim();
        if name.is_empty() {
            invalid.push(InvalidValue::new("name", "can't be blank"));
        } else if name.chars().count() > NAME_LENGTH_MAX {
            let message = format!("is too long (maximum is {NAME_LENGTH_MAX} characters)");
            invalid.push(InvalidValue::new("name", message));
        }
        if new.access > caller.access() {
            invalid.push(InvalidValue::new("access", "can't be more than your own"));
        }
        if let Some(message) = self.wrong_scope(caller, &new.scope) {
            invalid.push(InvalidValue::new("clients", message));
        }
        if new.expires_at.is_some_and(|expires_at| expires_at <= now) {
            invalid.push(InvalidValue::new("expires_at", "must be in the future"));
        }
        invalid
    }

    /// A client that is not there and one the caller does not see are wrong in the same words.
    fn wrong_scope(&self, caller: &Caller, scope: &Scope) -> Option<&'static str> {
        let known = self.catalog.clients();
        match scope {
            Scope::AllClients if *caller.scope() == Scope::AllClients => None,
            Scope::AllClients => Some("can't be more than your own"),
            Scope::Clients(clients) if clients.is_empty() => Some("can't be blank"),
            Scope::Clients(clients) => {
                let exists = |id| caller.sees(id) && known.iter().any(|client| client.id == id);
                let all_exist = clients.iter().all(|client| exists(*client));
                (!all_exist).then_some("does not exist")
            }
        }
    }
}

/// Whether `outer` reaches every client of `inner`.
fn includes(outer: &Scope, inner: &Scope) -> bool {
    match (outer, inner) {
        (Scope::AllClients, _) => true,
        (Scope::Clients(_), Scope::AllClients) => false,
        (Scope::Clients(outer), Scope::Clients(inner)) => inner.is_subset(outer),
    }
}

impl From<catalog::ApiToken> for ApiToken {
    fn from(token: catalog::ApiToken) -> ApiToken {
        ApiToken {
            id: token.id.0,
            name: token.name,
            access: token.access,
            scope: token.scope,
            ending: token.ending,
            created_at: token.created_at,
            last_used_at: token.last_used_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        }
    }
}
