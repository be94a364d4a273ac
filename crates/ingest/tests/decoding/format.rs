//! A format is read from headers, and its text form is read back as the same format.

use cordwood_ingest::{ContentEncoding, ContentKind, Format, Refusal, Request};

fn of(content_type: Option<&str>, content_encoding: Option<&str>) -> Result<Format, Refusal> {
    Format::from_request(&Request {
        content_type,
        content_encoding,
        ..Request::default()
    })
}

#[test]
fn content_types_name_the_kind_and_unknown_ones_are_tried_as_json() {
    for (content_type, kind) in [
        (Some("application/json"), ContentKind::Json),
        (Some("application/json; charset=utf-8"), ContentKind::Json),
        (Some("text/plain;charset=UTF-8"), ContentKind::Json),
        (Some("application/x-www-form-urlencoded"), ContentKind::Json),
        (Some(""), ContentKind::Json),
        (None, ContentKind::Json),
        (Some("application/x-ndjson"), ContentKind::Ndjson),
        (Some("Application/X-NDJSON ; x=y"), ContentKind::Ndjson),
        (Some("application/msgpack"), ContentKind::MessagePack),
        (Some("application/x-msgpack"), ContentKind::MessagePack),
    ] {
        assert_eq!(
            of(content_type, None).unwrap().kind,
            kind,
            "{content_type:?}"
        );
    }
}

#[test]
fn one_known_encoding_is_taken_and_all_else_refused() {
    for (header, encoding) in [
        (None, ContentEncoding::Identity),
        (Some(""), ContentEncoding::Identity),
        (Some("identity"), ContentEncoding::Identity),
        (Some(" GZIP "), ContentEncoding::Gzip),
        (Some("x-gzip"), ContentEncoding::Gzip),
        (Some("deflate"), ContentEncoding::Deflate),
        (Some("zstd"), ContentEncoding::Zstd),
        (Some("br"), ContentEncoding::Brotli),
    ] {
        assert_eq!(of(None, header).unwrap().encoding, encoding, "{header:?}");
    }
    for header in ["compress", "gzip, gzip", "gzip,br", "snappy", "gzip;q=1"] {
        let refusal = of(None, Some(header)).unwrap_err();
        let encoding = header.to_owned();
        assert_eq!(refusal, Refusal::UnsupportedEncoding { encoding });
    }
}

#[test]
fn the_text_form_is_stable_and_read_back() {
    for (text, kind, encoding, dt_field) in [
        (
            "1 json identity",
            ContentKind::Json,
            ContentEncoding::Identity,
            None,
        ),
        (
            "1 ndjson gzip",
            ContentKind::Ndjson,
            ContentEncoding::Gzip,
            None,
        ),
        (
            "1 msgpack deflate",
            ContentKind::MessagePack,
            ContentEncoding::Deflate,
            None,
        ),
        (
            "1 lines zstd dt_field=a.b",
            ContentKind::Lines,
            ContentEncoding::Zstd,
            Some("a.b"),
        ),
        (
            "1 json br dt_field=odd field=ü\n x",
            ContentKind::Json,
            ContentEncoding::Brotli,
            Some("odd field=ü\n x"),
        ),
    ] {
        let format = Format {
            kind,
            encoding,
            dt_field: dt_field.map(Box::from),
        };
        assert_eq!(format.to_string(), text);
        assert_eq!(text.parse(), Ok(format));
    }
    for text in [
        "",
        "json gzip",
        "2 json gzip",
        "1 json",
        "1 xml gzip",
        "1 json gzip,gzip",
        "1 json gzip dt=x",
        "1  json gzip",
    ] {
        assert_eq!(text.parse::<Format>().unwrap_err().text, text);
    }
}

#[test]
fn a_request_names_lines_and_a_time_field() {
    let format = Format::from_request(&Request {
        content_type: Some("application/json"),
        dt_field: Some("ts"),
        lines: true,
        ..Request::default()
    })
    .unwrap();
    assert_eq!(format.to_string(), "1 lines identity dt_field=ts");
}
