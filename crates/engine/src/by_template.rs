//! How many rows of a block match a filter on one column of texts, counted template by template and list by list: no row is looked
//! at where these decide, and of the others only their texts.
//!
//! Serves every filter made of `and`, `or` and `not` over clauses on one field, whatever they ask of it.

use cordwood_query::{CompiledClause, Reach};
use cordwood_store::BlockHandle;
use cordwood_store::block::BlockDirectory;

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::clauses::Clauses;
use crate::condition::{ClauseId, Condition, EvaluateClause};
use crate::evaluate::{Failure, Outcome, TextColumnTest, TextOutcomes};
use crate::selection::Selection;

/// How many rows match, and how many were looked at one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) matches: u64,
    pub(crate) rows_scanned: u64,
}

/// What may be asked about the templates of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// What was found out before: a table may have so many templates, and a test be so slow, that not every thread can wait for it.
    Known,
    All,
}

/// Counts the matching rows of a whole block if templates and the lengths of lists are enough; reads nothing of the block.
pub(crate) fn count_unread(
    condition: &Condition,
    clauses: &Clauses,
    block: &BlockHandle,
    asking: Asking,
) -> Option<u64> {
    AskedColumn::of(condition, clauses, block, asking)?.count_whole_unread()
}

/// Counts the matching rows of a whole block; `None` when the condition is not on one column of texts alone, or when lists of
/// words are best asked row by row.
pub(crate) fn count(
    condition: &Condition,
    clauses: &Clauses,
    block: &OpenBlock,
    budget: &Budget,
) -> Result<Option<Counted>, Failure> {
    let Some(mut asked) = AskedColumn::of(condition, clauses, block.handle(), Asking::All) else {
        return Ok(None);
    };
    if let Some(matches) = asked.count_whole_unread() {
        let rows_scanned = 0;
        return Ok(Some(Counted {
            matches,
            rows_scanned,
        }));
    }
    for (_, outcomes) in &mut asked.tests {
        outcomes.ask_dictionaries((block, asked.column))?;
    }
    let in_column = if asked.is_settled() {
        Some(asked.count_settled(block)?)
    } else if asked.has_templates() && !asked.has_listed_parts() {
        Some(asked.count_by_code(block, budget)?)
    } else {
        None
    };
    Ok(in_column.map(|counted| Counted {
        matches: counted.matches + asked.count_without(),
        ..counted
    }))
}

/// The one column that a condition asks about, and what its clauses say of the texts there.
struct AskedColumn<'a> {
    condition: &'a Condition,
    column: usize,
    /// Rows that have the field, and rows that do not.
    present: u32,
    absent: u32,
    tests: Vec<(ClauseId, TextOutcomes<'a>)>,
}

impl<'a> AskedColumn<'a> {
    fn of(
        condition: &'a Condition,
        clauses: &'a Clauses,
        block: &'a BlockHandle,
        asking: Asking,
    ) -> Option<AskedColumn<'a>> {
        let directory = block.directory();
        let asked = condition.clauses();
        if asked.len() > CLAUSES_MAX {
            return None;
        }
        let column = column_of(&asked, clauses, directory)?;
        let entry = &directory.columns[column];
        let uses = entry.template_uses()?;
        let outcomes_of = |clause: ClauseId| match &clauses[clause.0] {
            CompiledClause::Field(_, predicate) => {
                let test = (predicate, clauses.template_test(clause, predicate));
                let outcomes = match asking {
                    Asking::Known => TextOutcomes::of_known(test, (block, column), uses.clone())?,
                    Asking::All => TextOutcomes::new(test, (block, column), uses.clone()),
                };
                Some((clause, outcomes))
            }
            _ => None,
        };
        Some(AskedColumn {
            condition,
            column,
            present: entry.present,
            absent: directory.rows - entry.present,
            tests: asked.into_iter().map(outcomes_of).collect::<Option<_>>()?,
        })
    }

    /// How many rows match without having the field.
    fn count_without(&self) -> u64 {
        match self.condition.known(&mut |_| Some(false)) {
            Some(true) => self.absent.into(),
            _ => 0,
        }
    }

    fn has_templates(&self) -> bool {
        let mut tests = self.tests.iter();
        tests.any(|(_, outcomes)| outcomes.by_code().len() > 1)
    }

    /// Whether templates and lists are enough.
    fn is_settled(&self) -> bool {
        self.tests
            .iter()
            .all(|(_, outcomes)| outcomes.are_settled())
    }

    fn has_listed_parts(&self) -> bool {
        let mut tests = self.tests.iter();
        tests.any(|(_, outcomes)| outcomes.have_listed_parts())
    }

    /// Whether the lengths of lists are enough: it takes one clause and one list at most.
    fn is_counted_unread(&self) -> bool {
        let lists: usize = self
            .tests
            .iter()
            .map(|(_, outcomes)| outcomes.lists())
            .sum();
        match &*self.tests {
            [(_, outcomes)] => lists <= 1 && outcomes.counts_add_up(),
            _ => lists == 0,
        }
    }

    /// By code, the clauses that hold for the texts that are in no list.
    fn holding_by_code(&self) -> Vec<Holding> {
        let mut holding: Vec<Holding> = Vec::new();
        for (place, (_, outcomes)) in self.tests.iter().enumerate() {
            holding.resize(outcomes.by_code().len(), 0);
            for (holding, outcome) in holding.iter_mut().zip(outcomes.by_code()) {
                *holding |= Holding::from(*outcome == Outcome::All) << place;
            }
        }
        holding
    }

    /// How many of the texts that are in no list match, given the clauses that hold by code.
    fn count_unlisted(&self, holding: &[Holding], truth: &TruthTable) -> u64 {
        let Some((_, outcomes)) = self.tests.first() else {
            return 0;
        };
        let rows = outcomes.rows_by_code().enumerate();
        rows.fold(0, |matches, (code, rows)| {
            matches + u64::from(rows) * u64::from(truth.holds(holding[code]))
        })
    }

    /// How many rows of the block match, if nothing of it has to be read for that.
    fn count_whole_unread(&self) -> Option<u64> {
        Some(self.count_unread()? + self.count_without())
    }

    fn count_unread(&self) -> Option<u64> {
        // Lists are asked first: what templates say takes longer.
        if !self.is_counted_unread() || !self.is_settled() {
            return None;
        }
        let truth = TruthTable::of(self.condition, &self.tests);
        let unlisted = self.count_unlisted(&self.holding_by_code(), &truth);
        let listed = match &*self.tests {
            [(_, outcomes)] => outcomes.count_listed(),
            _ => 0,
        };
        // Of one clause, what is listed is what holds besides.
        Some(match truth.holds(1) {
            true => unlisted + listed,
            false => unlisted - listed,
        })
    }

    fn count_settled(&self, block: &OpenBlock) -> Result<Counted, Failure> {
        if let Some(matches) = self.count_unread() {
            return Ok(Counted {
                matches,
                rows_scanned: 0,
            });
        }
        let truth = TruthTable::of(self.condition, &self.tests);
        let holding = self.holding_by_code();
        let mut counted = Counted {
            matches: self.count_unlisted(&holding, &truth),
            rows_scanned: 0,
        };
        let listed = self.listed()?;
        if listed.any.is_empty() {
            return Ok(counted);
        }
        let ranks: Vec<usize> = listed.any.iter().collect();
        let codes = match self.has_templates() {
            true => block.text_codes(self.column)?.of_ranks(&ranks)?,
            false => vec![0; ranks.len()],
        };
        for (rank, code) in ranks.into_iter().zip(codes) {
            let unlisted = holding[usize::from(code)];
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

    /// The texts that are listed.
    fn listed(&self) -> Result<Listed, Failure> {
        let mut listed = Listed {
            any: Selection::none(self.present as usize),
            by_clause: Vec::with_capacity(self.tests.len()),
        };
        for (_, outcomes) in &self.tests {
            let mut held = Selection::none(self.present as usize);
            for list in outcomes.listed()? {
                list.iter().for_each(|rank| held.insert(*rank as usize));
            }
            listed.any.union(&held);
            listed.by_clause.push(held);
        }
        Ok(listed)
    }

    fn count_by_code(&self, block: &OpenBlock, budget: &Budget) -> Result<Counted, Failure> {
        let tests = self.tests.iter().map(|(clause, outcomes)| {
            let test = TextColumnTest::new(outcomes, (block, self.column));
            (*clause, test)
        });
        let tests: Vec<(ClauseId, TextColumnTest<'_>)> = tests.collect();
        let rows = self
            .tests
            .first()
            .map(|(_, outcomes)| outcomes.rows_by_code());
        let mut counted = Counted::default();
        for (code, rows) in rows.into_iter().flatten().enumerate() {
            let texts = TextsOfCode {
                tests: &tests,
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
    fn of(condition: &Condition, tests: &[(ClauseId, TextOutcomes<'_>)]) -> TruthTable {
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
        let outcome = self.test(clause).map(|test| test.outcome(self.code));
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
