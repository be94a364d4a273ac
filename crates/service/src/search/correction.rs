//! A query that is not in the language, as it may have been meant: the mistakes that people and agents make most, mended.

use std::ops::Range;

/// Mistakes mended in one query at most.
const REPAIRS_MAX: usize = 4;

/// Longer queries are not guessed at: each attempt parses them anew.
const QUERY_BYTES_MAX: usize = 4 << 10;

/// A query near to `query` that parses; `None` if it parses as it is, or nothing tried does. It is a guess, to be shown and never run
/// unasked.
pub fn corrected_query(query: &str) -> Option<String> {
    if query.len() > QUERY_BYTES_MAX {
        return None;
    }
    let mut corrected = query.to_owned();
    for _ in 0..REPAIRS_MAX {
        let problems = match cordwood_query::parse(&corrected) {
            Ok(_) => return (corrected != query).then_some(corrected),
            Err(problems) => problems.0,
        };
        let problem = problems.into_iter().next()?;
        let candidates = candidates(&corrected, &problem.span, problem.hint.as_deref());
        let mends = |candidate: &String| cordwood_query::parse(candidate).is_ok();
        let mended = candidates.iter().find(|candidate| mends(candidate));
        // Where none mends all, the first may mend this one and leave the next to the next round.
        corrected = mended.or(candidates.first())?.clone();
    }
    let is_mended = cordwood_query::parse(&corrected).is_ok();
    is_mended.then_some(corrected)
}

/// Ways to mend the first problem, the likeliest first.
fn candidates(query: &str, span: &Range<usize>, hint: Option<&str>) -> Vec<String> {
    let mut candidates = Vec::new();
    if let Some(meant) = hint.and_then(meant_by) {
        candidates.extend(replaced(query, span, meant));
    }
    for (wrong, right) in FOREIGN {
        if query.contains(wrong) {
            candidates.push(query.replace(wrong, right));
        }
    }
    candidates.extend(without_dangling(query));
    let closings = unclosed(query);
    candidates.extend(closings.map(|closing| format!("{query}{closing}")));
    if let Some(word) = word_around(query, span) {
        let quoted = query.get(word.clone()).unwrap_or_default().replace('"', "");
        candidates.extend(replaced(query, &word, &format!("\"{quoted}\"")));
        candidates.extend(replaced(query, &word, ""));
    }
    candidates.extend(replaced(query, span, ""));
    candidates.retain(|candidate| candidate != query && !candidate.trim().is_empty());
    candidates
}

/// The query without an operator at its end that has nothing behind it.
fn without_dangling(query: &str) -> Option<String> {
    let rest = ["AND", "OR", "NOT", "|"]
        .into_iter()
        .find_map(|operator| query.trim_end().strip_suffix(operator))?;
    Some(rest.trim_end().to_owned())
}

/// What was opened and never closed.
fn unclosed(query: &str) -> impl Iterator<Item = char> {
    let count = |character: char| query.matches(character).count();
    let is_odd = |character: char| !count(character).is_multiple_of(2);
    let open = [
        ('"', is_odd('"')),
        (')', count('(') > count(')')),
        (']', count('[') > count(']')),
        ('/', is_odd('/')),
    ];
    open.into_iter()
        .filter(|(_, is_open)| *is_open)
        .map(|(closing, _)| closing)
}

/// What other languages write: SQL, KQL, LogQL.
const FOREIGN: [(&str, &str); 4] = [
    ("<>", "!="),
    (" AND AND ", " AND "),
    ("| by ", "by "),
    ("'", "\""),
];

/// The text in `Did you mean `x`?`.
fn meant_by(hint: &str) -> Option<&str> {
    let (_, rest) = hint.split_once("id you mean `")?;
    rest.split_once('`').map(|(meant, _)| meant)
}

fn replaced(query: &str, span: &Range<usize>, with: &str) -> Option<String> {
    let (before, after) = (query.get(..span.start)?, query.get(span.end..)?);
    Some(format!("{before}{with}{after}").trim().to_owned())
}

/// The word, by whitespace, in which the span begins.
fn word_around(query: &str, span: &Range<usize>) -> Option<Range<usize>> {
    let (before, after) = (query.get(..span.start)?, query.get(span.start..)?);
    let start = before
        .char_indices()
        .rev()
        .find(|(_, character)| character.is_whitespace())
        .map_or(0, |(index, space)| index + space.len_utf8());
    let end = after.find(char::is_whitespace).unwrap_or(after.len());
    let word = start..span.start + end;
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections() {
        let cases = [
            ("level:error", None),
            ("status==500", None),
            (
                "level:error AND \"connection refused",
                Some("level:error AND \"connection refused\""),
            ),
            (
                "(level:error OR level:fatal",
                Some("(level:error OR level:fatal)"),
            ),
            ("level:error AND", Some("level:error")),
            ("status<>500", Some("status!=500")),
        ];
        let found = cases.map(|(query, _)| (query, corrected_query(query)));
        let expected = cases.map(|(query, corrected)| (query, corrected.map(str::to_owned)));
        assert_eq!(found, expected);
    }

    /// Whatever is offered is in the language.
    #[test]
    fn what_is_offered_parses() {
        let broken = [
            "((((",
            "a:",
            "level:[1 TO",
            "| stats",
            "a | stats coun() by b",
            "\"",
            "a:/(/",
            "🦀:",
        ];
        for query in broken {
            if let Some(corrected) = corrected_query(query) {
                assert!(
                    cordwood_query::parse(&corrected).is_ok(),
                    "{query}: {corrected}"
                );
            }
        }
    }
}
