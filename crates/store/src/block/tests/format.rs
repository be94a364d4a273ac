//! Blocks written by earlier versions are read for ever: each format version has a block and its directory in
//! `fixtures/`, whose rows are known here. A new version adds files; it changes none.

use super::*;
use crate::postings::BlockPostings;

const BLOCK_1: &[u8] = include_bytes!("../../../fixtures/block-1.bin");
const DIRECTORY_1: &[u8] = include_bytes!("../../../fixtures/block-1.directory.bin");
const TEMPLATES_1: &[u8] = include_bytes!("../../../fixtures/block-1.templates.bin");

fn directory_1() -> BlockDirectory {
    let table = TemplateTable::decode(TEMPLATES_1).unwrap();
    decode_directories(DIRECTORY_1, &Arc::new(table))
        .unwrap()
        .remove(0)
}

const PACKED_1: &[u8] = include_bytes!("../../../fixtures/block-1.packed.bin");
const PACKED_DIRECTORY_1: &[u8] = include_bytes!("../../../fixtures/block-1.packed.directory.bin");

const BLOCK_2: &[u8] = include_bytes!("../../../fixtures/block-2.bin");
const DIRECTORY_2: &[u8] = include_bytes!("../../../fixtures/block-2.directory.bin");
const TEMPLATES_2: &[u8] = include_bytes!("../../../fixtures/block-2.templates.bin");

fn directory_2() -> BlockDirectory {
    let table = TemplateTable::decode(TEMPLATES_2).unwrap();
    decode_directories(DIRECTORY_2, &Arc::new(table))
        .unwrap()
        .remove(0)
}

fn packed_directory_1() -> BlockDirectory {
    decode_directories(PACKED_DIRECTORY_1, &Arc::default())
        .unwrap()
        .remove(0)
}

/// Every encoding but those of packed texts, every mode of codes, integers, floats and presence maps, and a rest.
fn rows_1() -> Vec<Row> {
    (0..600).map(row_1).collect()
}

fn row_1(number: u32) -> Row {
    let scattered = number.wrapping_mul(2_654_435_761) >> 12;
    let int = |n: u32| Value::Int(n.into());
    let mut fields: Vec<(String, Value)> = Vec::new();
    let mut add = |key: &str, value: Value| fields.push((key.to_owned(), value));
    add("const", text("the same"));
    add(
        "codes",
        text(["alpha", "beta", "gamma \u{1F332}", ""][scattered as usize % 4]),
    );
    add("runs", text(["first", "second"][usize::from(number > 200)]));
    add(
        "skewed",
        text(
            ["rare", "seldom", "odd"]
                .get(scattered as usize % 40)
                .unwrap_or(&"usual"),
        ),
    );
    add("offsets", Value::Int(i64::from(scattered % 1000) - 500));
    add("deltas", int(number * 10 + scattered % 3));
    add(
        "patched",
        Value::Int(if number == 77 {
            i64::MIN
        } else {
            i64::from(scattered % 300)
        }),
    );
    add(
        "frequent",
        int(if scattered.is_multiple_of(3) {
            scattered
        } else {
            9999
        }),
    );
    add("cents", Value::Float(f64::from(scattered) / 100.0));
    add("bits", Value::Float(f64::from(scattered).sqrt()));
    add(
        "text",
        text(&format!("request {scattered} took {} ms", scattered % 977)),
    );
    add(
        "message",
        text(&match scattered % 50 {
            0 => format!("{scattered} is alone: {}", ",".repeat(number as usize)),
            kind => format!(
                "{} {scattered:x} of host-{} took {}.{:02}ms",
                ["request", "statement"][kind as usize % 2],
                number % 9,
                scattered % 977,
                scattered % 100,
            ),
        }),
    );
    let date = format!(
        "{}-{:02}.{:02}",
        scattered % 977,
        scattered % 12,
        number % 28
    );
    add(
        "dates",
        text(&format!("the date {date} is {date}, and no other")),
    );
    add("words", text(&format!("{scattered} words")));
    add(
        "mixed.kinds",
        match scattered % 6 {
            0 => Value::Null,
            1 => Value::Bool(number.is_multiple_of(2)),
            2 => Value::Int(scattered.into()),
            3 => Value::Float(if number.is_multiple_of(2) {
                -0.0
            } else {
                f64::MAX
            }),
            4 => text(&format!("\0{scattered}")),
            _ => Value::Json(format!("[{scattered}]").into()),
        },
    );
    if !scattered.is_multiple_of(3) {
        add("bitmap", int(1));
    }
    if number % 100 == 7 {
        add("present", int(2));
    }
    if number % 100 != 7 {
        add("absent", Value::Null);
    }
    if number % 2 == 1 {
        add(&format!("rare {number}"), int(number));
        add(&format!("rare {}", number - 1), text("x"));
    }
    Row {
        nanos: 1_700_000_000_000_000_000 + i64::from(number) * 250_000,
        sequence: 1000 + u64::from(number) * 2,
        level: Level::from_code((scattered % 7).to_le_bytes()[0]),
        fields,
    }
}

/// Texts packed as hex digits and addresses, listed and not; in three minutes.
fn packed_rows_1() -> Vec<Row> {
    (0..1200).map(packed_row_1).collect()
}

fn packed_row_1(number: u32) -> Row {
    let scatter = |number: u32| number.wrapping_mul(2_654_435_761);
    let address = |bits: u32| text(&std::net::Ipv4Addr::from_bits(bits).to_string());
    let (own, shared) = (scatter(number), scatter(number / 4 + number % 2));
    let fields = [
        ("own.address", address(own)),
        ("own.trace", text(&format!("{own:08X}{:X}", number % 3))),
        ("shared.address", address(shared)),
        (
            "shared.trace",
            text(&format!("req-{shared:08x}-{:08x}", !shared)),
        ),
    ];
    Row {
        nanos: 1_700_000_000_000_000_000 + i64::from(number) * 100_000_000,
        sequence: 1000 + u64::from(number) * 2,
        level: Level::from_code((own % 7).to_le_bytes()[0]),
        fields: fields.map(|(key, value)| (key.to_owned(), value)).into(),
    }
}

/// What version 2 has that version 1 had not: integers that repeat, and slots of hex digits and of numbers of either sign.
fn rows_2() -> Vec<Row> {
    (0..1200).map(row_2).collect()
}

fn row_2(number: u32) -> Row {
    let scatter = |number: u32| {
        let spread = u64::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (spread ^ spread >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let own = scatter(number);
    let fields = [
        ("shift", Value::Int(scatter(number / 3).cast_signed())),
        (
            "message",
            text(&format!(
                "received block blk_{} for req-{:016x}-{:x} of shift {}",
                own.cast_signed(),
                own.rotate_left(20),
                number % 3,
                scatter(number / 3) % 5000,
            )),
        ),
    ];
    Row {
        nanos: 1_700_000_000_000_000_000 + i64::from(number) * 100_000_000,
        sequence: 1000 + u64::from(number) * 2,
        level: Level::from_code((own % 7).to_le_bytes()[0]),
        fields: fields.map(|(key, value)| (key.to_owned(), value)).into(),
    }
}

#[test]
fn format_2_is_read_for_ever() {
    check_fixture(&rows_2(), directory_2(), BLOCK_2);
    // Two numbers of 64 bits that nothing foretells, a third for every three rows, and not their digits.
    assert!(
        (16 * 1200..21 * 1200).contains(&BLOCK_2.len()),
        "{}",
        BLOCK_2.len()
    );
    let encoding_of = |column: usize| directory_2().columns.get(column).unwrap().encoding;
    assert_eq!(
        (encoding_of(0), encoding_of(1)),
        (Encoding::Text, Encoding::Int)
    );
}

#[test]
fn format_1_is_read_for_ever() {
    check_fixture(&rows_1(), directory_1(), BLOCK_1);
    check_fixture(&packed_rows_1(), packed_directory_1(), PACKED_1);
}

fn check_fixture(rows: &[Row], directory: BlockDirectory, block: &[u8]) {
    let block = EncodedBlock {
        directory,
        bytes: block.to_vec(),
        tokens: Vec::new(),
        postings: BlockPostings::default(),
    };
    let reader = reader(&block);
    let nanos: Vec<i64> = rows.iter().map(|row| row.nanos).collect();
    assert_eq!(reader.timestamps(), Ok(nanos));
    let sequences: Vec<u64> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!(reader.sequences(), Ok(sequences));
    check_rows(rows, &reader);
    check_columns(rows, &reader);
    check_directory(rows, &block);
}

#[test]
fn the_fixture_holds_every_encoding() {
    let (directory, packed) = (directory_1(), packed_directory_1());
    let encoding_of = |path: &str| {
        let entries = directory.columns.iter().chain(&packed.columns);
        let mut entries = entries.filter(|entry| &*entry.path == path);
        entries.next().unwrap().encoding
    };
    for (path, encoding) in [
        ("const", Encoding::Const),
        ("codes", Encoding::Dict),
        ("runs", Encoding::Dict),
        ("skewed", Encoding::Dict),
        ("offsets", Encoding::Int),
        ("deltas", Encoding::Int),
        ("patched", Encoding::Int),
        ("frequent", Encoding::Int),
        ("cents", Encoding::Float),
        ("bits", Encoding::Float),
        ("text", Encoding::Text),
        ("dates", Encoding::Text),
        ("words", Encoding::Str),
        ("message", Encoding::Text),
        (r"mixed\.kinds", Encoding::Mixed),
        (r"own\.address", Encoding::Ip4),
        (r"own\.trace", Encoding::Hex),
        (r"shared\.address", Encoding::Ip4),
        (r"shared\.trace", Encoding::Hex),
    ] {
        assert_eq!(encoding_of(path), encoding, "{path}");
    }
    assert!(directory.rest.is_some());
    let counted = directory
        .columns
        .iter()
        .filter(|entry| entry.values.is_some());
    let counted: Vec<&str> = counted.map(|entry| &*entry.path).collect();
    assert_eq!(
        counted,
        ["absent", "bitmap", "codes", "const", "runs", "skewed"]
    );
    let minutes = packed.minutes.unwrap();
    assert_eq!(minutes.iter().count(), 3, "counts by minute");
    assert_eq!(
        directory.presences.len(),
        122,
        "the three of rows_1, and one per pair of rare fields with columns"
    );
}
