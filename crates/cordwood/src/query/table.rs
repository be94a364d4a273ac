//! Events in columns: time, level, source, message, and all other fields in the last one.

use std::fmt::Write;

use crate::output::columns;
use crate::query::fields::Fields;

/// A message longer than this would push the rest off the screen.
const CELL_CHARS_MAX: usize = 80;

/// The whole table.
pub(crate) fn text(events: &[Fields]) -> String {
    let rows: Vec<Vec<String>> = events.iter().map(row).collect();
    columns(&["DT", "LEVEL", "SOURCE", "MESSAGE", "FIELDS"], &rows)
}

fn row(event: &Fields) -> Vec<String> {
    let mut others = String::new();
    for (name, value) in event.others() {
        let space = if others.is_empty() { "" } else { " " };
        let _ = write!(others, "{space}{name}={}", value.unwrap_or("null"));
    }
    let cell = |name: &str| shortened(event.get(name).unwrap_or("-"));
    vec![
        cell("dt"),
        cell("level"),
        cell("_source"),
        cell("message"),
        shortened(&others),
    ]
}

/// The beginning of a long text.
pub(crate) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(CELL_CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table() {
        let events = [
            r#"{"dt":"T1","level":"info","message":"m","a":1,"b":"x","_source":"web"}"#,
            r#"{"dt":"T2","level":null,"message":null,"_source":"web"}"#,
        ];
        let events = events.map(|event| Fields::parse(event).expect("an object"));
        let expected = "DT  LEVEL  SOURCE  MESSAGE  FIELDS\n\
                        T1  info   web     m        a=1 b=x\n\
                        T2  -      web     -\n";
        assert_eq!(text(&events), expected);
    }
}
