//! The command line, as typed: verbs, options, and the environment variables that stand for them.
//!
//! Nothing is checked here beyond its form; [`crate::config`] makes settings of it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Delete events for good, after showing how many they are.
    Delete(DeleteArguments),
    /// Run a statement of SQL.
    Sql(SqlArguments),
    /// Send files of events to a source.
    Import(ImportArguments),
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

#[derive(Debug, Subcommand)]
pub(crate) enum SourceVerb {
    /// Make a source; its token is shown this once.
    Create {
        /// What people call it.
        name: String,
        /// What sends to it: node, go, python, docker, syslog, http …
        #[arg(long, default_value = "http")]
        platform: String,
        /// The client it belongs to, by id or name [default: the default client].
        #[arg(long)]
        client: Option<String>,
        /// How long its events are kept, in days: 30d; or `forever`.
        #[arg(long, value_name = "DAYS", default_value = "forever", value_parser = parse_retention)]
        retention: RetentionDays,
        /// How much disk its events may take, such as 10GiB, before the oldest go; or `unlimited`.
        #[arg(long, value_name = "SIZE", default_value = "unlimited", value_parser = parse_size)]
        max_size: SizeLimit,
    },
    /// Change a source.
    Update {
        /// Its id or name.
        source: String,
        /// A new name.
        #[arg(long)]
        name: Option<String>,
        /// How long its events are kept, in days: 30d; or `forever`.
        #[arg(long, value_name = "DAYS", value_parser = parse_retention)]
        retention: Option<RetentionDays>,
        /// How much disk its events may take, such as 10GiB, before the oldest go; or `unlimited`.
        #[arg(long, value_name = "SIZE", value_parser = parse_size)]
        max_size: Option<SizeLimit>,
    },
    /// List the sources.
    List,
    /// Show one source.
    Show {
        /// Its id or name.
        source: String,
    },
    /// Give a source a new token; the old one still works for a while.
    RotateToken {
        /// Its id or name.
        source: String,
        /// How long the old token still works: 0s, 30m, 24h, 7d.
        #[arg(long, default_value = "24h", value_parser = parse_duration)]
        overlap: std::time::Duration,
    },
    /// Refuse what a source sends, until resumed.
    Pause {
        /// Its id or name.
        source: String,
    },
    /// Take in again what a paused source sends.
    Resume {
        /// Its id or name.
        source: String,
    },
    /// Delete a source. Its events are no longer found, and are removed from the disk.
    Delete {
        /// Its id or name.
        source: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    /// Make an API token; it is shown this once.
    Create {
        /// What people call it.
        name: String,
        /// What it allows.
        #[arg(long, value_enum, default_value_t = TokenAccess::Read)]
        access: TokenAccess,
        /// A client it is for, by id or name; may be repeated [default: all clients].
        #[arg(long = "client", value_name = "CLIENT")]
        clients: Vec<String>,
    },
    /// List the API tokens.
    List,
    /// Revoke an API token at once.
    Revoke {
        /// Its id or name.
        #[arg(value_name = "TOKEN")]
        revoked: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenAccess {
    /// Search.
    Read,
    /// Search, import and change sources.
    Write,
    /// All that, and make tokens.
    Admin,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// What to find, such as `level:error AND status:>=500`; empty finds everything. Stages may follow:
    /// `level:error | stats count() by service`.
    #[arg(default_value = "", conflicts_with = "saved")]
    pub query: String,

    /// The query saved under this name or id, instead of one written here.
    #[arg(long, value_name = "NAME")]
    pub saved: Option<String>,

    /// A source to search, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events before this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// At most this many events, or rows of a table [default: 100 events, 1000 rows].
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Which events come first.
    #[arg(long, value_enum, default_value_t = ResultOrder::Newest)]
    pub order: ResultOrder,

    /// All events, however many, page after page.
    #[arg(long, conflicts_with_all = ["limit", "explain"])]
    pub all: bool,

    /// Count all events that match, not only those shown.
    #[arg(long)]
    pub total: bool,

    /// Say what the query would read and cost, without running it.
    #[arg(long, conflicts_with = "output")]
    pub explain: bool,

    /// Count the events by time and level, drawn as bars.
    #[arg(long, conflicts_with_all = ["explain", "output", "limit", "total"])]
    pub histogram: bool,

    /// How wide the bars of a histogram are, such as 5m [default: chosen for the range].
    #[arg(long, value_name = "INTERVAL", requires = "histogram")]
    pub interval: Option<String>,

    /// How to print them [default: lines on a terminal, or a table if it is one; json in a pipe].
    #[arg(long, value_enum)]
    pub output: Option<OutputFormat>,
}

/// A row for each pattern, the commonest first: how many events have it, which share that is, how many over time, their commonest level, and
/// what they say. `*` behind the count marks what no source had before the range.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cordwood patterns --from now-1h
  cordwood patterns level:error --source web --from now-1d
  cordwood patterns --new-since now-1h
  cordwood patterns --field stack_trace --json")]
pub(crate) struct PatternsArguments {
    /// Which events, such as `level:error`; empty for every one.
    #[arg(default_value = "")]
    pub query: String,

    /// A source to look at, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events up to this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// The field to look at [default: message].
    #[arg(long, value_name = "FIELD")]
    pub field: Option<String>,

    /// At most this many patterns, up to 1000 [default: 50].
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Only patterns that none of the sources had before this time.
    #[arg(long, value_name = "TIME")]
    pub new_since: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SavedVerb {
    /// List the saved queries.
    List,
    /// Show one.
    Show {
        /// Its id or name.
        name: String,
    },
    /// Save a query under a name.
    Save(SaveArguments),
    /// Delete one.
    Delete {
        /// Its id or name.
        name: String,
    },
    /// Ask one; what is given here comes before what was saved.
    Run {
        /// Its id or name.
        name: String,
        #[command(flatten)]
        query: QueryArguments,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SaveArguments {
    /// The name.
    pub name: String,

    /// The query.
    pub query: String,

    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    /// From when, kept as written: now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Until when.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// Which events come first.
    #[arg(long, value_enum)]
    pub order: Option<ResultOrder>,

    /// A source to search, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Columns to show, with commas between.
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    pub columns: Vec<String>,

    /// A word to find it by; may be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,

    /// For all who see the client, not for this token alone.
    #[arg(long)]
    pub shared: bool,

    /// Change the one that has the name.
    #[arg(long)]
    pub replace: bool,
}

/// Prints each event that matches as it arrives, until Ctrl-C; after a break it goes on where it was.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cordwood tail
  cordwood tail 'level:error NOT service:web' --source shop -n 20
  cordwood tail '* | where duration_ms > 1000 | fields dt, service, duration_ms'")]
pub(crate) struct TailArguments {
    /// What to show, such as `level:error`; empty shows everything. The stages `where`, `parse` and `fields` may follow.
    #[arg(default_value = "")]
    pub query: String,

    /// A source to follow, by id or name; may be repeated [default: all, those made later too].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Begin with so many of the newest events, at most 1000 [default: none].
    #[arg(short = 'n', long = "last", value_name = "N")]
    pub last: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultOrder {
    #[value(alias = "newest_first")]
    Newest,
    #[value(alias = "oldest_first")]
    Oldest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// One readable line for each event.
    Lines,
    /// Columns.
    Table,
    /// One JSON object for each event, each on its own line.
    Json,
    /// Comma-separated, with a heading.
    Csv,
}

const EXPORT_EXAMPLES: &str = "Examples:
  cordwood export 'level:error' --from now-7d -o errors.ndjson.zst
  cordwood export 'service:web' --fields dt,status,path -o web.csv
  cordwood export '*' --source audit --from 2026-01-01 --evidence -o audit.ndjson
  cordwood verify-export audit.ndjson";

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// What to export, as for `query`; empty exports everything. Stages may follow.
    #[arg(default_value = "")]
    pub query: String,

    /// The file to write. Its ending says the format and the compression: .ndjson, .csv, .parquet, and .gz or .zst behind.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// A source to export, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events up to this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// Which events come first.
    #[arg(long, value_enum, default_value_t = ResultOrder::Oldest)]
    pub order: ResultOrder,

    /// The format [default: as the name of the file says].
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,

    /// The compression [default: as the name of the file says].
    #[arg(long, value_enum)]
    pub compression: Option<ExportCompression>,

    /// Which fields, in order, with commas between [default: all].
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub fields: Vec<String>,

    /// Leave texts in CSV as they are that a spreadsheet would run as formulas.
    #[arg(long)]
    pub keep_formulas: bool,

    /// Chain and sign the records, so that `verify-export` can say later whether anybody changed them.
    #[arg(long)]
    pub evidence: bool,

    /// Leave the export on the server when it is here.
    #[arg(long)]
    pub keep: bool,

    /// Write over the file if it is there.
    #[arg(long)]
    pub overwrite: bool,

    /// Fetch the file of this export instead of starting one; goes on where an earlier download ended.
    #[arg(long, value_name = "ID", conflicts_with_all = ["query", "sources", "from", "to", "fields", "evidence"])]
    pub id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON object for each event, each on its own line.
    Ndjson,
    /// Comma-separated, with a heading.
    Csv,
    /// A Parquet file.
    Parquet,
}

impl ExportFormat {
    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ExportFormat::Ndjson => "ndjson",
            ExportFormat::Csv => "csv",
            ExportFormat::Parquet => "parquet",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportCompression {
    None,
    Gzip,
    Zstd,
}

impl ExportCompression {
    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ExportCompression::None => "none",
            ExportCompression::Gzip => "gzip",
            ExportCompression::Zstd => "zstd",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct FieldsArguments {
    /// Whose fields; empty for those of every event.
    #[arg(default_value = "")]
    pub query: String,

    /// A source to look in, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events up to this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// A field to count over all events that match; may be repeated [default: the commonest, some of a sample].
    #[arg(long = "field", value_name = "FIELD")]
    pub fields: Vec<String>,

    /// How many values of each field [default: 5, of named fields 10].
    #[arg(long, value_name = "N")]
    pub values: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ContextArguments {
    /// The `_id` of the event.
    pub id: String,

    /// How many events before it [default: 10; with --within, all up to 1000].
    #[arg(long, value_name = "N")]
    pub before: Option<u64>,

    /// How many after it, likewise.
    #[arg(long, value_name = "N")]
    pub after: Option<u64>,

    /// How far from it in time at most, such as 30s or 5m.
    #[arg(long, value_name = "TIME")]
    pub within: Option<String>,

    /// What they have in common with it: source, host, service, or a field [default: source].
    #[arg(long, value_name = "WHAT")]
    pub same: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TraceArguments {
    /// An id that events carry, or the `_id` of an event whose ids are followed.
    pub subject: String,

    /// A source to look in, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events up to this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// At most this many events, the earliest [default: 1000].
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cordwood what-changed
  cordwood what-changed service:checkout-api --from 2026-03-27T14:00Z --to 2026-03-27T14:30Z --baseline yesterday
  cordwood what-changed --explain 'message:\"connection refused\"' --from now-30m")]
pub(crate) struct WhatChangedArguments {
    /// A filter for the events compared, such as `service:checkout-api`; empty compares all.
    #[arg(default_value = "")]
    pub query: String,

    /// A source to compare, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// From when the window lasts: RFC 3339, or now-1h [default: an hour before its end].
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Until when [default: now].
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// What to compare with: the window before, or the same hours of an earlier day [default: previous].
    #[arg(long, value_enum, conflicts_with_all = ["baseline_from", "baseline_to"])]
    pub baseline: Option<BaselineName>,

    /// From when a baseline of your own lasts.
    #[arg(long, value_name = "TIME", requires = "baseline_to")]
    pub baseline_from: Option<String>,

    /// Until when.
    #[arg(long, value_name = "TIME", requires = "baseline_from")]
    pub baseline_to: Option<String>,

    /// A filter for the events whose rise is to be explained [default: errors, warnings, slowness and volume].
    #[arg(long, value_name = "QUERY")]
    pub explain: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BaselineName {
    /// The window right before, of the same length.
    Previous,
    /// The same hours a day before.
    Yesterday,
    /// The same hours a week before.
    LastWeek,
}

impl BaselineName {
    /// As the server calls it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            BaselineName::Previous => "previous",
            BaselineName::Yesterday => "yesterday",
            BaselineName::LastWeek => "last-week",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArguments {
    /// What to delete, such as `user:ann`; a query without stages.
    pub query: String,

    /// A source to delete from, by id or name; may be repeated.
    #[arg(long = "source", value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events up to this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// Say that a query that means every event is meant so.
    #[arg(long)]
    pub everything: bool,

    /// Only count.
    #[arg(long)]
    pub dry_run: bool,

    /// Do not ask.
    #[arg(long)]
    pub yes: bool,

    /// Wait until the events are removed from the files; they are not found any more before that.
    #[arg(long)]
    pub wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SqlArguments {
    /// The statement, such as "SELECT level, count() FROM logs GROUP BY level".
    pub statement: String,

    /// Only these sources, by id or name; may be given several times.
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// From when: RFC 3339, a date, now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Until when.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// How many rows at most [default: 1000].
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<u64>,

    /// How to write them [default: a table on a terminal, ndjson in a pipe].
    #[arg(long, value_enum)]
    pub format: Option<SqlFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SqlFormat {
    /// Columns.
    Table,
    /// The whole answer as JSON, the account of what was read with it.
    Json,
    /// One JSON object for each row, each on its own line.
    Ndjson,
    /// Comma-separated, with a heading.
    Csv,
    /// An Arrow IPC stream.
    Arrow,
    /// A Parquet file.
    Parquet,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// Files of JSON lines or of text, plain, .gz or .zst; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The source to send to, by id or name.
    #[arg(long)]
    pub source: String,

    /// The field that holds the time of an event, instead of `dt`.
    #[arg(long, value_name = "FIELD")]
    pub dt_field: Option<String>,

    /// Each line is text, not JSON [default: told from the file's first line].
    #[arg(long)]
    pub text: bool,

    /// Begin anew, also where an earlier import was stopped or had finished.
    #[arg(long)]
    pub restart: bool,
}

/// How long a source keeps its events; `None` for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetentionDays(pub Option<u64>);

/// How many bytes of disk a source may take; `None` for any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeLimit(pub Option<u64>);

/// Reads `10GiB`, `500 MiB`, `2T` or `unlimited`.
fn parse_size(text: &str) -> Result<SizeLimit, String> {
    if text == "unlimited" {
        return Ok(SizeLimit(None));
    }
    let bytes = bytes_of(text).map(|bytes| SizeLimit(Some(bytes)));
    bytes.ok_or_else(|| "write a size such as 500MiB or 10GiB, or unlimited".to_owned())
}

/// Reads a number of bytes, in powers of 1024 if it has a unit, whatever its spelling.
pub(crate) fn bytes_of(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    number.checked_mul(1 << shift)
}

/// Reads `30d`, `30` or `forever`.
fn parse_retention(text: &str) -> Result<RetentionDays, String> {
    if text == "forever" {
        return Ok(RetentionDays(None));
    }
    let days = text.strip_suffix('d').unwrap_or(text).parse();
    let days = days.map(|days| RetentionDays(Some(days)));
    days.map_err(|_| "write a number of days such as 30d, or forever".to_owned())
}

/// Reads `90`, `90s`, `30m`, `24h` or `7d`.
fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, seconds_per_unit) = match text.char_indices().next_back() {
        Some((index, 's')) => (text.get(..index), 1),
        Some((index, 'm')) => (text.get(..index), 60),
        Some((index, 'h')) => (text.get(..index), 3_600),
        Some((index, 'd')) => (text.get(..index), 86_400),
        _ => (Some(text), 1),
    };
    let number: Option<u64> = number.and_then(|number| number.parse().ok());
    number
        .and_then(|number| number.checked_mul(seconds_per_unit))
        .map(std::time::Duration::from_secs)
        .ok_or_else(|| "write a duration such as 0s, 30m, 24h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn retentions() {
        let cases = [
            ("30d", Some(Some(30))),
            ("7", Some(Some(7))),
            ("forever", Some(None)),
            ("", None),
            ("12h", None),
            ("-1d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                parse_retention(text).ok().map(|days| days.0),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn sizes() {
        let cases = [
            ("10GiB", Some(Some(10 << 30))),
            ("500 mb", Some(Some(500 << 20))),
            ("2T", Some(Some(2 << 40))),
            ("4096", Some(Some(4096))),
            ("unlimited", Some(None)),
            ("", None),
            ("GiB", None),
            ("-1GiB", None),
            ("99999999999TiB", None),
        ];
        for (text, expected) in cases {
            let limit = parse_size(text).ok().map(|limit| limit.0);
            assert_eq!(limit, expected, "{text:?}");
        }
    }

    #[test]
    fn durations() {
        let cases = [
            ("90", Some(90)),
            ("0s", Some(0)),
            ("30m", Some(1_800)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
            ("", None),
            ("h", None),
            ("-1h", None),
            ("1é", None),
            ("99999999999999999999d", None),
        ];
        for (text, expected) in cases {
            let seconds = parse_duration(text).ok().map(|duration| duration.as_secs());
            assert_eq!(seconds, expected, "{text:?}");
        }
    }
}
