//! What is refused, in which words, and where it points to.

use cordwood_sql::{Error, Problem};

use crate::support::Fixture;

fn problem_of(fixture: &Fixture, text: &str) -> (bool, Problem) {
    match fixture.run(&fixture.request(text)) {
        Err(Error::Invalid(problem)) => (false, problem),
        Err(Error::NotReadOnly(problem)) => (true, problem),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn statements_that_change_something() {
    let fixture = Fixture::usual();
    let cases = [
        "INSERT INTO web VALUES (1)",
        "DELETE FROM web",
        "UPDATE web SET level = 'info'",
        "DROP TABLE web",
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "ALTER TABLE web ADD COLUMN a INT",
        "TRUNCATE TABLE web",
        "COPY web TO '/tmp/x.csv'",
        "SET a = 1",
        "SELECT 1 SETTINGS max_threads = 1",
        "SELECT * INTO t FROM web",
        "SELECT * FROM web FOR UPDATE",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN INSERT INTO web VALUES (1)",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE web",
        "BEGIN",
        "GRANT ALL ON web TO x",
    ];
    for text in cases {
        let (is_read_only, problem) = problem_of(&fixture, text);
        assert!(is_read_only, "{text}: {problem:?}");
    }
}

#[test]
fn problems_say_where_and_what_was_meant() {
    let fixture = Fixture::usual();
    let cases: &[(&str, Option<&str>, &str)] = &[
        (
            "SELECT mesage FROM web",
            Some("mesage"),
            "did you mean message?",
        ),
        ("SELECT 1 FROM wbe", Some("wbe"), "did you mean web?"),
        (
            "SELECT 1 FROM batch_jobs",
            Some("batch_jobs"),
            "did you mean \"batch-jobs\"?",
        ),
        (
            "SELECT http.methd FROM web",
            None,
            "did you mean \"http.method\"?",
        ),
        ("SELECT * FROM web FORMAT Pretty", None, "the formats are"),
        ("", None, "SELECT count(*) FROM logs"),
    ];
    for (text, place, hint) in cases {
        let (_, problem) = problem_of(&fixture, text);
        let found = problem.position.clone().and_then(|range| text.get(range));
        assert_eq!(found, *place, "{text}: {problem:?}");
        let told = problem.hint.clone().unwrap_or_default();
        assert!(told.contains(hint), "{text}: {problem:?}");
    }
}

#[test]
fn what_is_no_sql_points_to_the_word() {
    let fixture = Fixture::usual();
    let text = "SELECT count(*)\nFRM web";
    let (_, problem) = problem_of(&fixture, text);
    let found = problem.position.and_then(|range| text.get(range));
    assert!(found.is_some(), "{:?}", problem.message);
    let (_, problem) = problem_of(&fixture, "SELECT nosuchfunction(message) FROM web");
    assert!(problem.message.contains("nosuchfunction"), "{problem:?}");
    let (_, problem) = problem_of(&fixture, "SELECT uppr(message) FROM web");
    let hint = problem.hint.clone().unwrap_or_default();
    assert_eq!(hint, "did you mean 'upper'?", "{problem:?}");
    let (_, problem) = problem_of(&fixture, "SELECT sum(message) FROM web");
    assert_eq!(
        problem.message,
        "Function 'sum' takes no values of this type"
    );
    let (_, problem) = problem_of(
        &fixture,
        "SELECT JSONExtract(raw, 'a', 'Tuple(a)') FROM web",
    );
    assert!(problem.message.contains("Tuple"), "{problem:?}");
}
