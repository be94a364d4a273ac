//! What `cordwood what-changed` takes.

use clap::{Args, ValueEnum};

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
