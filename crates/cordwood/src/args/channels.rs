//! What `cordwood channels` takes. A secret is `@FILE`, `-` for standard input, `env:NAME`, or the secret itself, which other users of the
//! machine may then see. `--url` and `--token` are taken: they say which Cordwood is talked to.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Where secrets come from, for the help of each.
const SECRET: &str = "@FILE|-|env:NAME|SECRET";

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelsVerb {
    /// List the channels, and how they do.
    List,
    /// Show one; secrets are not shown.
    Show {
        /// Its id or name.
        channel: String,
    },
    /// Make a channel.
    ///
    /// Secrets are read from a file with @FILE, from standard input with -, or from the environment with env:NAME.
    ///
    /// Examples: `cordwood channels add slack ops --hook @hook.txt --default`,
    /// `cordwood channels add email duty --host mail.example.com --user alerts --password env:MAIL_PASSWORD --from alerts@example.com --to duty@example.com`.
    #[command(subcommand)]
    Add(Box<AddVerb>),
    /// Send a notice to a channel now, and show what was answered.
    Test {
        /// Its id or name.
        channel: String,
    },
    /// Show what became of the notices of a channel.
    Deliveries {
        /// Its id or name.
        channel: String,
        /// How many, the newest first.
        #[arg(long, default_value_t = 20, value_name = "COUNT")]
        limit: u32,
    },
    /// Send nothing to a channel until it is resumed.
    Pause {
        /// Its id or name.
        channel: String,
    },
    /// Send to a channel again; what waits goes first.
    Resume {
        /// Its id or name.
        channel: String,
    },
    /// Delete a channel, what waits for it, and its log.
    Remove {
        /// Its id or name.
        channel: String,
    },
}

/// What all kinds of channels have.
#[derive(Debug, Args)]
pub(crate) struct ChannelArguments {
    /// Its name.
    pub name: String,

    /// Tell it of incidents and rules that name no channels.
    #[arg(long = "default")]
    pub is_default: bool,

    /// Notices it takes in a minute; more become a digest [default: 20].
    #[arg(long, value_name = "COUNT")]
    pub per_minute: Option<u64>,

    /// The id of the client it belongs to [default: the only one you see].
    #[arg(long, value_name = "ID", conflicts_with = "provider")]
    pub client: Option<u64>,

    /// Make it the provider's, for all clients.
    #[arg(long)]
    pub provider: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AddVerb {
    /// Mail, by SMTP.
    Email(EmailArguments),
    /// Slack, by an incoming webhook.
    Slack(HookArguments),
    /// Microsoft Teams, by the webhook of a workflow.
    Teams(HookArguments),
    /// Discord, by a webhook.
    Discord(HookArguments),
    /// PagerDuty, by its events API.
    Pagerduty {
        #[command(flatten)]
        channel: ChannelArguments,
        /// The integration key.
        #[arg(long, value_name = SECRET)]
        routing_key: String,
        /// The URL of the service region [default: https://events.pagerduty.com].
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
    },
    /// Opsgenie, by its alert API.
    Opsgenie {
        #[command(flatten)]
        channel: ChannelArguments,
        /// The key of an API integration.
        #[arg(long, value_name = SECRET)]
        api_key: String,
        /// Where the account is [default: us].
        #[arg(long, value_parser = ["us", "eu"])]
        region: Option<String>,
    },
    /// ntfy, on its own server or yours.
    Ntfy {
        #[command(flatten)]
        channel: ChannelArguments,
        /// The topic.
        #[arg(long)]
        topic: String,
        /// An access token, if the topic wants one.
        #[arg(long, value_name = SECRET)]
        access_token: Option<String>,
        /// The URL of the server [default: https://ntfy.sh].
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
    },
    /// A bot of Telegram.
    Telegram {
        #[command(flatten)]
        channel: ChannelArguments,
        /// The token of the bot.
        #[arg(long, value_name = SECRET)]
        bot_token: String,
        /// The chat it writes to.
        #[arg(long, allow_hyphen_values = true)]
        chat_id: String,
        /// The topic of a group.
        #[arg(long, value_name = "ID")]
        thread_id: Option<u64>,
    },
    /// Whatever takes requests of HTTP.
    Webhook(WebhookArguments),
}

/// A channel whose URL is all there is to know.
#[derive(Debug, Args)]
pub(crate) struct HookArguments {
    #[command(flatten)]
    pub channel: ChannelArguments,

    /// The URL of the webhook, which lets in whoever knows it.
    #[arg(long, value_name = SECRET)]
    pub hook: String,
}

#[derive(Debug, Args)]
pub(crate) struct EmailArguments {
    #[command(flatten)]
    pub channel: ChannelArguments,

    /// The server that takes mail.
    #[arg(long)]
    pub host: String,

    /// Its port [default: 587, 465 or 25, by --security].
    #[arg(long)]
    pub port: Option<u16>,

    /// How it is talked to [default: starttls].
    #[arg(long, value_enum)]
    pub security: Option<MailSecurity>,

    /// Who we are.
    #[arg(long)]
    pub user: Option<String>,

    /// The password.
    #[arg(long, value_name = SECRET)]
    pub password: Option<String>,

    /// Who sends: alerts@example.com.
    #[arg(long)]
    pub from: String,

    /// Who gets it; may be repeated.
    #[arg(long, required = true)]
    pub to: Vec<String>,

    /// A certificate that vouches for the server, in PEM.
    #[arg(long, value_name = "FILE")]
    pub certificate_authority: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum MailSecurity {
    Starttls,
    Tls,
    None,
}

#[derive(Debug, Args)]
pub(crate) struct WebhookArguments {
    #[command(flatten)]
    pub channel: ChannelArguments,

    /// The URL that requests go to.
    #[arg(long, value_name = "URL")]
    pub hook: String,

    /// POST, PUT or PATCH [default: POST].
    #[arg(long, value_parser = ["POST", "PUT", "PATCH"])]
    pub method: Option<String>,

    /// A header, `Name: value`; may be repeated.
    #[arg(long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,

    /// The shape of the body [default: cordwood].
    #[arg(long, value_parser = ["cordwood", "better_stack"])]
    pub format: Option<String>,

    /// A template of the body, with names in braces.
    #[arg(long, value_name = "FILE")]
    pub body: Option<PathBuf>,

    /// The type of the body [default: application/json].
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,

    /// The value of the `Authorization` header.
    #[arg(long, value_name = SECRET)]
    pub authorization: Option<String>,

    /// The key to sign requests with, whsec_ and base64.
    #[arg(long, value_name = SECRET)]
    pub signing_secret: Option<String>,
}
