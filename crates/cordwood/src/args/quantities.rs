//! Sizes and spans of time, as typed.

/// How long a source keeps its events; `None` for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetentionDays(pub Option<u64>);

/// How many bytes of disk a source may take; `None` for any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeLimit(pub Option<u64>);

/// Reads `10GiB`, `500 MiB`, `2T` or `unlimited`.
pub(super) fn parse_size(text: &str) -> Result<SizeLimit, String> {
    if text == "unlimited" {
        return Ok(SizeLimit(None));
    }
    let bytes = bytes_of(text).map(|bytes| SizeLimit(Some(bytes)));
    bytes.ok_or_else(|| "write a size such as 500MiB or 10GiB, or unlimited".to_owned())
}

/// Reads a number of bytes, in powers of 1024 if it has a unit, whatever its spelling.
pub(crate) fn bytes_of(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    number.checked_mul(1 << shift)
}

/// Reads `30d`, `30` or `forever`.
pub(super) fn parse_retention(text: &str) -> Result<RetentionDays, String> {
    if text == "forever" {
        return Ok(RetentionDays(None));
    }
    let days = text.strip_suffix('d').unwrap_or(text).parse();
    let days = days.map(|days| RetentionDays(Some(days)));
    days.map_err(|_| "write a number of days such as 30d, or forever".to_owned())
}

/// Reads `90`, `90s`, `30m`, `24h` or `7d`.
pub(super) fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, seconds_per_unit) = match text.char_indices().next_back() {
        Some((index, 's')) => (text.get(..index), 1),
        Some((index, 'm')) => (text.get(..index), 60),
        Some((index, 'h')) => (text.get(..index), 3_600),
        Some((index, 'd')) => (text.get(..index), 86_400),
        _ => (Some(text), 1),
    };
    let number: Option<u64> = number.and_then(|number| number.parse().ok());
    number
        .and_then(|number| number.checked_mul(seconds_per_unit))
        .map(std::time::Duration::from_secs)
        .ok_or_else(|| "write a duration such as 0s, 30m, 24h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retentions() {
        let cases = [
            ("30d", Some(Some(30))),
            ("7", Some(Some(7))),
            ("forever", Some(None)),
            ("", None),
            ("12h", None),
            ("-1d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                parse_retention(text).ok().map(|days| days.0),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn sizes() {
        let cases = [
            ("10GiB", Some(Some(10 << 30))),
            ("500 mb", Some(Some(500 << 20))),
            ("2T", Some(Some(2 << 40))),
            ("4096", Some(Some(4096))),
            ("unlimited", Some(None)),
            ("", None),
            ("GiB", None),
            ("-1GiB", None),
            ("99999999999TiB", None),
        ];
        for (text, expected) in cases {
            let limit = parse_size(text).ok().map(|limit| limit.0);
            assert_eq!(limit, expected, "{text:?}");
        }
    }

    #[test]
    fn durations() {
        let cases = [
            ("90", Some(90)),
            ("0s", Some(0)),
            ("30m", Some(1_800)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
            ("", None),
            ("h", None),
            ("-1h", None),
            ("1é", None),
            ("99999999999999999999d", None),
        ];
        for (text, expected) in cases {
            let seconds = parse_duration(text).ok().map(|duration| duration.as_secs());
            assert_eq!(seconds, expected, "{text:?}");
        }
    }
}
