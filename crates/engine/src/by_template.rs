//! How many rows of a block match a filter on one column of texts, counted template by template and list by list: no row is looked
//! at where these decide, and of the others only their texts.
//!
//! Serves every filter made of `and`, `or` and `not` over clauses on one field, whatever they ask of it.

use cordwood_query::{CompiledClause, Predicate, Reach};
use cordwood_store::block::BlockDirectory;
use cordwood_store::template::TemplateUses;

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::clauses::Clauses;
use crate::condition::{ClauseId, Condition, EvaluateClause};
use crate::evaluate::{Failure, Outcome, TemplateTest, TextColumnTest};
use crate::selection::Selection;

/// How many rows match, and how many were looked at one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) matches: u64,
    pub(crate) rows_scanned: u64,
}

/// Counts the matching rows of a whole block; `None` when the condition is not on one column of texts alone, or when lists of
/// words are best asked row by row.
pub(crate) fn count(
    condition: &Condition,
    clauses: &Clauses,
    block: &OpenBlock,
    budget: &Budget,
) -> Result<Option<Counted>, Failure> {
    let Some(asked) = AskedColumn::of(condition, clauses, block) else {
        return Ok(None);
    };
    let mut tests = Vec::with_capacity(asked.predicates.len());
    for (clause, test) in &asked.predicates {
        let test = TextColumnTest::new(*test, (block, asked.column), asked.uses)?;
        tests.push((*clause, test));
    }
    let tests = ColumnTests { condition, tests };
    let in_column = if tests.are_settled() {
        Some(tests.count_settled(&asked, block)?)
    } else if asked.uses.uses().is_empty() || tests.have_listed_parts() {
        None
    } else {
        Some(tests.count_by_code(&asked, budget)?)
    };
    Ok(in_column.map(|counted| Counted {
        matches: counted.matches + asked.count_without(condition),
        ..counted
    }))
}

/// Whether counting would read nothing of the block.
pub(crate) fn is_decided_unread(
    condition: &Condition,
    clauses: &Clauses,
    block: &OpenBlock,
) -> bool {
    let Some(asked) = AskedColumn::of(condition, clauses, block) else {
        return false;
    };
    let tests = asked.predicates.iter().map(|(clause, test)| {
        let test = TextColumnTest::unread(*test, (block, asked.column), asked.uses);
        (*clause, test)
    });
    let tests = ColumnTests {
        condition,
        tests: tests.collect(),
    };
    tests.are_settled() && tests.are_counted_unread()
}

/// The one column that a condition asks about, and what its clauses ask.
struct AskedColumn<'a> {
    column: usize,
    uses: &'a TemplateUses,
    /// Rows that do not have the field.
    absent: u32,
    predicates: Vec<(ClauseId, (&'a Predicate, &'a TemplateTest))>,
}

impl<'a> AskedColumn<'a> {
    fn of(
        condition: &Condition,
        clauses: &'a Clauses,
        block: &'a OpenBlock,
    ) -> Option<AskedColumn<'a>> {
        let directory = block.directory();
        let asked = condition.clauses();
        if asked.len() > CLAUSES_MAX {
            return None;
        }
        let column = column_of(&asked, clauses, directory)?;
        let entry = &directory.columns[column];
        let predicate_of = |clause: ClauseId| match &clauses[clause.0] {
            CompiledClause::Field(_, predicate) => {
                let test = (predicate, clauses.template_test(clause, predicate));
                Some((clause, test))
            }
            _ => None,
        };
        Some(AskedColumn {
            column,
            uses: block.template_uses(column)?,
            absent: directory.rows - entry.present,
            predicates: asked.into_iter().map(predicate_of).collect::<Option<_>>()?,
        })
    }

    /// How many rows match without having the field.
    fn count_without(&self, condition: &Condition) -> u64 {
        match condition.known(&mut |_| Some(false)) {
            Some(true) => self.absent.into(),
            _ => 0,
        }
    }
}

/// A condition on one column, and a test for each of its clauses.
struct ColumnTests<'a> {
    condition: &'a Condition,
    tests: Vec<(ClauseId, TextColumnTest<'a>)>,
}

impl ColumnTests<'_> {
    /// Whether templates and lists are enough.
    fn are_settled(&self) -> bool {
        self.tests.iter().all(|(_, test)| test.is_settled())
    }

    fn have_listed_parts(&self) -> bool {
        self.tests.iter().any(|(_, test)| test.has_listed_parts())
    }

    /// Whether the lengths of lists are enough: it takes one clause and one list at most.
    fn are_counted_unread(&self) -> bool {
        let lists: usize = self.tests.iter().map(|(_, test)| test.lists()).sum();
        match &*self.tests {
            [(_, test)] => lists <= 1 && test.counts_add_up(),
            _ => lists == 0,
        }
    }

    /// Of the texts of a code that are in no list, the clauses that hold.
    fn holding(&self, code: usize) -> Holding {
        let tests = self.tests.iter().enumerate();
        let holding = tests.map(|(place, (_, test))| {
            Holding::from(test.outcomes()[code] == Outcome::All) << place
        });
        holding.sum()
    }

    fn count_settled(
        &self,
        asked: &AskedColumn<'_>,
        block: &OpenBlock,
    ) -> Result<Counted, Failure> {
        let truth = TruthTable::of(self.condition, &self.tests);
        let mut counted = Counted::default();
        for (code, rows) in asked.uses.rows_by_code().enumerate() {
            let is_counted = truth.holds(self.holding(code));
            counted.matches += u64::from(rows) * u64::from(is_counted);
        }
        if let [(_, test)] = &*self.tests
            && self.are_counted_unread()
        {
            match truth.holds(1) {
                true => counted.matches += test.count_listed(),
                false => counted.matches -= test.count_listed(),
            }
            return Ok(counted);
        }
        let listed = self.listed(block.directory().columns[asked.column].present)?;
        if listed.any.is_empty() {
            return Ok(counted);
        }
        let ranks: Vec<usize> = listed.any.iter().collect();
        let codes = match asked.uses.uses() {
            [] => vec![0; ranks.len()],
            _ => block.text_codes(asked.column)?.of_ranks(&ranks)?,
        };
        for (rank, code) in ranks.into_iter().zip(codes) {
            let code = usize::from(code);
            let unlisted = self.holding(code);
            match (
                truth.holds(unlisted | listed.of(rank)),
                truth.holds(unlisted),
            ) {
                (true, false) => counted.matches += 1,
                (false, true) => counted.matches -= 1,
                _ => {}
            }
            counted.rows_scanned += 1;
        }
        Ok(counted)
    }

    /// The texts that are listed, of so many.
    fn listed(&self, texts: u32) -> Result<Listed, Failure> {
        let mut listed = Listed {
            any: Selection::none(texts as usize),
            by_clause: Vec::with_capacity(self.tests.len()),
        };
        for (_, test) in &self.tests {
            let mut held = Selection::none(texts as usize);
            for list in test.listed()? {
                list.iter().for_each(|rank| held.insert(*rank as usize));
            }
            listed.any.union(&held);
            listed.by_clause.push(held);
        }
        Ok(listed)
    }

    fn count_by_code(&self, asked: &AskedColumn<'_>, budget: &Budget) -> Result<Counted, Failure> {
        let mut counted = Counted::default();
        for (code, rows) in asked.uses.rows_by_code().enumerate() {
            let texts = TextsOfCode {
                tests: &self.tests,
                code,
            };
            match self
                .condition
                .known(&mut |clause| texts.outcome(clause).known())
            {
                Some(true) => counted.matches += u64::from(rows),
                Some(false) => {}
                None => {
                    budget.check()?;
                    let all = Selection::all(rows as usize);
                    counted.matches += self.condition.evaluate(&texts, all)?.count() as u64;
                    counted.rows_scanned += u64::from(rows);
                }
            }
        }
        Ok(counted)
    }
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

/// Which clauses hold: a bit for each test, the first the lowest.
type Holding = u16;

/// A filter of more clauses on one field is evaluated row by row.
const CLAUSES_MAX: usize = 8;

/// What a condition says, for every way in which its clauses may hold.
struct TruthTable {
    holds: Vec<bool>,
}

impl TruthTable {
    fn of(condition: &Condition, tests: &[(ClauseId, TextColumnTest<'_>)]) -> TruthTable {
        let place_of = |clause: ClauseId| tests.iter().position(|(asked, _)| *asked == clause);
        let says = |holding: Holding| {
            let is_held = |clause: ClauseId| Some(holding >> place_of(clause)? & 1 == 1);
            condition.known(&mut |clause| is_held(clause)) == Some(true)
        };
        TruthTable {
            holds: (0..1 << tests.len()).map(says).collect(),
        }
    }

    fn holds(&self, holding: Holding) -> bool {
        self.holds[usize::from(holding)]
    }
}

/// The ranks that are listed under a word of any clause, and of each.
struct Listed {
    any: Selection,
    by_clause: Vec<Selection>,
}

impl Listed {
    /// The clauses under whose words a rank is listed.
    fn of(&self, rank: usize) -> Holding {
        let clauses = self.by_clause.iter().enumerate();
        let listed = clauses.map(|(place, held)| Holding::from(held.contains(rank)) << place);
        listed.sum()
    }
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
}

impl EvaluateClause for TextsOfCode<'_> {
    type Error = Failure;

    /// What is decided goes first.
    fn cost(&self, clause: ClauseId, rows: usize) -> u64 {
        match self.outcome(clause) {
            Outcome::All | Outcome::None => 0,
            Outcome::Open => rows as u64,
        }
    }

    fn evaluate(&self, clause: ClauseId, among: &Selection) -> Result<Selection, Failure> {
        match (self.outcome(clause), self.test(clause)) {
            (Outcome::All, _) => Ok(among.clone()),
            (Outcome::Open, Some(test)) => {
                test.select_places((self.code, None), among, self.tests.len() > 1)
            }
            _ => Ok(Selection::none(among.rows())),
        }
    }
}
