//! Rows of a part as a batch of Arrow columns, made on the engine's threads.

use std::sync::Arc;

use cordwood_engine::{Gather, ScannedRows, Unread};
use cordwood_event::{Scalar, json};
use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, RecordBatchOptions,
    StringBuilder, TimestampNanosecondArray,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;

use crate::columns::{Column, Content, UTC};

/// What is made of rows: these columns.
#[derive(Debug)]
pub(crate) struct ColumnGather {
    pub(crate) columns: Vec<Column>,
    pub(crate) schema: SchemaRef,
}

impl Gather for ColumnGather {
    type Gathered = Result<RecordBatch, ArrowError>;

    fn gather(&self, rows: &ScannedRows<'_>) -> Result<Self::Gathered, Unread> {
        let mut fields = 0;
        let mut arrays = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            arrays.push(array_of(column, rows, fields)?);
            fields += usize::from(column.target().is_some());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(schema, arrays, &options))
    }
}

/// `field` is the index that the column's target has in the request, if it has one.
fn array_of(column: &Column, rows: &ScannedRows<'_>, field: usize) -> Result<ArrayRef, Unread> {
    Ok(match column.content {
        Content::Time => {
            let mut nanos = Vec::with_capacity(rows.len());
            rows.each_id(&mut |id| nanos.push(id.timestamp.as_nanos()));
            Arc::new(TimestampNanosecondArray::from(nanos).with_timezone(UTC))
        }
        Content::Id => {
            let mut built = StringBuilder::new();
            rows.each_id(&mut |id| built.append_value(id.to_string()));
            Arc::new(built.finish())
        }
        Content::Source => {
            let mut built = StringBuilder::new();
            (0..rows.len()).for_each(|_| built.append_value(&rows.source().name));
            Arc::new(built.finish())
        }
        Content::Event => {
            let mut built = StringBuilder::new();
            let mut text = String::new();
            rows.each_event(&mut |event| {
                text.clear();
                json::write_event(&mut text, event, &rows.source().name);
                built.append_value(&text);
            })?;
            Arc::new(built.finish())
        }
        Content::Int => {
            let mut built = Int64Builder::with_capacity(rows.len());
            rows.each_value(field, &mut |value| {
                built.append_option(match value {
                    Some(Scalar::Int(integer)) => Some(integer),
                    _ => None,
                });
            })?;
            Arc::new(built.finish())
        }
        Content::Float => {
            let mut built = Float64Builder::with_capacity(rows.len());
            rows.each_value(field, &mut |value| built.append_option(float_of(value)))?;
            Arc::new(built.finish())
        }
        Content::Bool => {
            let mut built = BooleanBuilder::with_capacity(rows.len());
            rows.each_value(field, &mut |value| {
                built.append_option(match value {
                    Some(Scalar::Bool(boolean)) => Some(boolean),
                    _ => None,
                });
            })?;
            Arc::new(built.finish())
        }
        Content::Level | Content::MixedLevel | Content::Text | Content::Mixed => {
            texts(rows, field)?
        }
    })
}

fn texts(rows: &ScannedRows<'_>, field: usize) -> Result<ArrayRef, Unread> {
    let mut built = StringBuilder::new();
    let mut written = String::new();
    rows.each_value(field, &mut |value| match value {
        None => built.append_null(),
        Some(Scalar::Str(text) | Scalar::Json(text)) => built.append_value(text),
        Some(other) => {
            written.clear();
            json::write_value(&mut written, other);
            built.append_value(&written);
        }
    })?;
    Ok(Arc::new(built.finish()))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a column with floats in it is one of floats"
)]
fn float_of(value: Option<Scalar<'_>>) -> Option<f64> {
    match value? {
        Scalar::Int(integer) => Some(integer as f64),
        // SQL tells the two zeros apart, the language and people do not.
        Scalar::Float(float) => Some(float + 0.0),
        _ => None,
    }
}
