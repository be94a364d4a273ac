//! The server's process: started, found, killed.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::Api;

/// A server that is not ready by then has hung: recovery of the largest benchmark takes seconds.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
/// A server told to stop that has not stopped by then has hung.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
/// In the data directory: the URL the server listens on, and the API token of the command line.
const ADDRESS_FILE: &str = "address";
const TOKEN_FILE: &str = "cli-token";
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The `cordwood` binary.
    pub binary: PathBuf,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// The file its output goes to, anew with each start.
    pub log: PathBuf,
    /// Its configuration file, if it has one.
    pub config: Option<PathBuf>,
}

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    url: String,
    token: String,
}

impl Server {
    /// Starts the server on a port of its choosing and waits until it is ready.
    pub fn start(options: &ServerOptions) -> anyhow::Result<Server> {
        let mut server = Server::spawn(options)?;
        server.wait_until_ready(options)?;
        Ok(server)
    }

    /// Starts the server and kills it this much later, ready or not.
    pub fn start_and_kill(options: &ServerOptions, after: Duration) -> anyhow::Result<()> {
        let server = Server::spawn(options)?;
        thread::sleep(after);
        server.kill()
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The API token of the command line, which may do everything.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A connection of one's own.
    pub fn api(&self) -> Api {
        Api::new(&self.url, &self.token)
    }

    /// `kill -9`: no handler runs, nothing is flushed.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().context("kill the server")?;
        self.child.wait().context("wait for the killed server")?;
        Ok(())
    }

    /// Asks it to stop, and kills it this much later, in the midst of stopping.
    pub fn kill_while_stopping(self, after: Duration) -> anyhow::Result<()> {
        self.ask_to_stop()?;
        thread::sleep(after);
        self.kill()
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.ask_to_stop()?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "the server stopped with {status}");
                return Ok(());
            }
            thread::sleep(POLL_INTERVAL);
        }
        bail!(
            "the server did not stop within {} s",
            STOP_TIMEOUT.as_secs()
        );
    }

    fn spawn(options: &ServerOptions) -> anyhow::Result<Server> {
        // A server that was killed could not take its address away.
        let stale = fs::remove_file(options.data_dir.join(ADDRESS_FILE));
        if let Err(error) = stale
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error).context("remove the address of an earlier server");
        }
        let log = File::create(&options.log)
            .with_context(|| format!("create {}", options.log.display()))?;
        let child = Command::new(&options.binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&options.data_dir)
            .args(
                options
                    .config
                    .iter()
                    .flat_map(|config| ["--config".as_ref(), config.as_os_str()]),
            )
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", options.binary.display()))?;
        Ok(Server {
            child,
            url: String::new(),
            token: String::new(),
        })
    }

    fn ask_to_stop(&self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status()?;
        anyhow::ensure!(status.success(), "the server could not be told to stop");
        Ok(())
    }

    fn wait_until_ready(&mut self, options: &ServerOptions) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(&options.log).unwrap_or_default();
                bail!("the server ended with {status}:\n{log}");
            }
            if self.is_ready(options) {
                return Ok(());
            }
            thread::sleep(POLL_INTERVAL);
        }
        let log = fs::read_to_string(&options.log).unwrap_or_default();
        bail!("the server was not ready in time:\n{log}");
    }

    fn is_ready(&mut self, options: &ServerOptions) -> bool {
        let Some(url) = read_line(&options.data_dir.join(ADDRESS_FILE)) else {
            return false;
        };
        let Some(token) = read_line(&options.data_dir.join(TOKEN_FILE)) else {
            return false;
        };
        self.url = url;
        self.token = token;
        self.api().is_healthy()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already dead after `kill` and `stop`; either way there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The one line of a file, once it is written whole.
fn read_line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.strip_suffix('\n')
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
}
