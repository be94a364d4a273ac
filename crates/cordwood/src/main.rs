//! The binary: command line, configuration, wiring, start and stop.
//!
//! `serve` is the server; every other verb but `check`, `verify-export` and `compact --offline` is a client of a running one, over the same
//! REST API that anyone may use.

mod address;
mod alerts;
mod args;
mod audit;
mod bucket;
mod channels;
mod check;
mod config;
mod context;
mod delete;
mod evidence;
mod export;
mod failure;
mod fields;
mod first_start;
mod import;
mod incidents;
mod job;
mod logging;
mod mcp;
mod output;
mod patterns;
mod query;
mod remote;
mod saved;
mod serve;
mod silences;
mod source;
mod sql;
mod sse;
mod tail;
mod terminal;
mod token;
mod trace;
mod what_changed;

use std::io::{Write, stderr};
use std::process::ExitCode;

use clap::Parser;
use cordwood_service::Depth;

use crate::args::{Arguments, Verb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::terminal::{Colour, Ink};

/// Gives back what ingest has freed; docs/decisions/0020-allocator.md has the measurements.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Bad usage ends in here, with exit code 2 and what would have been right.
    let arguments = Arguments::parse();
    let is_json = arguments.globals.json;
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let code = failure.code_of_exit();
            report(&failure, is_json);
            ExitCode::from(code)
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let settings = Settings::new(arguments.globals)?;
    match arguments.verb.unwrap_or(Verb::Serve) {
        Verb::Serve => serve::run(&settings),
        Verb::Source(verb) => source::run(&settings, verb),
        Verb::Token(verb) => token::run(&settings, verb),
        Verb::Query(query) => query::run(&settings, &query),
        Verb::Patterns(patterns) => patterns::run(&settings, &patterns),
        Verb::Alerts(verb) => alerts::run(&settings, verb),
        Verb::Channels(verb) => channels::run(&settings, verb),
        Verb::Saved(verb) => saved::run(&settings, verb),
        Verb::Export(export) => export::run(&settings, &export),
        Verb::EvidenceKey => evidence::show_key(&settings),
        Verb::VerifyExport { file, public_key } => {
            evidence::verify(&settings, &file, public_key.as_deref())
        }
        Verb::Tail(tail) => tail::run(&settings, &tail),
        Verb::Fields(fields) => fields::run(&settings, &fields),
        Verb::Context(context) => context::run(&settings, &context),
        Verb::Trace(trace) => trace::run(&settings, &trace),
        Verb::WhatChanged(compared) => what_changed::run(&settings, &compared),
        Verb::Incidents(verb) => incidents::run(&settings, verb),
        Verb::Silences(verb) => silences::run(&settings, verb),
        Verb::Delete(delete) => delete::run(&settings, &delete),
        Verb::Sql(sql) => sql::run(&settings, &sql),
        Verb::Import(import) => import::run(&settings, &import),
        Verb::Mcp(arguments) => mcp::run(&settings, &arguments),
        Verb::Audit(arguments) => audit::run(&settings, &arguments),
        Verb::Check { deep: true } => check::run(&settings, Depth::Read),
        Verb::Check { deep: false } => check::run(&settings, Depth::Listed),
        Verb::Compact { offline: true } => job::compact_offline(&settings),
        Verb::Compact { offline: false } => job::compact(&settings),
        Verb::Backup { directory } => job::backup(&settings, &directory),
    }
}

fn report(failure: &Failure, is_json: bool) {
    let text = if is_json {
        format!("{}\n", failure.to_json())
    } else {
        let error = Colour::of(&stderr()).painted(Ink::BrightRed, "error:");
        format!("{error} {failure}\n")
    };
    // Where standard error is gone, there is nobody to tell.
    let _ = stderr().write_all(text.as_bytes());
}
