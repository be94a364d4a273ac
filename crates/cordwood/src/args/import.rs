//! What `cordwood import` takes.

use std::path::PathBuf;

use clap::Args;

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
