//! How many rows of a block match a filter on one column of texts, counted template by template: no row is looked at where
//! templates decide, and of the others only their texts.
//!
//! Serves every filter made of `and`, `or` and `not` over clauses on one field, whatever they ask of it.

use cordwood_query::{CompiledClause, Reach};
use cordwood_store::block::BlockDirectory;

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::clauses::Clauses;
use crate::condition::{ClauseId, Condition, EvaluateClause};
use crate::evaluate::{Failure, Outcome, TextColumnTest};
use crate::selection::Selection;

/// How many rows match, and how many were looked at one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) matches: u64,
    pub(crate) rows_scanned: u64,
}

/// Counts the matching rows of a whole block; `None` when the condition is not on one column of texts alone.
pub(crate) fn count(
    condition: &Condition,
    clauses: &Clauses,
    block: &OpenBlock,
    budget: &Budget,
) -> Result<Option<Counted>, Failure> {
    let directory = block.directory();
    let asked = condition.clauses();
    let Some(column) = column_of(&asked, clauses, directory) else {
        return Ok(None);
    };
    let Some(text) = &directory.columns[column].text else {
        return Ok(None);
    };
    let mut tests = Vec::with_capacity(asked.len());
    for clause in asked {
        let CompiledClause::Field(_, predicate) = &clauses[clause.0] else {
            return Ok(None);
        };
        let templates = clauses.template_test(clause, predicate);
        let test = TextColumnTest::new((predicate, templates), (block, column), &text.uses)?;
        tests.push((clause, test));
    }
    let absent = directory.rows - directory.columns[column].present;
    let holds_without = condition.known(&mut |_| Some(false)) == Some(true);
    let mut counted = Counted {
        matches: if holds_without { absent.into() } else { 0 },
        rows_scanned: 0,
    };
    for (code, rows) in text.uses.rows_by_code().enumerate() {
        let texts = TextsOfCode {
            tests: &tests,
            code,
        };
        match condition.known(&mut |clause| texts.outcome(clause).known()) {
            Some(true) => counted.matches += u64::from(rows),
            Some(false) => {}
            None => {
                budget.check()?;
                let all = Selection::all(rows as usize);
                counted.matches += condition.evaluate(&texts, all)?.count() as u64;
                if texts.are_looked_at() {
                    counted.rows_scanned += u64::from(rows);
                }
            }
        }
    }
    Ok(Some(counted))
}

/// Whether counting would read nothing of the block.
pub(crate) fn is_decided_unread(
    condition: &Condition,
    clauses: &Clauses,
    block: &OpenBlock,
) -> bool {
    let directory = block.directory();
    let asked = condition.clauses();
    let column = column_of(&asked, clauses, directory);
    let of_column = column.and_then(|column| {
        let text = directory.columns[column].text.as_ref()?;
        Some((column, text))
    });
    let Some((column, text)) = of_column else {
        return false;
    };
    let mut asked = asked.into_iter();
    asked.all(|clause| match &clauses[clause.0] {
        CompiledClause::Field(_, predicate) => {
            let test = (predicate, clauses.template_test(clause, predicate));
            TextColumnTest::is_decided_unread(test, (block, column), &text.uses)
        }
        _ => false,
    })
}

/// The one column that all clauses look at, as a whole.
fn column_of(asked: &[ClauseId], clauses: &Clauses, directory: &BlockDirectory) -> Option<usize> {
    let mut found = None;
    if directory.rest.is_some() {
        return None;
    }
    for clause in asked {
        let CompiledClause::Field(field, _) = &clauses[clause.0] else {
            return None;
        };
        for (index, entry) in directory.columns.iter().enumerate() {
            match field.reach(&entry.path) {
                None => {}
                Some(Reach::Whole) if *found.get_or_insert(index) == index => {}
                Some(_) => return None,
            }
        }
    }
    found
}

/// The clauses on the texts of one code.
struct TextsOfCode<'a> {
    tests: &'a [(ClauseId, TextColumnTest<'a>)],
    code: usize,
}

impl TextsOfCode<'_> {
    fn test(&self, clause: ClauseId) -> Option<&TextColumnTest<'_>> {
        let mut tests = self.tests.iter();
        let (_, test) = tests.find(|(asked, _)| *asked == clause)?;
        Some(test)
    }

    fn outcome(&self, clause: ClauseId) -> Outcome {
        let outcome = self.test(clause).map(|test| test.outcomes()[self.code]);
        outcome.unwrap_or(Outcome::None)
    }

    /// Whether a clause takes a look at the texts themselves.
    fn are_looked_at(&self) -> bool {
        let mut tests = self.tests.iter();
        tests.any(|(clause, _)| self.outcome(*clause) == Outcome::Open)
    }
}

impl EvaluateClause for TextsOfCode<'_> {
    type Error = Failure;

    /// What is decided goes first.
    fn cost(&self, clause: ClauseId, rows: usize) -> u64 {
        match self.outcome(clause) {
            Outcome::All | Outcome::None => 0,
            Outcome::Listed => 1,
            Outcome::Open => rows as u64,
        }
    }

    fn evaluate(&self, clause: ClauseId, among: &Selection) -> Result<Selection, Failure> {
        match (self.outcome(clause), self.test(clause)) {
            (Outcome::All, _) => Ok(among.clone()),
            (Outcome::Listed | Outcome::Open, Some(test)) => {
                test.select_places(self.code, among, self.tests.len() > 1)
            }
            _ => Ok(Selection::none(among.rows())),
        }
    }
}
