//! Whole events as lines of JSON, as a search gives them.

use cordwood_engine::{Gather, ScannedRows, Unread};

use super::rows::Rows;

/// Makes the lines.
pub(super) struct EventLines;

impl Gather for EventLines {
    type Gathered = Rows;

    fn gather(&self, rows: &ScannedRows<'_>) -> Result<Rows, Unread> {
        let mut lines = Rows::with_capacity(rows.len());
        let mut text = String::new();
        rows.write_each(&mut text, &mut |id, text| {
            text.push('\n');
            lines.end_row(id, text.len());
        })?;
        lines.text = text;
        Ok(lines)
    }
}
