//! Trials of the whole program: `crash` kills it, `bucket` takes its bucket away, `with-server` runs another program beside it.

mod bucket;
mod crash;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Args, Parser, Subcommand};
use cordwood_harness::{Server, ServerOptions};

#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    trial: Trial,
}

#[derive(Args, Debug)]
struct Place {
    /// The `cordwood` binary.
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Trial {
    /// Kill the server at random moments under load, and look for every acknowledged event.
    Crash(crash::Arguments),
    /// Send segments to an S3 server, and look for the same answers with their files gone.
    Bucket(bucket::Arguments),
    /// Run a program with CORDWOOD_URL and CORDWOOD_TOKEN set to a fresh server's, and CORDWOOD_BINARY to its program.
    WithServer {
        /// The program and its arguments, after `--`.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    // Kept if the trial fails: the data and the server's log say why.
    let mut dir = tempfile::Builder::new().prefix("cordwood-").tempdir()?;
    let options = ServerOptions {
        binary: arguments.place.server,
        data_dir: dir.path().join("data"),
        log: dir.path().join("server.log"),
        config: None,
    };
    let outcome = match &arguments.trial {
        Trial::Crash(crash) => crash::run(crash, &options),
        Trial::Bucket(bucket) => bucket::run(bucket, &options),
        Trial::WithServer { command } => with_server(command, &options),
    };
    if !matches!(outcome, Ok(true)) {
        dir.disable_cleanup(true);
        eprintln!(
            "the server's data and log are kept in {}",
            dir.path().display()
        );
    }
    Ok(if outcome? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn with_server(command: &[String], options: &ServerOptions) -> anyhow::Result<bool> {
    std::fs::create_dir_all(&options.data_dir)?;
    let config = options.data_dir.join("with-server.toml");
    // The program may listen for what the server sends.
    std::fs::write(
        &config,
        "[outbound]\nallow = [\"127.0.0.1\", \"localhost\"]\n",
    )?;
    let server = Server::start(&ServerOptions {
        config: Some(config),
        ..options.clone()
    })?;
    let [program, arguments @ ..] = command else {
        anyhow::bail!("no program is named");
    };
    let status = Command::new(program)
        .args(arguments)
        .env("CORDWOOD_URL", server.url())
        .env("CORDWOOD_TOKEN", server.token())
        .env("CORDWOOD_BINARY", &options.binary)
        .status()?;
    server.stop()?;
    Ok(status.success())
}
