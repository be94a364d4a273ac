//! The words a match must hold, clause by clause.

use cordwood_query::{Predicate, RequiredWords, parse};

use crate::event::now;

/// The sets of words any of which a match of the first clause holds; none at all for "unknown".
fn check(text: &str, expected: Option<&[&[&str]]>) {
    let query = parse(text).expect("it parses").query;
    let clauses = query.filter.clauses();
    let words = Predicate::new(&clauses[0].test, now()).required_words();
    let expected = expected.map_or(RequiredWords::Unknown, |sets| {
        let set = |set: &&[&str]| set.iter().map(|word| (*word).to_owned()).collect();
        RequiredWords::AnyOf(sets.iter().map(set).collect())
    });
    assert_eq!(words, expected, "{text}");
}

#[test]
fn literals() {
    check("a:Timeout", Some(&[&["timeout"]]));
    check(
        "a:\"Connection refused!\"",
        Some(&[&["connection", "refused"]]),
    );
    check("a=f884f9ba-f36e", Some(&[&["f36e", "f884f9ba"]]));
    check("a:STRASSE_1", Some(&[&["strasse_1"]]));
    check("a:straße", Some(&[&["e", "stra"]]));
    check("a:日本語", None);
    check("a:\"!?\"", None);
    check("a:true", Some(&[&["true"]]));
    check("a:(x OR y)", Some(&[&["x"], &["y"]]));
    check("a:(x OR 5.5)", None);
}

#[test]
fn numbers() {
    check("a:500", Some(&[&["500"]]));
    check("a:\"-500\"", Some(&[&["500"]]));
    check("a:500.0", Some(&[&["0", "500"], &["500"]]));
    check("a:5e2", Some(&[&["5e2"], &["500"]]));
    check("a:5.5", None);
    check("a:1e300", None);
    check("a:>5", None);
    check("a:10.0.0.0/8", None);
}

#[test]
fn parts_that_are_whole_words() {
    check("a:prod-*", Some(&[&["prod"]]));
    check("a:prod*", None);
    check("a:*timeout*", None);
    check("a:*-api", Some(&[&["api"]]));
    check("a:pro?-api-*x", Some(&[&["api"]]));
    check("a:10.0.0.*", Some(&[&["0", "10"]]));
    // A number may be written so.
    check("a:-5*", None);
    check("a:*.5", None);
    check("a:/ refused by /", Some(&[&["by", "refused"]]));
    check("a:/refused by/", None);
    check("a:/-5\\./", None);
    check("a:*", None);
}
