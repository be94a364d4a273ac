//! Sends what is outgoing: HTTP and SMTP with timeouts, to addresses that may be connected to.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{Request, Uri};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

use crate::attempt::{Attempt, RESPONSE_BYTES_MAX, Verdict, beginning, verdict_of_http};
use crate::guard::{Outbound, Refused};
use crate::outgoing::{HttpRequest, Outgoing};
use crate::{Sending, mail};

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Until a request is answered, all in all.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The way out of the server. Shared by all threads.
#[derive(Debug)]
pub struct Transport {
    agent: Agent,
    outbound: Outbound,
}

impl Transport {
    /// A way out to the public internet, and to what is allowed beside it. Proxies that the environment names are not used: what is
    /// behind them could not be checked.
    pub fn new(outbound: Outbound) -> Transport {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(WHOLE_TIMEOUT))
            .user_agent(concat!("cordwood/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = GuardedResolver {
            inner: DefaultResolver::default(),
            outbound: outbound.clone(),
        };
        Transport {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            outbound,
        }
    }

    /// Sends something once, and says what came of it.
    pub fn send(&self, outgoing: &Outgoing, sending: &Sending) -> Attempt {
        let started = Instant::now();
        let (status, response, verdict) = match outgoing {
            Outgoing::Http(request) => self.send_http(request, sending),
            Outgoing::Mail(mail) => {
                let answered = mail::send(mail, &self.outbound);
                (answered.status, answered.response, answered.verdict)
            }
        };
        Attempt {
            status,
            response,
            took: started.elapsed(),
            verdict,
        }
    }

    fn send_http(
        &self,
        request: &HttpRequest,
        sending: &Sending,
    ) -> (Option<u16>, String, Verdict) {
        let mut builder = Request::builder().method(request.method).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let Ok(built) = builder.body(request.body.as_slice()) else {
            return (
                None,
                "the request cannot be written".to_owned(),
                Verdict::Refused,
            );
        };
        let mut answer = match self.agent.run(built) {
            Ok(answer) => answer,
            Err(error) => {
                let (why, verdict) = told(&error);
                return (None, beginning(&hidden(request, &why)), verdict);
            }
        };
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let mut bytes = Vec::new();
        let beginning_of_body = answer
            .body_mut()
            .as_reader()
            .take(RESPONSE_BYTES_MAX as u64);
        // The status says what matters; a body that breaks off says less than it could.
        let _ = { beginning_of_body }.read_to_end(&mut bytes);
        let body = String::from_utf8_lossy(&bytes);
        let now_s = sending.now.as_nanos() / 1_000_000_000;
        let verdict = verdict_of_http(status, retry_after.as_deref(), &body, now_s);
        (Some(status), beginning(&hidden(request, &body)), verdict)
    }
}

fn hidden(request: &HttpRequest, text: &str) -> String {
    let hide = |text: String, secret: &crate::Secret| secret.hidden_in(&text);
    request.secrets.iter().fold(text.to_owned(), hide)
}

/// Why nobody answered, and whether it may pass. The URL, which may be a secret, is in none of these.
fn told(error: &Error) -> (String, Verdict) {
    let may_pass = Verdict::Retry { after: None };
    match error {
        Error::Io(error) => match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Refused>())
        {
            Some(refused) => (refused.to_string(), Verdict::Refused),
            None => (format!("no answer: {error}"), may_pass),
        },
        Error::Timeout(_) => ("no answer in time".to_owned(), may_pass),
        Error::HostNotFound => ("the host was not found".to_owned(), may_pass),
        Error::BadUri(_) => ("the URL cannot be asked".to_owned(), Verdict::Refused),
        error => (format!("no answer: {error}"), may_pass),
    }
}

/// Resolves as usual and leaves out what must not be connected to.
#[derive(Debug)]
struct GuardedResolver {
    inner: DefaultResolver,
    outbound: Outbound,
}

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let resolved = self.inner.resolve(uri, config, timeout)?;
        let host = uri.host().unwrap_or_default();
        let (mut allowed, mut refused) = (self.empty(), None);
        for address in resolved.iter().copied() {
            let address: SocketAddr = address;
            match self.outbound.check(host, address.ip()) {
                Ok(()) => allowed.push(address),
                Err(why) => refused = Some(why),
            }
        }
        match refused {
            Some(refused) if allowed.is_empty() => Err(Error::Io(io::Error::new(
                io::ErrorKind::PermissionDenied,
                refused,
            ))),
            _ => Ok(allowed),
        }
    }
}
