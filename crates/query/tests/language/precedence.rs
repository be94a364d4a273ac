//! How clauses combine, and the form they print in.

use crate::event::filter;

fn check(query: &str, canonical: &str) {
    let parsed = filter(query);
    assert_eq!(parsed.to_string(), canonical, "{query}");
    assert_eq!(filter(canonical), parsed, "{query}");
}

#[test]
fn not_binds_before_and_and_and_before_or() {
    check("a b", "a AND b");
    check("a OR b c", "a OR b AND c");
    check("a b OR c d", "a AND b OR c AND d");
    check("(a OR b) c", "(a OR b) AND c");
    check("NOT a b", "NOT a AND b");
    check("NOT (a b)", "NOT (a AND b)");
    check("NOT a OR b", "NOT a OR b");
    check("a && b || !c", "a AND b OR NOT c");
    check("a&&b||c", "a AND b OR c");
    check("-a -(b OR c)", "NOT a AND NOT (b OR c)");
    check("NOT NOT a", "NOT NOT a");
    check("! a", "NOT a");
    check("((a))", "a");
    check("(a AND b) AND c", "a AND b AND c");
    check("a OR (b OR c)", "a OR b OR c");
    check("* a", "a");
    check("x:1 AND(y:2)", "x:1 AND y:2");
    check("NOT(a)", "NOT a");
    check("level:error service:x", "level:error AND service:x");
}

#[test]
fn canonical_text_has_one_spelling() {
    check("status:in(500, 502)", "status:(500 OR 502)");
    check("status=in(a, b)", "status:(=a OR =b)");
    check("a!=b", "NOT a=b");
    check("a!:b", "NOT a:b");
    check("a:=b", "a=b");
    check("a=~/b/i", "a:/b/i");
    check("a >= 5", "a:>=5");
    check("a:[5 TO *]", "a:>=5");
    check("a:{-5 TO 5]", "a:{-5 TO 5]");
    check("a:[* TO *]", "a:*");
    check("a:\"b\"", "a:b");
    check("a:/b/c", "a:\"/b/c\"");
    check("a:b*c", "a:b*c");
    check(r"a:\*b*", r"a:\*b*");
    check("a:b**c", "a:b*c");
    check("dt>=now-120m", "dt:>=now-2h");
    check("dt:1774569600", "dt:2026-03-27T00:00:00Z");
    check("dt:2026-03-27T01:00+01:00", "dt:2026-03-27T00:00Z");
    check("ip:10.1.2.3/8", "ip:10.0.0.0/8");
    check("\"a b\":c", "\"a b\":c");
    check("a.b-c:d", "a.b-c:d");
    check("\"AND\"", "\"AND\"");
    check("ANDROID", "ANDROID");
    check("*:(a OR b)", "*:(a OR b)");
}
