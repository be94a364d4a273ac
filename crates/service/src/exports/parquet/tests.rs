//! What is written is read back by the crate's own reader, row by row.

use cordwood_engine::{Cell, Table};
use cordwood_event::{EventId, Scalar, Timestamp};
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::{ColumnRows, Content, ParquetFile, Values, write_table};
use crate::Order;

fn read(bytes: Vec<u8>) -> Vec<String> {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().to_string()).collect()
}

fn part(rows: &[(i64, Option<Scalar<'_>>)], content: Content) -> ColumnRows {
    let mut values = Values::new(content);
    for (_, value) in rows {
        assert!(values.push(*value));
    }
    let ids = rows.iter().map(|(time, _)| EventId {
        timestamp: Timestamp::from_nanos(*time),
        sequence: 1,
    });
    ColumnRows {
        ids: ids.collect(),
        columns: vec![values],
        misfit: None,
    }
}

fn check(content: Content, values: [Option<Scalar<'_>>; 3], expected: [&str; 3]) {
    let mut bytes = Vec::new();
    let columns = vec![("a.b".to_owned(), content)];
    let mut file = ParquetFile::begin(&mut bytes, columns).unwrap();
    let [first, second, third] = values;
    let parts = [
        part(&[(30, third)], content),
        part(&[(10, first), (20, second)], content),
    ];
    assert_eq!(file.write(&parts, Order::OldestFirst).unwrap(), 3);
    file.finish().unwrap();
    let expected = expected.map(|value| format!("{{a.b: {value}}}"));
    assert_eq!(read(bytes), expected, "{content:?}");
}

#[test]
fn columns_of_all_kinds() {
    use Content::{Bool, Float, Int, Text};
    let some = |value| Some(value);
    check(
        Int,
        [some(Scalar::Int(1)), None, some(Scalar::Int(i64::MIN))],
        ["1", "null", "-9223372036854775808"],
    );
    check(
        Float,
        [some(Scalar::Int(2)), some(Scalar::Float(0.5)), None],
        ["2.0", "0.5", "null"],
    );
    check(
        Bool,
        [
            some(Scalar::Bool(true)),
            some(Scalar::Null),
            some(Scalar::Bool(false)),
        ],
        ["true", "null", "false"],
    );
    check(
        Text,
        [
            some(Scalar::Str("é")),
            some(Scalar::Int(7)),
            some(Scalar::Json("[1]")),
        ],
        ["\"é\"", "\"7\"", "\"[1]\""],
    );
}

#[test]
fn a_value_of_another_kind_is_an_error() {
    let mut values = Values::new(Content::Int);
    assert!(!values.push(Some(Scalar::Str("x"))));
    let mut misfit = part(&[(1, None)], Content::Int);
    misfit.misfit = Some(0);
    let mut bytes = Vec::new();
    let columns = vec![("count".to_owned(), Content::Int)];
    let mut file = ParquetFile::begin(&mut bytes, columns).unwrap();
    let error = file.write(&[misfit], Order::OldestFirst).unwrap_err();
    assert!(error.to_string().contains("count"), "{error}");
}

#[test]
fn tables_have_the_types_of_their_cells() {
    let table = Table {
        columns: ["n", "p", "s", "none"].map(str::to_owned).to_vec(),
        rows: vec![
            vec![
                Cell::Int(1),
                Cell::Int(2),
                Cell::Str("x".into()),
                Cell::Null,
            ],
            vec![Cell::Null, Cell::Float(0.5), Cell::Bool(true), Cell::Null],
        ],
        more: false,
    };
    let mut bytes = Vec::new();
    write_table(&table, &mut bytes).unwrap();
    let expected = [
        "{n: 1, p: 2.0, s: \"x\", none: null}",
        "{n: null, p: 0.5, s: \"true\", none: null}",
    ];
    assert_eq!(read(bytes), expected);
    let mut bytes = Vec::new();
    write_table(&Table::default(), &mut bytes).unwrap();
    assert_eq!(read(bytes), Vec::<String>::new());
}
