//! One line for each event: time, level, source, message, and the rest as `name=value`.

use crate::query::fields::Fields;
use crate::terminal::{Colour, Ink, printable};

/// Appends the line of an event.
pub(crate) fn write(out: &mut String, event: &Fields, colour: Colour) {
    colour.paint(
        out,
        Ink::Dim,
        &printable(event.get("dt").unwrap_or_default()),
    );
    out.push(' ');
    let level = event.get("level").unwrap_or("-");
    let shown = format!("{:<5}", printable(level).to_uppercase());
    colour.paint(out, level_ink(level), &shown);
    out.push(' ');
    colour.paint(
        out,
        Ink::Cyan,
        &printable(event.get("_source").unwrap_or("-")),
    );
    if let Some(message) = event.get("message") {
        out.push(' ');
        out.push_str(&printable(message));
    }
    for (name, value) in event.others() {
        out.push(' ');
        colour.paint(out, Ink::Blue, &printable(name));
        out.push('=');
        colour.paint(out, Ink::Dim, &value_text(value));
    }
    out.push('\n');
}

/// Quoted where it would run into its neighbours.
pub(crate) fn value_text(value: Option<&str>) -> String {
    let Some(value) = value else {
        return "null".into();
    };
    let shown = printable(value);
    let is_json = value.starts_with(['[', '{']);
    if value.is_empty() || (value.contains([' ', '"', '=']) && !is_json) {
        format!("\"{}\"", shown.replace('"', "\\\""))
    } else {
        shown.into_owned()
    }
}

pub(crate) fn level_ink(level: &str) -> Ink {
    match level {
        "fatal" => Ink::BrightRed,
        "error" => Ink::Red,
        "warn" => Ink::Yellow,
        "info" => Ink::Green,
        _ => Ink::Dim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let cases = [
            (
                r#"{"dt":"T","level":"error","message":"no way","s":500,"_id":"i","_source":"web"}"#,
                "T ERROR web no way s=500\n",
            ),
            (
                r#"{"dt":"T","level":null,"message":null,"a":{"b":"x y"},"n":null,"_source":"web"}"#,
                "T -     web a.b=\"x y\" n=null\n",
            ),
            (
                r#"{"dt":"T","level":"info","message":"a\u001b[2Jb","q":"say \"x\"","_source":"w"}"#,
                "T INFO  w a\\u{1b}[2Jb q=\"say \\\"x\\\"\"\n",
            ),
        ];
        for (event, expected) in cases {
            let mut out = String::new();
            write(
                &mut out,
                &Fields::parse(event).expect("an object"),
                Colour::Off,
            );
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn colours_are_by_level() {
        let event = r#"{"dt":"T","level":"error","message":"m","_source":"w"}"#;
        let mut out = String::new();
        write(
            &mut out,
            &Fields::parse(event).expect("an object"),
            Colour::On,
        );
        assert!(out.contains("\x1b[31mERROR\x1b[0m"), "{out:?}");
    }
}
