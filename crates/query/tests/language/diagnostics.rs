//! What is said of bad queries: the text it is about, the message and the hint.

use std::ops::Range;

use cordwood_query::{limits, parse};

pub(crate) fn check(query: &str, expected: &[(&str, &str, &str)]) {
    let diagnostics = match parse(query) {
        Ok(parsed) => panic!("{query} is good: {}", parsed.query),
        Err(diagnostics) => diagnostics.0,
    };
    let said: Vec<_> = diagnostics
        .iter()
        .map(|said| {
            (
                &query[said.span.clone()],
                &*said.message,
                said.hint.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(said, expected, "{query}");
}

fn span_of(query: &str) -> Range<usize> {
    parse(query).unwrap_err().0[0].span.clone()
}

#[test]
fn spans_are_of_bytes() {
    assert_eq!(span_of("é (a"), 3..4);
    assert_eq!(span_of("é level:"), 3..9);
    assert_eq!(span_of("a \"é"), 2..3);
    assert_eq!(span_of("m:/é[/"), 5..6);
}

#[test]
fn unclosed() {
    check(
        "a \"b c",
        &[(
            "\"",
            "This quote is never closed.",
            "Add `\"` where the phrase ends, or write `\\\"` to search for the character.",
        )],
    );
    check(
        "(a OR b",
        &[(
            "(",
            "This parenthesis is never closed.",
            "Add `)` where the group ends, or write `\\(` to search for the character.",
        )],
    );
    check(
        "a:(b",
        &[(
            "(",
            "This parenthesis is never closed.",
            "Add `)` where the group ends, or write `\\(` to search for the character.",
        )],
    );
    check(
        "(",
        &[(
            "(",
            "This parenthesis is never closed.",
            "Add `)` where the group ends, or write `\\(` to search for the character.",
        )],
    );
    check(
        "m:/took [0-9]+ms",
        &[(
            "/",
            "This regular expression is never closed.",
            "Add `/` where it ends, with `\\/` for a slash inside; or write a path in quotes.",
        )],
    );
    check(
        "m=~/abc",
        &[(
            "/",
            "This regular expression is never closed.",
            "Add `/` where it ends, with `\\/` for a slash inside; or write a path in quotes.",
        )],
    );
    check(
        "a:in(b, c",
        &[(
            "in(",
            "This list is never closed.",
            "Add `)` where it ends.",
        )],
    );
    check(
        "a:[1 TO 5",
        &[(
            "[1 TO 5",
            "This range is incomplete.",
            "Write `[a TO b]`, with `{` and `}` to leave an end out and `*` for no end; or put the text in quotes.",
        )],
    );
}

#[test]
fn missing_values() {
    check(
        "level:NOT error",
        &[(
            "level:",
            "`level:` has no value.",
            "To exclude a value, write `NOT level:…`.",
        )],
    );
    check(
        "level:",
        &[(
            "level:",
            "`level:` has no value.",
            "To find events that have the field, write `level:*`.",
        )],
    );
    check(
        "level: AND b",
        &[(
            "level:",
            "`level:` has no value.",
            "Write `\"AND\"` in quotes if that is the value.",
        )],
    );
    check(
        "(a=)",
        &[(
            "a=",
            "`a=` has no value.",
            "To find events that have the field, write `a:*`.",
        )],
    );
    check(
        "a:>",
        &[(
            "",
            "A value is missing here.",
            "Write a word, a phrase in quotes, or `*` for any value.",
        )],
    );
    check(
        "a:in(b,)",
        &[(
            "in(b,)",
            "A value is missing in this list.",
            "Write the values with commas between them, as in `in(500, 502)`.",
        )],
    );
    check(
        "a:in()",
        &[(
            "in()",
            "A value is missing in this list.",
            "Write the values with commas between them, as in `in(500, 502)`.",
        )],
    );
    check(
        "a:in(b c)",
        &[(
            "c",
            "The values of a list are separated by commas.",
            "Put a comma here, or quotes around a value that holds spaces.",
        )],
    );
    check(
        "a:>*",
        &[(
            "*",
            "A comparison needs a value to compare with.",
            "Write a number, a time or a text, as in `status:>=500`.",
        )],
    );
    check(
        "a:&&b",
        &[(
            "a:",
            "`a:` has no value.",
            "Write `\"&&\"` in quotes if that is the value.",
        )],
    );
}

#[test]
fn stray_operators() {
    check(
        "AND a",
        &[(
            "AND",
            "`AND` has nothing on its left.",
            "Remove it, or write `\"AND\"` to search for it.",
        )],
    );
    check(
        "a AND",
        &[(
            "AND",
            "`AND` has nothing on its right.",
            "Remove it, or write `\"AND\"` to search for it.",
        )],
    );
    check(
        "a OR OR b",
        &[(
            "OR",
            "`OR` has nothing on its left.",
            "Remove it, or write `\"OR\"` to search for it.",
        )],
    );
    check(
        "a AND AND b",
        &[(
            "AND",
            "`AND` has nothing on its left.",
            "Remove it, or write `\"AND\"` to search for it.",
        )],
    );
    check(
        "a ||",
        &[(
            "||",
            "`||` has nothing on its right.",
            "Remove it, or write `\"||\"` to search for it.",
        )],
    );
    check(
        "NOT",
        &[(
            "NOT",
            "`NOT` has nothing on its right.",
            "Remove it, or write `\"NOT\"` to search for it.",
        )],
    );
    check(
        "a NOT OR b",
        &[(
            "NOT",
            "`NOT` has nothing on its right.",
            "Remove it, or write `\"NOT\"` to search for it.",
        )],
    );
    check(
        "failed - retrying",
        &[(
            "-",
            "This `-` stands alone.",
            "Put it right before what to exclude, as in `-word`, or write `\"-\"` to search for it.",
        )],
    );
    check(
        "a )",
        &[(
            ")",
            "This parenthesis closes nothing.",
            "Remove it, or write it in quotes to search for it.",
        )],
    );
    check(
        "main()",
        &[(
            "()",
            "These parentheses are empty.",
            "Remove them, or write them in quotes to search for them.",
        )],
    );
    check(
        ":b",
        &[(
            ":",
            "`:` has no field before it.",
            "Write `field:value`, or put the text in quotes to search for it.",
        )],
    );
    check(
        ">= 5",
        &[(
            ">=",
            "`>=` has no field before it.",
            "Write `field>=value`, or put the text in quotes to search for it.",
        )],
    );
    check(
        "a => 5",
        &[("=>", "`=>` is not an operator.", "Did you mean `>=`?")],
    );
    check(
        "a <> 5",
        &[("<>", "`<>` is not an operator.", "Did you mean `!=`?")],
    );
    check(
        "[1 TO 5]",
        &[(
            "[1 TO 5]",
            "A range has no field before it.",
            "Write `field:[a TO b]`, or put the text in quotes to search for it.",
        )],
    );
    check(
        "a\\",
        &[(
            "\\",
            "The backslash at the end escapes nothing.",
            "Remove it, or write `\\\\` to search for the character.",
        )],
    );
    check(
        "\"a\"b",
        &[(
            "b",
            "Text follows the closing quote without a space.",
            "Put a space between them, or write `\\\"` for a quote inside the phrase.",
        )],
    );
    check(
        "a\"b\"",
        &[(
            "\"",
            "A quote begins in the middle of a word.",
            "Put a space before it, or write `\\\"` to search for the character.",
        )],
    );
    check(
        "ho*t:x",
        &[(
            "ho*t",
            "A field's name cannot have wildcards.",
            "Write out the field's name; in quotes, as in `\"ho*t\":…`, if it holds the character itself.",
        )],
    );
    check(
        "\"\"",
        &[(
            "\"\"",
            "An empty phrase is in every text.",
            "Write `*` for all events, or `field=\"\"` for a field that is empty.",
        )],
    );
}

#[test]
fn regular_expressions() {
    check(
        "m:/a(b/",
        &[(
            "(",
            "The regular expression is invalid: unclosed group.",
            "To search for the text as it is, write it in quotes.",
        )],
    );
    check(
        "m:/a[z-a]b/",
        &[(
            "z-a",
            "The regular expression is invalid: invalid character class range, the start must be <= the end.",
            "To search for the text as it is, write it in quotes.",
        )],
    );
    check(
        r"m:/a\/b\q/",
        &[(
            r"\q",
            "The regular expression is invalid: unrecognized escape sequence.",
            "To search for the text as it is, write it in quotes.",
        )],
    );
    check(
        r"m:/\p{Nope}/",
        &[(
            r"\p{Nope}",
            "The regular expression is invalid: Unicode property not found.",
            "To search for the text as it is, write it in quotes.",
        )],
    );
    check(
        "m=~\"*\"",
        &[(
            "*",
            "The regular expression is invalid: repetition operator missing expression.",
            "To search for the text as it is, write it in quotes.",
        )],
    );
    check(
        "m:/a.*b/gs",
        &[(
            "gs",
            "`gs` is not a flag of a regular expression.",
            "The only flag is `i`; others are written inside, as in `/(?s)a.b/`.",
        )],
    );
}

#[test]
fn values_that_are_none() {
    for (time, meant) in [
        ("-1h", "now-1h"),
        ("5m", "now-5m"),
        ("\"now - 1d\"", "now-1d"),
    ] {
        let query = format!("dt:>{time}");
        let said = parse(&query).unwrap_err();
        let hint = format!("Did you mean `{meant}`?");
        assert_eq!(said.0[0].hint.as_deref(), Some(&*hint), "{query}");
    }
    const TIME: &str = "Write a date (`2026-03-27`), an instant (`2026-03-27T10:15:00Z`), or a time from now (`now-1h`, with s, m, h, d or w).";
    check(
        "dt:yesterday",
        &[("yesterday", "`yesterday` is not a time.", TIME)],
    );
    check(
        "dt:>2026-13-01",
        &[("2026-13-01", "`2026-13-01` is not a time.", TIME)],
    );
    check("dt:>now-1y", &[("now-1y", "`now-1y` is not a time.", TIME)]);
    check(
        "dt:[now-1d/d TO now]",
        &[("[now-1d/d TO now]", "`now-1d/d` is not a time.", TIME)],
    );
    check(
        "dt:>3000-01-01",
        &[(
            "3000-01-01",
            "`3000-01-01` lies outside the years 1677 to 2262, which times can span.",
            TIME,
        )],
    );
    check(
        "dt:now-1h",
        &[(
            "now-1h",
            "`now-1h` is a single instant; no event has exactly that time.",
            "Did you mean `dt:>now-1h`?",
        )],
    );
    check("dt:2026*", &[("2026*", "`2026*` is not a time.", TIME)]);
    check(
        "dt:/2026/",
        &[("/2026/", "`dt` is a time and has no text to match.", TIME)],
    );
    check(
        "dt:[2026-03-28 TO 2026-03-27]",
        &[(
            "[2026-03-28 TO 2026-03-27]",
            "The range ends before it begins.",
            "Put the lower end first.",
        )],
    );
    check(
        "dt:[now TO now-1h]",
        &[(
            "[now TO now-1h]",
            "The range ends before it begins.",
            "Put the lower end first.",
        )],
    );
    check(
        "n:[5 TO 1]",
        &[(
            "[5 TO 1]",
            "The range ends before it begins.",
            "Put the lower end first.",
        )],
    );
    check(
        "n:[b TO a]",
        &[(
            "[b TO a]",
            "The range ends before it begins.",
            "Put the lower end first.",
        )],
    );
    check(
        "n:[1,5]",
        &[(
            "[1,5]",
            "This range is incomplete.",
            "Write `[a TO b]`, with `{` and `}` to leave an end out and `*` for no end; or put the text in quotes.",
        )],
    );
    check(
        "n:[1 TO 5]x",
        &[(
            "x",
            "Text follows the range without a space.",
            "Put a space between them.",
        )],
    );
    check(
        "ip:10.0.0.0/33",
        &[(
            "10.0.0.0/33",
            "`10.0.0.0/33` is no block of addresses: an IPv4 prefix has 0 to 32 bits.",
            "Write a block such as `10.0.0.0/8`, or `\"10.0.0.0/33\"` to search for the text.",
        )],
    );
    check(
        "ip:10.0.0.256/8",
        &[(
            "10.0.0.256/8",
            "`10.0.0.256/8` is no block of addresses: `10.0.0.256` is not an address.",
            "Write a block such as `10.0.0.0/8`, or `\"10.0.0.256/8\"` to search for the text.",
        )],
    );
    check(
        "ip:fe80::/129",
        &[(
            "fe80::/129",
            "`fe80::/129` is no block of addresses: an IPv6 prefix has 0 to 128 bits.",
            "Write a block such as `10.0.0.0/8`, or `\"fe80::/129\"` to search for the text.",
        )],
    );
    check(
        "level:>=loud",
        &[(
            "loud",
            "`loud` is not a level.",
            "The levels in order are trace, debug, info, warn, error and fatal.",
        )],
    );
    check(
        "level:[error TO info]",
        &[(
            "[error TO info]",
            "The range ends before it begins.",
            "Put the lower end first.",
        )],
    );
    check(
        "_source:>5",
        &[(
            "5",
            "Sources have no order.",
            "Name the source, as in `_source:api`, or several, as in `_source:in(api, web)`.",
        )],
    );
    check(
        "_id:17",
        &[(
            "17",
            "`17` is not the id of an event.",
            "An id is copied from the `_id` of a result, such as `17c5f2a0b3d4e800-1f`.",
        )],
    );
    check(
        "_id:ab*",
        &[(
            "ab*",
            "`ab*` is not the id of an event.",
            "An id is copied from the `_id` of a result, such as `17c5f2a0b3d4e800-1f`.",
        )],
    );
}

#[test]
fn several_mistakes_in_values_are_told_at_once() {
    let said = parse("dt:x a:[5 TO 1] m:/(/ (b").unwrap_err();
    let about: Vec<_> = said.0.iter().map(|said| said.span.start).collect();
    assert_eq!(about, [3, 7, 19, 22]);
    let said = parse(&"dt:x ".repeat(1000)).unwrap_err();
    assert_eq!(said.0.len(), 16);
}

#[test]
fn every_limit_is_named() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(limits::NESTING_MAX)).is_ok());
    check(
        &nested(limits::NESTING_MAX + 1),
        &[(
            "(",
            "The query nests deeper than the limit of 64 levels.",
            "",
        )],
    );
    check(
        &format!("{}a", "NOT ".repeat(65)),
        &[(
            "NOT",
            "The query nests deeper than the limit of 64 levels.",
            "",
        )],
    );
    check(
        &format!("{}a", "!".repeat(65)),
        &[(
            "!",
            "The query nests deeper than the limit of 64 levels.",
            "",
        )],
    );

    let list = |count: usize, between: &str| vec!["1"; count].join(between);
    assert!(parse(&list(1024, " OR ")).is_ok());
    let too_many = "There are more than 1024 alternatives, which is the limit.";
    assert_eq!(
        parse(&list(1025, " OR ")).unwrap_err().0[0].message,
        too_many
    );
    assert!(parse(&format!("a:in({})", list(1024, ","))).is_ok());
    assert_eq!(
        parse(&format!("a:in({})", list(1025, ","))).unwrap_err().0[0].message,
        too_many
    );
    assert_eq!(
        parse(&format!("a:({})", list(1025, " OR "))).unwrap_err().0[0].message,
        too_many
    );

    assert!(parse(&list(64, " ").replace('1', "/1/")).is_ok());
    let many = parse(&list(65, " ").replace('1', "/1/")).unwrap_err();
    assert_eq!(
        many.0[0].message,
        "There are more than 64 regular expressions, which is the limit."
    );

    let groups = format!("({0}) OR ({0})", list(1000, " OR "));
    assert_eq!(parse(&groups).unwrap_err().0[0].message, too_many);

    let text = "a".repeat(limits::TEXT_BYTES_MAX);
    assert!(parse(&text).is_ok());
    let said = parse(&format!("{text}b")).unwrap_err();
    assert_eq!(
        said.0[0].message,
        "The query is 16385 bytes long; the limit is 16384 bytes."
    );

    check(
        r"m:/\w{100}/",
        &[(
            r"\w{100}",
            "The compiled regular expression exceeds the limit of 256 KiB.",
            "Repeat less, or use narrower classes such as `[0-9]` for `\\d`.",
        )],
    );
}

/// Texts of full length that would be slow for a parser that looks twice at the same place. A reading that
/// is quadratic takes seconds here, a linear one milliseconds.
#[test]
fn no_text_takes_long_to_read() {
    let pieces = [
        "a",
        "a ",
        "a&&",
        "a||",
        "&&",
        "/a ",
        "/",
        "[ ",
        "[a TO ",
        "{",
        "\"",
        "\\",
        "\\\" ",
        "::",
        ":",
        "a:",
        "a::",
        "a:/b ",
        "!",
        "-",
        "--a ",
        "NOT",
        "*",
        "?",
        "a:[b ",
        "in(",
        "a:in(",
        "a:in(b,",
        "a=~",
        ")",
        "(",
        "1.1.1.1:",
        "a:\\",
        "é",
        "a:/[/ ",
        "a:/(a ",
        "dt:",
        "dt:x ",
        "=>",
        "|",
        "a\"",
        ",",
        "a:(b ",
        "a:/\\w{20}/ ",
        "a:/(((((a*)*)*)*)*)/ ",
    ];
    for piece in pieces {
        let text = piece.repeat(limits::TEXT_BYTES_MAX / piece.len());
        let start = std::time::Instant::now();
        let outcome = parse(&text);
        let millis = start.elapsed().as_millis();
        assert!(millis < 1500, "{piece}: {millis} ms, {}", outcome.is_ok());
    }
}

/// What is read at the edge of the nesting limit is printed within it.
#[test]
fn canonical_text_nests_no_deeper_than_its_query() {
    for clause in [
        "a!=b",
        "a!:b",
        "a!~/b/",
        "a:in(b, c)",
        "a!:in(b, c)",
        "a:(b -c)",
        "*:in(*, b) c",
    ] {
        let at_depth = |depth: usize| format!("{}({clause})", "NOT ".repeat(depth));
        let deepest = (0..=limits::NESTING_MAX)
            .rev()
            .find_map(|depth| parse(&at_depth(depth)).ok())
            .unwrap();
        let printed = deepest.query.to_string();
        assert_eq!(
            parse(&printed).map(|parsed| parsed.query),
            Ok(deepest.query)
        );
    }
}
