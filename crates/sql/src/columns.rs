//! The columns of a table: those every event has, and its fields with the types their values have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cordwood_engine::{FieldKinds, Fields};
use cordwood_event::path;
use cordwood_query::Target;
use cordwood_store::column::ScalarKind;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The zone of all times.
pub(crate) const UTC: &str = "+00:00";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// The time of the event.
    Time,
    /// The name of its level, or the text that was sent as its level where it is none.
    Level,
    /// The same where something else than texts was sent as a level.
    MixedLevel,
    /// The name of its source.
    Source,
    /// Its id.
    Id,
    /// The whole event as JSON.
    Event,
    /// Integers only.
    Int,
    /// Floats, and integers among them perhaps.
    Float,
    /// Booleans only.
    Bool,
    /// Texts only.
    Text,
    /// Whatever the values are, as text: a text as it is, anything else as JSON writes it.
    Mixed,
}

impl Content {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Content::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into())),
            Content::Int => DataType::Int64,
            Content::Float => DataType::Float64,
            Content::Bool => DataType::Boolean,
            Content::Level
            | Content::MixedLevel
            | Content::Source
            | Content::Id
            | Content::Event
            | Content::Text
            | Content::Mixed => DataType::Utf8,
        }
    }

    fn is_nullable(self) -> bool {
        !matches!(
            self,
            Content::Time | Content::Source | Content::Id | Content::Event
        )
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) content: Content,
}

impl Column {
    fn new(name: &str, content: Content) -> Column {
        Column {
            name: name.to_owned(),
            content,
        }
    }

    /// What the engine reads for it; `None` where that is no value of a field.
    pub(crate) fn target(&self) -> Option<Target> {
        match self.content {
            Content::Time | Content::Source | Content::Id | Content::Event => None,
            Content::Level | Content::MixedLevel => Some(Target::Level),
            Content::Int | Content::Float | Content::Bool | Content::Text | Content::Mixed => {
                Some(Target::Field(cordwood_query::FieldName::new(&*self.name)))
            }
        }
    }
}

/// The names of the whole event as JSON: as Better Stack has it.
pub(crate) const EVENT_NAMES: [&str; 2] = ["raw", "json"];

/// The columns that every table has.
pub(crate) const FIXED: [(&str, Content); 4] = [
    ("dt", Content::Time),
    ("level", Content::Level),
    ("_source", Content::Source),
    ("_id", Content::Id),
];

/// The columns of a table, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns(pub(crate) Vec<Column>);

impl Columns {
    /// Those of tables with these fields. What lies inside arrays, and the whole event, are columns where they are named.
    pub(crate) fn of(fields: &Fields, names: &BTreeSet<String>) -> Columns {
        let by_name = by_name(fields);
        let message = content_of("message", &by_name);
        let mut columns: Vec<Column> = Vec::new();
        let sent_level = by_name.get("level");
        let is_level_text = sent_level.is_none_or(|sent| sent.kinds.are_within(&[ScalarKind::Str]));
        for (name, content) in FIXED {
            columns.push(Column::new(
                name,
                match content {
                    Content::Level if !is_level_text => Content::MixedLevel,
                    content => content,
                },
            ));
            if name == "level" {
                let is_text = message == Some(Content::Text);
                let content = if is_text {
                    Content::Text
                } else {
                    Content::Mixed
                };
                columns.push(Column::new("message", content));
            }
        }
        let inside = names.iter().filter(|name| lies_in_arrays(name, &by_name));
        let all: BTreeSet<&String> = by_name.keys().chain(inside).collect();
        for name in all {
            let is_fixed = columns.iter().any(|column| column.name == **name);
            if let Some(content) = content_of(name, &by_name)
                && !is_fixed
                && !EVENT_NAMES.contains(&name.as_str())
            {
                columns.push(Column::new(name, content));
            }
        }
        let events = EVENT_NAMES.into_iter().filter(|name| names.contains(*name));
        columns.extend(events.map(|name| Column::new(name, Content::Event)));
        Columns(columns)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Column> {
        self.0.iter().find(|column| column.name == name)
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        let fields = self.0.iter().map(|column| {
            let content = column.content;
            Field::new(&column.name, content.data_type(), content.is_nullable())
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

/// What is known of a name.
#[derive(Clone, Copy, Debug, Default)]
struct Named {
    kinds: FieldKinds,
    paths: usize,
}

fn by_name(fields: &Fields) -> BTreeMap<String, Named> {
    let mut by_name: BTreeMap<String, Named> = BTreeMap::new();
    for (path, kinds) in &fields.paths {
        let named = by_name.entry(path::name(path).into_owned()).or_default();
        named.kinds = named.kinds.union(*kinds);
        named.paths += 1;
    }
    by_name
}

/// What a column of this name holds. Only where all values lie in one place and are of one kind has it their type: a
/// field that lies inside arrays too can have several values in one event.
fn content_of(name: &str, by_name: &BTreeMap<String, Named>) -> Option<Content> {
    if lies_in_arrays(name, by_name) {
        return Some(Content::Mixed);
    }
    let named = by_name.get(name)?;
    if named.paths > 1 {
        return Some(Content::Mixed);
    }
    let are = |kinds: &[ScalarKind]| named.kinds.are_within(kinds);
    Some(match () {
        () if are(&[]) => Content::Mixed,
        () if are(&[ScalarKind::Int]) => Content::Int,
        () if are(&[ScalarKind::Int, ScalarKind::Float]) => Content::Float,
        () if are(&[ScalarKind::Bool]) => Content::Bool,
        () if are(&[ScalarKind::Str]) => Content::Text,
        () => Content::Mixed,
    })
}

fn lies_in_arrays(name: &str, by_name: &BTreeMap<String, Named>) -> bool {
    prefixes(name).any(|prefix| {
        let above = by_name.get(prefix);
        above.is_some_and(|named| named.kinds.has(ScalarKind::Json))
    })
}

/// The names above a name: `a` and `a.b` of `a.b.c`.
pub(crate) fn prefixes(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.')
        .filter_map(|(dot, _)| name.get(..dot))
}
