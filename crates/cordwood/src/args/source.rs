//! What `cordwood source` takes.

use clap::Subcommand;

use super::quantities::{RetentionDays, SizeLimit, parse_duration, parse_retention, parse_size};

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
