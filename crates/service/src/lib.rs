//! The use cases of Cordwood, one function each: ingest, search, sources, tokens, health.
//!
//! [`Service`] is the whole interface. Every function takes the [`Caller`] it acts for and checks
//! permission in one place ([`Caller::require`] and the caller's own sources); ingest by source
//! token alone makes its own. The crate must not know HTTP, async or a command line; time,
//! randomness and the data directory are arguments.
#![warn(missing_docs)]

mod alerts;
mod audit;
mod backup;
mod caller;
mod channels;
mod check;
mod clients;
mod compaction;
mod cursor;
mod decoding;
mod deleted_sources;
mod deletions;
mod error;
mod exports;
mod housekeeping;
mod incidents;
mod ingest;
mod jobs;
mod metrics;
mod nanos;
mod options;
mod patterns;
mod platform;
mod range;
mod retention;
mod saved_queries;
mod search;
mod service;
mod silences;
mod sources;
#[cfg(feature = "sql")]
mod sql;
mod start;
mod tails;
mod tokens;
mod what_changed;

pub use alerts::{
    Alert, AlertChanges, AlertMember, AlertRound, AlertStatus, BackTestAnswer, BackTestRequest,
    CHECKS_DEFAULT, CHECKS_MAX, CarriedTo, CheckPage, ClientOfTemplate, FailingChecks, FiringGroup,
    GROUPS_TOLD_MAX, KeptCheck, OfTemplate, RetiredMember, RuleTemplate, RuleTemplateChanges,
    SeenCheck, TemplateClients, TemplateDeed, query_of_rule,
};
pub use audit::{AUDIT_DEFAULT, AUDIT_MAX, AuditEntry, AuditPage, ToolCall, ToolOutcome};
pub use backup::{BACKUP_MARKER, BackedUp};
pub use caller::{Access, Caller, ClientId, Scope};
pub use channels::{
    Channel, ChannelChanges, ChannelHealth, ChannelKind, ChannelOwner, ChannelTrial,
    DELIVERIES_DEFAULT, DELIVERIES_MAX, DeliveryPage, DeliveryState, LoggedDelivery, LoggedNotice,
    Outbound, ToldNotice,
};
pub use check::{CheckReport, check, is_data_directory};
pub use clients::Client;
pub use compaction::{Compacted, compact_offline};
pub use cordwood_alerts as rules;
pub use cordwood_alerts::{SilenceMatcher, Weekday, Weekly};
pub use cordwood_catalog::Secret;
pub use cordwood_engine::{
    ClausePlan, Coverage, Distinct, Estimate, Facet, FieldKinds, Left, MatchBounds, Pruning,
    PruningStep, QueryPlan, Scope as PlanScope, StagePlace, StagePlan, Survey, SurveyedField,
    ValueCount,
};
pub use cordwood_evidence::{
    Finding, PublicKey, Report as EvidenceReport, Unverifiable, verify as verify_evidence,
};
pub use cordwood_store::column::ScalarKind;
pub use cordwood_store::{Bucket, Depth, Remote};
pub use deletions::{Deletion, DeletionPage, DeletionPreview, DeletionState, NewDeletion};
pub use error::{Error, InvalidValue, QueryProblem};
pub use exports::{
    Compression, Export, ExportFile, ExportFormat, ExportState, Formulas, NewExport,
};
pub use incidents::{
    Deed, Entry, EntryId, EntryKind, EscalatedTo, INCIDENTS_PER_PAGE_MAX, Incident, IncidentAuthor,
    IncidentChanges, IncidentEvidence, IncidentExplanation, IncidentId, IncidentPage,
    IncidentStatus, IncidentsRequest, KEPT_EVENT_BYTES_MAX, KEPT_EVENTS_MAX, KeptEvent, Link,
    NewIncident, PinnedEvents, RelatedIncident, Severity, TimelineEntry, UnpinnedEvent,
};
pub use ingest::{Admission, BATCH_KEY_BYTES_MAX, Outcome, Payload, Refusal, RejectedEvent};
pub use jobs::Job;
pub use metrics::Health;
pub use options::{Clock, Options, Random, SystemClock, SystemRandom};
pub use patterns::{
    NewPattern, NoPatternId, PATTERN_BUCKETS_DEFAULT, PATTERN_BUCKETS_MAX, PATTERNS_DEFAULT,
    PATTERNS_MAX, PatternFound, PatternId, PatternsAnswer, PatternsRequest,
};
pub use platform::{PLATFORMS, Platform, UnknownPlatform};
pub use saved_queries::{SavedQuery, SavedQueryChanges, Visibility};
pub use search::{
    Account, AnswerMemory, Approximation, BATCH_SIZE_DEFAULT, BATCH_SIZE_MAX, BlockCounts,
    CONTEXT_EVENTS_DEFAULT, CONTEXT_EVENTS_MAX, Cancel, Cell, ClauseCount, CompleteRequest,
    Completed, ContextRequest, Count, DEADLINE_DEFAULT, DEADLINE_MAX, EventAbsence, EventContext,
    Explanation, FACET_FIELDS_MAX, FACET_VALUES_DEFAULT, FACET_VALUES_MAX, FacetsAnswer,
    FacetsRequest, FoundEvent, Gap, HISTOGRAM_BUCKETS_DEFAULT, HISTOGRAM_BUCKETS_MAX, Histogram,
    HistogramRequest, Identifier, LevelTotals, Method, NearFields, Order, Progress, QueryExplained,
    SUGGESTIONS_DEFAULT, SUGGESTIONS_MAX, Same, SearchAnswer, SearchRequest, Suggestion,
    SuggestionKind, TABLE_ROWS_DEFAULT, TABLE_ROWS_MAX, TRACE_EVENTS_DEFAULT, TRACE_EVENTS_MAX,
    Table, TimeBucket, Trace, TraceRequest, TraceSubject, TracedEvent, TracedService,
    corrected_query,
};
pub use service::Service;
pub use silences::{NewSilence, Silence, SilenceChanges, SilenceState, SilencedClients};
pub use sources::{
    CreatedSource, NewSource, PER_PAGE_DEFAULT, PER_PAGE_MAX, ROTATION_OVERLAP_DEFAULT,
    RotatedToken, Source, SourceChanges, SourceFilter, SourcePage, SourceToken, Usage,
};
#[cfg(feature = "sql")]
pub use sql::{
    SQL_ROWS_DEFAULT, SQL_ROWS_MAX, SqlAccount, SqlAnswer, SqlColumn, SqlFormat, SqlRequest,
};
pub use start::{CLI_TOKEN_FILE, FirstStart, Replayed};
pub use tails::{
    DropReason, Dropped, LiveRow, Since, TAIL_LAST_MAX, TAILS_MAX, TAILS_PER_TOKEN_MAX, Tail,
    TailBatch, TailEnd, TailHello, TailItem, TailRequest, TailedSource, Wake,
};
pub use tokens::{ApiToken, CreatedApiToken, NewApiToken};
pub use what_changed::{
    Baseline, Both, Cause, Change, ChangeKind, Direction, Evidence, FieldValue, PatternChange,
    QuietService, ServiceChange, Usual, ValueChange, WhatChanged, WhatChangedAccount,
    WhatChangedRequest, WindowAccount,
};
