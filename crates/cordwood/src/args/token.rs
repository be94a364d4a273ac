//! What `cordwood token` takes.

use clap::{Subcommand, ValueEnum};

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
