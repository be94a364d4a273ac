//! Mail: its bytes (RFC 5322), and the conversation with the server that takes it.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::{Duration, SystemTime};

use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, SmtpConnection, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use crate::attempt::{Verdict, beginning};
use crate::channel::{MailSecurity, MailServer};
use crate::guard::Outbound;
use crate::outgoing::Mail;

/// Silence of a server after which it is given up. A conversation has about ten answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Addresses of a server that are tried at most.
const ADDRESSES_MAX: usize = 3;

/// What a server answered, or why none did.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: Option<u16>,
    pub(crate) response: String,
    pub(crate) verdict: Verdict,
}

/// Why a mail was not taken.
#[derive(Debug)]
enum Failure {
    Smtp(lettre::transport::smtp::Error),
    /// It will not be taken at another time either.
    Never(String),
    /// It may be.
    Later(String),
}

impl From<lettre::transport::smtp::Error> for Failure {
    fn from(error: lettre::transport::smtp::Error) -> Failure {
        Failure::Smtp(error)
    }
}

impl Failure {
    fn never(error: impl fmt::Display) -> Failure {
        Failure::Never(error.to_string())
    }
}

/// Sends a mail, to as many of its recipients as the server takes.
pub(crate) fn send(mail: &Mail, outbound: &Outbound) -> Answered {
    match deliver(mail, outbound) {
        Ok((status, response)) => Answered {
            status: Some(status),
            response: beginning(&hidden(mail, &response)),
            verdict: Verdict::Delivered,
        },
        Err(failure) => {
            let (status, response, verdict) = told(failure);
            Answered {
                status,
                response: beginning(&hidden(mail, &response)),
                verdict,
            }
        }
    }
}

fn hidden(mail: &Mail, text: &str) -> String {
    match &mail.server.login {
        Some((_, password)) => password.hidden_in(text),
        None => text.to_owned(),
    }
}

/// An answer of 5xx stays what it is; one of 4xx, and silence, may pass (RFC 5321, section 4.2.1).
fn told(failure: Failure) -> (Option<u16>, String, Verdict) {
    match failure {
        Failure::Never(why) => (None, why, Verdict::Refused),
        Failure::Later(why) => (None, why, Verdict::Retry { after: None }),
        Failure::Smtp(error) if is_silence(&error) => (
            None,
            "no answer in time".to_owned(),
            Verdict::Retry { after: None },
        ),
        Failure::Smtp(error) => {
            let verdict = match error.is_permanent() {
                true => Verdict::Refused,
                false => Verdict::Retry { after: None },
            };
            (error.status().map(u16::from), in_words(&error), verdict)
        }
    }
}

/// A read that timed out is told as one that would block.
fn is_silence(error: &dyn std::error::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let io = deeper.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| matches!(io.kind(), TimedOut | WouldBlock)) {
            return true;
        }
        cause = deeper.source();
    }
    false
}

fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let text = deeper.to_string();
        if !words.ends_with(&text) {
            words = format!("{words}: {text}");
        }
        cause = deeper.source();
    }
    words
}

fn deliver(mail: &Mail, outbound: &Outbound) -> Result<(u16, String), Failure> {
    let message = message(mail).map_err(Failure::never)?;
    let hello = ClientId::Domain(domain(&mail.from).unwrap_or("localhost").to_owned());
    let mut connection = connect(&mail.server, &hello, outbound)?;
    let answered = converse(&mut connection, mail, &message);
    match &answered {
        Ok(_) => drop(connection.quit()),
        Err(_) => connection.abort(),
    }
    answered
}

fn connect(
    server: &MailServer,
    hello: &ClientId,
    outbound: &Outbound,
) -> Result<SmtpConnection, Failure> {
    let tls = tls(server)?;
    let at_once = tls
        .as_ref()
        .filter(|_| server.security == MailSecurity::Tls);
    let mut failure = Failure::Later(format!("{} was not found", server.host));
    for address in addresses(server, outbound)?.into_iter().take(ADDRESSES_MAX) {
        match SmtpConnection::connect(address, Some(ANSWER_TIMEOUT), hello, at_once, None) {
            Ok(mut connection) => {
                if let Some(tls) = tls
                    .as_ref()
                    .filter(|_| server.security == MailSecurity::StartTls)
                {
                    connection.starttls(tls, hello)?;
                }
                if let Some((user, password)) = &server.login {
                    let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
                    connection.auth(DEFAULT_MECHANISMS, &credentials)?;
                }
                return Ok(connection);
            }
            Err(error) => failure = Failure::Smtp(error),
        }
    }
    Err(failure)
}

/// The addresses of the server that may be connected to: looked up once, so that the ones that are checked are the ones that are used.
fn addresses(server: &MailServer, outbound: &Outbound) -> Result<Vec<SocketAddr>, Failure> {
    let host = server.host.trim_start_matches('[').trim_end_matches(']');
    let found = (host, server.port)
        .to_socket_addrs()
        .map_err(|error| Failure::Later(format!("{host} was not found: {error}")))?;
    let (mut allowed, mut refused) = (Vec::new(), None);
    for address in found {
        match outbound.check(host, address.ip()) {
            Ok(()) => allowed.push(address),
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        Some(refused) if allowed.is_empty() => Err(Failure::never(refused)),
        _ => Ok(allowed),
    }
}

fn tls(server: &MailServer) -> Result<Option<TlsParameters>, Failure> {
    if server.security == MailSecurity::None {
        return Ok(None);
    }
    let host = server.host.trim_start_matches('[').trim_end_matches(']');
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = &server.authority {
        let certificate = authority(pem).map_err(Failure::never)?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    builder.build_rustls().map(Some).map_err(Failure::never)
}

/// Who vouches for servers, out of PEM. A text without a certificate would have nobody do it.
pub(crate) fn authority(pem: &str) -> Result<Certificate, String> {
    let is_there =
        pem.contains("-----BEGIN CERTIFICATE-----") && pem.contains("-----END CERTIFICATE-----");
    match is_there {
        true => Certificate::from_pem(pem.as_bytes()).map_err(|error| error.to_string()),
        false => Err("there is no certificate in it".to_owned()),
    }
}

/// The transaction of RFC 5321, section 3.3. A recipient that is refused takes nothing from the others.
fn converse(
    connection: &mut SmtpConnection,
    mail: &Mail,
    message: &[u8],
) -> Result<(u16, String), Failure> {
    let sender = mail.from.parse::<Mailbox>().map_err(Failure::never)?.email;
    let mut parameters = Vec::new();
    if connection
        .server_info()
        .supports_feature(Extension::EightBitMime)
    {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    connection.command(MailFrom::new(Some(sender), parameters))?;
    let (mut refusals, mut taken, mut last) = (Vec::new(), 0, None);
    for recipient in &mail.to {
        let address: Address = recipient.parse().map_err(Failure::never)?;
        match connection.command(Rcpt::new(address, Vec::new())) {
            Ok(_) => taken += 1,
            Err(error) if error.is_transient() || error.is_permanent() => {
                refusals.push(format!("{recipient}: {}", in_words(&error)));
                last = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(error) = last.filter(|_| taken == 0) {
        return Err(error.into());
    }
    connection.command(Data)?;
    let answer = connection.message(message)?;
    let mut words = vec![sentence(&answer)];
    words.extend(
        refusals
            .into_iter()
            .map(|refusal| format!("not for {refusal}")),
    );
    Ok((answer.code().into(), words.join("; ")))
}

fn sentence(answer: &Response) -> String {
    let lines: Vec<&str> = answer.message().collect();
    lines.join(" ")
}

/// The bytes of a mail. What is in it cannot make headers: the subject is one line, and encoded where it is not plain.
pub(crate) fn message(mail: &Mail) -> Result<Vec<u8>, String> {
    let wrong = |error: &dyn fmt::Display| error.to_string();
    let domain = domain(&mail.from).unwrap_or("localhost");
    let from: Mailbox = mail.from.parse().map_err(|error| wrong(&error))?;
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(mail.date_s);
    let thread = format!("<{}@{domain}>", plain(&mail.thread_id));
    let mut builder = Message::builder()
        .from(from)
        .subject(crate::cut::one_line(&mail.subject))
        .message_id(Some(format!("<{}@{domain}>", plain(&mail.message_id))))
        .references(thread.clone())
        .in_reply_to(thread)
        .date(date);
    for recipient in &mail.to {
        builder = builder.to(recipient.parse().map_err(|error| wrong(&error))?);
    }
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    let mut message = builder.multipart(body).map_err(|error| wrong(&error))?;
    let mut headers = vec![("Auto-Submitted", "auto-generated")];
    if mail.is_urgent {
        headers.push(("Importance", "high"));
    }
    for (name, value) in headers {
        let name = HeaderName::new_from_ascii_str(name);
        message
            .headers_mut()
            .insert_raw(HeaderValue::new(name, value.to_owned()));
    }
    Ok(message.formatted())
}

/// What may stand in a message id (RFC 5322, section 3.6.4).
fn plain(text: &str) -> String {
    let is_ours =
        |character: &char| character.is_ascii_alphanumeric() || "-_.".contains(*character);
    let kept = text
        .chars()
        .map(|character| if is_ours(&character) { character } else { '-' });
    kept.collect()
}

fn domain(mailbox: &str) -> Option<&str> {
    let domain = mailbox.rsplit('@').next()?.trim_end_matches('>');
    (!domain.is_empty() && domain.is_ascii()).then_some(domain)
}
