//! The table that the stages of a query make: its columns are those of the answer, in their order.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::output::columns;
use crate::query::csv::write_row;
use crate::query::lines::value_text;
use crate::query::table::shortened;
use crate::terminal::{Colour, Ink, printable};

/// A row: JSON values by the names of their columns.
pub(crate) type Row = HashMap<String, Box<RawValue>>;

/// Aligned columns under their names: numbers to the right, times without what says nothing.
pub(crate) fn text(names: &[String], rows: &[Row]) -> String {
    let mut lines: Vec<Vec<String>> = vec![Vec::new(); rows.len()];
    let mut headings = Vec::new();
    for name in names {
        let heading = printable(name).into_owned();
        let cells = shown_column(name, rows);
        let width = cells
            .iter()
            .chain([&heading])
            .map(|cell| cell.chars().count())
            .max();
        let is_right = rows.iter().any(|row| is_number(row, name))
            && rows
                .iter()
                .all(|row| is_number(row, name) || value(row, name).is_none());
        let placed = |cell: String| match (is_right, width) {
            (true, Some(width)) => format!("{cell:>width$}"),
            _ => cell,
        };
        headings.push(placed(heading));
        for (line, cell) in lines.iter_mut().zip(cells) {
            line.push(placed(cell));
        }
    }
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    columns(&headings, &lines)
}

/// One line for each row, as `name=value`.
pub(crate) fn lines(names: &[String], rows: &[Row], colour: Colour) -> String {
    let mut out = String::new();
    for row in rows {
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            colour.paint(&mut out, Ink::Blue, &printable(name));
            out.push('=');
            let value = value(row, name);
            colour.paint(&mut out, Ink::Dim, &value_text(value.as_deref()));
        }
        out.push('\n');
    }
    out
}

/// Comma-separated values with a heading.
pub(crate) fn csv(names: &[String], rows: &[Row]) -> String {
    let mut out = String::new();
    write_row(&mut out, names.iter().map(String::as_str));
    for row in rows {
        let cells: Vec<Cow<'_, str>> = names
            .iter()
            .map(|name| value(row, name).unwrap_or_default())
            .collect();
        write_row(&mut out, cells.iter().map(AsRef::as_ref));
    }
    out
}

/// The text of a value, or its JSON where it is no text; `None` for null.
fn value<'r>(row: &'r Row, name: &str) -> Option<Cow<'r, str>> {
    match row.get(name)?.get() {
        "null" => None,
        text if text.starts_with('"') => serde_json::from_str::<String>(text).ok().map(Cow::Owned),
        other => Some(Cow::Borrowed(other)),
    }
}

fn is_number(row: &Row, name: &str) -> bool {
    row.get(name).is_some_and(|value| {
        value
            .get()
            .starts_with(|c: char| c == '-' || c.is_ascii_digit())
    })
}

/// The cells of one column. Its times lose the end that is zero in all of them.
fn shown_column(name: &str, rows: &[Row]) -> Vec<String> {
    let values: Vec<Option<Cow<'_, str>>> = rows.iter().map(|row| value(row, name)).collect();
    let mut times = values.iter().flatten().peekable();
    let are_times = times.peek().is_some() && times.all(|text| is_time(text));
    let end = [":00.000Z", ".000Z", "Z"]
        .into_iter()
        .find(|end| are_times && values.iter().flatten().all(|text| text.ends_with(end)));
    let shown = values.into_iter().map(|value| match (value, end) {
        (None, _) => "-".to_owned(),
        (Some(text), Some(end)) => text
            .strip_suffix(end)
            .unwrap_or(&text)
            .replacen('T', " ", 1),
        (Some(text), None) => shortened(&printable(&text)),
    });
    shown.collect()
}

/// `2026-03-27T10:00:00.000Z`, with any number of decimals, as the server writes times.
fn is_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.";
    let fits = |(byte, shape): (u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        other => byte == *other,
    };
    text.len() > SHAPE.len() && text.bytes().zip(SHAPE).all(fits) && text.ends_with('Z')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> (Vec<String>, Vec<Row>) {
        let names = ["dt", "service", "count()", "first(list)"].map(str::to_owned);
        let rows = [
            r#"{"dt":"2026-03-27T10:00:00.000Z","service":"web, shop","count()":1200,"first(list)":[1,2]}"#,
            r#"{"dt":"2026-03-27T10:05:00.000Z","service":null,"count()":7.5,"first(list)":"7"}"#,
        ];
        let rows = rows.map(|row| serde_json::from_str(row).expect("an object"));
        (names.into(), rows.into())
    }

    #[test]
    fn columns_are_aligned_by_what_they_hold() {
        let (names, rows) = table();
        let expected = "dt                service    count()  first(list)\n\
                        2026-03-27 10:00  web, shop     1200  [1,2]\n\
                        2026-03-27 10:05  -              7.5  7\n";
        assert_eq!(text(&names, &rows), expected);
        assert_eq!(text(&names[2..3], &[]), "count()\n");
    }

    #[test]
    fn times_are_cut_together() {
        let rows = ["2026-03-27T10:00:00.000Z", "2026-03-27T10:05:01.250Z"].map(|time| {
            serde_json::from_str(&format!("{{\"dt\":\"{time}\"}}")).expect("an object")
        });
        let expected = "dt\n2026-03-27 10:00:00.000\n2026-03-27 10:05:01.250\n";
        assert_eq!(text(&["dt".to_owned()], &rows), expected);
    }

    #[test]
    fn comma_separated_and_in_lines() {
        let (names, rows) = table();
        let expected = "dt,service,count(),first(list)\r\n\
                        2026-03-27T10:00:00.000Z,\"web, shop\",1200,\"[1,2]\"\r\n\
                        2026-03-27T10:05:00.000Z,,7.5,7\r\n";
        assert_eq!(csv(&names, &rows), expected);
        let expected = "dt=2026-03-27T10:00:00.000Z service=\"web, shop\" count()=1200 first(list)=[1,2]\n\
                        dt=2026-03-27T10:05:00.000Z service=null count()=7.5 first(list)=7\n";
        assert_eq!(lines(&names, &rows, Colour::Off), expected);
    }
}
