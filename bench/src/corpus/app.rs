//! The `app` corpus: a day of a web shop, 20 services on 200 hosts.
//!
//! Requests of three to eight events share a request id; the rest is background work. There are three
//! incidents in the day's rate, stack traces, five events that share one known request id (the
//! needle) and a token that occurs in 23 requests. Events arrive nearly in order: some are late.

use std::collections::BinaryHeap;
use std::io::Write;

use super::day::{DAY_MS, Day};
use super::expand::{Expander, Scene};
use super::rng::Rng;
use super::template::{Piece, Setting, Template, Templates, Variable};
use super::text::{push_decimal, push_integer, push_key, push_member, push_uuid};
use super::vocabulary::{
    BACKGROUND_SERVICES, INFRASTRUCTURE, LEVELS, METHODS, REGIONS, REQUEST_SERVICES, SERVICES,
    USER_AGENTS,
};
use super::{Meta, Spec};

const MINUTES: usize = 1440;
pub(crate) const RARE_TOKEN: &str = "zqxvortex";
const INFO: usize = 2;

/// Writes the corpus as NDJSON and returns what is known of it.
pub(crate) fn generate(spec: &Spec, out: &mut impl Write) -> anyhow::Result<Meta> {
    let day = Day::parse(&spec.day)?;
    let mut generator = Generator::new(spec, &day)?;
    let plan = Plan::new(spec.events, spec.seed);
    for (index, &events) in plan.units.iter().enumerate() {
        let moment = generator.moment(index, plan.units.len());
        generator.write_settled(moment.time_ms, out)?;
        generator.unit(&plan, index, events, moment);
    }
    generator.write_settled(u64::MAX, out)?;
    Ok(generator.into_meta(spec))
}

/// How the events fall into requests and background work, decided beforehand.
struct Plan {
    /// Events per unit: one for background work, more for a request.
    units: Vec<u8>,
    /// The unit whose request id is the needle; it has five events.
    needle: usize,
    /// The units whose first event carries the rare token, sorted.
    rare: Vec<usize>,
}

impl Plan {
    fn new(events: u64, seed: u64) -> Plan {
        let mut rng = Rng::new(seed ^ 0xA5A5);
        let mut units = Vec::new();
        let mut total = 0;
        while total < events {
            let wanted = if rng.below(100) < 40 {
                3 + rng.below(6)
            } else {
                1
            };
            let unit = wanted.min(events - total);
            units.push(unit as u8);
            total += unit;
        }
        let after = (units.len() as f64 * 0.637) as usize;
        let needle = (after..units.len())
            .find(|&index| units[index] == 5)
            .unwrap_or(after);
        let mut rare_rng = Rng::new(seed ^ 0x7777);
        let mut rare: Vec<usize> = (0..23)
            .map(|_| rare_rng.below(units.len() as u64) as usize)
            .collect();
        rare.sort_unstable();
        rare.dedup();
        Plan {
            units,
            needle,
            rare,
        }
    }
}

/// When a unit begins.
#[derive(Clone, Copy)]
struct Moment {
    minute: usize,
    time_ms: u64,
}

impl Moment {
    fn is_incident(self) -> bool {
        (860..872).contains(&self.minute) || (1205..1209).contains(&self.minute)
    }
}

/// What the events of a unit share.
struct Unit {
    is_request: bool,
    is_rare: bool,
    user: u64,
    tenant: u64,
    region: &'static str,
    user_agent: usize,
    order: u64,
    path: Vec<u8>,
    method: &'static str,
    request_id: Vec<u8>,
    is_bad: bool,
    status: u32,
}

struct Generator<'a> {
    day: &'a Day,
    rng: Rng,
    expander: Expander,
    templates: Templates,
    services: ServiceSets,
    /// The running sum of events' weight by minute.
    rate: Vec<f64>,
    minute: usize,
    /// Events not yet due to arrive.
    pending: BinaryHeap<Arrival>,
    events: u64,
    bytes: u64,
    levels: [u64; 6],
    needle_request_id: String,
    rare_hits: u64,
}

/// Indices into [`SERVICES`].
struct ServiceSets {
    request: Vec<usize>,
    infrastructure: Vec<usize>,
    background: Vec<usize>,
}

impl<'a> Generator<'a> {
    fn new(spec: &Spec, day: &'a Day) -> anyhow::Result<Generator<'a>> {
        Ok(Generator {
            day,
            rng: Rng::new(spec.seed),
            expander: Expander::new(&mut Rng::new(spec.seed ^ 0x5151))?,
            templates: Templates::load()?,
            services: ServiceSets {
                request: indices(&REQUEST_SERVICES),
                infrastructure: indices(&INFRASTRUCTURE),
                background: indices(&BACKGROUND_SERVICES),
            },
            rate: daily_rate(),
            minute: 0,
            pending: BinaryHeap::new(),
            events: 0,
            bytes: 0,
            levels: [0; 6],
            needle_request_id: String::new(),
            rare_hits: 0,
        })
    }

    /// Places the unit on the day, denser where the rate is higher.
    fn moment(&mut self, index: usize, units: usize) -> Moment {
        let total = self.rate[MINUTES];
        let x = (index as f64 + self.rng.unit()) / units as f64 * total;
        while self.minute + 1 < MINUTES && self.rate[self.minute + 1] <= x {
            self.minute += 1;
        }
        while self.minute > 0 && self.rate[self.minute] > x {
            self.minute -= 1;
        }
        let (low, high) = (self.rate[self.minute], self.rate[self.minute + 1]);
        let fraction = ((x - low) / (high - low)).clamp(0.0, 0.999_999);
        let in_day_ms = ((self.minute as f64 + fraction) * 60_000.0) as u64;
        Moment {
            minute: self.minute,
            time_ms: self.day.start_ms() + in_day_ms,
        }
    }

    /// Writes the events that have arrived a second before this time.
    fn write_settled(&mut self, time_ms: u64, out: &mut impl Write) -> anyhow::Result<()> {
        while let Some(arrival) = self.pending.peek_mut() {
            if time_ms != u64::MAX && arrival.time_ms + 1000 >= time_ms {
                break;
            }
            let arrival = std::collections::binary_heap::PeekMut::pop(arrival);
            self.bytes += arrival.line.len() as u64;
            out.write_all(&arrival.line)?;
        }
        Ok(())
    }

    fn unit(&mut self, plan: &Plan, index: usize, events: u8, moment: Moment) {
        let unit = self.draw_unit(plan, index, events, moment);
        let mut time_ms = moment.time_ms;
        for position in 0..events {
            let line = self.event(&unit, position, events, Moment { time_ms, ..moment });
            self.schedule(line, time_ms);
            let gap_ms = 1 + (2.0 + self.rng.normal() * 1.3).exp() as u64;
            time_ms = (time_ms + gap_ms).min(self.day.start_ms() + DAY_MS - 1);
        }
    }

    fn draw_unit(&mut self, plan: &Plan, index: usize, events: u8, moment: Moment) -> Unit {
        let rng = &mut self.rng;
        let is_request = events > 1;
        // Multiplied by a prime, so that popularity is not tied to the order of numbers.
        let user = rng.zipf(300_000) * 7919 % 1_000_003;
        let tenant = rng.zipf(800) + 1;
        let region = REGIONS[rng.zipf(4) as usize];
        let user_agent = rng.zipf(USER_AGENTS.len() as u64) as usize;
        let order = rng.below(9_000_000);
        let mut path = Vec::new();
        self.expander.push_path(&mut path, rng);
        let is_fetch =
            path.starts_with(b"/static") || path.starts_with(b"/images") || path == b"/healthz";
        let method = if is_fetch { "GET" } else { *rng.pick(&METHODS) };
        let mut request_id = Vec::new();
        push_uuid(&mut request_id, rng.next(), rng.next());
        if index == plan.needle {
            self.needle_request_id = String::from_utf8_lossy(&request_id).into_owned();
        }
        let bad_per_mille = if moment.is_incident() { 240 } else { 22 };
        let is_bad = is_request && rng.below(1000) < bad_per_mille;
        let status = draw_status(rng, is_bad);
        Unit {
            is_request,
            is_rare: plan.rare.binary_search(&index).is_ok(),
            user,
            tenant,
            region,
            user_agent,
            order,
            path,
            method,
            request_id,
            is_bad,
            status,
        }
    }

    /// One event as a line of JSON.
    fn event(&mut self, unit: &Unit, position: u8, events: u8, moment: Moment) -> Vec<u8> {
        let service = self.draw_service(unit, position);
        let mut level = self.draw_level(unit, position, events);
        let setting = if unit.is_request {
            Setting::Request
        } else {
            Setting::Background
        };
        let rng = &mut self.rng;
        let template = match self.templates.pick(rng, service, level, setting) {
            Some(template) => template,
            None => {
                level = INFO;
                self.templates
                    .pick(rng, service, INFO, setting)
                    .expect("every service has an info template for each setting it is drawn in")
            }
        };
        self.levels[level] += 1;
        let slowness = if unit.is_bad { 12.0 } else { 1.0 };
        let mu = 2.2 + (service % 5) as f64 * 0.35;
        let duration_ms = ((mu + rng.normal() * 1.05).exp() * slowness).clamp(0.05, 60_000.0);
        let long_duration_ms = 1000.0 + (6.5 + rng.normal() * 0.9).exp();
        let host = host_of(service, rng);
        let scene = Scene {
            path: &unit.path,
            method: unit.method,
            status: unit.status,
            duration_ms: round_to_hundredths(duration_ms),
            long_duration_ms: round_to_hundredths(long_duration_ms),
            user: unit.user,
            tenant: unit.tenant,
            region: unit.region,
            time_ms: moment.time_ms,
            user_agent: unit.user_agent,
            order: unit.order,
        };
        let (mut message, stack) = describe(&self.expander, template, rng, &scene);
        if position == 0 && unit.is_rare {
            message.extend_from_slice(b" ref=");
            message.extend_from_slice(RARE_TOKEN.as_bytes());
            self.rare_hits += 1;
        }

        let mut line = Vec::with_capacity(512);
        self.day.push_event_start(&mut line, moment.time_ms);
        push_member(&mut line, "level", LEVELS[level].as_bytes());
        push_member(&mut line, "message", &message);
        push_member(&mut line, "service", SERVICES[service].as_bytes());
        push_member(&mut line, "host", host.as_bytes());
        push_member(&mut line, "region", unit.region.as_bytes());
        // A release at noon; one host in twelve lags behind.
        let newest = if moment.minute > 700 { 2 } else { 1 };
        let release = newest - usize::from(rng.below(12) == 0);
        push_member(
            &mut line,
            "version",
            self.expander.version(service, release).as_bytes(),
        );
        if unit.is_request {
            push_identity(&mut line, unit);
        }
        push_measures(&mut line, template, unit, position, &scene, rng);
        if unit.is_request && position < 2 {
            push_http(&mut line, &self.expander, &scene, rng);
        }
        if !stack.is_empty() {
            push_member(&mut line, "stack_trace", &stack);
        }
        line.extend_from_slice(b"}\n");
        line
    }

    fn draw_service(&mut self, unit: &Unit, position: u8) -> usize {
        let (rng, sets) = (&mut self.rng, &self.services);
        if !unit.is_request {
            return sets.background[rng.zipf(sets.background.len() as u64) as usize];
        }
        // A request enters at the gateway, usually goes on to the web tier, then anywhere.
        if position == 0 {
            0
        } else if position == 1 && rng.below(2) == 0 {
            sets.request[0]
        } else if rng.below(6) == 0 {
            *rng.pick(&sets.infrastructure)
        } else {
            sets.request[rng.zipf(sets.request.len() as u64 - 1) as usize + 1]
        }
    }

    fn draw_level(&mut self, unit: &Unit, position: u8, events: u8) -> usize {
        let rng = &mut self.rng;
        let level = match rng.below(1000) {
            0..=9 => 0,
            10..=109 => 1,
            110..=902 => INFO,
            903..=967 => 3,
            968..=998 => 4,
            _ => 5,
        };
        // A bad request fails in its second half, mostly as an error.
        if unit.is_bad && position + 1 >= events / 2 && rng.below(3) > 0 {
            return if rng.below(5) == 0 { 3 } else { 4 };
        }
        level
    }

    /// Most events arrive within 0.4 s of their time, one in 200 up to 20 s late.
    fn schedule(&mut self, line: Vec<u8>, time_ms: u64) {
        let rng = &mut self.rng;
        let late_ms = if rng.below(200) == 0 {
            rng.below(20_000)
        } else {
            rng.below(400)
        };
        self.pending.push(Arrival {
            time_ms: time_ms + late_ms,
            sequence: self.events,
            line,
        });
        self.events += 1;
    }

    fn into_meta(self, spec: &Spec) -> Meta {
        Meta {
            corpus: "app".to_owned(),
            events: self.events,
            bytes: self.bytes,
            seed: spec.seed,
            day: self.day.name().to_owned(),
            t0_ms: self.day.start_ms(),
            t1_ms: self.day.start_ms() + DAY_MS,
            templates: Some(self.templates.count()),
            needle_request_id: Some(self.needle_request_id),
            needle_hits: Some(5),
            rare_token: Some(RARE_TOKEN.to_owned()),
            rare_hits: Some(self.rare_hits),
            levels: LEVELS
                .iter()
                .map(|name| (*name).to_owned())
                .zip(self.levels)
                .collect(),
        }
    }
}

/// An event on its way. The earliest comes first out of the heap.
#[derive(PartialEq, Eq)]
struct Arrival {
    time_ms: u64,
    sequence: u64,
    line: Vec<u8>,
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.time_ms, other.sequence).cmp(&(self.time_ms, self.sequence))
    }
}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn indices(names: &[&str]) -> Vec<usize> {
    names
        .iter()
        .filter_map(|name| SERVICES.iter().position(|service| service == name))
        .collect()
}

/// A daily and a three-hourly wave, and the incidents' surges, summed up minute by minute.
fn daily_rate() -> Vec<f64> {
    let mut sums = vec![0f64; MINUTES + 1];
    for minute in 0..MINUTES {
        let hour = minute as f64 / 60.0;
        let daily = ((hour - 9.0) / 24.0 * std::f64::consts::TAU).sin();
        let mut weight = 1.0 + 0.55 * daily + 0.12 * (hour * 3.0).sin();
        if (860..872).contains(&minute) {
            weight *= 2.2;
        }
        if (1205..1209).contains(&minute) {
            weight *= 3.0;
        }
        sums[minute + 1] = sums[minute] + weight;
    }
    sums
}

fn draw_status(rng: &mut Rng, is_bad: bool) -> u32 {
    if is_bad {
        return *rng.pick(&[500u32, 502, 503, 504, 500, 503]);
    }
    match rng.below(100) {
        0..=80 => 200,
        81..=85 => 201,
        86..=88 => 204,
        89..=91 => 304,
        92..=94 => 404,
        95..=96 => 400,
        97 => 401,
        98 => 302,
        _ => 429,
    }
}

/// A service occupies a third of its group's hosts; the kubelet all of them.
fn host_of(service: usize, rng: &mut Rng) -> String {
    let name = SERVICES[service];
    let (group, hosts) = match name {
        "edge-gateway" => ("edge", 20),
        "web-bff" => ("web", 40),
        "postgres" | "redis-cache" | "kafka-broker" => ("db", 30),
        "billing-worker"
        | "media-transcoder"
        | "job-scheduler"
        | "analytics-ingest"
        | "notification-service" => ("worker", 50),
        _ => ("api", 60),
    };
    let host = if name == "kubelet" {
        1 + rng.below(hosts)
    } else {
        let span = (hosts / 3).max(8);
        1 + (service as u64 * 7 + rng.below(span)) % hosts
    };
    format!("prod-{group}-{host:02}")
}

fn round_to_hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The message, and the stack trace if the template has one. The exception is drawn once, so that
/// message and trace agree.
fn describe(
    expander: &Expander,
    template: &Template,
    rng: &mut Rng,
    scene: &Scene<'_>,
) -> (Vec<u8>, Vec<u8>) {
    let (mut message, mut stack) = (Vec::new(), Vec::new());
    if !template.has_stack {
        expander.expand(&mut message, &template.pieces, rng, scene);
        return (message, stack);
    }
    let mut exception = Vec::new();
    for piece in &template.pieces {
        if matches!(piece, Piece::Variable(Variable::Exception)) {
            exception.clear();
            expander.push(&mut exception, Variable::Exception, rng, scene);
            message.extend_from_slice(&exception);
        } else {
            expander.expand(&mut message, std::slice::from_ref(piece), rng, scene);
        }
    }
    expander.push_stack(&mut stack, rng, &exception);
    (message, stack)
}

fn push_identity(line: &mut Vec<u8>, unit: &Unit) {
    push_member(line, "request_id", &unit.request_id);
    push_key(line, "user_id");
    line.extend_from_slice(b"\"u");
    push_integer(line, unit.user);
    line.push(b'"');
    push_key(line, "tenant_id");
    line.extend_from_slice(b"\"t-");
    push_integer(line, unit.tenant);
    line.push(b'"');
}

/// Status, duration and path: where the message names them, and by chance elsewhere in a request.
fn push_measures(
    line: &mut Vec<u8>,
    template: &Template,
    unit: &Unit,
    position: u8,
    scene: &Scene<'_>,
    rng: &mut Rng,
) {
    let is_request = unit.is_request;
    if is_request && (template.has(Variable::Status) || position == 0 || rng.below(3) == 0) {
        push_key(line, "status");
        push_integer(line, u64::from(unit.status));
    }
    let has_duration = template.has(Variable::Duration);
    let has_long = template.has(Variable::LongDuration);
    if has_duration || has_long || (is_request && rng.below(2) == 0) {
        push_key(line, "duration_ms");
        let is_long = has_long && !has_duration;
        push_decimal(
            line,
            if is_long {
                scene.long_duration_ms
            } else {
                scene.duration_ms
            },
        );
    }
    if is_request && (template.has(Variable::Path) || position < 2 || rng.below(3) == 0) {
        push_member(line, "path", &unit.path);
    }
}

fn push_http(line: &mut Vec<u8>, expander: &Expander, scene: &Scene<'_>, rng: &mut Rng) {
    push_key(line, "http");
    line.extend_from_slice(b"{\"method\":\"");
    line.extend_from_slice(scene.method.as_bytes());
    line.extend_from_slice(b"\",\"remote_ip\":\"");
    // A user keeps their address.
    expander.push(
        line,
        Variable::Ip,
        &mut Rng::new(scene.user ^ 0x1919),
        scene,
    );
    line.extend_from_slice(b"\",\"bytes\":");
    expander.push(line, Variable::Bytes, rng, scene);
    push_member(line, "user_agent", USER_AGENTS[scene.user_agent].as_bytes());
    line.push(b'}');
}
