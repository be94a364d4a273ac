//! Every statement in docs/sql.md runs.

use crate::support::Fixture;

const DOCUMENT: &str = include_str!("../../../../docs/sql.md");

#[test]
fn examples_run() {
    let fixture = Fixture::usual();
    let blocks = DOCUMENT.split("```sql\n").skip(1);
    let statements = blocks.flat_map(|block| {
        let end = block.find("```").expect("a block ends");
        block.get(..end).unwrap_or_default().split(";\n")
    });
    let statements: Vec<&str> = statements.filter(|text| !text.trim().is_empty()).collect();
    assert!(statements.len() > 10, "{statements:?}");
    for statement in statements {
        assert!(fixture.ask(statement).rows() > 0, "{statement}");
    }
}
