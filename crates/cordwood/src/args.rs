//! The command line, as typed: verbs, options, and the environment variables that stand for them.
//!
//! Nothing is checked here beyond its form; [`crate::config`] makes settings of it.

mod alerts;
mod channels;
mod delete;
mod export;
mod import;
mod incidents;
mod investigate;
mod mcp;
mod patterns;
mod quantities;
mod query;
mod saved;
mod scope;
mod silences;
mod source;
mod sql;
mod tail;
mod token;
mod what_changed;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use alerts::ALERTS_EXAMPLES;
use export::EXPORT_EXAMPLES;
use incidents::INCIDENTS_EXAMPLES;
use silences::SILENCES_EXAMPLES;

pub(crate) use alerts::{
    AlertsVerb, RuleArguments, TemplateArguments, TemplateClientArguments, TemplatesVerb,
};
pub(crate) use channels::{
    AddVerb, ChannelArguments, ChannelsVerb, EmailArguments, HookArguments, MailSecurity,
    WebhookArguments,
};
pub(crate) use delete::DeleteArguments;
pub(crate) use export::ExportArguments;
pub(crate) use import::ImportArguments;
pub(crate) use incidents::{IncidentListArguments, IncidentsVerb, OpenArguments};
pub(crate) use investigate::{ContextArguments, FieldsArguments, TraceArguments};
pub(crate) use mcp::{AuditArguments, McpArguments};
pub(crate) use patterns::PatternsArguments;
pub(crate) use quantities::{RetentionDays, SizeLimit, bytes_of};
pub(crate) use query::{OutputFormat, QueryArguments, ResultOrder};
pub(crate) use saved::{SaveArguments, SavedVerb};
pub(crate) use silences::{AddSilenceArguments, SilencesVerb};
pub(crate) use source::SourceVerb;
pub(crate) use sql::{SqlArguments, SqlFormat};
pub(crate) use tail::TailArguments;
pub(crate) use token::{TokenAccess, TokenVerb};
pub(crate) use what_changed::{BaselineName, WhatChangedArguments};

/// Log management for people who look after many systems at once.
///
/// Without a verb, `cordwood` serves.
#[derive(Debug, Parser)]
#[command(name = "cordwood", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub globals: Globals,

    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Options every verb takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Globals {
    /// Where Cordwood keeps its data [default: ./cordwood-data].
    #[arg(long, global = true, env = "CORDWOOD_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// The address to serve on [default: 127.0.0.1:4747].
    #[arg(long, global = true, env = "CORDWOOD_LISTEN", value_name = "HOST:PORT")]
    pub listen: Option<String>,

    /// The server to talk to [default: the one that uses the data directory].
    #[arg(long, global = true, env = "CORDWOOD_URL", value_name = "URL")]
    pub url: Option<String>,

    /// The API token to talk with [default: the one kept in the data directory].
    #[arg(
        long,
        global = true,
        env = "CORDWOOD_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,

    /// A configuration file [default: ./cordwood.toml, if there is one].
    #[arg(long, global = true, env = "CORDWOOD_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the server.
    Serve,
    /// Create, list and change sources.
    #[command(subcommand)]
    Source(SourceVerb),
    /// Create, list and revoke API tokens.
    #[command(subcommand)]
    Token(TokenVerb),
    /// Find events.
    Query(QueryArguments),
    /// Show what events say alike, and how often.
    Patterns(PatternsArguments),
    /// Save queries under a name, and ask them by it.
    #[command(subcommand)]
    Saved(SavedVerb),
    /// Manage channels: where notices of incidents go.
    #[command(subcommand)]
    Channels(ChannelsVerb),
    /// Write all events that match to a file.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArguments),
    /// Show the public key that this server signs evidence with.
    EvidenceKey,
    /// Verify a file of evidence, without a server: 0 if it is as it was written, 1 if not, 2 if that cannot be said.
    VerifyExport {
        /// The file that `cordwood export --evidence` wrote, compressed or not.
        file: PathBuf,
        /// The key it must be signed with, as `cordwood evidence-key` showed it [default: the key the file names].
        #[arg(long, value_name = "KEY")]
        public_key: Option<String>,
    },
    /// Show events as they arrive.
    Tail(TailArguments),
    /// List the fields of what a query finds, with their commonest values.
    ///
    /// Examples: `cordwood fields`, `cordwood fields level:error --from now-1h`, `cordwood fields --field path --field status`.
    Fields(FieldsArguments),
    /// Show the events around an event, whatever they match.
    ///
    /// Examples: `cordwood context 18a0af9b3dfd8000-1f`, `cordwood context 18a0af9b3dfd8000-1f --same host --within 5m`.
    Context(ContextArguments),
    /// Follow an id through all sources: a request id, a trace id, any value; or the ids of an event.
    ///
    /// Examples: `cordwood trace 550e8400-e29b-41d4-a716-446655440000`, `cordwood trace 18a0af9b3dfd8000-1f`.
    Trace(TraceArguments),
    /// Say what changed between two windows of time, and what explains it.
    WhatChanged(WhatChangedArguments),
    /// Have rules checked, and say when they would have fired.
    #[command(subcommand, after_help = ALERTS_EXAMPLES)]
    Alerts(AlertsVerb),
    /// Open incidents, take care of them, and read what showed them.
    #[command(subcommand, after_help = INCIDENTS_EXAMPLES)]
    Incidents(IncidentsVerb),
    /// Hold back the notices of incidents: for some hours, or every week.
    #[command(subcommand, after_help = SILENCES_EXAMPLES)]
    Silences(SilencesVerb),
    /// Delete events for good, after showing how many they are.
    Delete(DeleteArguments),
    /// Run a statement of SQL.
    Sql(SqlArguments),
    /// Send files of events to a source.
    Import(ImportArguments),
    /// Speak the Model Context Protocol over standard input and output, for an agent.
    Mcp(McpArguments),
    /// List which tools agents called, and what came of it.
    Audit(AuditArguments),
    /// Verify a data directory that no server is using.
    Check {
        /// Read every byte of what lies in a bucket.
        #[arg(long)]
        deep: bool,
    },
    /// Merge all segments that can be merged and remove for good what has expired.
    Compact {
        /// Do it here, on a data directory that no server uses.
        #[arg(long)]
        offline: bool,
    },
    /// Have the server copy everything to a directory on its machine, while it serves.
    Backup {
        /// An empty directory, or one that is not there yet. To restore: `cordwood serve --data-dir DIR`.
        directory: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
