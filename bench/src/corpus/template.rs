//! Message templates: `templates.txt` parsed, and grouped so that one is drawn by weight.

use anyhow::{Context as _, bail};

use super::rng::Rng;
use super::vocabulary::{LEVELS, SERVICES};

const TEMPLATES: &str = include_str!("templates.txt");

/// A piece of a template.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Literal(Vec<u8>),
    /// A number between two, inclusive.
    Integer(i64, i64),
    /// So many hex digits.
    Hex(usize),
    Variable(Variable),
}

macro_rules! variables {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// What a `{name}` in a template stands for.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(crate) enum Variable { $($variant),* }

        impl Variable {
            fn parse(name: &str) -> anyhow::Result<Variable> {
                match name {
                    $($name => Ok(Variable::$variant),)*
                    _ => bail!("unknown template variable `{name}`"),
                }
            }
        }
    };
}

variables! {
    Method "method", Path "path", ObjectPath "path2", Status "status", Duration "dur", LongDuration "bigdur",
    Service "svc", Bytes "bytes", Ip "ip", Port "port", Domain "domain", Rule "rule", Region "region",
    Epoch "epoch", Tenant "tenant", User "user", AuthMethod "authm", Action "action", Email "email",
    Provider "provider", Order "order", Amount "amount", Currency "cur", Coupon "coupon", Uuid "uuid",
    Sku "sku", Exception "exc", Gateway "gw", Url "url", Warehouse "wh", Table "table", Cache "cache",
    Word "word", WordCapital "Word", Words "words", Locale "locale", PushGateway "pushgw", Plan "plan",
    Carrier "carrier", Tracking "track", ShipmentStatus "shipst", City "city", Statement "sql",
    Topic "topic", Codec "codec", Version "ver", Variant "abv", Boolean "bool", NetworkError "neterr",
    DatabaseError "dberr", UserAgent "ua",
}

/// Splits a template into its pieces. `{{` and `}}` are literal braces.
pub(crate) fn parse(template: &str) -> anyhow::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if let Some(tail) = rest.strip_prefix("{{") {
            literal.push(b'{');
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix('}') {
            literal.push(b'}');
            rest = tail.strip_prefix('}').unwrap_or(tail);
        } else if let Some(tail) = rest.strip_prefix('{') {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            let (name, tail) = tail.split_once('}').context("a brace is not closed")?;
            pieces.push(parse_placeholder(name)?);
            rest = tail;
        } else {
            literal.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn parse_placeholder(name: &str) -> anyhow::Result<Piece> {
    let parts: Vec<&str> = name.split(':').collect();
    match parts.as_slice() {
        ["int", low, high] => Ok(Piece::Integer(low.parse()?, high.parse()?)),
        ["hex", digits] => Ok(Piece::Hex(digits.parse()?)),
        [variable] => Ok(Piece::Variable(Variable::parse(variable)?)),
        _ => bail!("`{{{name}}}` is no placeholder"),
    }
}

/// A message template and what it says about its event.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    /// The event carries a stack trace.
    pub(crate) has_stack: bool,
}

impl Template {
    pub(crate) fn has(&self, variable: Variable) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Variable(v) if *v == variable))
    }
}

/// Where an event arises.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Setting {
    Request = 0,
    Background = 1,
}

/// Templates by service, level and setting.
#[derive(Debug)]
pub(crate) struct Templates {
    templates: Vec<Template>,
    /// Indexed by service, level, setting.
    buckets: Vec<[[Bucket; 2]; 6]>,
}

#[derive(Debug, Default)]
struct Bucket {
    templates: Vec<usize>,
    /// The running sum of the weights.
    weights: Vec<u64>,
}

impl Templates {
    pub(crate) fn load() -> anyhow::Result<Templates> {
        let mut loaded = Templates {
            templates: Vec::new(),
            buckets: SERVICES.iter().map(|_| Default::default()).collect(),
        };
        for line in TEMPLATES.lines() {
            if !line.starts_with('#') && !line.trim().is_empty() {
                loaded
                    .add(line)
                    .with_context(|| format!("template `{line}`"))?;
            }
        }
        Ok(loaded)
    }

    pub(crate) fn count(&self) -> usize {
        self.templates.len()
    }

    /// Draws a template by weight; none if the service says nothing at this level in this setting.
    pub(crate) fn pick(
        &self,
        rng: &mut Rng,
        service: usize,
        level: usize,
        setting: Setting,
    ) -> Option<&Template> {
        let bucket = &self.buckets[service][level][setting as usize];
        let draw = rng.below(*bucket.weights.last()?);
        let place = bucket.weights.partition_point(|&sum| sum <= draw);
        self.templates.get(bucket.templates[place])
    }

    /// A line is `service|level|weight|K:template`; `K` is `R` in a request, `B` in the background,
    /// `X` and `Y` the same with a stack trace; the service `*` is every service.
    fn add(&mut self, line: &str) -> anyhow::Result<()> {
        let fields: Vec<&str> = line.splitn(4, '|').collect();
        let [service, level, weight, kind_and_text] = fields.as_slice() else {
            bail!("expected four fields");
        };
        let (kind, text) = kind_and_text.split_once(':').context("no kind")?;
        let setting = match kind {
            "R" | "X" => Setting::Request,
            "B" | "Y" => Setting::Background,
            _ => bail!("unknown kind `{kind}`"),
        };
        let level = LEVELS
            .iter()
            .position(|name| name == level)
            .context("unknown level")?;
        let weight: u64 = weight.parse()?;
        let index = self.templates.len();
        self.templates.push(Template {
            pieces: parse(text)?,
            has_stack: matches!(kind, "X" | "Y"),
        });
        for (position, name) in SERVICES.iter().enumerate() {
            if *service == "*" || service == name {
                self.buckets[position][level][setting as usize].add(index, weight);
            }
        }
        Ok(())
    }
}

impl Bucket {
    fn add(&mut self, template: usize, weight: u64) {
        let sum = self.weights.last().copied().unwrap_or(0);
        self.templates.push(template);
        self.weights.push(sum + weight);
    }
}
