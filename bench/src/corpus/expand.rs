//! Filling templates: each variable drawn from its own distribution.

use super::rng::Rng;
use super::template::{Piece, Variable, parse};
use super::text::{push_decimal, push_hex, push_integer, push_padded, push_uuid};
use super::vocabulary::{
    CITIES, DATABASE_ERRORS, EXCEPTIONS, NETWORK_ERRORS, ROUTES, SERVICES, STATEMENTS, TABLES,
    TOPICS, USER_AGENTS, words,
};

/// What the events of one request share, and what one event says of itself.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) path: &'a [u8],
    pub(crate) method: &'a str,
    pub(crate) status: u32,
    pub(crate) duration_ms: f64,
    pub(crate) long_duration_ms: f64,
    pub(crate) user: u64,
    pub(crate) tenant: u64,
    pub(crate) region: &'a str,
    pub(crate) time_ms: u64,
    pub(crate) user_agent: usize,
    pub(crate) order: u64,
}

/// The words and the templates within templates.
#[derive(Debug)]
pub(crate) struct Expander {
    words: Vec<String>,
    statements: Vec<Vec<Piece>>,
    exceptions: Vec<Vec<Piece>>,
    network_errors: Vec<Vec<Piece>>,
    database_errors: Vec<Vec<Piece>>,
    versions: Vec<Vec<String>>,
}

impl Expander {
    pub(crate) fn new(rng: &mut Rng) -> anyhow::Result<Expander> {
        let parse_all = |templates: &[&str]| -> anyhow::Result<Vec<Vec<Piece>>> {
            templates.iter().map(|text| parse(text)).collect()
        };
        Ok(Expander {
            words: words(rng, 6000),
            statements: parse_all(&STATEMENTS)?,
            exceptions: parse_all(&EXCEPTIONS)?,
            network_errors: parse_all(&NETWORK_ERRORS)?,
            database_errors: parse_all(&DATABASE_ERRORS)?,
            versions: (0..SERVICES.len())
                .map(|service| versions_of(service).to_vec())
                .collect(),
        })
    }

    /// The version number `release` (0 to 2) of a service.
    pub(crate) fn version(&self, service: usize, release: usize) -> &str {
        &self.versions[service][release]
    }

    pub(crate) fn expand(
        &self,
        out: &mut Vec<u8>,
        pieces: &[Piece],
        rng: &mut Rng,
        scene: &Scene<'_>,
    ) {
        for piece in pieces {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text),
                Piece::Integer(low, high) => push_integer(out, rng.range(*low, *high) as u64),
                Piece::Hex(digits) => push_hex(out, rng, *digits),
                Piece::Variable(variable) => self.push(out, *variable, rng, scene),
            }
        }
    }

    /// Appends one value of a variable.
    pub(crate) fn push(
        &self,
        out: &mut Vec<u8>,
        variable: Variable,
        rng: &mut Rng,
        scene: &Scene<'_>,
    ) {
        match variable {
            Variable::Method
            | Variable::Path
            | Variable::Status
            | Variable::Duration
            | Variable::LongDuration
            | Variable::Region
            | Variable::Epoch
            | Variable::Tenant
            | Variable::User
            | Variable::Order
            | Variable::UserAgent => push_from_scene(out, variable, scene),
            Variable::Exception => self.push_nested(out, &self.exceptions, rng, scene),
            Variable::Statement => self.push_nested(out, &self.statements, rng, scene),
            Variable::NetworkError => self.push_nested(out, &self.network_errors, rng, scene),
            Variable::DatabaseError => self.push_nested(out, &self.database_errors, rng, scene),
            Variable::ObjectPath
            | Variable::Domain
            | Variable::Email
            | Variable::Url
            | Variable::Word
            | Variable::WordCapital
            | Variable::Words
            | Variable::Version => self.push_worded(out, variable, rng, scene),
            Variable::Bytes
            | Variable::Ip
            | Variable::Port
            | Variable::Rule
            | Variable::Amount
            | Variable::Uuid
            | Variable::Sku
            | Variable::Tracking => push_number(out, variable, rng),
            _ => out.extend_from_slice(choice(variable, rng).as_bytes()),
        }
    }

    /// A request path: a route with its holes filled, sometimes with a page.
    pub(crate) fn push_path(&self, out: &mut Vec<u8>, rng: &mut Rng) {
        let route = ROUTES[rng.zipf(ROUTES.len() as u64) as usize].as_bytes();
        let mut index = 0;
        while index < route.len() {
            if route[index] == b'{' {
                self.push_path_hole(out, route[index + 1], rng);
                index += 3;
            } else {
                out.push(route[index]);
                index += 1;
            }
        }
        if rng.below(6) == 0 {
            out.extend_from_slice(b"?page=");
            push_integer(out, 1 + rng.zipf(60));
        }
    }

    /// A stack trace under `head`, in the manner of Java, Python or Go.
    pub(crate) fn push_stack(&self, out: &mut Vec<u8>, rng: &mut Rng, head: &[u8]) {
        out.extend_from_slice(head);
        let frames = rng.range(6, 24);
        let language = rng.below(3);
        // Real traces repeat: a limited set of call paths.
        let mut path_rng = Rng::new(1000 + rng.below(300));
        for _ in 0..frames {
            match language {
                0 => self.push_java_frame(out, &mut path_rng),
                1 => self.push_python_frame(out, &mut path_rng),
                _ => self.push_go_frame(out, &mut path_rng, rng),
            }
        }
    }

    fn word(&self, rng: &mut Rng) -> &[u8] {
        self.words[rng.zipf(self.words.len() as u64) as usize].as_bytes()
    }

    fn push_nested(
        &self,
        out: &mut Vec<u8>,
        templates: &[Vec<Piece>],
        rng: &mut Rng,
        scene: &Scene<'_>,
    ) {
        let index = rng.below(templates.len() as u64) as usize;
        self.expand(out, &templates[index], rng, scene);
    }

    fn push_worded(&self, out: &mut Vec<u8>, variable: Variable, rng: &mut Rng, scene: &Scene<'_>) {
        match variable {
            Variable::ObjectPath => {
                out.extend_from_slice(self.word(rng));
                out.push(b'/');
                push_hex(out, rng, 12);
            }
            Variable::Domain => {
                out.extend_from_slice(self.word(rng));
                out.push(b'.');
                let domains = ["example.com", "acme.io", "shop.example.org", "cdn.acme.net"];
                out.extend_from_slice(rng.pick(&domains).as_bytes());
            }
            Variable::Email => {
                out.extend_from_slice(self.word(rng));
                out.push(b'.');
                push_integer(out, scene.user);
                out.push(b'@');
                let hosts = [
                    "gmail.com",
                    "example.com",
                    "outlook.com",
                    "proton.me",
                    "acme.io",
                ];
                out.extend_from_slice(rng.pick(&hosts).as_bytes());
            }
            Variable::Url => {
                out.extend_from_slice(b"https://");
                self.push(out, Variable::Domain, rng, scene);
                out.extend_from_slice(b"/hooks/");
                push_hex(out, rng, 8);
            }
            Variable::WordCapital => push_capitalised(out, self.word(rng)),
            Variable::Words => {
                for index in 0..rng.range(1, 4) {
                    if index > 0 {
                        out.push(b' ');
                    }
                    out.extend_from_slice(self.word(rng));
                }
            }
            Variable::Version => {
                let versions = &self.versions[rng.below(self.versions.len() as u64) as usize];
                out.extend_from_slice(rng.pick(versions).as_bytes());
            }
            _ => out.extend_from_slice(self.word(rng)),
        }
    }

    fn push_path_hole(&self, out: &mut Vec<u8>, kind: u8, rng: &mut Rng) {
        match kind {
            b'n' => push_integer(out, 1 + rng.zipf(2_000_000)),
            b'w' => out.extend_from_slice(self.word(rng)),
            // Hashes of assets: a release has few.
            b'h' => push_hex(out, &mut Rng::new(rng.below(200) + 77), 8),
            b's' => push_sku(out, rng),
            _ => push_uuid(out, rng.next(), rng.next()),
        }
    }

    fn push_java_frame(&self, out: &mut Vec<u8>, rng: &mut Rng) {
        out.extend_from_slice(b"\n\tat com.acme.");
        out.extend_from_slice(self.word(rng));
        out.push(b'.');
        let class = self.word(rng);
        push_capitalised(out, class);
        let methods = [
            "Service.handle(",
            "Controller.invoke(",
            "Repository.findAll(",
            "Filter.doFilter(",
            "Client.execute(",
        ];
        out.extend_from_slice(rng.pick(&methods).as_bytes());
        push_capitalised(out, class);
        out.extend_from_slice(b".java:");
        push_integer(out, rng.range(20, 900) as u64);
        out.push(b')');
    }

    fn push_python_frame(&self, out: &mut Vec<u8>, rng: &mut Rng) {
        out.extend_from_slice(b"\n  File \"/app/");
        out.extend_from_slice(self.word(rng));
        out.push(b'/');
        out.extend_from_slice(self.word(rng));
        out.extend_from_slice(b".py\", line ");
        push_integer(out, rng.range(10, 900) as u64);
        out.extend_from_slice(b", in ");
        out.extend_from_slice(self.word(rng));
    }

    /// The address in a Go frame differs each time, so it comes from the event's own randomness.
    fn push_go_frame(&self, out: &mut Vec<u8>, path_rng: &mut Rng, rng: &mut Rng) {
        out.extend_from_slice(b"\ngithub.com/acme/");
        out.extend_from_slice(self.word(path_rng));
        out.extend_from_slice(b"/internal/");
        out.extend_from_slice(self.word(path_rng));
        out.extend_from_slice(b".(*Server).");
        push_capitalised(out, self.word(path_rng));
        out.extend_from_slice(b"(0xc000");
        push_hex(out, rng, 6);
        out.extend_from_slice(b")\n\t/src/internal/server.go:");
        push_integer(out, path_rng.range(20, 1900) as u64);
        out.extend_from_slice(b" +0x");
        push_hex(out, path_rng, 3);
    }
}

fn versions_of(service: usize) -> [String; 3] {
    [0, 1, 2].map(|patch| format!("{}.{}.{patch}", 1 + service % 5, 10 + service))
}

fn push_capitalised(out: &mut Vec<u8>, word: &[u8]) {
    out.push(word[0].to_ascii_uppercase());
    out.extend_from_slice(&word[1..]);
}

fn push_sku(out: &mut Vec<u8>, rng: &mut Rng) {
    out.extend_from_slice(b"SKU-");
    push_padded(out, rng.zipf(90_000), 6);
}

fn push_from_scene(out: &mut Vec<u8>, variable: Variable, scene: &Scene<'_>) {
    match variable {
        Variable::Method => out.extend_from_slice(scene.method.as_bytes()),
        Variable::Path => out.extend_from_slice(scene.path),
        Variable::Status => push_integer(out, u64::from(scene.status)),
        Variable::Duration => push_decimal(out, scene.duration_ms),
        Variable::LongDuration => push_decimal(out, scene.long_duration_ms),
        Variable::Region => out.extend_from_slice(scene.region.as_bytes()),
        Variable::Epoch => {
            push_integer(out, scene.time_ms / 1000);
            out.push(b'.');
            push_padded(out, scene.time_ms % 1000, 3);
        }
        Variable::Tenant => {
            out.extend_from_slice(b"t-");
            push_integer(out, scene.tenant);
        }
        Variable::User => {
            out.push(b'u');
            push_integer(out, scene.user);
        }
        Variable::Order => {
            out.extend_from_slice(b"ORD-");
            push_integer(out, 10_000_000 + scene.order);
        }
        _ => out.extend_from_slice(USER_AGENTS[scene.user_agent].as_bytes()),
    }
}

fn push_number(out: &mut Vec<u8>, variable: Variable, rng: &mut Rng) {
    match variable {
        Variable::Bytes => {
            let bytes = (6.0 + rng.normal() * 1.6).exp().clamp(20.0, 9e6) as u64 * 7;
            push_integer(out, bytes);
        }
        Variable::Ip => push_ip(out, rng),
        Variable::Port => push_integer(out, rng.range(1024, 65535) as u64),
        Variable::Rule => {
            out.extend_from_slice(b"r-");
            push_integer(out, rng.below(400));
        }
        Variable::Amount => push_decimal(out, (3.5 + rng.normal() * 1.1).exp()),
        Variable::Uuid => push_uuid(out, rng.next(), rng.next()),
        Variable::Sku => push_sku(out, rng),
        _ => {
            out.extend_from_slice(b"1Z");
            push_integer(out, rng.range(100_000_000_000, 999_999_999_999) as u64);
        }
    }
}

fn push_ip(out: &mut Vec<u8>, rng: &mut Rng) {
    let (first, second) = if rng.below(3) == 0 {
        (10, rng.below(64))
    } else {
        (11 + rng.below(190), rng.below(256))
    };
    let octets = [first, second, rng.below(256), 1 + rng.below(254)];
    for (index, octet) in octets.into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        push_integer(out, octet);
    }
}

fn choice(variable: Variable, rng: &mut Rng) -> &'static str {
    let choices: &[&str] = match variable {
        Variable::Service => &SERVICES,
        Variable::AuthMethod => &["password", "oauth2", "saml", "passkey", "api_key"],
        Variable::Action => &["read", "write", "delete", "list", "create", "approve"],
        Variable::Provider => &["google", "github", "okta", "azuread"],
        Variable::Currency => &["USD", "EUR", "USD", "GBP", "CZK", "JPY"],
        Variable::Coupon => &[
            "SUMMER26",
            "WELCOME10",
            "VIP20",
            "FREESHIP",
            "BLACKFRIDAY",
            "REF5",
        ],
        Variable::Gateway => &["stripe", "adyen", "braintree", "paypal"],
        Variable::Warehouse => &["FRA1", "PRG2", "CHI1", "SIN1", "DAL3", "LEJ1"],
        Variable::Table => &TABLES,
        Variable::Cache => &["hit", "hit", "hit", "miss", "stale"],
        Variable::Locale => &["en-US", "cs-CZ", "de-DE", "fr-FR", "ja-JP", "pt-BR"],
        Variable::PushGateway => &["apns", "fcm"],
        Variable::Plan => &["free", "team", "business", "enterprise"],
        Variable::Carrier => &["dhl", "ups", "fedex", "dpd", "gls"],
        Variable::ShipmentStatus => &[
            "in transit",
            "out for delivery",
            "delivered",
            "arrived at hub",
            "customs clearance",
        ],
        Variable::City => &CITIES,
        Variable::Topic => &TOPICS,
        Variable::Codec => &["h264", "hevc", "av1", "vp9"],
        Variable::Variant => &["control", "a", "b"],
        Variable::Boolean => &["true", "false"],
        _ => unreachable!("every other variable is handled by its own function"),
    };
    rng.pick::<&str>(choices)
}
