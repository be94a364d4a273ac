//! Budgets: memory, time, rows, and a caller that goes away.

use std::time::Instant;

use cordwood_sql::Error;
use cordwood_store::MemoryBudget;
use serde_json::json;

use crate::support::Fixture;

#[test]
fn memory_runs_out() {
    let budget = MemoryBudget::new(4 << 20);
    let mut fixture = Fixture::with_memory(budget.clone());
    let events: Vec<_> = (0..400)
        .map(|number| json!({"message": format!("{number} {}", "x".repeat(2000))}))
        .collect();
    fixture.append(0, &events);
    let wide =
        "SELECT a.message, b.message FROM web a CROSS JOIN web b ORDER BY a.message, b.message";
    match fixture.run(&fixture.request(wide)) {
        Err(Error::Memory { bytes_max }) => assert_eq!(bytes_max, 1 << 20),
        other => panic!("{other:?}"),
    }
    assert_eq!(budget.used_bytes(), 0);
    fixture.check("SELECT count(*) FROM web", &["400"]);
}

#[test]
fn time_runs_out() {
    let fixture = Fixture::usual();
    let mut request = fixture.request("SELECT count(*) FROM web");
    request.deadline = Some(Instant::now());
    let outcome = fixture.run(&request);
    assert!(matches!(outcome, Err(Error::Deadline)), "{outcome:?}");
    // What takes for ever without reading anything stops too.
    let endless = "SELECT count(*) FROM web a, web b, web c, web d, web e, web f, web g, web h, web i, web j, web k";
    let mut request = fixture.request(endless);
    request.deadline = Some(Instant::now() + std::time::Duration::from_millis(200));
    let outcome = fixture.run(&request);
    assert!(matches!(outcome, Err(Error::Deadline)), "{outcome:?}");
}

#[test]
fn a_caller_goes_away() {
    let fixture = Fixture::usual();
    let request = fixture.request("SELECT count(*) FROM web");
    request.cancel.cancel();
    let outcome = fixture.run(&request);
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
}

#[test]
fn rows_beyond_the_limit_are_told_of() {
    let fixture = Fixture::usual();
    for (rows_max, rows, more) in [(3, 3, true), (9, 9, false), (10, 9, false), (0, 0, true)] {
        let mut request = fixture.request("SELECT message FROM web ORDER BY message");
        request.rows_max = rows_max;
        let answer = fixture.run(&request).expect("rows");
        assert_eq!((answer.rows(), answer.more), (rows, more), "{rows_max}");
    }
}

#[test]
fn a_star_of_too_many_columns_is_refused() {
    let mut fixture = Fixture::new();
    let fields = (0..2001).map(|number| (format!("f{number}"), json!(number)));
    fixture.append(0, &[serde_json::Value::Object(fields.collect())]);
    let outcome = fixture.run(&fixture.request("SELECT * FROM web"));
    assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    fixture.check("SELECT f2000 FROM web", &["2000"]);
}
