//! The HTTP client of the bucket: TLS with ring and the certificates of the system, said here and not for the whole process.

use std::sync::Arc;
use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::Error;

/// A service in reach answers the first packet within that.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection on which nothing comes for so long is dead.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Hands out one client.
#[derive(Debug)]
pub(crate) struct Connector {
    client: reqwest::Client,
}

impl Connector {
    pub(crate) fn new(is_plain_http: bool) -> Result<Connector, Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(is_plain_http)?)
            .https_only(!is_plain_http)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .no_proxy()
            .build()
            .map_err(|error| Error::Options(error.to_string()))?;
        Ok(Connector { client })
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.client.clone()))
    }
}

/// Where TLS is not spoken, a machine need have no certificates.
fn tls(is_plain_http: bool) -> Result<ClientConfig, Error> {
    let tls = |error: rustls::Error| Error::Tls(error.to_string());
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(tls)?;
    let builder = match is_plain_http {
        true => builder.with_root_certificates(RootCertStore::empty()),
        false => builder.with_platform_verifier().map_err(tls)?,
    };
    Ok(builder.with_no_client_auth())
}
