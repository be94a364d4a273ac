//! Whole events as lines of JSON, as a search gives them.

use cordwood_engine::{Gather, ScannedRows, Unread};
use cordwood_event::json;

use super::rows::Rows;

/// Makes the lines.
pub(super) struct EventLines;

impl Gather for EventLines {
    type Gathered = Rows;

    fn gather(&self, rows: &ScannedRows<'_>) -> Result<Rows, Unread> {
        let source_name = &rows.source().name;
        let mut lines = Rows::with_capacity(rows.len());
        rows.each_event(&mut |event| {
            json::write_event(&mut lines.text, event, source_name);
            lines.text.push('\n');
            lines.end_row(event.id);
        })?;
        Ok(lines)
    }
}
