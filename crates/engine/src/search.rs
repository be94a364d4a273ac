//! The quest for events: the first rows that match, and how many there are.

use cordwood_event::Event;
use cordwood_store::Reservation;

use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::part::{self, PartAnswer};
use crate::plan::{Plan, Planned, PlannedPart};
use crate::run::{Means, Quest, Run};
use crate::top::{Found, Rank, TopRows};
use crate::{Account, Error, Incomplete, Position, Total};

/// The matching rows of one part.
#[derive(Debug)]
pub(crate) struct Matches {
    /// The best rows, at most as many as the plan wants.
    pub(crate) rows: Vec<Found>,
    /// How many rows match, if they were counted.
    pub(crate) count: u64,
}

/// What a finished search gives; the account lacks only the time it took.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Event>,
    pub(crate) matches: u64,
    pub(crate) next: Option<Position>,
    pub(crate) account: Account,
    pub(crate) memory: Reservation,
}

/// The rows found so far.
struct Search {
    total: Total,
    top: TopRows,
    matches: u64,
}

impl Quest for Search {
    type Found = Matches;

    fn can_matter(&self, part: &PlannedPart) -> bool {
        self.total == Total::Count || self.top.bound().is_none_or(|bound| part.best < bound)
    }

    fn asks_every_part(&self) -> bool {
        self.total == Total::Count
    }

    fn settle(
        &self,
        plan: &Plan,
        part: usize,
        budget: &Budget,
    ) -> Option<Result<PartAnswer<Matches>, Failure>> {
        // Where every part is asked, several are handed out together: then those that its directory settles cost next to nothing there,
        // and no directory is asked twice.
        if self.asks_every_part() {
            return None;
        }
        part::settle(plan, part, self.top.bound(), budget)
    }

    fn work_on(
        &self,
        part: usize,
    ) -> impl FnOnce(&Plan, &Budget) -> Result<PartAnswer<Matches>, Failure> + Send + 'static {
        let bound = self.top.bound();
        move |plan: &Plan, budget: &Budget| part::search(plan, part, bound, budget)
    }

    fn take(&mut self, _part: usize, found: Matches) -> Result<(), Incomplete> {
        self.matches += found.count;
        for row in found.rows {
            self.top.offer(row);
        }
        Ok(())
    }
}

/// The rows that come first, and what is known of the others.
#[derive(Debug)]
pub(crate) struct FirstRows {
    /// In order, at most as many as the plan wants.
    pub(crate) rows: Vec<Found>,
    /// How many rows match, if they were counted.
    matches: u64,
    /// The place from which on rows may be missing.
    frontier: Option<Rank>,
}

/// Searches to the end.
pub(crate) fn find(run: &mut Run<'_>) -> Result<FirstRows, Error> {
    let mut search = Search {
        total: run.plan.total,
        top: TopRows::new(run.plan.rows_wanted),
        matches: 0,
    };
    run.pursue(&mut search)?;
    let frontier = run.frontier();
    let mut rows = search.top.into_sorted();
    // A row beyond the frontier may not be the next: the following page finds it in its place.
    rows.retain(|found| frontier.is_none_or(|frontier| found.rank < frontier));
    Ok(FirstRows {
        rows,
        matches: search.matches,
        frontier,
    })
}

/// Searches to the end and fetches the events of one page of at most `limit`.
pub(crate) fn search(
    means: &Means<'_>,
    (plan, planned): (Plan, Planned),
    limit: usize,
) -> Result<Outcome, Error> {
    let mut run = Run::new(means, plan, planned);
    let first = find(&mut run)?;
    let (mut found, frontier) = (first.rows, first.frontier);
    let has_more = found.len() > limit;
    found.truncate(limit);
    let mut next = match frontier {
        _ if has_more => found.last().map(|last| last.id),
        Some(frontier) if limit > 0 => frontier.place_before(run.plan.order),
        _ => None,
    };
    if run.incomplete.contains(&Incomplete::Cancelled) {
        found.clear();
        next = None;
    }
    let fetched = run.fetch(&found)?;
    if fetched.until < found.len() {
        next = match fetched.until.checked_sub(1) {
            Some(last) => found.get(last).map(|last| last.id),
            None => run
                .frontier()
                .and_then(|frontier| frontier.place_before(run.plan.order)),
        };
    }
    Ok(Outcome {
        events: fetched.events.into_iter().flatten().collect(),
        memory: fetched.memory,
        matches: first.matches,
        next,
        account: run.account(),
    })
}
