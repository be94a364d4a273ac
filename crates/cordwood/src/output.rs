//! Writing to standard output: JSON, aligned columns, and a quiet end when the reader has gone.

use std::io::{self, Write, stdout};

use serde_json::Value;

use crate::failure::{Failure, cannot};
use crate::terminal::printable;

/// Writes text to standard output. A reader that has seen enough (`| head`) is no failure: the
/// process ends there, as other tools do.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    write_bytes(text.as_bytes())
}

/// The same for what may be no text.
pub(crate) fn write_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(cannot("write to standard output", &error)),
    }
}

/// Writes a value as JSON, to be read by people too.
pub(crate) fn write_json(value: &Value) -> Result<(), Failure> {
    write(&format!("{value:#}\n"))
}

/// Rows under their headings, each column as wide as its widest cell.
pub(crate) fn columns(headings: &[&str], rows: &[Vec<String>]) -> String {
    let headings: Vec<String> = headings.iter().map(|&heading| heading.into()).collect();
    let mut widths = vec![0; headings.len()];
    let all: Vec<Vec<String>> = std::iter::once(&headings)
        .chain(rows)
        .map(|row| {
            row.iter()
                .map(|cell| printable(cell).into_owned())
                .collect()
        })
        .collect();
    for row in &all {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in &all {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> = cells
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// An attribute of a REST record as a cell.
pub(crate) fn cell(record: &Value, attribute: &str) -> String {
    match &record["attributes"][attribute] {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A number of bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5 << 30, "5.0 GiB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [
            vec!["1".into(), "web".into(), "x".into()],
            vec!["22".into(), "é".into(), String::new()],
        ];
        let expected = "ID  NAME  Z\n1   web   x\n22  é\n";
        assert_eq!(columns(&["ID", "NAME", "Z"], &rows), expected);
    }
}
