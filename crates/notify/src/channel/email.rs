//! Mail, by SMTP (RFC 5321): text and the same as HTML (RFC 2046, section 5.1.4), marked as sent by a machine (RFC 3834), in one
//! thread for an incident (RFC 5322, section 3.6.4).

mod html;

use lettre::Address;
use lettre::message::Mailbox;

use crate::outgoing::{Mail, Outgoing};
use crate::reader::{Part, Reader};
use crate::wording::{actions, facts, headline, sample_line};
use crate::{Links, Notice, Secret, Sending, Severity};

/// Recipients of a channel at most: for more there are mailing lists.
const RECIPIENTS_MAX: usize = 50;

#[derive(Clone, Debug)]
pub(crate) struct Email {
    server: MailServer,
    from: String,
    to: Vec<String>,
}

/// A server that takes mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is talked to.
    pub security: MailSecurity,
    /// Who we are, and the password.
    pub login: Option<(String, Secret)>,
    /// Who vouches for it, in PEM; `None` for the authorities that all trust.
    pub authority: Option<String>,
}

/// How a mail server is talked to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailSecurity {
    /// In clear, then TLS; never without.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// In clear.
    None,
}

impl Email {
    pub(crate) fn read(reader: &mut Reader) -> Email {
        let securities = [
            ("starttls", MailSecurity::StartTls),
            ("tls", MailSecurity::Tls),
            ("none", MailSecurity::None),
        ];
        let security = reader.one_of("security", &securities).unwrap_or_default();
        let port_default = match security {
            MailSecurity::StartTls => 587,
            MailSecurity::Tls => 465,
            MailSecurity::None => 25,
        };
        let port = reader.number("port", 1..=u64::from(u16::MAX));
        let port = port
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or(port_default);
        let server = MailServer {
            host: host(reader),
            port,
            security,
            login: login(reader, security),
            authority: reader.long_text("certificate_authority"),
        };
        if server
            .authority
            .as_ref()
            .is_some_and(|pem| crate::mail::authority(pem).is_err())
        {
            reader.refuse(
                Part::Settings,
                "certificate_authority",
                "has to be a certificate in PEM",
            );
        }
        Email {
            server,
            from: from(reader),
            to: recipients(reader),
        }
    }

    pub(crate) fn request(&self, notice: &Notice, links: &Links, sending: &Sending) -> Outgoing {
        let severity = notice.severity.name().to_uppercase();
        let date_s = sending.written_at.as_nanos() / 1_000_000_000;
        Outgoing::Mail(Box::new(Mail {
            server: self.server.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            subject: format!("[{severity}] {} ({})", headline(notice), notice.client),
            text: text(notice, links),
            html: html::page(notice, links),
            message_id: sending.id.clone(),
            thread_id: links.subject(notice),
            date_s: u64::try_from(date_s).unwrap_or_default(),
            is_urgent: notice.severity >= Severity::Error,
        }))
    }
}

fn text(notice: &Notice, links: &Links) -> String {
    let mut paragraphs = vec![headline(notice)];
    if !notice.cause.is_empty() {
        paragraphs.push(notice.cause.clone());
    }
    let facts: Vec<String> = facts(notice)
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    paragraphs.push(facts.join("\n"));
    if !notice.samples.is_empty() {
        let lines: Vec<String> = notice.samples.iter().map(sample_line).collect();
        paragraphs.push(lines.join("\n"));
    }
    let links = actions(notice, links).into_iter();
    let links: Vec<String> = links
        .map(|action| format!("{}: {}", action.label, action.url))
        .collect();
    if !links.is_empty() {
        paragraphs.push(links.join("\n"));
    }
    paragraphs.join("\n\n") + "\n"
}

fn host(reader: &mut Reader) -> String {
    let host = reader.needed_text("host");
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if !host.bytes().all(is_ours) {
        reader.refuse(
            Part::Settings,
            "host",
            "has to be the name or address of a server",
        );
    }
    host
}

/// A password is never sent where everybody on the way can read it.
fn login(reader: &mut Reader, security: MailSecurity) -> Option<(String, Secret)> {
    let (user, password) = (reader.text("user"), reader.secret("password"));
    match (user, password) {
        (Some(_), Some(_)) if security == MailSecurity::None => {
            reader.refuse(
                Part::Settings,
                "security",
                "has to be starttls or tls where there is a password",
            );
            None
        }
        (Some(user), Some(password)) => Some((user, password)),
        (Some(_), None) => {
            reader.refuse(
                Part::Secrets,
                "password",
                "can't be blank where there is a user",
            );
            None
        }
        (None, Some(_)) => {
            reader.refuse(
                Part::Settings,
                "user",
                "can't be blank where there is a password",
            );
            None
        }
        (None, None) => None,
    }
}

/// `alerts@example.com`, or with a name, `Alerts <alerts@example.com>`.
fn from(reader: &mut Reader) -> String {
    let from = reader.needed_text("from");
    if !from.is_empty() && from.parse::<Mailbox>().is_err() {
        reader.refuse(
            Part::Settings,
            "from",
            "has to be an address such as alerts@example.com",
        );
    }
    from
}

fn recipients(reader: &mut Reader) -> Vec<String> {
    let to = reader.texts("to");
    if to.is_empty() {
        reader.needs("to");
    }
    if to.len() > RECIPIENTS_MAX {
        let message = format!("are too many (maximum is {RECIPIENTS_MAX})");
        reader.refuse(Part::Settings, "to", message);
    }
    for address in to
        .iter()
        .filter(|address| address.parse::<Address>().is_err())
    {
        reader.refuse(
            Part::Settings,
            "to",
            format!("has `{address}`, which is no address"),
        );
    }
    to
}
