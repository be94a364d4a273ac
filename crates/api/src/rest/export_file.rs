//! A file as an answer: whole, or the range of it that was asked for (RFC 9110 section 14).

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cordwood_service::ExportFile;
use futures_util::stream;

use crate::edge::Edge;
use crate::failure::Failure;

/// The file is read and sent in pieces of this size: each takes a turn among the calls into the core.
const PIECE_BYTES: usize = 1 << 20;

/// What was asked for of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    /// No byte of it.
    Nothing,
}

/// The file, or the part of it that `headers` ask for.
pub(crate) fn file_answer(
    edge: Arc<Edge>,
    file: ExportFile,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let etag = format!("\"{}\"", file.export);
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // The part of another file would not go on with what is there: all of this one is sent.
    let is_of_this = text(IF_RANGE).is_none_or(|of| of == etag);
    let asked = match text(RANGE).filter(|_| is_of_this) {
        Some(range) => asked(range, file.bytes),
        None => Asked::Whole,
    };
    let (status, range) = match asked {
        Asked::Whole => (StatusCode::OK, 0..file.bytes),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nothing => {
            let sentence = format!("The file has {} bytes and none of that range.", file.bytes);
            return Err(Failure::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                sentence,
            ));
        }
    };
    let described = [
        (CONTENT_TYPE, file.media_type.to_owned()),
        (CONTENT_LENGTH, (range.end - range.start).to_string()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", file.name),
        ),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (ETAG, etag),
    ];
    let place = format!(
        "bytes {}-{}/{}",
        range.start,
        range.end.saturating_sub(1),
        file.bytes
    );
    let mut response = (status, described, pieces(edge, file, range)).into_response();
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(place) = place.parse()
    {
        response.headers_mut().insert(CONTENT_RANGE, place);
    }
    Ok(response)
}

/// The bytes of a range, read piece by piece as they are sent.
fn pieces(edge: Arc<Edge>, file: ExportFile, range: Range<u64>) -> Body {
    let pieces = stream::try_unfold(range.start, move |at| {
        let (edge, file) = (Arc::clone(&edge), file.clone());
        async move {
            let left = usize::try_from(range.end - at).unwrap_or(usize::MAX);
            if left == 0 {
                return Ok(None);
            }
            let read = move || file.read_at(at, left.min(PIECE_BYTES));
            let read = edge.manage.run(read).await;
            let read = read.map_err(|_| std::io::Error::other("the server is too busy"))??;
            let next = at + read.len() as u64;
            Ok::<_, std::io::Error>(Some((Bytes::from(read), next)))
        }
    });
    Body::from_stream(pieces)
}

/// One range of bytes; several are answered with the whole, as the section allows.
fn asked(range: &str, bytes: u64) -> Asked {
    let parsed = parse(range);
    match parsed {
        None => Asked::Whole,
        Some((Some(first), last)) => {
            let end = last.map_or(bytes, |last| last.saturating_add(1).min(bytes));
            match first < end {
                true => Asked::Part(first..end),
                false => Asked::Nothing,
            }
        }
        Some((None, Some(length))) if length > 0 && bytes > 0 => {
            Asked::Part(bytes.saturating_sub(length)..bytes)
        }
        Some((None, _)) => Asked::Nothing,
    }
}

/// The ends of `bytes=first-last`, either of which may be missing; `None` for anything else.
fn parse(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| -> Option<Option<u64>> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match text {
            "" => Some(None),
            text if is_number => Some(Some(text.parse().unwrap_or(u64::MAX))),
            _ => None,
        }
    };
    let (first, last) = (number(first)?, number(last)?);
    let is_backwards = first.zip(last).is_some_and(|(first, last)| last < first);
    let is_empty = first.is_none() && last.is_none();
    (!is_backwards && !is_empty).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let cases = [
            ("bytes=0-9", Asked::Part(0..10)),
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=90-", Asked::Part(90..100)),
            ("bytes=90-1000", Asked::Part(90..100)),
            ("bytes=-10", Asked::Part(90..100)),
            ("bytes=-1000", Asked::Part(0..100)),
            ("bytes=99-", Asked::Part(99..100)),
            ("bytes=100-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=99999999999999999999-", Asked::Nothing),
            ("bytes=5-3", Asked::Whole),
            ("bytes=0-1,5-6", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("lines=0-9", Asked::Whole),
            ("", Asked::Whole),
        ];
        for (range, expected) in cases {
            assert_eq!(asked(range, 100), expected, "{range}");
        }
        assert_eq!(asked("bytes=0-", 0), Asked::Nothing);
        assert_eq!(asked("bytes=-5", 0), Asked::Nothing);
    }
}
