//! `cordwood serve`: opens the data directory, serves, and stops in good order.

use std::io::{self, Write, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use cordwood_api::{Edge, EdgeOptions};
use cordwood_service::{Error, Options, Service};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::address;
use crate::bucket;
use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::first_start::greeting;
use crate::logging;
use crate::terminal::Colour;

/// Runs the server until it is told to stop.
pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    logging::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|error| cannot("start the server's threads", &error))?;
    runtime.block_on(serve(settings))
}

async fn serve(settings: &Settings) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let listener = TcpListener::bind(settings.listen).await;
    let listener = listener.map_err(|error| cannot_listen(settings.listen, &error))?;
    let address = listener
        .local_addr()
        .map_err(|error| cannot("listen", &error))?;

    // `/health` is answered from here on; the rest waits for the data directory.
    let edge = Edge::new(&EdgeOptions::default());
    let (stop_serving, stopping) = tokio::sync::oneshot::channel::<()>();
    let serving = cordwood_api::serve(listener, Arc::clone(&edge), async {
        let _ = stopping.await;
    });
    let serving = tokio::spawn(serving);

    let service = open(settings, address).await?;
    let published = address::publish(&settings.data_dir, address);
    let published = published.map_err(|error| cannot("write the server's address", &error))?;
    service
        .start_alerts()
        .map_err(|error| cannot("start checking alerts", &error))?;
    edge.open(Arc::clone(&service));
    announce(&service, address, &settings.data_dir)
        .map_err(|error| cannot("write to standard output", &error))?;

    stop.await;
    tracing::info!("stopping: requests in flight are finished first");
    let _ = stop_serving.send(());
    let served = serving.await;
    drop(published);
    close(service).await?;
    match served {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(cannot("go on serving", &error)),
        Err(error) => Err(cannot("go on serving", &error)),
    }
}

/// What the service is opened with; `url` is where it is reached unless the settings say otherwise.
pub(crate) fn options(settings: &Settings, url: String) -> Result<Options, Failure> {
    let mut options = Options::new(&settings.data_dir);
    options.memory_bytes_max = settings.memory_bytes_max;
    options.flush_age = settings.flush_age;
    options.exports_bytes_max = settings.exports_bytes_max;
    options.remote = bucket::remote(settings)?;
    options.outbound = settings.outbound.clone();
    let public_url = settings.public_url.clone();
    options.public_url = public_url.unwrap_or(url);
    Ok(options)
}

async fn open(settings: &Settings, address: SocketAddr) -> Result<Arc<Service>, Failure> {
    let options = options(settings, address::url(address))?;
    let opened = tokio::task::spawn_blocking(|| Service::open(options)).await;
    match opened {
        Ok(Ok(service)) => Ok(Arc::new(service)),
        Ok(Err(error)) => Err(cannot_open(&settings.data_dir, &error)),
        Err(error) => Err(cannot("open the data directory", &error)),
    }
}

async fn close(service: Arc<Service>) -> Result<(), Failure> {
    let closed = tokio::task::spawn_blocking(move || service.close()).await;
    match closed {
        Ok(Ok(())) => {
            tracing::info!("stopped");
            Ok(())
        }
        Ok(Err(error)) => Err(
            Failure::new("The data directory was not closed in good order")
                .detail(with_reasons(&error))
                .hint("What was acknowledged is in its log and is read back at the next start."),
        ),
        Err(error) => Err(cannot("close the data directory", &error)),
    }
}

/// Says that the server is up: how to begin, the first time; one line in the log, every time.
fn announce(service: &Service, address: SocketAddr, data_dir: &Path) -> io::Result<()> {
    let url = address::url(address);
    if let Some(first) = service.first_start() {
        let mut out = stdout();
        let text = greeting(first, &url, data_dir, Colour::of(&out));
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    let replayed = service.replayed();
    for damage in &replayed.damage {
        tracing::error!(damage, "damage was found; `cordwood check` says more");
    }
    if replayed.torn_bytes > 0 {
        tracing::warn!(
            bytes = replayed.torn_bytes,
            "the log ended in an unfinished write, which was never acknowledged; it was cut off"
        );
    }
    tracing::info!(
        url,
        data_dir = %data_dir.display(),
        replayed_events = replayed.events,
        "ready"
    );
    Ok(())
}

/// Done when the process is asked to stop, by a person (SIGINT) or a supervisor (SIGTERM).
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let failed = |error: io::Error| cannot("listen for signals", &error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "Another server listens there: stop it, or choose another address with --listen \
             (127.0.0.1:0 takes any free port)."
        }
        io::ErrorKind::PermissionDenied => {
            "Ports below 1024 need privileges: choose another with --listen."
        }
        _ => "Choose an address of this machine with --listen.",
    };
    cannot(format!("listen on {address}"), error).hint(hint)
}

fn cannot_open(data_dir: &Path, error: &Error) -> Failure {
    let failure = Failure::new(format!(
        "Cannot open the data directory {}: {}",
        data_dir.display(),
        with_reasons(error)
    ));
    failure.hint(match error {
        Error::InUse => {
            "Stop that process, or choose another directory with --data-dir. If it is a server, \
             `cordwood query` and the other verbs talk to it."
        }
        _ => {
            "See that the directory can be written by this user and that the disk is not full, or \
             choose another with --data-dir. `cordwood check` says what is wrong inside it."
        }
    })
}

fn with_reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        let reason_text = reason.to_string();
        if !text.ends_with(&reason_text) {
            text.push_str(": ");
            text.push_str(&reason_text);
        }
        source = reason.source();
    }
    text
}
