//! What may stand where: a table of texts, `¦` being the place.

use cordwood_query::{Expected, Target, WordKind, complete, parse, written_name, written_value};
use proptest::prelude::*;

/// Expectations as text: `field`, `column p95`, `value host`, `clause`, or the words themselves.
fn told(expected: &[Expected]) -> String {
    let told = expected.iter().map(|expected| match expected {
        Expected::Clause => "clause".to_owned(),
        Expected::Field => "field".to_owned(),
        Expected::Column(name) => format!("column {name}"),
        Expected::Value(target) => format!("value {}", target.name()),
        Expected::Word { text, .. } => (*text).to_owned(),
    });
    told.collect::<Vec<String>>().join(" ")
}

fn check(text: &str, replaced: &str, typed: &str, expected: &str) {
    let place = text.find('¦').unwrap();
    let text = text.replace('¦', "");
    let found = complete(&text, place);
    assert_eq!(&text[found.replaced.clone()], replaced, "{text}");
    assert_eq!(found.typed, typed, "{text}");
    let told = told(&found.expected);
    assert!(told.starts_with(expected), "{text}: {told}");
    if expected.is_empty() {
        assert_eq!(told, "", "{text}");
    }
}

#[test]
fn filters() {
    check("¦", "", "", "clause NOT");
    check("ser¦", "ser", "ser", "clause NOT");
    check("ser¦vice:x", "service", "ser", "clause");
    check("service:¦", "", "", "value service");
    check("service:che¦", "che", "che", "value service");
    check(
        "service:che¦ckout level:error",
        "checkout",
        "che",
        "value service",
    );
    check(
        "service=\"check out¦",
        "\"check out",
        "check out",
        "value service",
    );
    check("\"odd field\":¦", "", "", "value odd field");
    check("a\\ b:x\\ y¦", "x\\ y", "x y", "value a b");
    check(
        "level:¦",
        "",
        "",
        "fatal error warn info debug trace value level",
    );
    check("level:>=wa¦", "wa", "wa", "fatal");
    check("dt:>¦", "", "", "now-5m");
    check("_source:w¦", "w", "w", "value _source");
    check("service:(a OR ¦", "", "", "value service");
    check("service:(a ¦", "", "", "value service OR");
    check("status:in(500, ¦", "", "", "value status");
    check("(service:a OR ¦", "", "", "clause");
    check("service:a ¦", "", "", "clause AND OR NOT |");
    check("service:a AND ¦", "", "", "clause NOT");
    check("NOT ¦", "", "", "clause NOT");
    check("message:/a b¦", "", "", "");
    check("message:/a/ ¦", "", "", "clause AND");
    check("path:/api/¦", "", "", "");
    check("http.sta¦", "http.sta", "http.sta", "clause");
    check("dt:[now-1h TO ¦", "", "", "now-5m");
    check("a:x|¦", "", "", "stats");
}

#[test]
fn stages() {
    check("* | ¦", "", "", "stats timechart top where");
    check("* | sta¦", "sta", "sta", "stats");
    check("* | stats ¦", "", "", "count count_distinct");
    check("* | patterns ¦", "", "", "field |");
    check(
        "* | patterns | where pat¦",
        "pat",
        "pat",
        "column pattern column id",
    );
    check("* | stats count() ¦", "", "", "by as if (");
    check("* | stats p95(¦", "", "", "field");
    check("* | stats p95(dur¦", "dur", "dur", "field");
    check("* | stats count() if (level:¦", "", "", "fatal");
    check("* | stats count() if (¦", "", "", "clause");
    check("* | stats count() as ¦", "", "", "");
    check("* | stats count(), ¦", "", "", "count");
    check("* | stats count() by ¦", "", "", "field");
    check("* | stats count() by service, ho¦", "ho", "ho", "field");
    check("* | stats count() by service ¦", "", "", ", |");
    check("* | timechart ¦", "", "", "10s 1m");
    check("* | timechart 5m ¦", "", "", "count");
    check("* | top ¦", "", "", "field");
    check("* | top 5 ¦", "", "", "field");
    check("* | where lev¦", "lev", "lev", "clause");
    check(
        "* | stats count() as n by host | where ¦",
        "",
        "",
        "column host column n NOT",
    );
    check(
        "* | stats count() as n by host | sort by ¦",
        "",
        "",
        "column host column n",
    );
    check("* | top path | where path:¦", "", "", "");
    check("* | sort ¦", "", "", "by field");
    check("* | sort by duration ¦", "", "", "desc asc");
    check("* | fields dt, ¦", "", "", "field");
    check("* | dedup ¦", "", "", "field");
    check("* | parse ¦", "", "", "");
    check("* | parse \"a <b>\" ¦", "", "", "from");
    check("* | parse \"a <b>\" from ¦", "", "", "field");
    check("* | limit ¦", "", "", "");
    check("* | nonsense ¦", "", "", "");
}

#[test]
fn what_is_chosen_reads_as_what_was_meant() {
    assert_eq!(written_name("service"), "service");
    assert_eq!(written_name("odd field"), "\"odd field\"");
    assert_eq!(written_value("web-1"), "web-1");
    assert_eq!(written_value("a\"b"), "\"a\\\"b\"");
    assert_eq!(written_value("and"), "\"and\"");
}

proptest! {
    /// Whatever the text, whatever the place.
    #[test]
    fn any_text_can_be_completed(text in "[a-z :|()\"/\\\\,\\[\\]=<>!é*.-]{0,40}", place in 0usize..50) {
        let found = complete(&text, place);
        prop_assert!(found.replaced.start <= found.replaced.end && found.replaced.end <= text.len());
        prop_assert!(text.get(found.replaced).is_some());
    }

    /// A field and a value put in as they are written are those that were chosen.
    #[test]
    fn choices_parse(name in "\\PC{1,12}", value in "\\PC{1,12}") {
        prop_assume!(matches!(Target::named(&name), Target::Field(_)));
        let text = format!("{}={}", written_name(&name), written_value(&value));
        let parsed = parse(&text);
        let filter = parsed.as_ref().map(|parsed| parsed.query.filter.clone());
        let Ok(cordwood_query::Filter::Clause(clause)) = filter else {
            panic!("{text}: {parsed:?}");
        };
        prop_assert_eq!(clause.target.name(), &name);
        prop_assert_eq!(clause.test, cordwood_query::Test::Equals(value));
    }
}

#[test]
fn words_have_kinds() {
    let found = complete("* | stats ", 10);
    let is_function = |expected: &Expected| {
        matches!(
            expected,
            Expected::Word {
                kind: WordKind::Function,
                ..
            }
        )
    };
    assert!(found.expected.iter().all(is_function));
}
