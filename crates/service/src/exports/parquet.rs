//! Events and tables as Parquet: columns typed by what the directories say of their values, a row group for each window.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use cordwood_engine::{Cell, FieldKinds, Fields, Gather, ScannedRows, Table, Unread};
use cordwood_event::{EventId, Scalar, Timestamp, json, path};
use cordwood_store::column::ScalarKind;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::rows::places_in_order;
use crate::Order;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Time,
    Int,
    /// Floats, and integers among them perhaps.
    Float,
    Bool,
    /// Texts as they are, and anything else as JSON writes it.
    Text,
}

/// The columns of a file, by their names.
pub(super) type Columns = Vec<(String, Content)>;

/// What the columns of these names hold. Only where all values lie in one place and are of one kind has a column their type: a
/// field that lies inside arrays too can have several values in one event.
pub(super) fn columns_of(names: &[String], fields: &Fields) -> Columns {
    let mut by_name: BTreeMap<String, (FieldKinds, usize)> = BTreeMap::new();
    for (path, kinds) in &fields.paths {
        let known = by_name.entry(path::name(path).into_owned()).or_default();
        *known = (known.0.union(*kinds), known.1 + 1);
    }
    let lies_in_arrays = |name: &str| {
        let parents = name.match_indices('.').map(|(at, _)| name.split_at(at).0);
        parents
            .filter_map(|parent| by_name.get(parent))
            .any(|(kinds, _)| kinds.has(ScalarKind::Json))
    };
    let content = |name: &String| match (name.as_str(), by_name.get(name)) {
        ("dt", _) => Content::Time,
        ("level" | "_id" | "_source", _) | (_, None) => Content::Text,
        (_, Some((_, paths))) if *paths > 1 || lies_in_arrays(name) => Content::Text,
        (_, Some((kinds, _))) => match () {
            () if kinds.are_within(&[]) => Content::Text,
            () if kinds.are_within(&[ScalarKind::Int]) => Content::Int,
            () if kinds.are_within(&[ScalarKind::Int, ScalarKind::Float]) => Content::Float,
            () if kinds.are_within(&[ScalarKind::Bool]) => Content::Bool,
            () => Content::Text,
        },
    };
    names
        .iter()
        .map(|name| (name.clone(), content(name)))
        .collect()
}

/// The values of a column, row by row.
#[derive(Debug)]
pub(super) enum Values {
    Time(Vec<Option<i64>>),
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<ByteArray>>),
}

impl Values {
    fn new(content: Content) -> Values {
        match content {
            Content::Time => Values::Time(Vec::new()),
            Content::Int => Values::Int(Vec::new()),
            Content::Float => Values::Float(Vec::new()),
            Content::Bool => Values::Bool(Vec::new()),
            Content::Text => Values::Text(Vec::new()),
        }
    }

    /// Adds a value; `false` if it is not of the kind that the column was said to hold.
    fn push(&mut self, value: Option<Scalar<'_>>) -> bool {
        let value = value.filter(|value| *value != Scalar::Null);
        match (self, value) {
            (Values::Time(values) | Values::Int(values), None) => values.push(None),
            (Values::Float(values), None) => values.push(None),
            (Values::Bool(values), None) => values.push(None),
            (Values::Text(values), None) => values.push(None),
            (Values::Time(values), Some(Scalar::Str(text))) => {
                let time = Timestamp::parse_rfc3339(text).map(Timestamp::as_nanos);
                let is_time = time.is_some();
                values.push(time);
                return is_time;
            }
            (Values::Int(values), Some(Scalar::Int(integer))) => values.push(Some(integer)),
            (Values::Float(values), Some(Scalar::Float(float))) => values.push(Some(float)),
            // As everywhere that a column of numbers is one of floats.
            (Values::Float(values), Some(Scalar::Int(integer))) => {
                values.push(Some(integer as f64))
            }
            (Values::Bool(values), Some(Scalar::Bool(boolean))) => values.push(Some(boolean)),
            (Values::Text(values), Some(Scalar::Str(text))) => values.push(Some(text.into())),
            (Values::Text(values), Some(value)) => {
                let mut text = String::new();
                json::write_value(&mut text, value);
                values.push(Some(text.into_bytes().into()));
            }
            _ => return false,
        }
        true
    }

    fn bytes(&self) -> u64 {
        let bytes = match self {
            Values::Time(values) | Values::Int(values) => values.len() * size_of::<Option<i64>>(),
            Values::Float(values) => values.len() * size_of::<Option<f64>>(),
            Values::Bool(values) => values.len(),
            Values::Text(values) => {
                let texts = values.iter().flatten().map(ByteArray::len);
                texts.sum::<usize>() + values.len() * size_of::<Option<ByteArray>>()
            }
        };
        bytes as u64
    }
}

/// Rows of one part, column by column.
#[derive(Debug)]
pub(super) struct ColumnRows {
    ids: Vec<EventId>,
    columns: Vec<Values>,
    /// The first column with a value that is not of its kind.
    misfit: Option<usize>,
}

impl ColumnRows {
    pub(super) fn bytes(&self) -> u64 {
        let columns: u64 = self.columns.iter().map(Values::bytes).sum();
        columns + (self.ids.len() * size_of::<EventId>()) as u64
    }
}

/// Gathers the columns.
pub(super) struct FieldColumns {
    pub(super) columns: Columns,
}

impl Gather for FieldColumns {
    type Gathered = ColumnRows;

    fn gather(&self, rows: &ScannedRows<'_>) -> Result<ColumnRows, Unread> {
        let mut gathered = ColumnRows {
            ids: Vec::with_capacity(rows.len()),
            columns: Vec::with_capacity(self.columns.len()),
            misfit: None,
        };
        rows.each_id(&mut |id| gathered.ids.push(id));
        for (field, (_, content)) in self.columns.iter().enumerate() {
            let mut values = Values::new(*content);
            rows.each_value(field, &mut |value| {
                if !values.push(value) {
                    gathered.misfit.get_or_insert(field);
                }
            })?;
            gathered.columns.push(values);
        }
        Ok(gathered)
    }
}

/// A file under way.
pub(super) struct ParquetFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Columns,
}

impl<W: Write + Send> ParquetFile<W> {
    pub(super) fn begin(sink: W, columns: Columns) -> io::Result<ParquetFile<W>> {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let writer = schema(&columns).and_then(|schema| {
            SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties.build()))
        });
        Ok(ParquetFile {
            writer: writer.map_err(of_parquet)?,
            columns,
        })
    }

    /// Writes the rows of a window in their order; how many there are.
    pub(super) fn write(&mut self, parts: &[ColumnRows], order: Order) -> io::Result<u64> {
        if let Some(field) = parts.iter().find_map(|part| part.misfit) {
            let name = self.columns.get(field).map_or("", |(name, _)| name);
            let message = format!("the field {name} has values of a kind its column does not hold");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let places = places_in_order(parts.iter().map(|part| part.ids.as_slice()), order);
        if places.is_empty() {
            return Ok(0);
        }
        let columns = (0..self.columns.len()).map(|column| {
            let of_parts = parts
                .iter()
                .filter_map(move |part| part.columns.get(column));
            of_parts.collect::<Vec<&Values>>()
        });
        let columns: Vec<Vec<&Values>> = columns.collect();
        self.write_group(&columns, &places).map_err(of_parquet)?;
        Ok(places.len() as u64)
    }

    fn write_group(
        &mut self,
        columns: &[Vec<&Values>],
        places: &[(usize, usize)],
    ) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for (of_parts, (_, content)) in columns.iter().zip(&self.columns) {
            let Some(mut writer) = group.next_column()? else {
                break;
            };
            write_column(&mut writer, *content, of_parts, places)?;
            writer.close()?;
        }
        group.close().map(drop)
    }

    /// Ends the file.
    pub(super) fn finish(self) -> io::Result<()> {
        self.writer.close().map(drop).map_err(of_parquet)
    }
}

fn write_column(
    writer: &mut SerializedColumnWriter<'_>,
    content: Content,
    of_parts: &[&Values],
    places: &[(usize, usize)],
) -> Result<(), ParquetError> {
    /// The values of a variant, in order.
    macro_rules! write {
        ($variant:ident, $type:ty) => {{
            let parts = of_parts.iter().map(|values| match values {
                Values::$variant(values) => values.as_slice(),
                _ => &[],
            });
            write_values::<$type>(writer, &parts.collect::<Vec<_>>(), places)
        }};
    }
    match content {
        Content::Time => write!(Time, Int64Type),
        Content::Int => write!(Int, Int64Type),
        Content::Float => write!(Float, DoubleType),
        Content::Bool => write!(Bool, BoolType),
        Content::Text => write!(Text, ByteArrayType),
    }
}

fn write_values<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    parts: &[&[Option<T::T>]],
    places: &[(usize, usize)],
) -> Result<(), ParquetError> {
    let mut values = Vec::with_capacity(places.len());
    let mut levels = Vec::with_capacity(places.len());
    for (part, row) in places {
        let value = parts.get(*part).and_then(|values| values.get(*row));
        let value = value.cloned().flatten();
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }
    let writer = writer.typed::<T>();
    writer.write_batch(&values, Some(&levels), None).map(drop)
}

fn schema(columns: &Columns) -> Result<Type, ParquetError> {
    let fields = columns.iter().map(|(name, content)| {
        let (physical, logical) = match content {
            Content::Time => (
                PhysicalType::INT64,
                Some(LogicalType::timestamp(true, TimeUnit::NANOS)),
            ),
            Content::Int => (PhysicalType::INT64, None),
            Content::Float => (PhysicalType::DOUBLE, None),
            Content::Bool => (PhysicalType::BOOLEAN, None),
            Content::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        field.build().map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("event")
        .with_fields(fields)
        .build()
}

/// Writes a table; its columns have the types of their cells.
pub(super) fn write_table(table: &Table, sink: impl Write + Send) -> io::Result<()> {
    let columns = table.columns.iter().enumerate().map(|(index, name)| {
        let cells = || table.rows.iter().filter_map(move |row| row.get(index));
        (name.clone(), content_of_cells(cells))
    });
    let columns: Columns = columns.collect();
    let mut values: Vec<Values> = columns
        .iter()
        .map(|(_, content)| Values::new(*content))
        .collect();
    for row in &table.rows {
        for (values, cell) in values.iter_mut().zip(row) {
            push_cell(values, cell);
        }
    }
    let ids = (0..table.rows.len() as u64).map(|sequence| EventId {
        timestamp: Timestamp::default(),
        sequence,
    });
    let rows = ColumnRows {
        ids: ids.collect(),
        columns: values,
        misfit: None,
    };
    let mut file = ParquetFile::begin(sink, columns)?;
    file.write(&[rows], Order::OldestFirst)?;
    file.finish()
}

fn content_of_cells<'t, I: Iterator<Item = &'t Cell>>(cells: impl Fn() -> I) -> Content {
    let all = |fits: fn(&Cell) -> bool| cells().all(|cell| *cell == Cell::Null || fits(cell));
    let is_int =
        |cell: &Cell| matches!(cell, Cell::Int(integer) if i64::try_from(*integer).is_ok());
    match () {
        () if all(|_| false) => Content::Text,
        () if all(is_int) => Content::Int,
        () if all(|cell| matches!(cell, Cell::Int(_) | Cell::Float(_))) => Content::Float,
        () if all(|cell| matches!(cell, Cell::Bool(_))) => Content::Bool,
        () if all(|cell| matches!(cell, Cell::Time(_))) => Content::Time,
        () => Content::Text,
    }
}

fn push_cell(values: &mut Values, cell: &Cell) {
    let text;
    let scalar = match (cell, &mut *values) {
        (Cell::Time(time), Values::Time(times)) => return times.push(Some(time.as_nanos())),
        (Cell::Int(integer), Values::Float(floats)) => return floats.push(Some(*integer as f64)),
        (Cell::Null, _) => None,
        (Cell::Bool(boolean), _) => Some(Scalar::Bool(*boolean)),
        (Cell::Float(float), _) => Some(Scalar::Float(*float)),
        (Cell::Str(text), _) => Some(Scalar::Str(text)),
        (Cell::Json(text), _) => Some(Scalar::Json(text)),
        (Cell::Time(time), _) => {
            text = time.to_string();
            Some(Scalar::Str(&text))
        }
        (Cell::Int(integer), _) => match i64::try_from(*integer) {
            Ok(integer) => Some(Scalar::Int(integer)),
            Err(_) => {
                text = integer.to_string();
                Some(Scalar::Json(&text))
            }
        },
    };
    values.push(scalar);
}

/// An error of the disk is told as one, so that a full one is known as such.
fn of_parquet(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests;
