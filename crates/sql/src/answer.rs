//! Rows in columns, and how they are written.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::arrow::json::writer::{JsonArray, JsonFormat, LineDelimited, WriterBuilder};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::account::Account;
use crate::columns::Columns;
use crate::error::Error;
use crate::format::Format;
use crate::memory::StatementMemory;
use crate::tables::Tables;

/// The rows of a statement.
#[derive(Debug)]
pub struct Answer {
    rows: Rows,
    /// Whether there are more rows than were asked for.
    pub more: bool,
    /// What was read, and what may be missing.
    pub account: Account,
    /// The format that the statement asks for itself.
    pub format: Option<Format>,
    /// How long it took.
    pub elapsed: Duration,
    /// Counts the rows against the memory there is until they are dropped.
    _memory: Option<Arc<StatementMemory>>,
}

/// A column of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerColumn {
    /// As selected.
    pub name: String,
    /// `text`, `int`, `float`, `bool`, `time`, or Arrow's name for another type.
    pub type_name: String,
}

/// Rows as they came.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) more: bool,
}

impl Answer {
    pub(crate) fn new(rows: Rows, account: Account, memory: Arc<StatementMemory>) -> Answer {
        Answer {
            _memory: Some(memory),
            ..Answer::of_rows(rows, account)
        }
    }

    fn of_rows(rows: Rows, account: Account) -> Answer {
        Answer {
            more: rows.more,
            rows,
            account,
            format: None,
            elapsed: Duration::ZERO,
            _memory: None,
        }
    }

    /// The columns, in order.
    pub fn columns(&self) -> Vec<AnswerColumn> {
        let fields = self.rows.schema.fields().iter();
        let columns = fields.map(|field| AnswerColumn {
            name: field.name().clone(),
            type_name: type_name(field.data_type()),
        });
        columns.collect()
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The rows as written in a format.
    pub fn encode(&self, format: Format) -> Result<Vec<u8>, Error> {
        match format {
            Format::Json => match self.rows() {
                0 => Ok(b"[]".to_vec()),
                _ => self.json::<JsonArray>(),
            },
            Format::NdJson => self.json::<LineDelimited>(),
            Format::Csv => self.csv(),
            Format::Arrow => self.arrow(),
            Format::Parquet => self.parquet(),
        }
    }

    fn json<F: JsonFormat>(&self) -> Result<Vec<u8>, Error> {
        let options = WriterBuilder::new().with_explicit_nulls(true);
        let mut writer = options.build::<_, F>(Vec::new());
        for batch in &self.rows.batches {
            writer.write(batch).map_err(Error::internal)?;
        }
        writer.finish().map_err(Error::internal)?;
        Ok(writer.into_inner())
    }

    fn csv(&self) -> Result<Vec<u8>, Error> {
        let mut written = Vec::new();
        let mut writer = csv::WriterBuilder::new()
            .with_header(true)
            .build(&mut written);
        let empty = RecordBatch::new_empty(Arc::clone(&self.rows.schema));
        writer.write(&empty).map_err(Error::internal)?;
        for batch in &self.rows.batches {
            writer.write(batch).map_err(Error::internal)?;
        }
        drop(writer);
        Ok(written)
    }

    fn arrow(&self) -> Result<Vec<u8>, Error> {
        let schema = &self.rows.schema;
        let mut writer = StreamWriter::try_new(Vec::new(), schema).map_err(Error::internal)?;
        for batch in &self.rows.batches {
            writer.write(batch).map_err(Error::internal)?;
        }
        writer.finish().map_err(Error::internal)?;
        writer.into_inner().map_err(Error::internal)
    }

    fn parquet(&self) -> Result<Vec<u8>, Error> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let schema = Arc::clone(&self.rows.schema);
        let mut writer =
            ArrowWriter::try_new(Vec::new(), schema, Some(properties)).map_err(Error::internal)?;
        for batch in &self.rows.batches {
            writer.write(batch).map_err(Error::internal)?;
        }
        writer.into_inner().map_err(Error::internal)
    }
}

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Timestamp(..) => "time".to_owned(),
        integer if integer.is_integer() => "int".to_owned(),
        float if float.is_floating() => "float".to_owned(),
        other => other.to_string(),
    }
}

/// The names of the tables, and of which source they are.
pub(crate) fn of_tables(tables: &Tables) -> Result<Answer, Error> {
    let (names, sources): (Vec<String>, Vec<Option<String>>) = tables.names().into_iter().unzip();
    let columns: [(&str, ArrayRef); 2] = [
        ("table", Arc::new(StringArray::from(names))),
        ("source_id", Arc::new(StringArray::from(sources))),
    ];
    of_arrays(columns)
}

/// The names and types of columns.
pub(crate) fn of_columns(columns: &Columns) -> Result<Answer, Error> {
    let names = columns.0.iter().map(|column| column.name.clone());
    let types = columns
        .0
        .iter()
        .map(|column| type_name(&column.content.data_type()));
    let columns: [(&str, ArrayRef); 2] = [
        ("column", Arc::new(StringArray::from_iter_values(names))),
        ("type", Arc::new(StringArray::from_iter_values(types))),
    ];
    of_arrays(columns)
}

fn of_arrays<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<Answer, Error> {
    let fields = columns
        .iter()
        .map(|(name, _)| Field::new(*name, DataType::Utf8, true));
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(Error::internal)?;
    let rows = Rows {
        schema,
        batches: vec![batch],
        more: false,
    };
    Ok(Answer::of_rows(rows, Account::default()))
}
