//! Rows of chosen fields as text: objects of JSON, or comma-separated values.

use std::fmt::Write as _;

use cordwood_engine::{Cell, Gather, ScannedRows, Unread};
use cordwood_event::{Scalar, json};

use super::format::Formulas;
use super::rows::Rows;

/// How cells are written.
#[derive(Clone, Copy, Debug)]
enum CellStyle {
    Json,
    Csv(Formulas),
}

/// How rows are written: what stands before each cell and behind the last.
#[derive(Clone, Debug)]
pub(super) struct RowStyle {
    before: Vec<String>,
    end: &'static str,
    cells: CellStyle,
    heading: String,
}

impl RowStyle {
    /// `{"a":1,"b":null}` and a line feed.
    pub(super) fn json(names: &[String]) -> RowStyle {
        let before = names.iter().enumerate().map(|(index, name)| {
            let mut before = String::from(if index == 0 { "{" } else { "," });
            json::write_string(&mut before, name);
            before.push(':');
            before
        });
        RowStyle {
            before: before.collect(),
            end: match names {
                [] => "{}\n",
                _ => "}\n",
            },
            cells: CellStyle::Json,
            heading: String::new(),
        }
    }

    /// RFC 4180, with a heading. Nothing stands for what is absent or null, `""` for an empty text.
    pub(super) fn csv(names: &[String], formulas: Formulas) -> RowStyle {
        let mut style = RowStyle {
            before: vec![",".to_owned(); names.len()],
            end: "\r\n",
            cells: CellStyle::Csv(formulas),
            heading: String::new(),
        };
        if let Some(first) = style.before.first_mut() {
            first.clear();
        }
        let mut heading = String::new();
        for (name, before) in names.iter().zip(&style.before) {
            heading.push_str(before);
            write_csv_text(&mut heading, name, formulas);
        }
        heading.push_str(style.end);
        style.heading = heading;
        style
    }

    /// What comes before all rows.
    pub(super) fn heading(&self) -> &str {
        &self.heading
    }

    /// Appends a row of a table.
    pub(super) fn write_row(&self, out: &mut String, row: &[Cell]) {
        for (before, cell) in self.before.iter().zip(row) {
            out.push_str(before);
            match cell {
                Cell::Null => self.cells.write(out, None),
                Cell::Bool(boolean) => self.cells.write(out, Some(Scalar::Bool(*boolean))),
                Cell::Float(float) => self.cells.write(out, Some(Scalar::Float(*float))),
                Cell::Str(text) => self.cells.write(out, Some(Scalar::Str(text))),
                Cell::Json(text) => self.cells.write(out, Some(Scalar::Json(text))),
                Cell::Time(time) => {
                    let text = time.to_string();
                    self.cells.write(out, Some(Scalar::Str(&text)));
                }
                Cell::Int(integer) => {
                    let _ = write!(out, "{integer}");
                }
            }
        }
        out.push_str(self.end);
    }
}

impl CellStyle {
    fn write(self, out: &mut String, value: Option<Scalar<'_>>) {
        match (self, value) {
            (CellStyle::Json, value) => json::write_value(out, value.unwrap_or(Scalar::Null)),
            (CellStyle::Csv(_), None | Some(Scalar::Null)) => {}
            (CellStyle::Csv(formulas), Some(Scalar::Str(text))) => {
                write_csv_text(out, text, formulas);
            }
            // An array or object begins with a bracket: no formula, but full of quotes.
            (CellStyle::Csv(_), Some(Scalar::Json(text))) => {
                write_csv_text(out, text, Formulas::Keep);
            }
            (CellStyle::Csv(_), Some(number)) => json::write_value(out, number),
        }
    }
}

/// Appends a text, quoted where it must be, and guarded if it could be a formula.
fn write_csv_text(out: &mut String, text: &str, formulas: Formulas) {
    let guard = match formulas {
        Formulas::Guard if is_formula(text) => "'",
        _ => "",
    };
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(guard);
        for (index, piece) in text.split('"').enumerate() {
            out.push_str(if index > 0 { "\"\"" } else { "" });
            out.push_str(piece);
        }
        out.push('"');
    } else {
        out.push_str(guard);
        out.push_str(text);
    }
}

/// Whether spreadsheets may take a text for a formula (OWASP, "CSV Injection"); a number with a sign is none.
fn is_formula(text: &str) -> bool {
    let begins = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let is_numeric = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    let is_number = || text.bytes().all(is_numeric) && text.parse::<f64>().is_ok();
    text.starts_with(begins) && !is_number()
}

/// Makes the rows of chosen fields.
pub(super) struct FieldRows {
    pub(super) style: RowStyle,
}

impl Gather for FieldRows {
    type Gathered = Rows;

    /// Columns are read one after the other, so that the cells of each are written first, and rows are made of these.
    fn gather(&self, rows: &ScannedRows<'_>) -> Result<Rows, Unread> {
        let mut columns = Vec::with_capacity(self.style.before.len());
        for field in 0..self.style.before.len() {
            let (mut text, mut ends) = (String::new(), Vec::with_capacity(rows.len()));
            rows.each_value(field, &mut |value| {
                self.style.cells.write(&mut text, value);
                ends.push(text.len());
            })?;
            columns.push((text, ends));
        }
        let mut written = Rows::with_capacity(rows.len());
        let mut starts = vec![0; columns.len()];
        let mut row = 0;
        rows.each_id(&mut |id| {
            let cells = columns.iter().zip(&self.style.before).zip(&mut starts);
            for (((text, ends), before), start) in cells {
                let end = ends.get(row).copied().unwrap_or(*start);
                written.text.push_str(before);
                written
                    .text
                    .push_str(text.get(*start..end).unwrap_or_default());
                *start = end;
            }
            written.text.push_str(self.style.end);
            written.end_row(id, written.text.len());
            row += 1;
        });
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn row(style: &RowStyle, cells: &[Cell]) -> String {
        let mut out = String::new();
        style.write_row(&mut out, cells);
        out
    }

    fn text(text: &str) -> Cell {
        Cell::Str(text.into())
    }

    #[test]
    fn rows_of_json() {
        let style = RowStyle::json(&names(&["a", "b\"c"]));
        assert_eq!(
            row(&style, &[Cell::Int(1), text("x")]),
            "{\"a\":1,\"b\\\"c\":\"x\"}\n"
        );
        assert_eq!(
            row(&style, &[Cell::Null, Cell::Json("[1]".into())]),
            "{\"a\":null,\"b\\\"c\":[1]}\n"
        );
        assert_eq!(row(&RowStyle::json(&[]), &[]), "{}\n");
    }

    #[test]
    fn cells_of_csv() {
        let cases = [
            (Cell::Null, ""),
            (text(""), "\"\""),
            (text("plain é"), "plain é"),
            (text("a,b"), "\"a,b\""),
            (text("say \"x\""), "\"say \"\"x\"\"\""),
            (text("l1\nl2"), "\"l1\nl2\""),
            (Cell::Int(-5), "-5"),
            (Cell::Float(-0.5), "-0.5"),
            (Cell::Bool(true), "true"),
            (Cell::Json("[\"=x\",1]".into()), "\"[\"\"=x\"\",1]\""),
            (text("=1+2"), "'=1+2"),
            (text("@SUM(A1)"), "'@SUM(A1)"),
            (text("+44 20"), "'+44 20"),
            (text("-x"), "'-x"),
            (text("-12.5e3"), "-12.5e3"),
            (text("\t=x"), "'\t=x"),
            (text("\r=x"), "\"'\r=x\""),
            (text("=HYPERLINK(\"u\")"), "\"'=HYPERLINK(\"\"u\"\")\""),
            (text("＝1"), "'＝1"),
            (text("a=b"), "a=b"),
        ];
        let guarding = RowStyle::csv(&names(&["a"]), Formulas::Guard);
        for (cell, expected) in cases {
            let written = row(&guarding, std::slice::from_ref(&cell));
            assert_eq!(written, format!("{expected}\r\n"), "{cell:?}");
        }
        let keeping = RowStyle::csv(&names(&["a"]), Formulas::Keep);
        assert_eq!(row(&keeping, &[text("=1+2")]), "=1+2\r\n");
    }

    #[test]
    fn headings_are_cells_too() {
        let style = RowStyle::csv(&names(&["dt", "=x", "a,b"]), Formulas::Guard);
        assert_eq!(style.heading(), "dt,'=x,\"a,b\"\r\n");
        assert_eq!(RowStyle::json(&names(&["dt"])).heading(), "");
    }
}
