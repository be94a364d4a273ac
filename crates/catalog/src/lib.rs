//! Small durable records in embedded SQLite: organisations, clients, API tokens, sources, usage, saved queries, rules of
//! alerts, incidents, silences, the audit log and the patterns of messages.
//!
//! All SQL of Cordwood is in this crate, one file per kind of record. What is asked on the way of
//! every request (tokens, sources, this month's usage) is also held in memory, so that ingest and
//! search never wait for SQLite. Time and randomness are arguments. The crate must not know what
//! the records are for: who may see and do what is decided in `service`.
#![warn(missing_docs)]

mod access;
mod api_tokens;
mod arrivals;
mod audit;
mod catalog;
mod channels;
mod clients;
mod database;
mod deleted_sources;
mod deliveries;
mod error;
mod incidents;
mod lines;
mod memory;
mod outbox;
mod patterns;
mod random;
mod rule_steps;
mod rule_templates;
mod rules;
mod saved_queries;
mod secret;
mod server_keys;
mod silences;
mod source_tokens;
mod sources;
mod token;
mod usage;

pub use access::{Access, ClientId, Scope};
pub use api_tokens::{ApiToken, ApiTokenId, ApiTokenPurpose, NewApiToken};
pub use arrivals::Arrival;
pub use audit::{AUDIT_ENTRIES_MAX, AuditEntry, NewAuditEntry};
pub use catalog::Catalog;
pub use channels::{Channel, ChannelContent, ChannelHealth, ChannelId};
pub use clients::{Client, Organisation};
pub use database::check;
pub use deleted_sources::DeletedSource;
pub use deliveries::{Delivery, DeliveryState, LoggedNotice, Settlement};
pub use error::Error;
pub use incidents::{
    Author, Deed, Entry, EntryId, EntryKind, Incident, IncidentChange, IncidentFilter, IncidentId,
    IncidentStatus, KEPT_EVENT_BYTES_MAX, KEPT_EVENTS_MAX, KeptEvent, Link, NewIncident, Opened,
    Severity, TimelineEntry,
};
pub use outbox::{NewNotice, OutboxId, WaitingNotice};
pub use patterns::{LearntPattern, LearntPatterns};
pub use random::Random;
pub use rule_steps::{KeptEvaluation, RuleDeed, RuleMemory, RuleStep};
pub use rule_templates::{CarriedRule, RuleTemplate, RuleTemplateContent, RuleTemplateId};
pub use rules::{Rule, RuleContent, RuleId};
pub use saved_queries::{SavedQuery, SavedQueryContent, SavedQueryId, Visibility};
pub use secret::Secret;
pub use server_keys::SERVER_KEY_BYTES;
pub use silences::{NewSilence, Silence, SilenceId};
pub use source_tokens::{LIVE_TOKENS_MAX, SourceToken};
pub use sources::{NewSource, Source, SourceChanges};
pub use token::{NewToken, TokenHash};
pub use usage::{Month, MonthUsage, SourceUsage};
