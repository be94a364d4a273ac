//! `JSONExtractString(raw, 'a', 'b')` and its kin: a value inside a JSON text, by the keys that lead to it.
//!
//! Where ClickHouse gives an empty text or a zero for what is not there, these give null: a zero that nobody sent is a
//! wrong answer. A key may be written with dots, `'a.b'`, as fields are named everywhere else.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use serde_json::Value;

/// What is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Extract {
    Text,
    Int,
    Float,
    Bool,
    Raw,
    Has,
}

impl Extract {
    pub(crate) const ALL: [Extract; 6] = [
        Extract::Text,
        Extract::Int,
        Extract::Float,
        Extract::Bool,
        Extract::Raw,
        Extract::Has,
    ];

    /// The name in a plan, where all names are in lower case.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Extract::Text => "jsonextractstring",
            Extract::Int => "jsonextractint",
            Extract::Float => "jsonextractfloat",
            Extract::Bool => "jsonextractbool",
            Extract::Raw => "jsonextractraw",
            Extract::Has => "jsonhas",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Extract::Text | Extract::Raw => DataType::Utf8,
            Extract::Int => DataType::Int64,
            Extract::Float => DataType::Float64,
            Extract::Bool | Extract::Has => DataType::Boolean,
        }
    }
}

/// One of the functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct JsonFunction {
    extract: Extract,
    signature: Signature,
    aliases: Vec<String>,
}

impl JsonFunction {
    pub(crate) fn new(extract: Extract) -> JsonFunction {
        let aliases = match extract {
            Extract::Int => vec!["jsonextractuint".to_owned()],
            _ => Vec::new(),
        };
        JsonFunction {
            extract,
            signature: Signature::variadic_any(Volatility::Immutable),
            aliases,
        }
    }
}

impl ScalarUDFImpl for JsonFunction {
    fn name(&self) -> &str {
        self.extract.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let is_text = |data_type: &DataType| data_type.is_string() || data_type.is_null();
        if !arguments.first().is_some_and(is_text) {
            return plan_err!("the first argument has to be a JSON text, such as `raw`");
        }
        Ok(self.extract.data_type())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let mut arguments = arguments.args.into_iter();
        let Some(texts) = arguments.next() else {
            return exec_err!("a JSON text is missing");
        };
        let path = arguments.map(step).collect::<Result<Vec<Step>>>()?;
        let texts = cast(&texts.into_array(rows)?, &DataType::Utf8)?;
        let extracted = self.extract.of_texts(&texts, &path);
        Ok(ColumnarValue::Array(extracted))
    }
}

/// A step into a JSON text.
enum Step {
    Key(String),
    /// Counted from 1, or from the end where it is negative.
    Index(i64),
}

fn step(argument: ColumnarValue) -> Result<Step> {
    let ColumnarValue::Scalar(scalar) = argument else {
        return exec_err!("the keys that lead to a JSON value have to be literals");
    };
    if let Some(Some(key)) = scalar.try_as_str() {
        return Ok(Step::Key(key.to_owned()));
    }
    match scalar.cast_to(&DataType::Int64)? {
        ScalarValue::Int64(Some(index)) => Ok(Step::Index(index)),
        _ => exec_err!("a key that leads to a JSON value has to be a text or a number"),
    }
}

impl Extract {
    fn of_texts(self, texts: &ArrayRef, path: &[Step]) -> ArrayRef {
        let texts = texts.as_string::<i32>();
        let parsed = texts.iter().map(|text| {
            let root: Value = serde_json::from_str(text?).ok()?;
            Some(root)
        });
        let found = parsed.map(|root| root.and_then(|root| follow(&root, path).cloned()));
        match self {
            Extract::Text => strings(found.map(|value| match value? {
                Value::String(text) => Some(text),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
                other => Some(other.to_string()),
            })),
            Extract::Raw => strings(found.map(|value| Some(value?.to_string()))),
            Extract::Int => {
                let mut built = Int64Builder::with_capacity(texts.len());
                found.for_each(|value| built.append_option(value.as_ref().and_then(int_of)));
                Arc::new(built.finish())
            }
            Extract::Float => {
                let mut built = Float64Builder::with_capacity(texts.len());
                found.for_each(|value| built.append_option(value.as_ref().and_then(float_of)));
                Arc::new(built.finish())
            }
            Extract::Bool => {
                let mut built = BooleanBuilder::with_capacity(texts.len());
                found
                    .for_each(|value| built.append_option(value.as_ref().and_then(Value::as_bool)));
                Arc::new(built.finish())
            }
            Extract::Has => {
                let mut built = BooleanBuilder::with_capacity(texts.len());
                found.for_each(|value| built.append_value(value.is_some()));
                Arc::new(built.finish())
            }
        }
    }
}

fn strings(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    let mut built = StringBuilder::new();
    values.for_each(|value| built.append_option(value));
    Arc::new(built.finish())
}

fn int_of(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_i64(),
    }
}

fn float_of(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    }
}

/// The value that the steps lead to.
fn follow<'v>(root: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => member(value, key),
        Step::Index(index) => element(value, *index),
    })
}

/// The member of this key, or of the keys it is made of.
fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    if let Some(member) = value.get(key) {
        return Some(member);
    }
    key.match_indices('.').find_map(|(dot, _)| {
        let (head, tail) = (key.get(..dot)?, key.get(dot + 1..)?);
        member(value.get(head)?, tail)
    })
}

fn element(value: &Value, index: i64) -> Option<&Value> {
    let elements = value.as_array()?;
    let place = match index {
        1.. => usize::try_from(index).ok()?.checked_sub(1)?,
        _ => elements
            .len()
            .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    elements.get(place)
}
