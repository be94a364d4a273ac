//! A mistake in a query, shown in the query: the line it is in, and a mark under it.

use serde_json::Value;

use crate::failure::Failure;
use crate::terminal::printable;

/// Adds to a failure of the server where in the query the mistakes are, if it said so.
pub(crate) fn point_out(failure: Failure, query: &str) -> Failure {
    let answer = failure.to_json();
    let diagnostics = answer["diagnostics"].as_array();
    let marks: Vec<String> = diagnostics
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, diagnostic)| marked(query, index, diagnostic))
        .collect();
    if marks.is_empty() {
        failure
    } else {
        failure.detail(marks.join("\n"))
    }
}

/// The same for an error that has one place only.
pub(crate) fn point_at(failure: Failure, text: &str) -> Failure {
    match marked(text, 0, &failure.to_json()) {
        Some(mark) => failure.detail(mark),
        None => failure,
    }
}

/// The message of the first is the sentence of the failure itself.
fn marked(query: &str, index: usize, diagnostic: &Value) -> Option<String> {
    let offset = |name: &str| usize::try_from(diagnostic["position"][name].as_u64()?).ok();
    let (line, mark) = mark(query, offset("start")?, offset("end")?)?;
    let message = match index {
        0 => "",
        _ => diagnostic["message"].as_str().unwrap_or_default(),
    };
    let mark = format!("{mark} {}", printable(message));
    Some(format!("{line}\n{}", mark.trim_end()))
}

/// The line of `query` that holds byte `start`, and a line to print below it that marks the bytes to
/// `end`. `None` when they are no part of the query.
fn mark(query: &str, start: usize, end: usize) -> Option<(String, String)> {
    let before = query.get(..start)?;
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    let line = query.get(line_start..)?.lines().next().unwrap_or_default();
    let line_end = line_start + line.len();
    let width = |from: usize, to: usize| {
        let text = query.get(from..to)?;
        Some(printable(text).chars().count())
    };
    let start = start.min(line_end);
    let indent = width(line_start, start)?;
    let marked = width(start, end.clamp(start, line_end))?;
    let mark = format!("{}{}", " ".repeat(indent), "^".repeat(marked.max(1)));
    Some((printable(line).into_owned(), mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks() {
        let cases = [
            ("a AND )", 6, 7, Some(("a AND )", "      ^"))),
            ("level:eror x", 6, 10, Some(("level:eror x", "      ^^^^"))),
            ("é:ü", 3, 5, Some(("é:ü", "  ^"))),
            ("a\nb OR", 2, 6, Some(("b OR", "^^^^"))),
            ("(a", 2, 2, Some(("(a", "  ^"))),
            ("", 0, 0, Some(("", "^"))),
            ("a\nb", 0, 3, Some(("a", "^"))),
            ("é", 1, 2, None),
            ("a", 5, 6, None),
        ];
        for (query, start, end, expected) in cases {
            let expected = expected.map(|(line, mark)| (line.to_owned(), mark.to_owned()));
            assert_eq!(
                mark(query, start, end),
                expected,
                "{query:?} {start}..{end}"
            );
        }
    }
}
