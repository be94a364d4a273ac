//! Rules, templates and arrivals: what is written is there after reopening, in memory and on disk alike.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;

use cordwood_catalog::{
    Access, ApiTokenId, ApiTokenPurpose, Arrival, CarriedRule, Catalog, ClientId, Error,
    NewApiToken, NewToken, Random, Rule, RuleContent, RuleTemplateContent, RuleTemplateId, Scope,
    check,
};
use cordwood_event::{SourceId, Timestamp};
use tempfile::TempDir;

#[derive(Debug)]
struct Zeros;

impl Random for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

struct Shelf {
    dir: TempDir,
}

impl Shelf {
    fn new() -> Shelf {
        Shelf {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("catalog.db")
    }

    fn open(&self) -> Catalog {
        Catalog::open(&self.path(), at(0)).unwrap()
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

fn token(catalog: &Catalog) -> ApiTokenId {
    let new = NewApiToken {
        name: "ops".to_owned(),
        purpose: ApiTokenPurpose::General,
        access: Access::Write,
        scope: Scope::AllClients,
        expires_at: None,
    };
    let made = catalog.create_api_token(&new, &NewToken::for_api(&Zeros), at(0));
    made.unwrap().id
}

fn content(name: &str) -> RuleContent {
    RuleContent {
        name: name.to_owned(),
        description: "what wakes people".to_owned(),
        rule: r#"{"query":"level:error"}"#.to_owned(),
        sources: vec![SourceId(3), SourceId(7)],
        channels: vec![11],
        paused: None,
        template: None,
        saved_query: None,
        kept: Some(r#"{"email":true}"#.to_owned()),
    }
}

fn rules(catalog: &Catalog) -> Vec<Rule> {
    catalog
        .rules()
        .iter()
        .map(|rule| (**rule).clone())
        .collect()
}

#[test]
fn rules_are_there_after_reopening() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let by = token(&catalog);
    let made = catalog.create_rule(ClientId(1), by, content("errors"), at(5));
    let made = made.unwrap();
    let changed = RuleContent {
        sources: Vec::new(),
        paused: Some("by hand".to_owned()),
        ..content("many errors")
    };
    catalog
        .update_rule(made.id, changed.clone(), at(9))
        .unwrap();
    let resumed = RuleContent {
        paused: None,
        ..changed
    };
    catalog
        .update_rule(made.id, resumed.clone(), at(11))
        .unwrap();
    catalog
        .update_rule(made.id, resumed.clone(), at(12))
        .unwrap();
    let expected = Rule {
        content: resumed,
        updated_at: at(12),
        resumed_at: Some(at(11)),
        ..(*made).clone()
    };
    assert_eq!(rules(&catalog), std::slice::from_ref(&expected));
    drop(catalog);
    let catalog = shelf.open();
    assert_eq!(rules(&catalog), [expected]);
    catalog.delete_rule(made.id).unwrap();
    assert!(matches!(
        catalog.delete_rule(made.id),
        Err(Error::NotFound { kind: "rule" })
    ));
    assert_eq!(rules(&catalog), []);
    assert_eq!(check(&shelf.path()).unwrap(), [""; 0]);
}

#[test]
fn names_are_unique_for_a_client() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let by = token(&catalog);
    let other = catalog.create_client("other", at(0)).unwrap().id;
    let make = |client, name: &str| catalog.create_rule(client, by, content(name), at(1));
    make(ClientId(1), "Errors").unwrap();
    assert!(matches!(make(ClientId(1), "errors"), Err(Error::NameTaken)));
    make(other, "errors").unwrap();
    assert_eq!(rules(&catalog).len(), 2);
}

#[test]
fn a_template_counts_its_changes_and_its_rules_outlive_it() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let by = token(&catalog);
    let new = |rule: &str| RuleTemplateContent {
        name: "errors".to_owned(),
        description: String::new(),
        rule: rule.to_owned(),
        sources: vec!["web".to_owned(), "db".to_owned()],
        channels: vec![3],
        new_clients_after: Some(ClientId(1)),
    };
    let made = catalog.create_rule_template(by, new("{}"), at(1)).unwrap();
    let update = |rule: &str| {
        let updated = catalog.update_rule_template(made.id, new(rule), Vec::new(), at(2));
        updated.unwrap().0.version
    };
    assert_eq!(update("{}"), 1);
    assert_eq!(update(r#"{"query":"x"}"#), 2);
    let of_template = RuleContent {
        template: Some((made.id, 2)),
        ..content("errors")
    };
    let rule = catalog.create_rule(ClientId(1), by, of_template, at(3));
    let rule = rule.unwrap().id;
    drop(catalog);

    let catalog = shelf.open();
    let template_of = |catalog: &Catalog| -> Option<(RuleTemplateId, u64)> {
        catalog
            .rule(rule)
            .and_then(|rule: Arc<Rule>| rule.content.template)
    };
    assert_eq!(template_of(&catalog), Some((made.id, 2)));
    catalog.delete_rule_template(made.id).unwrap();
    assert_eq!(template_of(&catalog), None);
    assert!(catalog.rule_templates().is_empty());
    drop(catalog);
    assert_eq!(template_of(&shelf.open()), None);
}

#[test]
fn a_change_of_a_template_and_its_rules_is_one() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let by = token(&catalog);
    let of = |rule: &str| RuleTemplateContent {
        name: "errors".to_owned(),
        description: String::new(),
        rule: rule.to_owned(),
        sources: Vec::new(),
        channels: Vec::new(),
        new_clients_after: None,
    };
    let made = catalog.create_rule_template(by, of("1"), at(1)).unwrap();
    let other = catalog.create_client("other", at(1)).unwrap().id;
    let given = [ClientId(1), other].map(|client| {
        let content = RuleContent {
            template: Some((made.id, 1)),
            ..content("errors")
        };
        let given = catalog.give_rule(made.id, client, Some(by), content, at(2));
        given.unwrap()
    });
    let carried = given.clone().map(|known| CarriedRule {
        content: RuleContent {
            rule: "2".to_owned(),
            ..known.content.clone()
        },
        known,
    });
    // Somebody changes one of them meanwhile.
    let own = RuleContent {
        rule: "own".to_owned(),
        ..given[1].content.clone()
    };
    catalog.update_rule(given[1].id, own, at(3)).unwrap();
    let (template, changed) = catalog
        .update_rule_template(made.id, of("2"), carried.to_vec(), at(4))
        .unwrap();
    assert_eq!((template.version, changed.len()), (2, 1));
    let known = |catalog: &Catalog| {
        let rules = rules(catalog).into_iter();
        rules
            .map(|rule| (rule.content.rule, rule.content.template.unwrap().1))
            .collect::<Vec<_>>()
    };
    let expected = [("2".to_owned(), 2), ("own".to_owned(), 1)];
    assert_eq!(known(&catalog), expected);
    let template = (*template).clone();
    assert_eq!(template.given_to, [ClientId(1), other].into());
    drop(catalog);
    let catalog = shelf.open();
    assert_eq!(known(&catalog), expected);
    let reopened: Vec<_> = catalog.rule_templates();
    assert_eq!(*reopened[0], template);
}

#[test]
fn arrivals_are_kept_for_as_long_as_they_are_told_to_be() {
    let shelf = Shelf::new();
    let catalog = shelf.open();
    let mark = |seconds, sequence| Arrival {
        at: at(seconds),
        sequence,
    };
    for (seconds, sequence) in [(10, 4), (20, 4), (30, 9)] {
        catalog
            .note_arrival(mark(seconds, sequence), at(0))
            .unwrap();
    }
    catalog.note_arrival(mark(40, 12), at(20)).unwrap();
    drop(catalog);
    let kept = shelf.open().arrivals().unwrap();
    assert_eq!(kept, [mark(20, 4), mark(30, 9), mark(40, 12)]);
}
