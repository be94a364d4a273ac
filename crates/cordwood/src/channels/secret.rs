//! Secrets on the command line: better read from where only their owner looks.

use std::env;
use std::fs;
use std::io::{Read as _, stdin};

use crate::failure::{Failure, cannot};

/// The secret that an argument means: `@FILE`, `-` for standard input, `env:NAME`, or itself.
pub(super) fn read(argument: &str) -> Result<String, Failure> {
    let text = if argument == "-" {
        let mut text = String::new();
        let read = stdin().read_to_string(&mut text);
        read.map_err(|error| cannot("read the secret from standard input", &error))?;
        text
    } else if let Some(path) = argument.strip_prefix('@') {
        fs::read_to_string(path).map_err(|error| cannot(format!("read {path}"), &error))?
    } else if let Some(name) = argument.strip_prefix("env:") {
        env::var(name).map_err(|_| {
            Failure::new(format!("The environment has no variable {name}"))
                .hint("Set it, or give the secret with @FILE or - for standard input.")
        })?
    } else {
        argument.to_owned()
    };
    Ok(text.trim().to_owned())
}
