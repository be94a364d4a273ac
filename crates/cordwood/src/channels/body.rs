//! The body of a new channel, out of what was typed.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::secret;
use crate::args::{
    AddVerb, ChannelArguments, EmailArguments, HookArguments, MailSecurity, WebhookArguments,
};
use crate::failure::{Failure, cannot};

/// What the API takes.
pub(super) fn of(verb: AddVerb) -> Result<Value, Failure> {
    match verb {
        AddVerb::Email(email) => of_email(email),
        AddVerb::Slack(hook) => of_hook("slack", hook),
        AddVerb::Teams(hook) => of_hook("teams", hook),
        AddVerb::Discord(hook) => of_hook("discord", hook),
        AddVerb::Pagerduty {
            channel,
            routing_key,
            endpoint,
        } => {
            let secrets = json!({"routing_key": secret::read(&routing_key)?});
            Ok(channel_of(
                "pagerduty",
                channel,
                json!({"url": endpoint}),
                secrets,
            ))
        }
        AddVerb::Opsgenie {
            channel,
            api_key,
            region,
        } => {
            let secrets = json!({"api_key": secret::read(&api_key)?});
            Ok(channel_of(
                "opsgenie",
                channel,
                json!({"region": region}),
                secrets,
            ))
        }
        AddVerb::Ntfy {
            channel,
            topic,
            access_token,
            endpoint,
        } => {
            let secrets = json!({"token": optional(access_token.as_deref())?});
            Ok(channel_of(
                "ntfy",
                channel,
                json!({"topic": topic, "url": endpoint}),
                secrets,
            ))
        }
        AddVerb::Telegram {
            channel,
            bot_token,
            chat_id,
            thread_id,
        } => {
            let secrets = json!({"token": secret::read(&bot_token)?});
            let settings = json!({"chat_id": chat_id, "thread_id": thread_id});
            Ok(channel_of("telegram", channel, settings, secrets))
        }
        AddVerb::Webhook(webhook) => of_webhook(webhook),
    }
}

fn of_hook(kind: &str, hook: HookArguments) -> Result<Value, Failure> {
    let secrets = json!({"url": secret::read(&hook.hook)?});
    Ok(channel_of(kind, hook.channel, json!({}), secrets))
}

fn of_email(email: EmailArguments) -> Result<Value, Failure> {
    let security = email.security.map(|security| match security {
        MailSecurity::Starttls => "starttls",
        MailSecurity::Tls => "tls",
        MailSecurity::None => "none",
    });
    let authority = email
        .certificate_authority
        .as_deref()
        .map(file)
        .transpose()?;
    let settings = json!({
        "host": email.host,
        "port": email.port,
        "security": security,
        "user": email.user,
        "from": email.from,
        "to": email.to,
        "certificate_authority": authority,
    });
    let secrets = json!({"password": optional(email.password.as_deref())?});
    Ok(channel_of("email", email.channel, settings, secrets))
}

fn of_webhook(webhook: WebhookArguments) -> Result<Value, Failure> {
    let mut headers = Map::new();
    for header in &webhook.headers {
        let Some((name, value)) = header.split_once(':') else {
            return Err(Failure::new(format!("`{header}` is no header"))
                .hint("Write it as --header \"X-Team: payments\"."));
        };
        headers.insert(name.trim().to_owned(), value.trim().into());
    }
    let settings = json!({
        "url": webhook.hook,
        "method": webhook.method,
        "headers": headers,
        "format": webhook.format,
        "content_type": webhook.content_type,
        "body": webhook.body.as_deref().map(file).transpose()?,
    });
    let secrets = json!({
        "authorization": optional(webhook.authorization.as_deref())?,
        "signing_secret": optional(webhook.signing_secret.as_deref())?,
    });
    Ok(channel_of("webhook", webhook.channel, settings, secrets))
}

fn channel_of(kind: &str, channel: ChannelArguments, settings: Value, secrets: Value) -> Value {
    json!({
        "kind": kind,
        "name": channel.name,
        "settings": settings,
        "secrets": secrets,
        "per_minute": channel.per_minute,
        "default": channel.is_default,
        "client_id": channel.client,
        "provider": channel.provider,
    })
}

fn optional(argument: Option<&str>) -> Result<Option<String>, Failure> {
    argument.map(secret::read).transpose()
}

fn file(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| cannot(format!("read {}", path.display()), &error))
}
