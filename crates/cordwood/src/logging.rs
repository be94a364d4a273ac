//! The server's own log, on standard error: short lines for a person at a terminal, JSON for a machine.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::terminal::Colour;

/// Starts logging. `RUST_LOG` chooses what; informational lines and worse unless it is set.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    if stderr().is_terminal() {
        builder
            .with_target(false)
            .with_ansi(Colour::of(&stderr()) == Colour::On)
            .compact()
            .init();
    } else {
        builder.json().flatten_event(true).init();
    }
}
