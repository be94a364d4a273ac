//! A block gives back the events it was made of, whatever they are; damaged, it is refused or read, never a panic.

mod few;
mod format;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use cordwood_event::{Batch, BatchBuilder, EventHead, Level, Number, Scalar, Timestamp, Value};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::column::Values;
use crate::encoding::{Corrupt, Encoding};
use crate::template::TemplateTable;

/// An event; its fields are root keys.
#[derive(Clone, Debug, Default)]
struct Row {
    nanos: i64,
    sequence: u64,
    level: Option<Level>,
    fields: Vec<(String, Value)>,
}

fn row(number: u32, fields: &[(&str, Value)]) -> Row {
    Row {
        nanos: i64::from(number) * 1_000_000,
        sequence: number.into(),
        level: Level::from_code((number % 7).to_le_bytes()[0]),
        fields: fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
    }
}

fn batch<'a>(rows: impl Iterator<Item = &'a Row>) -> Batch {
    let mut builder = BatchBuilder::new();
    for row in rows {
        builder.begin_event();
        for (key, value) in &row.fields {
            builder.key(key).unwrap();
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

/// Encodes rows that stand, in turn, in two batches with field ids of their own.
fn try_encode(rows: &[Row]) -> Result<EncodedBlock, EncodeError> {
    let batches = [
        batch(rows.iter().step_by(2)),
        batch(rows.iter().skip(1).step_by(2)),
    ];
    let rows: Vec<BlockRow<'_>> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| BlockRow {
            event: batches[index % 2].event(index / 2),
            sequence: row.sequence,
        })
        .collect();
    encode(&rows)
}

fn reader(block: &EncodedBlock) -> BlockReader<Bytes> {
    BlockReader::new(
        Arc::new(block.directory.clone()),
        Bytes::from(block.bytes.clone()),
    )
}

/// Floats by their bits.
fn exactly(value: Scalar<'_>) -> String {
    match value {
        Scalar::Float(float) => format!("Float({:#x})", float.to_bits()),
        value => format!("{value:?}"),
    }
}

fn path_of(key: &str) -> String {
    let mut path = String::new();
    cordwood_event::path::push_key(&mut path, key, true);
    path
}

/// The rows come back by row and by column, and the directory tells the truth about them.
fn check(rows: &[Row]) -> EncodedBlock {
    let block = try_encode(rows).unwrap();
    let reader = reader(&block);
    let nanos: Vec<i64> = rows.iter().map(|row| row.nanos).collect();
    assert_eq!(reader.timestamps().unwrap(), nanos);
    let sequences: Vec<u64> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!(reader.sequences().unwrap(), sequences);
    few::check_ids(rows, &reader);
    let levels = reader.levels().unwrap().into_iter().map(Level::from_code);
    assert_eq!(
        levels.collect::<Vec<_>>(),
        rows.iter().map(|row| row.level).collect::<Vec<_>>()
    );
    check_rows(rows, &reader);
    check_columns(rows, &reader);
    check_directory(rows, &block);
    check_stored(&reader);
    block
}

/// The values that the directory lists are those that the block has.
fn check_stored(reader: &BlockReader<Bytes>) {
    for (index, entry) in reader.directory().columns.iter().enumerate() {
        if entry.text.is_none() {
            let (column, stored) = (reader.column(index), reader.stored_column(index));
            let (column, stored) = (column.unwrap(), stored.unwrap());
            for row in 0..reader.rows() {
                assert_eq!(column.value(row), stored.value(row), "{}", entry.path);
            }
        }
        few::check_few(reader, index);
    }
}

fn check_rows(rows: &[Row], reader: &BlockReader<Bytes>) {
    let all: Vec<usize> = (0..rows.len()).collect();
    let fields = reader.fields(&all).unwrap();
    assert_eq!(fields.len(), rows.len());
    for (row, fields) in rows.iter().zip(fields) {
        let sent: BTreeMap<String, String> = row
            .fields
            .iter()
            .map(|(key, value)| (path_of(key), exactly(value.as_scalar())))
            .collect();
        assert_eq!(fields.len(), sent.len());
        let got: BTreeMap<String, String> = fields
            .into_iter()
            .map(|(path, value)| (path.to_string(), exactly(value.as_scalar())))
            .collect();
        assert_eq!(got, sent);
    }
}

fn check_columns(rows: &[Row], reader: &BlockReader<Bytes>) {
    let mut sent: BTreeMap<String, BTreeMap<usize, String>> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        for (key, value) in &row.fields {
            let value = exactly(value.as_scalar());
            sent.entry(path_of(key)).or_default().insert(number, value);
        }
    }
    let rest = reader.rest().unwrap();
    let rare = rest.iter().flat_map(|rest| rest.paths()).map(str::to_owned);
    let own = reader
        .directory()
        .columns
        .iter()
        .map(|entry| entry.path.to_string());
    let mut paths: Vec<String> = own.chain(rare).collect();
    paths.sort();
    assert_eq!(paths, sent.keys().cloned().collect::<Vec<_>>());
    for (path, values) in sent {
        let column = reader.column_of(&path).unwrap().unwrap();
        assert_eq!(column.rows(), rows.len());
        assert_eq!(column.presence.present(), values.len());
        for (row, rank) in column.presence.iter() {
            assert_eq!(exactly(column.values.scalar(rank).unwrap()), values[&row]);
        }
    }
    assert!(reader.column_of("no such field").unwrap().is_none());
}

fn check_directory(rows: &[Row], block: &EncodedBlock) {
    let directory = &block.directory;
    assert_eq!(directory.rows as usize, rows.len());
    assert_eq!(directory.encoded_bytes(), block.bytes.len() as u64);
    assert_eq!(directory.source_bytes, 100 * rows.len() as u64);
    let nanos = || rows.iter().map(|row| Timestamp::from_nanos(row.nanos));
    assert_eq!(
        directory.timestamps,
        (nanos().min().unwrap(), nanos().max().unwrap())
    );
    let sequences = || rows.iter().map(|row| row.sequence);
    assert_eq!(
        directory.sequences,
        (sequences().min().unwrap(), sequences().max().unwrap())
    );
    for level in Level::ALL.into_iter().map(Some).chain([None]) {
        let count = rows.iter().filter(|row| row.level == level).count();
        assert_eq!(directory.levels.of(level) as usize, count);
    }
    check_minutes(rows, directory);
    for entry in &directory.columns {
        let of_entry =
            |(key, value): &(String, Value)| (path_of(key) == *entry.path).then(|| value.clone());
        let values = rows
            .iter()
            .flat_map(|row| row.fields.iter().filter_map(of_entry));
        let values: Vec<Value> = values.collect();
        check_numbers(entry, &values);
        check_values(entry, &values);
    }
    let encoded = encode_directories([directory, directory]);
    let table = TemplateTable::decode(&encoded.templates.encode()).unwrap();
    let read = decode_directories(&encoded.bytes, &Arc::new(table)).unwrap();
    assert_eq!(read, [directory.clone(), directory.clone()]);
}

fn check_minutes(rows: &[Row], directory: &BlockDirectory) {
    let minute_of = |row: &Row| row.nanos.div_euclid(60_000_000_000);
    let mut expected: BTreeMap<i64, LevelCounts> = BTreeMap::new();
    for row in rows {
        let counts = expected.entry(minute_of(row)).or_default();
        counts.0[usize::from(row.level.map_or(0, Level::code))] += 1;
    }
    let span = minute_of(rows.last().unwrap()) - minute_of(&rows[0]);
    let levels = directory.levels.0.iter().filter(|count| **count > 0);
    let written = span * i64::try_from(levels.count()).unwrap();
    let has_counts = span < 64 && written * 32 <= i64::try_from(rows.len()).unwrap();
    assert_eq!(directory.minutes.is_some(), has_counts);
    let times: Vec<i64> = rows.iter().map(|row| row.nanos).collect();
    let levels = rows.iter().map(|row| row.level.map_or(0, Level::code));
    let mut levels: Vec<u8> = levels.collect();
    assert!(directory.counts_rows(&times, &levels));
    levels[0] = (levels[0] + 1) % 7;
    assert!(!directory.counts_rows(&times, &levels));
    if let Some(minutes) = &directory.minutes {
        let counted: BTreeMap<i64, LevelCounts> = minutes.iter().collect();
        for minute in expected.keys() {
            assert!(counted.contains_key(minute), "{minute}");
        }
        for (minute, counts) in counted {
            assert_eq!(
                counts,
                expected.get(&minute).copied().unwrap_or_default(),
                "{minute}"
            );
        }
    }
}

fn check_numbers(entry: &ColumnEntry, values: &[Value]) {
    let is_number = |value: &&Value| matches!(value, Value::Int(_) | Value::Float(_));
    let numbers: Vec<Number> = values
        .iter()
        .filter(is_number)
        .filter_map(|value| value.as_scalar().as_number())
        .collect();
    let nulls = values.iter().filter(|value| **value == Value::Null).count();
    let expected = (!numbers.is_empty() && numbers.len() + nulls == values.len()).then(|| {
        let order = |a: &&Number, b: &&Number| a.compare(**b);
        (
            *numbers.iter().min_by(order).unwrap(),
            *numbers.iter().max_by(order).unwrap(),
        )
    });
    assert_eq!(
        entry.numbers.map(|range| (range.min, range.max)),
        expected,
        "{}",
        entry.path
    );
}

fn check_values(entry: &ColumnEntry, values: &[Value]) {
    let mut expected: BTreeMap<String, (u32, usize)> = BTreeMap::new();
    for value in values {
        let bytes = match value {
            Value::Str(text) | Value::Json(text) => text.len(),
            _ => 1,
        };
        let (rows, _) = expected
            .entry(exactly(value.as_scalar()))
            .or_insert((0, bytes));
        *rows += 1;
    }
    let bytes: usize = expected.values().map(|(_, bytes)| bytes).sum();
    let is_counted = matches!(entry.encoding, Encoding::Const | Encoding::Dict)
        && expected.len() <= 256
        && expected.len() * 32 <= values.len()
        && bytes * 2 <= values.len();
    assert_eq!(entry.values.is_some(), is_counted, "{}", entry.path);
    if let Some(counts) = &entry.values {
        let counted = counts.scalars().map(exactly).zip(counts.iter());
        let counted: BTreeMap<String, u32> = counted
            .map(|(value, counted)| (value, counted.rows))
            .collect();
        let expected = expected.into_iter().map(|(value, (rows, _))| (value, rows));
        assert_eq!(counted, expected.collect(), "{}", entry.path);
    }
}

fn text(text: &str) -> Value {
    Value::Str(text.into())
}

#[test]
fn types_are_exact() {
    check(&[
        row(0, &[("a", Value::Int(1))]),
        row(1, &[("a", Value::Float(1.0))]),
        row(2, &[("a", text("1")), ("a.b", Value::Null)]),
        row(
            3,
            &[
                ("a", Value::Json("1000000000000000000000".into())),
                ("", text("")),
            ],
        ),
        row(4, &[]),
        row(5, &[("a", Value::Bool(true)), ("a\\", text("\0"))]),
        row(6, &[("a", Value::Float(-0.0))]),
        row(7, &[("a", Value::Float(0.0)), ("b", Value::Null)]),
    ]);
}

#[test]
fn blocks_of_every_size_come_back() {
    for count in [1, 2, 63, 64, 65, 1023, 1024, 1025, 16_384] {
        let rows = (0..count).map(|number| {
            let mut fields = vec![("all", Value::Int(number.into())), ("null", Value::Null)];
            if number % 3 == 0 {
                fields.push(("third", text(&format!("value {number}"))));
            }
            if number == count / 2 {
                fields.push(("once", Value::Bool(true)));
            }
            if number != count / 2 {
                fields.push(("but once", Value::Float(f64::from(number) / 8.0)));
            }
            row(number, &fields)
        });
        check(&rows.collect::<Vec<_>>());
    }
}

#[test]
fn the_largest_block_comes_back() {
    let last = u32::try_from(ROWS_MAX).unwrap();
    let rows = (0..last).map(|number| {
        row(
            number,
            &[
                ("n", Value::Int(number.into())),
                ("s", text(&number.to_string())),
            ],
        )
    });
    let mut rows: Vec<Row> = rows.collect();
    let block = try_encode(&rows).unwrap();
    let reader = reader(&block);
    let texts = reader.column_of("s").unwrap().unwrap();
    assert_eq!(texts.value(65_535), Ok(Some(text("65535"))));
    assert_eq!(texts.value(65_536), Ok(None));
    rows.push(row(last, &[]));
    assert_eq!(try_encode(&rows).unwrap_err(), EncodeError::TooManyRows);
}

#[test]
fn rows_that_make_no_block_are_refused() {
    assert_eq!(try_encode(&[]).unwrap_err(), EncodeError::Empty);
    assert_eq!(
        try_encode(&[row(2, &[]), row(1, &[])]).unwrap_err(),
        EncodeError::Unsorted
    );
    let same_time = |sequence| Row {
        sequence,
        ..Row::default()
    };
    assert!(try_encode(&[same_time(1), same_time(2)]).is_ok());
    assert_eq!(
        try_encode(&[same_time(2), same_time(1)]).unwrap_err(),
        EncodeError::Unsorted
    );
}

#[test]
fn numbers_json_cannot_hold_become_text() {
    let block = try_encode(&[
        row(0, &[("a", Value::Float(f64::NAN))]),
        row(1, &[("a", Value::Float(f64::INFINITY))]),
        row(2, &[("a", Value::Float(f64::NEG_INFINITY))]),
    ]);
    let column = reader(&block.unwrap()).column_of("a").unwrap().unwrap();
    for (row, name) in ["NaN", "Infinity", "-Infinity"].into_iter().enumerate() {
        assert_eq!(column.value(row), Ok(Some(text(name))));
    }
}

#[test]
fn columns_present_in_the_same_rows_share_a_map() {
    let rows = (0..1000).map(|number| match number % 5 {
        0 => row(
            number,
            &[("a", Value::Int(1)), ("b", text("x")), ("c", Value::Null)],
        ),
        1 => row(number, &[("c", Value::Int(2))]),
        _ => row(number, &[]),
    });
    let block = check(&rows.collect::<Vec<_>>());
    let presences = block.directory.columns.iter().map(|entry| entry.presence);
    assert_eq!(presences.collect::<Vec<_>>(), [Some(0), Some(0), Some(1)]);
    let reader = reader(&block);
    let (a, b) = (reader.column(0).unwrap(), reader.column(1).unwrap());
    assert!(Arc::ptr_eq(&a.presence, &b.presence));
}

#[test]
fn of_too_many_fields_the_rarest_share_a_chunk() {
    // Field n is in every (n + 1)th row, so that the rarest are known.
    let rows = (0..1000u32).map(|number| {
        let names = (0..400u32).filter(|n| (number + 1) % (n + 1) == 0);
        let value = |n: u32| match n % 4 {
            0 => Value::Int(number.into()),
            1 => text(&format!("{n} {number}")),
            2 => Value::Float(0.5),
            _ => Value::Null,
        };
        let fields: Vec<(String, Value)> = names.map(|n| (format!("f{n:03}"), value(n))).collect();
        Row {
            fields,
            ..row(number, &[])
        }
    });
    let block = check(&rows.collect::<Vec<_>>());
    assert_eq!(block.directory.columns.len(), COLUMNS_MAX);
    let rest = block.directory.rest.unwrap();
    assert_eq!(rest.paths as usize, 400 - COLUMNS_MAX);
    let reader = reader(&block);
    let rare = reader.rest().unwrap().unwrap();
    assert_eq!(rare.path(rare.len() - 1), Some("f399"));
    assert_eq!(
        rare.path_index("f000"),
        None,
        "the commonest field has its own column"
    );
    let rows_of = |row| {
        rare.fields(row)
            .unwrap()
            .into_iter()
            .map(|(path, _)| path.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(rows_of(399), ["f399"]);
    assert_eq!(rows_of(998), ["f332"], "999 = 3 * 333");
    let values = rare.values().unwrap();
    for cell in 0..rest.cells as usize {
        let (index, row) = rare.place_of(cell).unwrap().unwrap();
        let (_, value) = rare
            .values_of(index)
            .unwrap()
            .find(|(other, _)| *other == row)
            .unwrap();
        assert_eq!(values.scalar(cell), value);
    }
    assert_eq!(rare.place_of(rest.cells as usize), Ok(None));
}

#[test]
fn twenty_thousand_names_in_one_event_come_back() {
    let names = (0..20_000u32).map(|n| (format!("key {n}"), Value::Int(n.into())));
    let event = Row {
        fields: names.collect(),
        ..row(1, &[])
    };
    let block = check(&[row(0, &[("key 7", text("x"))]), event]);
    assert_eq!(block.directory.columns.len(), COLUMNS_MAX);
    assert!(block.bytes.len() < 200_000, "{}", block.bytes.len());
    assert!(
        block.directory.column_index("key 7").is_some(),
        "the commonest name"
    );
}

/// Rows whose fields follow profiles, some of them with more fields than columns.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let key = prop_oneof!["[a-c.\\\\]{0,3}", "\\PC{0,6}"];
    let columns = btree_map(key, (crate::encoding::tests::values(), 1u32..100), 0..8);
    const HOUR: i64 = 3_600_000_000_000;
    let near = [Just(0), Just(HOUR / 20), Just(3 * HOUR / 2)].map(|span| {
        let time = span.prop_flat_map(|span| -span..span + 1000);
        vec((time, any::<u64>()), 1..200)
    });
    let [second, minutes, hours] = near;
    let anywhere = vec((any::<i64>(), any::<u64>()), 1..200);
    let times = prop_oneof![second, minutes, hours, anywhere];
    let many = prop_oneof![4 => Just(0u32), 1 => 250u32..600];
    (times, columns, many, any::<u32>()).prop_map(|(mut times, columns, many, seed)| {
        times.sort_unstable();
        let mut rows = Vec::new();
        for (number, (nanos, sequence)) in (0u32..).zip(times) {
            let mix = seed.wrapping_mul(number | 1).rotate_left(number % 32);
            let mut fields = Vec::new();
            for (key, (values, density)) in &columns {
                if mix.wrapping_mul(2_654_435_761) % 100 < *density {
                    fields.push((key.clone(), values[number as usize % values.len()].clone()));
                }
            }
            for n in 0..many {
                if (n.wrapping_mul(mix)) % 7 == 0 {
                    fields.push((format!("many {n}"), Value::Int(mix.into())));
                }
            }
            let level = Level::from_code((mix % 9).to_le_bytes()[0]);
            rows.push(Row {
                nanos,
                sequence,
                level,
                fields,
            });
        }
        rows
    })
}

/// Reads everything there is, and only cares that it ends.
fn read_all(block: &EncodedBlock) {
    let reader = reader(block);
    let _ = reader.timestamps();
    let _ = reader.sequences();
    let _ = reader.levels();
    let rows: Vec<usize> = (0..reader.rows() + 1).collect();
    let _ = reader.ids_of(&rows);
    let _ = reader.fields(&rows);
    for index in 0..block.directory.columns.len() {
        let _ = reader.values_of(index, &rows);
        if let Ok(column) = reader.column(index) {
            for row in &rows {
                let _ = column.value(*row);
            }
            for row in &rows {
                let _ = column.scalar(*row);
            }
            let _ = reader.column(index).map(|column| column.values_of(&rows));
            if let Values::Str(texts) = &column.values {
                let _ = texts.for_each_frame(|frame| drop(frame.get(0).map(str::to_owned)));
            }
        }
    }
}

/// Makes every checksum right again.
fn repair_checksums(block: &mut EncodedBlock) {
    let bytes = &block.bytes;
    let repair = |chunk: &mut Chunk| {
        let start = chunk.offset as usize;
        chunk.crc = crc32c::crc32c(&bytes[start..start + chunk.length as usize]);
    };
    let directory = &mut block.directory;
    [
        &mut directory.timestamp,
        &mut directory.sequence,
        &mut directory.level,
    ]
    .into_iter()
    .chain(&mut directory.dictionaries)
    .chain(&mut directory.presences)
    .chain(directory.columns.iter_mut().flat_map(|entry| {
        let slots = entry.text.as_mut().map(|text| &mut text.slots);
        std::iter::once(&mut entry.chunk).chain(slots)
    }))
    .chain(directory.rest.as_mut().map(|rest| &mut rest.chunk))
    .for_each(repair);
}

fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    vec((any::<prop::sample::Index>(), 1u8..), 1..5)
}

fn apply(damage: &[(prop::sample::Index, u8)], bytes: &mut [u8]) {
    for (index, change) in damage {
        let index = index.index(bytes.len());
        bytes[index] ^= change;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_blocks_come_back(rows in rows()) {
        check(&rows);
    }

    #[test]
    fn a_flipped_byte_is_noticed(rows in rows(), index in any::<prop::sample::Index>(), change in 1u8..) {
        let mut block = try_encode(&rows).unwrap();
        let index = index.index(block.bytes.len());
        block.bytes[index] ^= change;
        let reader = reader(&block);
        let all: Vec<usize> = (0..rows.len()).collect();
        let results = [
            reader.timestamps().map(drop),
            reader.sequences().map(drop),
            reader.levels().map(drop),
            reader.fields(&all).map(drop),
        ];
        let failure = Err(Corrupt("a checksum that does not match"));
        prop_assert!(results.contains(&failure), "{:?}", results);
    }

    #[test]
    fn damage_behind_right_checksums_never_panics(rows in rows(), damage in damage()) {
        let mut block = try_encode(&rows).unwrap();
        apply(&damage, &mut block.bytes);
        repair_checksums(&mut block);
        read_all(&block);
    }

    #[test]
    fn damaged_directories_are_refused_or_read_but_never_panic(
        rows in rows(),
        damage in damage(),
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let mut block = try_encode(&rows).unwrap();
        let encoded = encode_directories([&block.directory]);
        let (mut bytes, table) = (encoded.bytes, Arc::new(encoded.templates));
        apply(&damage, &mut bytes);
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        for directory in decode_directories(&bytes, &table).unwrap_or_default() {
            block.directory = directory;
            read_all(&block);
        }
    }

    #[test]
    fn damaged_counts_of_values_are_refused_or_add_up(damage in damage()) {
        let mut bytes = FEW_VALUES.clone();
        apply(&damage, &mut bytes);
        for directory in decode_directories(&bytes, &Arc::default()).unwrap_or_default() {
            for entry in &directory.columns {
                if let Some(counts) = &entry.values {
                    let rows: u32 = counts.iter().map(|counted| counted.rows).sum();
                    prop_assert_eq!(rows, entry.present);
                    prop_assert_eq!(counts.scalars().count(), counts.iter().len());
                }
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_directories_or_read(bytes in vec(prop_oneof![0u8..3, any::<u8>()], 0..300)) {
        let _ = decode_directories(&[&[1], &*bytes].concat(), &Arc::default());
    }
}

#[test]
fn directories_of_blocks_from_anywhere_share_one_table() {
    let block = |words: &str| {
        let message = |n: u32| text(&format!("the {words} took {n}ms, of {}", n * n));
        let rows = (0..100).map(|n| row(n, &[("message", message(n)), ("other", message(n + 1))]));
        check(&rows.collect::<Vec<_>>())
    };
    let blocks = [block("request"), block("query"), block("request")];
    let encoded = encode_directories(blocks.iter().map(|block| &block.directory));
    let texts = (0..encoded.templates.len()).filter_map(|index| encoded.templates.get(index));
    let texts: Vec<&str> = texts.map(|template| template.text()).collect();
    assert_eq!(
        texts,
        ["the query took 0, of 0", "the request took 0, of 0"]
    );
    let read = decode_directories(&encoded.bytes, &Arc::new(encoded.templates)).unwrap();
    let written: Vec<BlockDirectory> = blocks.iter().map(|block| block.directory.clone()).collect();
    assert_eq!(read, written);
    let uses = &read[1].columns[0].text.as_ref().unwrap().uses;
    let of_block: Vec<(&str, u32)> = uses
        .templates()
        .map(|(template, used)| (template.text(), used.rows))
        .collect();
    assert_eq!(of_block, [("the query took 0, of 0", 100)]);
}

/// The directories of three blocks, most of which counts values.
static FEW_VALUES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let blocks = [0, 1, 2].map(block_of_few_values);
    encode_directories(blocks.iter().map(|block| &block.directory)).bytes
});

/// 400 rows whose values, of several kinds, depend on the block.
fn block_of_few_values(block: u32) -> EncodedBlock {
    let number = |number: u32| match number % 3 {
        0 => Value::Int(i64::from(block) - 2),
        1 => Value::Float(f64::from(block) / 4.0),
        _ => Value::Bool(block.is_multiple_of(2)),
    };
    let rows = (0..400).map(|index| {
        let name = format!("host {}", (index % 7 + block) % 9);
        row(
            index,
            &[
                ("host", text(&name)),
                ("kind", number(index)),
                ("one", text("same")),
            ],
        )
    });
    try_encode(&rows.collect::<Vec<Row>>()).unwrap()
}

#[test]
fn blocks_from_anywhere_share_their_lists_of_values() {
    let blocks: Vec<EncodedBlock> = (0..8).map(block_of_few_values).collect();
    let directories = || blocks.iter().map(|block| block.directory.clone());
    let read = |directories: &[BlockDirectory]| {
        let encoded = encode_directories(directories);
        decode_directories(&encoded.bytes, &Arc::default()).unwrap()
    };
    let all: Vec<BlockDirectory> = directories().collect();
    let halves = [read(&all[..3]), read(&all[3..])].concat();
    for read in [read(&all), read(&halves)] {
        assert_eq!(read, all);
        let lists = read.iter().map(|directory| {
            let values = directory.columns[0].values.as_ref().unwrap();
            assert_eq!(values.list().len(), 9);
            Arc::as_ptr(values.list())
        });
        assert!(
            lists
                .collect::<Vec<_>>()
                .windows(2)
                .all(|pair| pair[0] == pair[1])
        );
    }
}

#[test]
fn other_counts_of_values_are_noticed() {
    let blocks = [0, 1].map(block_of_few_values);
    for (index, entry) in blocks[0].directory.columns.iter().enumerate() {
        let counts = entry.values.as_ref().unwrap();
        let column = |block: &EncodedBlock| reader(block).column(index).unwrap();
        assert_eq!(
            counts.counts_column(&column(&blocks[0])),
            Ok(true),
            "{}",
            entry.path
        );
        let is_same = &*entry.path == "one";
        assert_eq!(
            counts.counts_column(&column(&blocks[1])),
            Ok(is_same),
            "{}",
            entry.path
        );
    }
}

#[test]
fn counts_of_another_minute_are_noticed() {
    let minutes = |number: u32| Row {
        nanos: i64::from(number) * 1_000_000_000 - 60_000_000_000,
        level: None,
        ..row(number, &[])
    };
    let rows: Vec<Row> = (0..150).map(minutes).collect();
    let block = check(&rows);
    let counted: Vec<_> = block
        .directory
        .minutes
        .iter()
        .flat_map(|m| m.iter())
        .collect();
    let expected = [(-1, 60), (0, 60), (1, 30)].map(|(minute, count)| {
        let counts = LevelCounts([count, 0, 0, 0, 0, 0, 0]);
        (minute, counts)
    });
    assert_eq!(counted, expected);
    let mut times: Vec<i64> = rows.iter().map(|row| row.nanos).collect();
    times[59] = 0;
    assert!(!block.directory.counts_rows(&times, &[0; 150]));
}

#[test]
fn directories_of_no_blocks_are_a_few_bytes() {
    let bytes = encode_directories([]).bytes;
    let decode = |bytes: &[u8]| decode_directories(bytes, &Arc::default());
    assert!(bytes.len() < 150, "{}", bytes.len());
    assert_eq!(decode(&bytes), Ok(Vec::new()));
    assert!(decode(&[]).is_err());
    assert!(decode(&[2]).is_err(), "an unknown version");
}

#[test]
fn encodings_keep_their_numbers() {
    for code in 0..=u8::MAX {
        let encoding = Encoding::from_code(code);
        assert_eq!(encoding.is_some(), matches!(code, 1..=3 | 5..=10), "{code}");
        assert!(encoding.is_none_or(|encoding| encoding.code() == code));
    }
}
