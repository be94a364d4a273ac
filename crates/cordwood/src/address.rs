//! Where the server of a data directory listens: a line in that directory, so that verbs find it
//! whatever address it was given.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::config::Settings;

const ADDRESS_FILE: &str = "address";

/// The line in the data directory; taken away again when the server stops in good order.
#[derive(Debug)]
pub(crate) struct Published(PathBuf);

/// Writes where the server listens.
pub(crate) fn publish(data_dir: &Path, address: SocketAddr) -> std::io::Result<Published> {
    let path = data_dir.join(ADDRESS_FILE);
    fs::write(&path, format!("{}\n", url(address)))?;
    Ok(Published(path))
}

impl Drop for Published {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The URL to reach a server on this machine: its address, with one that can be connected to where
/// it listens on all.
pub(crate) fn url(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

/// The server to talk to: the one named, the one that uses the data directory, or the one that would
/// listen where the settings say.
pub(crate) fn url_of(settings: &Settings) -> String {
    let published = || {
        let line = fs::read_to_string(settings.data_dir.join(ADDRESS_FILE)).ok()?;
        let line = line.trim();
        line.starts_with("http://").then(|| line.to_owned())
    };
    let named = settings.url.clone();
    named
        .or_else(published)
        .unwrap_or_else(|| url(settings.listen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let cases = [
            ("127.0.0.1:4747", "http://127.0.0.1:4747"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("10.0.0.7:4747", "http://10.0.0.7:4747"),
        ];
        for (address, expected) in cases {
            assert_eq!(url(address.parse().expect("an address")), expected);
        }
    }
}
