//! The server's own log, on standard error: short lines for a person at a terminal, JSON for a machine.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::terminal::Colour;

/// Starts logging. `RUST_LOG` chooses what, by level and target (`info,cordwood_store=debug`); informational lines and worse
/// unless it is set.
pub(crate) fn start() {
    let filter = filter_of(std::env::var("RUST_LOG").ok().as_deref());
    let builder = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(stderr);
    if stderr().is_terminal() {
        let has_colour = Colour::of(&stderr()) == Colour::On;
        let builder = builder.with_target(false).with_ansi(has_colour);
        builder.compact().finish().with(filter).init();
    } else {
        let builder = builder.json().flatten_event(true);
        builder.finish().with(filter).init();
    }
}

/// What is not understood is as good as not set.
fn filter_of(setting: Option<&str>) -> Targets {
    let setting = setting.filter(|text| !text.trim().is_empty());
    let chosen = setting.and_then(|text| text.parse().ok());
    // What every agent says at the beginning and end of a session is of no use to who runs the server.
    let quiet = || {
        Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target("rmcp", LevelFilter::WARN)
    };
    chosen.unwrap_or_else(quiet)
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::LevelFilter;

    use super::filter_of;

    #[test]
    fn what_is_logged() {
        let cases = [
            (None, "cordwood_store", LevelFilter::INFO),
            (Some(""), "cordwood_store", LevelFilter::INFO),
            (Some("warn"), "cordwood_store", LevelFilter::WARN),
            (
                Some("info,cordwood_store=debug"),
                "cordwood_store::merge",
                LevelFilter::DEBUG,
            ),
            (
                Some("info,cordwood_store=debug"),
                "cordwood_engine",
                LevelFilter::INFO,
            ),
            (Some("cordwood=loud"), "cordwood", LevelFilter::INFO),
        ];
        for (setting, target, expected) in cases {
            let filter = filter_of(setting);
            let levels = [
                tracing::Level::ERROR,
                tracing::Level::WARN,
                tracing::Level::INFO,
                tracing::Level::DEBUG,
                tracing::Level::TRACE,
            ];
            let enabled = levels
                .into_iter()
                .filter(|level| filter.would_enable(target, level));
            let most = enabled
                .max()
                .map_or(LevelFilter::OFF, LevelFilter::from_level);
            assert_eq!(most, expected, "{setting:?} for {target}");
        }
    }
}
