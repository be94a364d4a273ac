//! What sends to a source: the platforms of Better Stack, and names people use for them.

use std::fmt;
use std::str::FromStr;

/// The platforms, in alphabetical order: the 55 values the Terraform provider of Better Stack knows.
pub const PLATFORMS: [&str; 55] = [
    "apache2",
    "aws",
    "aws_cloudwatch",
    "aws_ecs",
    "aws_elb",
    "aws_fargate",
    "azure",
    "azure_logs",
    "cloudflare_logpush",
    "cloudflare_prometheus_exporter",
    "cloudflare_worker",
    "datadog_agent",
    "digitalocean",
    "docker",
    "dokku",
    "dotnet",
    "elasticsearch",
    "erlang",
    "fastly",
    "filebeat",
    "flights",
    "fluentbit",
    "fluentd",
    "fly_io",
    "gcp",
    "go",
    "google_cloud_pubsub",
    "haproxy",
    "heroku",
    "http",
    "java",
    "javascript",
    "kubernetes",
    "logstash",
    "minio",
    "mongodb",
    "mysql",
    "nginx",
    "open_telemetry",
    "php",
    "postgresql",
    "prometheus",
    "prometheus_scrape",
    "python",
    "rabbitmq",
    "redis",
    "render",
    "rsyslog",
    "ruby",
    "syslog-ng",
    "traefik",
    "ubuntu",
    "vector",
    "vercel_integration",
    "winlogbeat",
];

/// Names people use, and the platform they mean.
const ALIASES: [(&str, &str); 40] = [
    ("apache", "apache2"),
    ("aws_lambda", "aws"),
    ("aws_s3", "aws"),
    ("bun", "javascript"),
    ("cloudflare", "cloudflare_logpush"),
    ("cloudflare_workers", "cloudflare_worker"),
    ("cloudwatch", "aws_cloudwatch"),
    ("csharp", "dotnet"),
    ("datadog", "datadog_agent"),
    ("deno", "javascript"),
    ("digital_ocean", "digitalocean"),
    ("ecs", "aws_ecs"),
    ("elastic", "elasticsearch"),
    ("elixir", "erlang"),
    ("fargate", "aws_fargate"),
    ("fluent_bit", "fluentbit"),
    ("fly", "fly_io"),
    ("golang", "go"),
    ("google_cloud", "gcp"),
    ("js", "javascript"),
    ("k8s", "kubernetes"),
    ("kotlin", "java"),
    ("laravel", "php"),
    ("mongo", "mongodb"),
    ("net", "dotnet"),
    ("nextjs", "javascript"),
    ("node", "javascript"),
    ("node_js", "javascript"),
    ("nodejs", "javascript"),
    ("opentelemetry", "open_telemetry"),
    ("otel", "open_telemetry"),
    ("otlp", "open_telemetry"),
    ("postgres", "postgresql"),
    ("pubsub", "google_cloud_pubsub"),
    ("rails", "ruby"),
    ("syslog", "rsyslog"),
    ("syslog_ng", "syslog-ng"),
    ("typescript", "javascript"),
    ("vercel", "vercel_integration"),
    ("winlog", "winlogbeat"),
];

/// A platform, always one of [`PLATFORMS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Platform(&'static str);

/// The text names no platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPlatform;

impl Platform {
    /// Anything that speaks HTTP.
    pub const HTTP: Platform = Platform("http");

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Reads a platform or an alias, in any case, with `-`, `.`, `_` and spaces alike.
impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(text: &str) -> Result<Platform, UnknownPlatform> {
        let folded = fold(text);
        let alias = ALIASES.iter().find(|(alias, _)| fold(alias) == folded);
        let wanted = alias.map_or(folded, |(_, platform)| fold(platform));
        PLATFORMS
            .iter()
            .find(|platform| fold(platform) == wanted)
            .map(|platform| Platform(platform))
            .ok_or(UnknownPlatform)
    }
}

fn fold(name: &str) -> String {
    name.trim()
        .trim_start_matches('.')
        .replace(['-', ' ', '.'], "_")
        .to_ascii_lowercase()
}
