//! Numbers and lengths of time as people read them.

use crate::Value;

/// A number with as many digits as tell something: `12 345`, `7.23`, `0.0123`.
pub fn number(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() || size >= 1e15 || (size > 0.0 && size < 1e-6) {
        return format!("{number:.2e}");
    }
    let decimals = match size {
        0.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 => 3,
        size if size >= 0.01 => 4,
        size if size >= 0.001 => 5,
        _ => 8,
    };
    let text = format!("{number:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    grouped(text)
}

/// Puts a space between thousands, from 10 000 on.
fn grouped(text: &str) -> String {
    let (whole, decimals) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits = whole.trim_start_matches('-').len();
    if digits < 5 {
        return text.to_owned();
    }
    let mut grouped = String::with_capacity(text.len() + digits / 3);
    for (index, c) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if left.is_multiple_of(3) && index > whole.len() - digits {
            grouped.push(' ');
        }
        grouped.push(c);
    }
    grouped + decimals
}

/// A value: a number as [`number()`] writes it, a text as it is.
pub fn value(value: &Value) -> String {
    match value {
        Value::Number(of) => number(*of),
        Value::Text(text) => text.clone(),
    }
}

/// A length of time in its two greatest units: `45 s`, `10 min`, `2 h 5 min`, `3 d`.
pub fn duration(nanos: i64) -> String {
    const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut left = nanos.max(0) / 1_000_000_000;
    let mut parts: Vec<String> = Vec::new();
    for (unit, seconds) in UNITS {
        let count = left / seconds;
        if count == 0 && !parts.is_empty() {
            break;
        }
        if count > 0 {
            parts.push(format!("{count} {unit}"));
            left -= count * seconds;
        }
        if parts.len() == 2 {
            break;
        }
    }
    match parts.is_empty() {
        true => "0 s".to_owned(),
        false => parts.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_tell_something() {
        for (value, expected) in [
            (0.0, "0"),
            (5.0, "5"),
            (-5.0, "-5"),
            (7.234, "7.23"),
            (7.201, "7.2"),
            (0.012_34, "0.0123"),
            (0.000_12, "0.00012"),
            (1234.0, "1234"),
            (12345.0, "12 345"),
            (-1_234_567.25, "-1 234 567.2"),
            (123_456.0, "123 456"),
            (-123_456.0, "-123 456"),
            (100.04, "100"),
            (1e18, "1.00e18"),
            (1e-9, "1.00e-9"),
        ] {
            assert_eq!(number(value), expected, "{value}");
        }
    }

    #[test]
    fn lengths_have_two_units_at_most() {
        for (seconds, expected) in [
            (0, "0 s"),
            (45, "45 s"),
            (60, "1 min"),
            (90, "1 min 30 s"),
            (600, "10 min"),
            (7_500, "2 h 5 min"),
            (7_201, "2 h"),
            (266_461, "3 d 2 h"),
            (-5, "0 s"),
        ] {
            assert_eq!(duration(seconds * 1_000_000_000), expected, "{seconds}");
        }
    }
}
