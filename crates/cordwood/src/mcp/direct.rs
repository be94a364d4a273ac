//! The protocol on a data directory that this process opens itself.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cordwood_api::{Edge, EdgeOptions};
use cordwood_service::{CLI_TOKEN_FILE, Error, Secret, Service};

use crate::address;
use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::logging;
use crate::serve;

/// Opens the directory, answers until the input ends, and closes it. Alerts are not checked meanwhile: that is a server's task.
pub(crate) fn run(settings: &Settings, data_dir: &Path) -> Result<(), Failure> {
    logging::start();
    if !cordwood_service::is_data_directory(data_dir) {
        let sentence = format!("{} is no data directory of Cordwood", data_dir.display());
        return Err(Failure::new(sentence).hint("Name one that a `cordwood serve` has made."));
    }
    let settings = Settings {
        data_dir: data_dir.to_owned(),
        ..settings.clone()
    };
    let options = serve::options(&settings, address::url(settings.listen))?;
    let service = Service::open(options).map_err(|error| cannot_open(data_dir, &error))?;
    let service = Arc::new(service);
    let spoken = token(&settings)
        .and_then(|token| known(&service, token))
        .and_then(|token| speak(Arc::clone(&service), token));
    let closed = service.close();
    spoken?;
    closed.map_err(|error| cannot("close the data directory", &error))
}

fn speak(service: Arc<Service>, token: Secret) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("mcp")
        .enable_all()
        .build()
        .map_err(|error| cannot("start threads", &error))?;
    let edge = Edge::new(&EdgeOptions::default());
    edge.open(service);
    let spoken = runtime.block_on(async {
        // Clients end what they have started by closing its input, and soon after by a signal.
        let stop = serve::stop_signal()?;
        let spoken = cordwood_api::serve_mcp(edge, token, stop).await;
        spoken.map_err(|error| cannot("speak the protocol", &error))
    });
    // A thread may wait for input that does not come any more.
    runtime.shutdown_background();
    spoken
}

/// The token given, or that of the command line in the directory: whoever may read the directory may do anything with it.
fn token(settings: &Settings) -> Result<Secret, Failure> {
    if let Some(token) = &settings.token {
        return Ok(Secret::new(token));
    }
    let token = fs::read_to_string(settings.data_dir.join(CLI_TOKEN_FILE));
    let token = token.map_err(|error| {
        cannot("read the token of the data directory", &error).hint("Give one with --token.")
    })?;
    Ok(Secret::new(token.trim()))
}

/// The same if it is one of this directory: an agent is told before it asks, not with each answer.
fn known(service: &Service, token: Secret) -> Result<Secret, Failure> {
    match service.authenticate(token.reveal()) {
        Ok(_) => Ok(token),
        Err(error) => Err(
            Failure::new(format!("The API token is none of this data directory: {error}")).hint(
                "Without --token and CORDWOOD_TOKEN, the token of the directory's command line is taken.",
            ),
        ),
    }
}

fn cannot_open(data_dir: &Path, error: &Error) -> Failure {
    let failure = Failure::new(format!("Cannot open {}: {error}", data_dir.display()));
    match error {
        Error::InUse => failure.hint(format!(
            "A server is using it. Talk to that one: `cordwood mcp --data-dir {}`, or `cordwood mcp --url URL --token TOKEN`.",
            data_dir.display()
        )),
        _ => failure.hint("`cordwood check` says what is wrong inside it."),
    }
}
