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

#[test]
fn text_pasted_from_a_log_may_look_like_a_field() {
    check(
        "error: could open",
        &[(
            "error:",
            "To search for text that holds a colon, write it in quotes.",
        )],
    );
    for query in [
        "error:could",
        "error : could",
        "level: error",
        "message: x",
        "dt: 2026-03-27",
    ] {
        check(query, &[]);
    }
}

#[test]
fn what_looks_like_an_operator_but_is_text_has_a_hint() {
    check(
        "level:!error",
        &[("!error", "Did you mean `NOT level:error`?")],
    );
    check(
        "ip!=10.0.0.0/8",
        &[(
            "10.0.0.0/8",
            "For the addresses in it write `ip:10.0.0.0/8`.",
        )],
    );
    check(
        "host:(web-1, web-2)",
        &[("(web-1, web-2)", "Did you mean `host:in(web-1, web-2)`?")],
    );
    check(
        "d:>5s",
        &[("5s", "Write the number alone, in the unit of the field.")],
    );
    check(
        "d:<=1,000.5KB",
        &[(
            "1,000.5KB",
            "Write the number alone, in the unit of the field.",
        )],
    );
    check(
        "path:/api/",
        &[("/api/", "To search for the path write `\"/api/\"`.")],
    );
    check(
        "/var/",
        &[("/var/", "To search for the path write `\"/var/\"`.")],
    );
    for query in [
        "level:!!",
        "m:(\"a, b\")",
        "v:>=1.2.3",
        "v:>=v5",
        "d:>5",
        "m:/a[b]/",
        "m=~/a/",
        "m:/a/i",
        "ip=10.0.0.1",
    ] {
        check(query, &[]);
    }
}
