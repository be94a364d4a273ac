//! The audit log: the calls of tools by agents, written and listed.

use std::time::Duration;

use cordwood_catalog::{self as catalog, ApiTokenId};
use cordwood_event::Timestamp;

use crate::{Access, Caller, Error, Service};

/// Entries on a page unless told otherwise, and at most.
pub const AUDIT_DEFAULT: u32 = 50;
/// See [`AUDIT_DEFAULT`].
pub const AUDIT_MAX: u32 = 500;

/// Bytes of the arguments that are kept: a query fits, a pasted log does not.
const ARGUMENTS_BYTES_MAX: usize = 1_000;

/// A call of a tool that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// Its name.
    pub tool: String,
    /// Its arguments, as JSON.
    pub arguments: String,
    /// What came of it.
    pub outcome: ToolOutcome,
    /// How large the answer was.
    pub answer_bytes: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolOutcome {
    /// It was answered.
    Answered,
    /// It was refused, failed or was cancelled: the code of the failure.
    Refused(String),
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number.
    pub id: u64,
    /// When the call was over.
    pub at: Timestamp,
    /// The number of the token that called.
    pub token_id: u64,
    /// Its name then.
    pub token_name: String,
    /// What was called.
    pub call: ToolCall,
}

/// A page of the log, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// From where the next page goes on; `None` on the last.
    pub next: Option<u64>,
}

impl Service {
    /// Writes down a call. Whoever may call may be written of.
    pub fn record_tool_call(&self, caller: &Caller, call: &ToolCall) -> Result<(), Error> {
        caller.require(Access::Read)?;
        let entry = catalog::NewAuditEntry {
            token: ApiTokenId(caller.token_id()),
            token_name: caller.token_name().to_owned(),
            tool: call.tool.clone(),
            arguments: shortened(&call.arguments),
            refusal: match &call.outcome {
                ToolOutcome::Answered => None,
                ToolOutcome::Refused(code) => Some(code.clone()),
            },
            answer_bytes: call.answer_bytes,
            took_ms: u64::try_from(call.elapsed.as_millis()).unwrap_or(u64::MAX),
        };
        self.catalog
            .write_audit(&entry, self.now())
            .map_err(|error| Error::internal("writing the audit log", error))
    }

    /// The calls made with the API tokens that the caller may list, from below `before`. What was asked of other clients' events is
    /// none of its business.
    pub fn audit(
        &self,
        caller: &Caller,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<AuditPage, Error> {
        let tokens = self.list_api_tokens(caller)?;
        let tokens: Vec<ApiTokenId> = tokens.iter().map(|token| ApiTokenId(token.id)).collect();
        let limit = limit.unwrap_or(AUDIT_DEFAULT);
        if !(1..=AUDIT_MAX).contains(&limit) {
            return Err(Error::InvalidParameter {
                parameter: "limit",
                message: format!("limit is {limit}, it has to be 1 to {AUDIT_MAX}"),
                hint: None,
            });
        }
        let mut entries = self
            .catalog
            .audit(&tokens, before, limit + 1)
            .map_err(|error| Error::internal("reading the audit log", error))?;
        let page = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = entries.len() > page;
        entries.truncate(page);
        Ok(AuditPage {
            next: entries.last().filter(|_| has_more).map(|last| last.id),
            entries: entries.into_iter().map(told).collect(),
        })
    }
}

fn told(logged: catalog::AuditEntry) -> AuditEntry {
    let entry = logged.entry;
    AuditEntry {
        id: logged.id,
        at: logged.at,
        token_id: entry.token.0,
        token_name: entry.token_name,
        call: ToolCall {
            tool: entry.tool,
            arguments: entry.arguments,
            outcome: match entry.refusal {
                None => ToolOutcome::Answered,
                Some(code) => ToolOutcome::Refused(code),
            },
            answer_bytes: entry.answer_bytes,
            elapsed: Duration::from_millis(entry.took_ms),
        },
    }
}

/// The beginning, with a word on the rest.
fn shortened(arguments: &str) -> String {
    if arguments.len() <= ARGUMENTS_BYTES_MAX {
        return arguments.to_owned();
    }
    let mut end = ARGUMENTS_BYTES_MAX;
    while !arguments.is_char_boundary(end) {
        end -= 1;
    }
    let kept = arguments.get(..end).unwrap_or_default();
    format!("{kept}… and {} bytes more", arguments.len() - end)
}
