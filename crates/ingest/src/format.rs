//! How a body is written: what a request's headers say, and the short text that the write-ahead log
//! keeps of it.

use std::fmt;
use std::str::FromStr;

use crate::Refusal;

/// What a body holds once decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    /// One object, an array of objects, or objects one after another.
    Json,
    /// Objects line by line. Read as [`Json`](Self::Json) is, since senders mix the two up.
    Ndjson,
    /// A MessagePack map, an array of maps, or maps one after another.
    MessagePack,
    /// Plain text, an event per line.
    Lines,
}

impl ContentKind {
    const ALL: [ContentKind; 4] = [
        ContentKind::Json,
        ContentKind::Ndjson,
        ContentKind::MessagePack,
        ContentKind::Lines,
    ];

    /// The name in a [`Format`]'s text.
    pub const fn name(self) -> &'static str {
        match self {
            ContentKind::Json => "json",
            ContentKind::Ndjson => "ndjson",
            ContentKind::MessagePack => "msgpack",
            ContentKind::Lines => "lines",
        }
    }

    /// By media type. What is unknown is tried as JSON: small clients send it as `text/plain` or
    /// without any type.
    fn from_content_type(content_type: &str) -> ContentKind {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonl"
            | "application/jsonlines"
            | "application/x-jsonlines"
            | "application/x-json-stream" => ContentKind::Ndjson,
            "application/msgpack"
            | "application/x-msgpack"
            | "application/vnd.msgpack"
            | "application/messagepack"
            | "application/x-messagepack" => ContentKind::MessagePack,
            _ => ContentKind::Json,
        }
    }
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEncoding {
    /// Not at all.
    Identity,
    /// gzip (RFC 1952), of one member or several.
    Gzip,
    /// zlib (RFC 1950), as HTTP means it; a bare deflate stream (RFC 1951) is recognised too.
    Deflate,
    /// Zstandard (RFC 8878), of one frame or several.
    Zstd,
    /// Brotli (RFC 7932).
    Brotli,
}

impl ContentEncoding {
    const ALL: [ContentEncoding; 5] = [
        ContentEncoding::Identity,
        ContentEncoding::Gzip,
        ContentEncoding::Deflate,
        ContentEncoding::Zstd,
        ContentEncoding::Brotli,
    ];

    /// The name in a [`Format`]'s text, which is HTTP's.
    pub const fn name(self) -> &'static str {
        match self {
            ContentEncoding::Identity => "identity",
            ContentEncoding::Gzip => "gzip",
            ContentEncoding::Deflate => "deflate",
            ContentEncoding::Zstd => "zstd",
            ContentEncoding::Brotli => "br",
        }
    }

    /// Whether a body in this encoding is compressed already.
    pub const fn is_compressed(self) -> bool {
        !matches!(self, ContentEncoding::Identity)
    }

    fn from_header(content_encoding: &str) -> Result<ContentEncoding, Refusal> {
        let encoding = content_encoding.trim().to_ascii_lowercase();
        match encoding.as_str() {
            "" => Ok(ContentEncoding::Identity),
            "x-gzip" => Ok(ContentEncoding::Gzip),
            name => ContentEncoding::ALL
                .into_iter()
                .find(|known| known.name() == name)
                .ok_or(Refusal::UnsupportedEncoding { encoding }),
        }
    }
}

/// What a request says of its body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The header `Content-Encoding`.
    pub content_encoding: Option<&'a str>,
    /// The field to take the event time from, as a dotted path, instead of `dt`.
    pub dt_field: Option<&'a str>,
    /// The body is plain text, whatever its content type says.
    pub lines: bool,
}

/// How to decode a body. Its text form is kept in the write-ahead log and stays readable for good:
///
/// ```text
/// 1 json gzip
/// 1 lines identity
/// 1 ndjson identity dt_field=meta.time
/// ```
///
/// The number is the version of the decoder. A change of what a body decodes to, other than the repair of a
/// fault, gets the next number and keeps the old behaviour under the old one, because a log replayed
/// after an upgrade must give the events that were acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// What the body holds.
    pub kind: ContentKind,
    /// How it is compressed.
    pub encoding: ContentEncoding,
    /// The field to take the event time from instead of `dt`.
    pub dt_field: Option<Box<str>>,
}

const VERSION: &str = "1";
const DT_FIELD: &str = "dt_field=";

impl Format {
    /// The format that a request's headers name.
    ///
    /// # Errors
    /// [`Refusal::UnsupportedEncoding`] when the encoding is unknown or there is more than one.
    pub fn from_request(request: &Request<'_>) -> Result<Format, Refusal> {
        let kind = if request.lines {
            ContentKind::Lines
        } else {
            ContentKind::from_content_type(request.content_type.unwrap_or_default())
        };
        let encoding = ContentEncoding::from_header(request.content_encoding.unwrap_or_default())?;
        let dt_field = request.dt_field.filter(|field| !field.is_empty());
        Ok(Format {
            kind,
            encoding,
            dt_field: dt_field.map(Box::from),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION} {} {}", self.kind.name(), self.encoding.name())?;
        match &self.dt_field {
            Some(field) => write!(f, " {DT_FIELD}{field}"),
            None => Ok(()),
        }
    }
}

/// The text is not a [`Format`], or one of a later version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no body format that this version knows")]
pub struct InvalidFormat {
    /// What was to be read.
    pub text: String,
}

impl FromStr for Format {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Format, InvalidFormat> {
        parse(text).ok_or_else(|| InvalidFormat { text: text.into() })
    }
}

fn parse(text: &str) -> Option<Format> {
    let mut words = text.splitn(4, ' ');
    if words.next()? != VERSION {
        return None;
    }
    let kind = words.next()?;
    let encoding = words.next()?;
    let dt_field = match words.next() {
        Some(option) => Some(option.strip_prefix(DT_FIELD)?.into()),
        None => None,
    };
    Some(Format {
        kind: ContentKind::ALL
            .into_iter()
            .find(|known| known.name() == kind)?,
        encoding: ContentEncoding::ALL
            .into_iter()
            .find(|known| known.name() == encoding)?,
        dt_field,
    })
}
