//! Compressed bodies: every encoding, cut off, damaged, of several parts, and growing without end.

use std::io::{Read, Write};

use cordwood_event::Timestamp;
use cordwood_ingest::{Format, Limits, Refusal};
use flate2::Compression;
use proptest::prelude::*;

use super::{decode, outcome};

const BODY: &str = r#"[{"a":1},{"b":"some text, some text, some text"}]"#;
const EVENTS: [&str; 2] = ["a=1", r#"b="some text, some text, some text""#];

fn read_all(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    read_all(flate2::read::GzEncoder::new(bytes, Compression::default()))
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    read_all(flate2::read::ZlibEncoder::new(
        bytes,
        Compression::default(),
    ))
}

fn bare_deflate(bytes: &[u8]) -> Vec<u8> {
    read_all(flate2::read::DeflateEncoder::new(
        bytes,
        Compression::default(),
    ))
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    brotli::CompressorWriter::new(&mut compressed, 4096, 5, 22)
        .write_all(bytes)
        .unwrap();
    compressed
}

fn brotli_large_window() -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        large_window: true,
        lgwin: 30,
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut BODY.as_bytes(), &mut compressed, &params).unwrap();
    compressed
}

type Encoder = fn(&[u8]) -> Vec<u8>;

const ENCODERS: [(&str, Encoder); 5] = [
    ("gzip", gzip),
    ("deflate", zlib),
    ("deflate", bare_deflate),
    ("zstd", zstd),
    ("br", brotli),
];

fn decode_as(encoding: &str, body: &[u8]) -> Result<cordwood_ingest::Decoded, Refusal> {
    decode(&format!("1 json {encoding}"), body)
}

#[test]
fn each_encoding_decodes_to_the_same_events() {
    for (encoding, encode) in ENCODERS {
        let decoded = decode_as(encoding, &encode(BODY.as_bytes()));
        assert_eq!(outcome(&decoded), EVENTS, "{encoding}");
        assert_eq!(decoded.unwrap().decompressed_bytes, BODY.len());
    }
}

#[test]
fn several_gzip_members_and_zstd_frames_are_one_body() {
    for (encoding, encode) in [("gzip", gzip as Encoder), ("zstd", zstd)] {
        let body = [
            encode(b"{\"a\":1}\n{\"b\""),
            encode(b":\"x\"}"),
            encode(b""),
        ]
        .concat();
        let decoded = decode_as(encoding, &body);
        assert_eq!(outcome(&decoded), ["a=1", r#"b="x""#], "{encoding}");
    }
}

#[test]
fn an_empty_body_is_empty_in_every_encoding() {
    for (encoding, encode) in ENCODERS {
        assert_eq!(outcome(&decode_as(encoding, b"")), [""; 0], "{encoding}");
        assert_eq!(
            outcome(&decode_as(encoding, &encode(b""))),
            [""; 0],
            "{encoding}"
        );
    }
}

#[test]
fn a_stream_cut_off_anywhere_is_refused() {
    for (encoding, encode) in ENCODERS {
        let whole = encode(BODY.as_bytes());
        for length in 1..whole.len() {
            let refused = decode_as(encoding, &whole[..length])
                .unwrap_err()
                .to_string();
            assert!(
                refused.starts_with(&format!(
                    "the body cannot be decoded: the {encoding} stream is damaged or cut off: "
                )),
                "{encoding} {length}: {refused}"
            );
        }
    }
}

#[test]
fn what_is_no_such_stream_is_refused() {
    for (encoding, _) in ENCODERS {
        for body in [
            BODY.as_bytes(),
            b"\xff\xff\xff\xff",
            b"\x1f\x8b",
            b"\x78\x9c\x00",
        ] {
            assert!(decode_as(encoding, body).is_err(), "{encoding} {body:?}");
        }
    }
    let mut damaged = gzip(BODY.as_bytes());
    let middle = damaged.len() - 6;
    damaged[middle] ^= 1;
    assert!(
        decode_as("gzip", &damaged).is_err(),
        "the checksum is looked at"
    );
    let trailing = [gzip(BODY.as_bytes()), b"garbage".to_vec()].concat();
    assert!(decode_as("gzip", &trailing).is_err());
}

fn with_limit(
    encoding: &str,
    body: &[u8],
    decompressed_bytes_max: usize,
) -> Result<usize, Refusal> {
    let format: Format = format!("1 json {encoding}").parse().unwrap();
    let limits = Limits {
        decompressed_bytes_max,
        ..Limits::default()
    };
    cordwood_ingest::decode(&format, body, Timestamp::from_nanos(0), &limits)
        .map(|decoded| decoded.decompressed_bytes)
}

#[test]
fn the_limit_is_kept_to_the_byte() {
    let length = BODY.len();
    for (encoding, encode) in ENCODERS
        .into_iter()
        .chain([("identity", <[u8]>::to_vec as Encoder)])
    {
        let body = encode(BODY.as_bytes());
        assert_eq!(
            with_limit(encoding, &body, length),
            Ok(length),
            "{encoding}"
        );
        let limit_bytes = length - 1;
        assert_eq!(
            with_limit(encoding, &body, limit_bytes),
            Err(Refusal::TooLarge { limit_bytes }),
            "{encoding}"
        );
    }
}

/// 200 MiB of spaces take 200 KiB or less; the contract refuses them at 100 MiB.
#[test]
fn a_bomb_is_refused() {
    let limit_bytes = Limits::CONTRACT.decompressed_bytes_max;
    for (encoding, encode) in [
        ("gzip", gzip as Encoder),
        ("deflate", zlib),
        ("zstd", zstd),
        ("br", brotli),
    ] {
        let part = encode(&vec![b' '; 4 << 20]);
        let parts = if encoding == "gzip" || encoding == "zstd" {
            part.repeat(50)
        } else {
            encode(&vec![b' '; limit_bytes + 1])
        };
        assert!(parts.len() < 1 << 20);
        assert_eq!(
            with_limit(encoding, &parts, limit_bytes),
            Err(Refusal::TooLarge { limit_bytes }),
            "{encoding}"
        );
    }
}

#[test]
fn a_stream_may_not_ask_for_a_window_beyond_the_limit() {
    /// Magic number, then a frame header with a window of 2^30 bytes and no content size.
    const FRAME: [u8; 9] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00];
    let refused = decode_as("zstd", &FRAME).unwrap_err().to_string();
    assert!(refused.contains("requires too much memory"), "{refused}");
    let large = brotli_large_window();
    let refused = decode_as("br", &large).unwrap_err().to_string();
    assert!(refused.contains("large window"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_was_compressed_comes_back(text in "\\PC{0,2000}") {
        let body = serde_json::json!({"a": text}).to_string();
        let plain = outcome(&decode_as("identity", body.as_bytes()));
        for (encoding, encode) in ENCODERS {
            prop_assert_eq!(&plain, &outcome(&decode_as(encoding, &encode(body.as_bytes()))));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for (encoding, encode) in ENCODERS {
            let once = outcome(&decode_as(encoding, &bytes));
            prop_assert_eq!(once, outcome(&decode_as(encoding, &bytes)));
            let mut damaged = encode(BODY.as_bytes());
            for (index, byte) in &flips {
                let at = index.index(damaged.len());
                damaged[at] ^= byte;
            }
            let once = outcome(&decode_as(encoding, &damaged));
            prop_assert_eq!(once, outcome(&decode_as(encoding, &damaged)));
        }
    }
}
