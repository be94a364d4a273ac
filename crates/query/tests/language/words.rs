//! What is said of a good query all the same.

use cordwood_query::parse;

fn check(query: &str, expected: &[(&str, &str)]) {
    let parsed = parse(query).unwrap_or_else(|diagnostics| panic!("{query}: {diagnostics}"));
    let said: Vec<_> = parsed
        .hints
        .iter()
        .map(|hint| {
            (
                &query[hint.span.clone()],
                hint.hint.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(said, expected, "{query}");
}

#[test]
fn lower_case_operators_are_words_with_a_hint() {
    check("a and b", &[("and", "Did you mean `AND`?")]);
    check(
        "a or not b",
        &[("or", "Did you mean `OR`?"), ("not", "Did you mean `NOT`?")],
    );
    check("level:(error or fatal)", &[("or", "Did you mean `OR`?")]);
    check("\"and\" android", &[]);
    check("a AND b", &[]);
}

#[test]
fn a_pattern_after_equals_is_text_with_a_hint() {
    check(
        "host=prod-*",
        &[("prod-*", "For a pattern write `host:prod-*`.")],
    );
    check("host=\"prod-*\"", &[]);
    check("host:prod-*", &[]);
}
