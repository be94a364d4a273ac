//! What `cordwood saved` takes.

use clap::{Args, Subcommand};

use super::query::{QueryArguments, ResultOrder};

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

    /// The client it is for, by id or name [default: the only one you see].
    #[arg(long, value_name = "CLIENT")]
    pub client: Option<String>,

    /// For all who see the client, not for this token alone.
    #[arg(long)]
    pub shared: bool,

    /// Change the one that has the name.
    #[arg(long, conflicts_with = "client")]
    pub replace: bool,
}
