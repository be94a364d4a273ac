//! Events as comma-separated values, RFC 4180: a column for each field that any of them has.

use std::collections::HashSet;

use crate::query::fields::Fields;

/// The whole text, with a heading.
pub(crate) fn text(events: &[Fields]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut seen = HashSet::new();
    for (name, _) in events.iter().flat_map(Fields::iter) {
        if seen.insert(name) {
            names.push(name);
        }
    }
    let mut out = String::new();
    if names.is_empty() {
        return out;
    }
    write_row(&mut out, names.iter().copied());
    for event in events {
        let cells = names.iter().map(|name| event.get(name).unwrap_or_default());
        write_row(&mut out, cells);
    }
    out
}

/// Appends a row, its cells quoted where they must be.
pub(crate) fn write_row<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_of_all_events() {
        let cases: [(&[&str], &str); 3] = [
            (&[], ""),
            (
                &[
                    r#"{"dt":"T","a":"x,y"}"#,
                    r#"{"dt":"U","b":{"c":"say \"z\""}}"#,
                ],
                "dt,a,b.c\r\nT,\"x,y\",\r\nU,,\"say \"\"z\"\"\"\r\n",
            ),
            (&[r#"{"a":"l1\nl2","n":null}"#], "a,n\r\n\"l1\nl2\",\r\n"),
        ];
        for (events, expected) in cases {
            let events: Vec<Fields> = events
                .iter()
                .map(|event| Fields::parse(event).expect("an object"))
                .collect();
            assert_eq!(text(&events), expected);
        }
    }
}
