//! Blocks give back the events they were made of, whatever those are.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use cordwood_event::{Batch, BatchBuilder, EventHead, Level, Scalar, Timestamp, Value};
use cordwood_store::block::{self, BlockReader, BlockRow, EncodedBlock};

/// Fields by path and values exactly, floats by their bits.
type Fields = BTreeMap<String, String>;

struct Row {
    nanos: i64,
    sequence: u64,
    level: Option<Level>,
    fields: Vec<(String, Value)>,
}

fn row(number: usize, fields: Vec<(&str, Value)>) -> Row {
    Row {
        nanos: number as i64 * 1_000_000,
        sequence: number as u64,
        level: Level::from_code((number % 7) as u8),
        fields: fields
            .into_iter()
            .map(|(path, value)| (path.to_owned(), value))
            .collect(),
    }
}

fn exactly(value: &Value) -> String {
    match value {
        Value::Float(float) => format!("Float({:#x})", float.to_bits()),
        value => format!("{value:?}"),
    }
}

/// Root keys only: the codec takes paths as they are.
fn batch(rows: &[Row]) -> Batch {
    let mut builder = BatchBuilder::new();
    for row in rows {
        builder.begin_event();
        for (path, value) in &row.fields {
            builder.key(path).expect("keys of a row are distinct");
            builder.value(value.as_scalar());
        }
        builder.finish_event(EventHead {
            timestamp: Timestamp::from_nanos(row.nanos),
            level: row.level,
            source_bytes: 100,
        });
    }
    builder.finish()
}

fn encode(rows: &[Row]) -> EncodedBlock {
    // Two batches, whose field ids differ.
    let (even, odd): (Vec<_>, Vec<_>) = (0..rows.len()).partition(|index| index % 2 == 0);
    let part = |indices: &[usize]| {
        let rows: Vec<Row> = indices
            .iter()
            .map(|index| {
                let row = &rows[*index];
                Row {
                    nanos: row.nanos,
                    sequence: row.sequence,
                    level: row.level,
                    fields: row.fields.clone(),
                }
            })
            .collect();
        batch(&rows)
    };
    let (even, odd) = (part(&even), part(&odd));
    let block_rows: Vec<BlockRow<'_>> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| BlockRow {
            event: if index % 2 == 0 { &even } else { &odd }.event(index / 2),
            sequence: row.sequence,
        })
        .collect();
    block::encode(&block_rows).expect("the rows make a block")
}

fn check(rows: &[Row]) -> EncodedBlock {
    let block = encode(rows);
    let reader = BlockReader::new(
        Arc::new(block.directory.clone()),
        Bytes::from(block.bytes.clone()),
    );
    let nanos: Vec<i64> = rows.iter().map(|row| row.nanos).collect();
    assert_eq!(reader.timestamps().unwrap(), nanos);
    let sequences: Vec<u64> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!(reader.sequences().unwrap(), sequences);
    let levels: Vec<Option<Level>> = reader
        .levels()
        .unwrap()
        .into_iter()
        .map(Level::from_code)
        .collect();
    assert_eq!(levels, rows.iter().map(|row| row.level).collect::<Vec<_>>());

    let all: Vec<usize> = (0..rows.len()).collect();
    let got = reader.fields(&all).unwrap();
    for (row, got) in rows.iter().zip(got) {
        let escape = |path: &str| path.replace('\\', "\\\\").replace('.', "\\.");
        let sent: Fields = row
            .fields
            .iter()
            .map(|(path, value)| (escape(path), exactly(value)))
            .collect();
        let count = got.len();
        let got: Fields = got
            .into_iter()
            .map(|(path, value)| (path.to_string(), exactly(&value)))
            .collect();
        assert_eq!(got.len(), count);
        assert_eq!(got, sent);
    }
    let bytes = block::encode_directories([&block.directory, &block.directory]);
    let read = block::decode_directories(&bytes).unwrap();
    assert_eq!(read, [block.directory.clone(), block.directory.clone()]);
    block
}

#[test]
fn a_small_block_comes_back() {
    check(&[row(
        0,
        vec![("a", Value::Int(1)), ("b", Value::Str("x".into()))],
    )]);
    check(&[
        row(0, vec![("a", Value::Int(1))]),
        row(1, vec![("a", Value::Float(1.0))]),
        row(2, vec![("a", Value::Str("1".into())), ("a.b", Value::Null)]),
        row(3, vec![("a", Value::Json("1000000000000000000000".into()))]),
        row(4, vec![]),
    ]);
    let _ = Scalar::Null;
}
