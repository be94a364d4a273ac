//! What every format does with an event once its fields are known: its time, its level, and the names that
//! Cordwood keeps for itself.
//!
//! - `dt` that names a time becomes the event's time and is no longer a field. Any other `dt` is kept as `_dt`, and
//!   the event's time is that of its reception.
//! - With a `dt_field`, that field gives the time and stays where it is; `dt` is the second choice, and is kept as
//!   `_dt` when it is not needed.
//! - `level` is normalised. The field is kept only if it says it in other words. When it is missing, the level is
//!   read from `severity`, `log.level` or `lvl`, which stay.
//! - `_id` and `_source` as sent are kept as `__id` and `__source`.
//! - A name that is taken gets another underscore.

use cordwood_event::{BatchBuilder, Level, Scalar, Timestamp, path};

use crate::time::dt;

/// The keys a sender may not use, with what they are renamed to.
const RENAMED: [(&str, &str); 3] = [("dt", "_dt"), ("_id", "__id"), ("_source", "__source")];
const DT: usize = 0;

/// Where the level may stand, the first choice first.
const LEVEL_NAMES: [&str; 4] = ["level", "severity", "log.level", "lvl"];

#[derive(Debug)]
pub(crate) struct Normaliser {
    dt_field: Option<Box<str>>,
    received_at: Timestamp,
    /// By [`FieldId`](cordwood_event::FieldId), as far as the builder's paths are known; most fields have none.
    roles: Vec<Option<Role>>,
}

/// What a field means to us; decided once per batch from its path.
#[derive(Clone, Copy, Debug)]
struct Role {
    is_dt_field: bool,
    name: Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Free,
    /// An index into [`LEVEL_NAMES`].
    Level(usize),
    /// An index into [`RENAMED`], and whether it is the key itself or something in an object below it.
    Renamed(usize, bool),
}

/// The places of an event's fields that matter, and the level read so far.
#[derive(Debug, Default)]
struct Found {
    dt_field: Option<Timestamp>,
    dt: Option<Timestamp>,
    dt_place: Option<usize>,
    renamed: [bool; RENAMED.len()],
    level: Option<(usize, Option<Level>)>,
    /// Where the field is that says no more than the level does.
    level_place: Option<usize>,
}

impl Normaliser {
    pub(crate) fn new(dt_field: Option<&str>, received_at: Timestamp) -> Normaliser {
        Normaliser {
            dt_field: dt_field.filter(|field| *field != "dt").map(Box::from),
            received_at,
            roles: Vec::new(),
        }
    }

    /// Settles the event being built.
    pub(crate) fn settle(&mut self, builder: &mut BatchBuilder) -> (Timestamp, Option<Level>) {
        self.learn(builder.paths());
        let mut found = self.look_through(builder);
        let is_dt_needed = found.dt.is_some() && found.dt_field.is_none();
        let dt_place = found.dt_place.filter(|_| is_dt_needed);
        if dt_place.is_some() {
            found.renamed[DT] = false;
        }
        match (dt_place, found.level_place) {
            (Some(dt), Some(level)) => {
                builder.remove_open_fields(&[dt.min(level), dt.max(level)]);
            }
            (Some(place), None) | (None, Some(place)) => builder.remove_open_fields(&[place]),
            (None, None) => {}
        }
        if found.renamed.contains(&true) {
            rename(builder, &found.renamed);
        }
        let timestamp = found.dt_field.or(found.dt).unwrap_or(self.received_at);
        (timestamp, found.level.and_then(|(_, level)| level))
    }

    fn learn(&mut self, paths: &[Box<str>]) {
        let known = self.roles.len();
        for path in paths.get(known..).unwrap_or_default() {
            self.roles.push(self.role_of(path));
        }
    }

    fn role_of(&self, field_path: &str) -> Option<Role> {
        let is_dt_field = match &self.dt_field {
            Some(dt_field) => path::name(field_path) == **dt_field,
            None => false,
        };
        let (root, inside) = path::split_first_key(field_path);
        let name = if let Some(key) = RENAMED.iter().position(|(key, _)| *key == root) {
            Name::Renamed(key, inside.is_none())
        } else {
            let name = path::name(field_path);
            let level = LEVEL_NAMES.iter().position(|level| *level == name);
            level.map_or(Name::Free, Name::Level)
        };
        (is_dt_field || name != Name::Free).then_some(Role { is_dt_field, name })
    }

    fn look_through(&self, builder: &BatchBuilder) -> Found {
        let mut found = Found::default();
        for (place, field) in builder.open_fields().enumerate() {
            if let Some(Some(role)) = self.roles.get(field.index())
                && let Some(value) = builder.open_value(place)
            {
                found.add(*role, place, value);
            }
        }
        found
    }
}

impl Found {
    fn add(&mut self, role: Role, place: usize, value: Scalar<'_>) {
        if role.is_dt_field {
            self.dt_field = self.dt_field.or_else(|| dt::parse(value));
        }
        match role.name {
            Name::Free => {}
            Name::Level(choice) => self.add_level(choice, place, value),
            Name::Renamed(key, is_whole) => {
                if let Some(renamed) = self.renamed.get_mut(key) {
                    *renamed = true;
                }
                if key == DT && is_whole {
                    self.dt = dt::parse(value);
                    self.dt_place = Some(place);
                }
            }
        }
    }

    fn add_level(&mut self, choice: usize, place: usize, value: Scalar<'_>) {
        if value == Scalar::Null || self.level.is_some_and(|(held, _)| held <= choice) {
            return;
        }
        let named = value.as_str().and_then(Level::from_name);
        let level = named.or_else(|| level_of(value));
        if choice != 0 && level.is_none() {
            return;
        }
        self.level = Some((choice, level));
        if choice == 0 && named.is_some() {
            self.level_place = Some(place);
        }
    }
}

fn level_of(value: Scalar<'_>) -> Option<Level> {
    match value {
        Scalar::Str(text) => Level::parse(text),
        Scalar::Int(number) => Level::from_number(number),
        Scalar::Float(number) if number.fract() == 0.0 && number.abs() < 1e3 => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number below a thousand, checked above"
            )]
            let number = number as i64;
            Level::from_number(number)
        }
        Scalar::Null | Scalar::Bool(_) | Scalar::Float(_) | Scalar::Json(_) => None,
    }
}

fn rename(builder: &mut BatchBuilder, renamed: &[bool; RENAMED.len()]) {
    for ((from, to), _) in RENAMED.iter().zip(renamed).filter(|(_, renamed)| **renamed) {
        let mut to = String::from(*to);
        while builder.has_root_key(&to) {
            to.insert(0, '_');
        }
        builder.rename_root_key(from, &to);
    }
}
