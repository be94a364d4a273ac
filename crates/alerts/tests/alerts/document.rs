//! What docs/alerts.md shows is read as it says.

use std::path::Path;

use cordwood_alerts::{Rule, Silence};

#[test]
fn each_example_is_sound() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/alerts.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```json\n").skip(1);
    let (mut rules, mut silences) = (0, 0);
    for block in blocks {
        let (json, _) = block.split_once("```").unwrap();
        if json.contains("\"query\"") {
            let rule: Rule = serde_json::from_str(json).unwrap();
            assert_eq!(rule.check().err(), None, "{json}");
            rules += 1;
        } else {
            let silence: Silence = serde_json::from_str(json).unwrap();
            assert_eq!(silence.check().err(), None, "{json}");
            silences += 1;
        }
    }
    assert!(
        rules >= 7 && silences >= 2,
        "{rules} rules, {silences} silences"
    );
}

/// Each member of a rule stands in the table, and nothing else does.
#[test]
fn the_table_has_the_members_of_a_rule() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/alerts.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, table) = text.split_once("| member | default | means |\n").unwrap();
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let names = cells.flat_map(|cell| cell.split(','));
    let mut named: Vec<&str> = names.map(|name| name.trim().trim_matches('`')).collect();
    named.sort_unstable();
    let full: Rule = serde_json::from_str(
        r#"{"query": "*", "measure": "count()", "group_by": ["a"], "condition": {"type": "matches"},
            "further_conditions": [{"operator": "equal", "value": 1}], "on_missing_data": "fire", "only_groups": ["a"],
            "except_groups": ["b"], "labels": {"a": "b"}, "cause": "c", "runbook": "r"}"#,
    )
    .unwrap();
    let json = serde_json::to_value(full).unwrap();
    let mut members: Vec<&String> = json.as_object().unwrap().keys().collect();
    members.sort_unstable();
    assert_eq!(named, members);
}
