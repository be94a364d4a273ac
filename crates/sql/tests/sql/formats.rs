//! What is written in each format, read back by the readers of the format.

use std::io::Cursor;

use cordwood_sql::Format;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::support::Fixture;

const STATEMENT: &str =
    "SELECT http.status, user, cached, dt FROM web WHERE http.status IN (200, 206) ORDER BY 1";

fn written(format: Format) -> Vec<u8> {
    let answer = Fixture::usual().ask(STATEMENT);
    answer.encode(format).expect("rows are written")
}

fn expected() -> Value {
    json!([
        {"http.status": 200, "user": "u0", "cached": true, "dt": "2026-03-27T10:00:00Z"},
        {"http.status": 206, "user": null, "cached": false, "dt": "2026-03-27T10:00:06Z"},
    ])
}

#[test]
fn json() {
    let found: Value = serde_json::from_slice(&written(Format::Json)).expect("JSON");
    assert_eq!(found, expected());
    let none = Fixture::usual().ask("SELECT 1 FROM web WHERE http.status = 1");
    assert_eq!(none.encode(Format::Json).expect("JSON"), b"[]");
}

#[test]
fn ndjson() {
    let text = String::from_utf8(written(Format::NdJson)).expect("text");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    assert_eq!(Value::Array(lines.collect()), expected());
}

#[test]
fn csv() {
    let text = String::from_utf8(written(Format::Csv)).expect("text");
    let expected = "http.status,user,cached,dt\n200,u0,true,2026-03-27T10:00:00Z\n206,,false,2026-03-27T10:00:06Z\n";
    assert_eq!(text, expected);
    let none = Fixture::usual().ask("SELECT http.status FROM web WHERE http.status = 1");
    assert_eq!(none.encode(Format::Csv).expect("CSV"), b"http.status\n");
}

fn check_batches(batches: &[RecordBatch]) {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 2);
    let first = &batches[0];
    assert_eq!(first.column(0).as_primitive::<Int64Type>().value(0), 200);
    assert_eq!(first.column(1).as_string::<i32>().value(0), "u0");
    assert!(first.column(1).is_null(1));
    assert!(first.column(2).as_boolean().value(0));
}

#[test]
fn arrow() {
    let reader =
        StreamReader::try_new(Cursor::new(written(Format::Arrow)), None).expect("a stream");
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.expect("a batch")).collect();
    check_batches(&batches);
}

#[test]
fn parquet() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("rows.parquet");
    std::fs::write(&path, written(Format::Parquet)).expect("a file");
    let file = std::fs::File::open(&path).expect("the file");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .expect("Parquet")
        .build();
    let batches: Vec<RecordBatch> = reader
        .expect("rows")
        .map(|batch| batch.expect("a batch"))
        .collect();
    check_batches(&batches);
}

#[test]
fn a_statement_names_its_format() {
    let fixture = Fixture::usual();
    let cases = [
        ("JSONEachRow", Format::NdJson),
        ("csv", Format::Csv),
        ("Parquet", Format::Parquet),
    ];
    for (name, format) in cases {
        let answer = fixture.ask(&format!("SELECT 1 FORMAT {name}"));
        assert_eq!(answer.format, Some(format), "{name}");
    }
    assert_eq!(fixture.ask("SELECT 1").format, None);
}
