//! The `incident` corpus: some hours of a few services, and one thing that goes wrong in the last of them.
//!
//! Ten things can, each with a cause that is known: the values of some fields. Around it is what any hour has: errors and
//! refusals, more traffic towards noon, services that grow and shrink, a deploy that does no harm, a service with a few more errors than
//! before. The same seed gives the same events. It stands alone, so that tests of other crates can include it.

use std::fmt::Write as _;

use super::rng::Rng;

/// So many hours; the last is that of the incident.
pub(crate) const HOURS: u64 = 5;
const HOUR_MS: u64 = 3_600_000;
/// How long into its hour the incident begins.
const ONSET_MS: u64 = 8 * 60_000;

const SERVICES: [&str; 8] = [
    "checkout-api",
    "search-api",
    "profile-api",
    "cart-api",
    "billing-worker",
    "mail-worker",
    "stock-api",
    "gateway",
];
/// The index of `mail-worker`.
const MAIL_WORKER: usize = 5;
const HOSTS: u64 = 16;
const REGIONS: [&str; 4] = ["eu-west", "eu-north", "us-east", "ap-south"];
const UPSTREAMS: [&str; 6] = [
    "orders-db",
    "users-db",
    "redis-sessions",
    "rates.example.com",
    "tax.example.com",
    "mail-relay",
];
const PATHS: [&str; 6] = [
    "/cart",
    "/cart/items",
    "/orders",
    "/search",
    "/me",
    "/health",
];
const TENANTS: u64 = 24;
const CLIENTS: u64 = 300;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incident {
    /// A new version on one host answers one tenant with 500.
    BadVersion,
    /// One tenant is refused with 429.
    RateLimited,
    /// What one service asks of one dependency times out.
    DependencyTimeout,
    /// Names cannot be resolved in one region.
    RegionDns,
    /// A feature flag breaks one endpoint.
    FeatureFlag,
    /// The certificate of one upstream has expired.
    ExpiredCertificate,
    /// One client asks far more than before.
    NoisyClient,
    /// The disk of one host is full.
    DiskFull,
    /// A query is slow for one tenant, and nothing fails.
    SlowQuery,
    /// A service says nothing any more.
    GoneQuiet,
}

impl Incident {
    /// All of them.
    pub(crate) const ALL: [Incident; 10] = [
        Incident::BadVersion,
        Incident::RateLimited,
        Incident::DependencyTimeout,
        Incident::RegionDns,
        Incident::FeatureFlag,
        Incident::ExpiredCertificate,
        Incident::NoisyClient,
        Incident::DiskFull,
        Incident::SlowQuery,
        Incident::GoneQuiet,
    ];

    /// The values that are its cause.
    pub(crate) fn cause(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Incident::BadVersion => &[("version", "2.5.0"), ("tenant", "t-2")],
            Incident::RateLimited => &[("tenant", "t-3")],
            Incident::DependencyTimeout => &[("service", "cart-api"), ("upstream", "orders-db")],
            Incident::RegionDns => &[("region", "us-east")],
            Incident::FeatureFlag => &[("flags.new_cart", "true"), ("path", "/cart/items")],
            Incident::ExpiredCertificate => &[("upstream", "tax.example.com")],
            Incident::NoisyClient => &[("client", "10.0.0.7")],
            Incident::DiskFull => &[("host", "prod-11")],
            Incident::SlowQuery => &[("tenant", "t-4"), ("path", "/search")],
            Incident::GoneQuiet => &[("service", "mail-worker")],
        }
    }

    /// What events say that none said before.
    pub(crate) fn new_message(self) -> Option<&'static str> {
        match self {
            Incident::BadVersion => Some("no price rule for tenant t-2"),
            Incident::RateLimited => Some("rate limit exceeded"),
            Incident::FeatureFlag => Some("undefined: cart.items"),
            Incident::ExpiredCertificate => Some("certificate of tax.example.com has expired"),
            Incident::SlowQuery => Some("slow query: no index on orders.title"),
            Incident::DependencyTimeout
            | Incident::RegionDns
            | Incident::NoisyClient
            | Incident::DiskFull
            | Incident::GoneQuiet => None,
        }
    }

    /// What some events said before, and much more, or much fewer, say now.
    pub(crate) fn changed_message(self) -> Option<&'static str> {
        match self {
            Incident::DependencyTimeout => Some("timeout after 3000ms calling"),
            Incident::RegionDns => Some("no such host"),
            Incident::DiskFull => Some("write failed: no space left on device"),
            Incident::GoneQuiet => Some("mail sent in"),
            Incident::BadVersion
            | Incident::RateLimited
            | Incident::FeatureFlag
            | Incident::ExpiredCertificate
            | Incident::NoisyClient
            | Incident::SlowQuery => None,
        }
    }

    /// Of which kind of events there are more, or fewer.
    pub(crate) fn change(self) -> &'static str {
        match self {
            Incident::BadVersion
            | Incident::DependencyTimeout
            | Incident::RegionDns
            | Incident::FeatureFlag
            | Incident::ExpiredCertificate
            | Incident::DiskFull => "errors",
            Incident::RateLimited => "warnings",
            Incident::SlowQuery => "slowness",
            Incident::NoisyClient | Incident::GoneQuiet => "volume",
        }
    }
}

/// One event, before it is written.
struct Draft {
    time_ms: u64,
    service: usize,
    host: u64,
    version: &'static str,
    tenant: u64,
    client: u64,
    path: &'static str,
    upstream: Option<&'static str>,
    has_new_cart: bool,
    level: &'static str,
    status: u32,
    duration_ms: f64,
    message: String,
}

impl Draft {
    /// Of a hundred such events, so many fail.
    fn fail(&mut self, rng: &mut Rng, percent: u64, message: &str) {
        if rng.below(100) < percent {
            (self.level, self.status) = ("error", 500);
            message.clone_into(&mut self.message);
        }
    }
}

/// About so many events as lines of JSON, in the order of their times; the first hour begins at `start_ms`.
pub(crate) fn lines(incident: Incident, seed: u64, events: u64, start_ms: u64) -> Vec<String> {
    let mut rng = Rng::new(seed);
    let mut times: Vec<u64> = Vec::with_capacity(usize::try_from(events).unwrap_or(0));
    for hour in 0..HOURS {
        // More towards noon, and never quite as many as one would think.
        let shape = 0.85 + 0.08 * f64::from(u32::try_from(hour).unwrap_or(0)) + 0.06 * rng.unit();
        let of_hour = (shape * events as f64 / HOURS as f64) as u64;
        times.extend((0..of_hour).map(|_| hour * HOUR_MS + rng.below(HOUR_MS)));
    }
    times.sort_unstable();
    let growth: Vec<f64> = SERVICES.iter().map(|_| 0.9 + 0.2 * rng.unit()).collect();
    let mut lines = Vec::with_capacity(times.len());
    for time_ms in times {
        let mut draft = draw(&mut rng, time_ms, &growth);
        let is_on = time_ms >= (HOURS - 1) * HOUR_MS + ONSET_MS;
        let is_kept = !is_on || strike(incident, &mut draft, &mut rng);
        if is_kept {
            lines.push(written(&draft, start_ms, &mut rng));
        }
        if is_on && incident == Incident::NoisyClient && rng.below(100) < 12 {
            let mut extra = draw(&mut rng, time_ms, &growth);
            extra.client = 7;
            lines.push(written(&extra, start_ms, &mut rng));
        }
    }
    lines
}

/// An event as it is on any day.
fn draw(rng: &mut Rng, time_ms: u64, growth: &[f64]) -> Draft {
    let is_last_hour = time_ms >= (HOURS - 1) * HOUR_MS;
    let mut service = draw_service(rng);
    if is_last_hour && rng.unit() > growth[service] {
        service = draw_service(rng);
    }
    let host = 1 + (service as u64 * 5 + rng.below(6)) % HOSTS;
    let level_roll = rng.below(1000);
    // One service has a few more errors than before, as one always has.
    let errors = if service == 1 && is_last_hour { 14 } else { 11 };
    let (level, status) = match level_roll {
        roll if roll < errors => ("error", 500),
        roll if roll < 40 => ("warn", if roll.is_multiple_of(2) { 429 } else { 404 }),
        roll if roll < 100 => ("debug", 200),
        _ => ("info", 200),
    };
    let path = *rng.pick(&PATHS);
    let duration_ms = (2.5 + rng.normal() * 0.8).exp();
    let upstream = (rng.below(100) < 45).then(|| *rng.pick(&UPSTREAMS));
    let message = match level {
        "error" => match (rng.below(8), upstream) {
            (0, Some(upstream)) => format!("timeout after 3000ms calling {upstream}"),
            (1, Some(upstream)) => format!("lookup of {upstream} failed: no such host"),
            (2, _) => "write failed: no space left on device".to_owned(),
            _ => format!("request {path} failed"),
        },
        "warn" => format!("request {path} refused"),
        _ if service == MAIL_WORKER => format!("mail sent in {duration_ms:.0}ms"),
        _ => format!("request {path} done in {duration_ms:.0}ms"),
    };
    Draft {
        time_ms,
        service,
        host,
        version: version(service, host, is_last_hour),
        tenant: 1 + rng.zipf(TENANTS),
        client: 1 + rng.zipf(CLIENTS),
        path,
        upstream,
        has_new_cart: rng.below(2) == 0,
        level,
        status,
        duration_ms,
        message,
    }
}

fn draw_service(rng: &mut Rng) -> usize {
    const WEIGHTS: [u64; 8] = [20, 16, 12, 18, 6, 5, 9, 14];
    let mut roll = rng.below(WEIGHTS.iter().sum());
    for (service, weight) in WEIGHTS.iter().enumerate() {
        if roll < *weight {
            return service;
        }
        roll -= weight;
    }
    0
}

/// One service is deployed with the last hour, which changes nothing else; another is midway through a deploy all day.
fn version(service: usize, host: u64, is_last_hour: bool) -> &'static str {
    match service {
        2 if is_last_hour => "1.9.1",
        2 => "1.9.0",
        0 => "2.4.0",
        1 if host.is_multiple_of(2) => "7.0.3",
        1 => "7.0.2",
        3 => "3.3.3",
        _ => "1.0.0",
    }
}

/// What the incident makes of an event; `false` if there is no such event then.
fn strike(incident: Incident, draft: &mut Draft, rng: &mut Rng) -> bool {
    match incident {
        Incident::BadVersion if (draft.service, draft.host) == (0, 3) => {
            draft.version = "2.5.0";
            if draft.tenant == 2 {
                draft.fail(rng, 85, "no price rule for tenant t-2");
            }
        }
        Incident::RateLimited if draft.tenant == 3 && rng.below(100) < 60 => {
            (draft.level, draft.status) = ("warn", 429);
            draft.message = "rate limit exceeded".to_owned();
        }
        Incident::DependencyTimeout
            if draft.service == 3 && draft.upstream == Some("orders-db") =>
        {
            draft.fail(rng, 70, "timeout after 3000ms calling orders-db");
            if draft.level == "error" {
                draft.duration_ms += 3000.0;
            }
        }
        Incident::RegionDns if region(draft.host) == "us-east" => {
            draft.fail(rng, 30, "lookup of tax.example.com failed: no such host");
        }
        Incident::FeatureFlag if draft.has_new_cart && draft.path == "/cart/items" => {
            draft.fail(rng, 75, "undefined: cart.items");
        }
        Incident::ExpiredCertificate if draft.upstream == Some("tax.example.com") => {
            draft.fail(rng, 90, "certificate of tax.example.com has expired");
        }
        Incident::DiskFull if draft.host == 11 => {
            draft.fail(rng, 40, "write failed: no space left on device");
        }
        Incident::SlowQuery if draft.tenant == 4 && draft.path == "/search" => {
            draft.duration_ms = 900.0 + 80.0 * draft.duration_ms;
            "slow query: no index on orders.title".clone_into(&mut draft.message);
        }
        Incident::GoneQuiet => return draft.service != MAIL_WORKER,
        _ => {}
    }
    true
}

fn region(host: u64) -> &'static str {
    REGIONS[usize::try_from(host % 4).unwrap_or(0)]
}

fn written(draft: &Draft, start_ms: u64, rng: &mut Rng) -> String {
    let mut line = String::with_capacity(400);
    let _ = write!(
        line,
        r#"{{"dt":{},"level":"{}","message":"{}","service":"{}","host":"prod-{:02}","region":"{}","version":"{}","tenant":"t-{}","client":"10.0.{}.{}","path":"{}","status":{},"duration_ms":{:.2},"flags":{{"new_cart":{}}},"request_id":"{:016x}""#,
        start_ms + draft.time_ms,
        draft.level,
        draft.message,
        SERVICES[draft.service],
        draft.host,
        region(draft.host),
        draft.version,
        draft.tenant,
        draft.client / 256,
        draft.client % 256,
        draft.path,
        draft.status,
        draft.duration_ms,
        draft.has_new_cart,
        rng.next(),
    );
    if let Some(upstream) = draft.upstream {
        let _ = write!(line, r#","upstream":"{upstream}""#);
    }
    line.push('}');
    line
}
