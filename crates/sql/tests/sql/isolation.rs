//! A statement sees the sources it is given, and of others not even their names.

use cordwood_sql::{Error, Format};

use crate::support::{Fixture, sources};

fn answer(fixture: &Fixture, text: &str) -> Result<String, Error> {
    let mut request = fixture.request(text);
    request.sources = sources()
        .into_iter()
        .filter(|source| source.name == "web")
        .collect();
    let answer = fixture.run(&request)?;
    let written = answer.encode(Format::Csv)?;
    Ok(String::from_utf8_lossy(&written).into_owned())
}

#[test]
fn others_are_not_there() {
    let fixture = Fixture::usual();
    let count = answer(&fixture, "SELECT count(*) FROM logs").expect("a count");
    assert_eq!(count.lines().nth(1), Some("9"));
    assert!(
        !answer(&fixture, "SHOW TABLES")
            .expect("tables")
            .contains("batch")
    );
    let columns = answer(&fixture, "DESCRIBE TABLE logs").expect("columns");
    assert!(columns.contains("http.method") && !columns.contains("job.name"));
    assert!(
        !answer(&fixture, "SELECT * FROM logs")
            .expect("rows")
            .contains("job")
    );
    let hidden = [
        "SELECT 1 FROM \"batch-jobs\"",
        "SELECT 1 FROM \"src-2\"",
        "SELECT 1 FROM \"2\"",
        "DESCRIBE TABLE \"batch-jobs\"",
        "SELECT job.name FROM logs",
        "SELECT job.nam FROM logs",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM cordwood.information_schema.tables",
        "SELECT * FROM '/etc/passwd'",
    ];
    for text in hidden {
        match answer(&fixture, text) {
            Err(Error::Invalid(problem)) => {
                let told = format!("{} {:?}", problem.message, problem.hint);
                let names_it = text.contains("batch-jobs") || !told.contains("batch");
                assert!(names_it && !told.contains("\"job.name\""), "{text}: {told}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    // A source that is another's is told of in the words for one that never was.
    let another = answer(&fixture, "SELECT 1 FROM \"batch-jobs\"").expect_err("no table");
    let never = answer(&fixture, "SELECT 1 FROM \"batch-jabs\"").expect_err("no table");
    assert_eq!(
        another.to_string().replace("jobs", "jabs"),
        never.to_string()
    );
}
