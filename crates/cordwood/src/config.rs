//! Settings: the command line and environment first, then the configuration file, then defaults.
//!
//! Raw values come in, checked ones go out; nothing behind this file asks where a value came from.

mod bucket;
mod outbound;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cordwood_service::{Options, Outbound};
use serde::Deserialize;

#[cfg(feature = "bucket")]
pub(crate) use bucket::Addressing;
pub(crate) use bucket::BucketSettings;

use crate::args::{Globals, bytes_of};
use crate::failure::{Failure, cannot};

const CONFIG_FILE: &str = "cordwood.toml";
const DATA_DIR_DEFAULT: &str = "./cordwood-data";
const LISTEN_DEFAULT: &str = "127.0.0.1:4747";
/// Below this a single request at its limits would not fit.
const MEMORY_BYTES_MIN: u64 = 256 << 20;
/// Below this there would be more segments than events; above a day the log would not be cut for days.
const FLUSH_AGE_MS: std::ops::RangeInclusive<u64> = 100..=86_400_000;

/// Checked settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    /// The server to talk to, where that was said.
    pub url: Option<String>,
    /// The API token to talk with, where that was said.
    pub token: Option<String>,
    pub memory_bytes_max: u64,
    /// How much of the disk exports may take.
    pub exports_bytes_max: u64,
    pub flush_age: Duration,
    /// Where closed segments go, if anywhere.
    pub bucket: Option<BucketSettings>,
    /// Where people reach the server, where that was said.
    pub public_url: Option<String>,
    /// What notices may be sent to beside the public internet.
    pub outbound: Outbound,
    pub json: bool,
}

/// The file as written. All of it is optional, and nothing else may be in it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    data_dir: Option<PathBuf>,
    listen: Option<String>,
    url: Option<String>,
    memory: Option<String>,
    exports: Option<String>,
    flush_age_ms: Option<u64>,
    bucket: Option<bucket::BucketTable>,
    public_url: Option<String>,
    outbound: Option<outbound::OutboundTable>,
}

impl Settings {
    /// Checks what was typed and what the file says.
    pub(crate) fn new(globals: Globals) -> Result<Settings, Failure> {
        let file = read_file(globals.config.as_deref())?;
        let listen = globals.listen.or(file.listen);
        // A variable that is set to nothing is as good as not set.
        let url = globals.url.filter(|url| !url.is_empty()).or(file.url);
        let memory = file.memory.as_deref().map(memory_bytes).transpose()?;
        Ok(Settings {
            data_dir: globals
                .data_dir
                .or(file.data_dir)
                .unwrap_or_else(|| DATA_DIR_DEFAULT.into()),
            listen: socket_address(listen.as_deref().unwrap_or(LISTEN_DEFAULT))?,
            url: url.map(checked_url).transpose()?,
            token: globals.token.filter(|token| !token.is_empty()),
            flush_age: file
                .flush_age_ms
                .map_or(Ok(Options::FLUSH_AGE_DEFAULT), flush_age)?,
            bucket: bucket::checked(file.bucket, |name| std::env::var(name).ok())?,
            exports_bytes_max: file
                .exports
                .as_deref()
                .map_or(Ok(Options::EXPORTS_BYTES_MAX_DEFAULT), exports_bytes)?,
            memory_bytes_max: memory.unwrap_or(Options::MEMORY_BYTES_MAX_DEFAULT),
            public_url: file.public_url.map(checked_url).transpose()?,
            outbound: outbound::checked(file.outbound)?,
            json: globals.json,
        })
    }
}

fn read_file(named: Option<&Path>) -> Result<ConfigFile, Failure> {
    let path = named.unwrap_or(Path::new(CONFIG_FILE));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(ConfigFile::default());
        }
        Err(error) => return Err(cannot(format!("read {}", path.display()), &error)),
    };
    toml::from_str(&text).map_err(|error| {
        Failure::new(format!("{} is not a valid configuration", path.display()))
            .detail(bucket::without_keys(&error.to_string()))
            .hint(
                "It may hold data_dir, listen, url, memory (such as \"1 GiB\"), exports, flush_age_ms, public_url and tables [bucket] and [outbound].",
            )
    })
}

fn socket_address(text: &str) -> Result<SocketAddr, Failure> {
    use std::net::ToSocketAddrs;
    let address = text.to_socket_addrs().ok();
    address.and_then(|mut all| all.next()).ok_or_else(|| {
        Failure::new(format!("`{text}` is no address to listen on"))
            .hint("Write host and port, such as 127.0.0.1:4747 or 0.0.0.0:4747.")
    })
}

fn checked_url(url: String) -> Result<String, Failure> {
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    if is_http {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    Err(Failure::new(format!("`{url}` is no URL of a server"))
        .hint("Write it with its scheme, such as http://127.0.0.1:4747."))
}

fn flush_age(millis: u64) -> Result<Duration, Failure> {
    if FLUSH_AGE_MS.contains(&millis) {
        return Ok(Duration::from_millis(millis));
    }
    Err(
        Failure::new(format!("flush_age_ms = {millis} is out of range")).hint(format!(
            "Write {} to {} milliseconds.",
            FLUSH_AGE_MS.start(),
            FLUSH_AGE_MS.end()
        )),
    )
}

/// Reads `1 GiB`, `512 MiB`, `2G` or a number of bytes.
fn memory_bytes(text: &str) -> Result<u64, Failure> {
    match bytes_of(text) {
        Some(bytes) if bytes >= MEMORY_BYTES_MIN => Ok(bytes),
        _ => Err(
            Failure::new(format!("memory = \"{text}\" is no memory ceiling"))
                .hint("Write at least 256 MiB, such as memory = \"1 GiB\"."),
        ),
    }
}

/// Reads the same.
fn exports_bytes(text: &str) -> Result<u64, Failure> {
    bytes_of(text).ok_or_else(|| {
        Failure::new(format!("exports = \"{text}\" is no size"))
            .hint("Write how much disk exports may take, such as exports = \"20 GiB\".")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_ceilings() {
        let cases = [
            ("1 GiB", Some(1 << 30)),
            ("512MiB", Some(512 << 20)),
            ("2g", Some(2 << 30)),
            ("268435456", Some(256 << 20)),
            ("1 MiB", None),
            ("GiB", None),
            ("1 TiB", Some(1 << 40)),
            ("1 PiB", None),
            ("99999999999 GiB", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(memory_bytes(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn configuration_files() {
        let cases = [
            ("", true),
            (
                "data_dir = \"/var/lib/cordwood\"\nlisten = \"0.0.0.0:4747\"",
                true,
            ),
            ("memory = \"1 GiB\"\nexports = \"5 GiB\"", true),
            ("listem = \"0.0.0.0:4747\"", false),
            ("listen = 4747", false),
        ];
        for (text, is_valid) in cases {
            assert_eq!(
                toml::from_str::<ConfigFile>(text).is_ok(),
                is_valid,
                "{text:?}"
            );
        }
    }
}
