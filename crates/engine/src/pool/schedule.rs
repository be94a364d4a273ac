//! Whose turn it is: questions by the time they have used.
//!
//! A question begins in the first level and sinks as it uses threads, so that one that needs little is done before those
//! that need much, without anybody saying beforehand which is which: a multilevel feedback queue, as in the schedulers of
//! operating systems. Within a level the questions stand in line, and the first of them is given all it asks for: questions
//! alike are done one after the other instead of all of them at the end. Between levels time is shared by strides
//! (Waldspurger, Weihl: Stride Scheduling, 1995), the lower ones getting less, but never nothing.
//!
//! Knows no threads and reads no clock: it is told how long a task took.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How many levels there are.
const LEVELS: usize = 5;

/// How much time a question uses in the first level before it sinks: a few blocks.
const FIRST_QUANTUM: Duration = Duration::from_nanos(START_NANOS);

/// So many times as much in each level below: who comes to a level waits for no more than that for each one ahead in line.
const QUANTUM_FACTOR: u32 = 3;

/// Who has sunk to this level is not kept from its end by those alike: see [`Schedule::has_used_much`].
const MUCH_LEVEL: usize = 2;

/// While a level above has work, each level below gets such a part of its time.
const SHARE_FACTOR: u64 = 3;

/// How far a level may be ahead of those below it, in time of the first: what one long task took of its level is not made up
/// for by questions that come after it.
const AHEAD_MAX_NANOS: u64 = 1_000_000;

/// What a level that gets work is given before those below it have another turn: the first quantum of a question.
const START_NANOS: u64 = 8_000_000;

/// A question among those that take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct QuestionId(u64);

/// A turn that was given: a question's, at the cost of the level it was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) question: QuestionId,
    level: usize,
}

/// Tasks of all questions, and the order in which they are done.
#[derive(Debug)]
pub(crate) struct Schedule<T> {
    questions: HashMap<QuestionId, Question<T>>,
    levels: [Level; LEVELS],
    /// How far time has come: that of the level which had the last turn.
    now: u64,
    next_id: u64,
}

#[derive(Debug)]
struct Question<T> {
    tasks: VecDeque<T>,
    level: usize,
    /// Of the quantum of its level.
    used: Duration,
}

/// Questions that have used about as much.
#[derive(Debug, Default)]
struct Level {
    /// In the order they came.
    line: VecDeque<QuestionId>,
    /// How much time the level has had, weighted: the one that has had least is next.
    pass: u64,
    /// Whether it had work when it was last looked at.
    is_busy: bool,
}

impl<T> Default for Schedule<T> {
    fn default() -> Schedule<T> {
        Schedule {
            questions: HashMap::new(),
            levels: Default::default(),
            now: START_NANOS,
            next_id: 0,
        }
    }
}

impl<T> Schedule<T> {
    /// Adds a question, which has used nothing.
    pub(crate) fn enter(&mut self) -> QuestionId {
        let id = QuestionId(self.next_id);
        self.next_id += 1;
        self.questions.insert(
            id,
            Question {
                tasks: VecDeque::new(),
                level: 0,
                used: Duration::ZERO,
            },
        );
        self.levels[0].line.push_back(id);
        id
    }

    /// Forgets a question; gives back the tasks that were not begun.
    pub(crate) fn leave(&mut self, id: QuestionId) -> VecDeque<T> {
        let Some(question) = self.questions.remove(&id) else {
            return VecDeque::new();
        };
        self.levels[question.level]
            .line
            .retain(|other| *other != id);
        question.tasks
    }

    /// Whether a question has used so much that its place in line is worth less than that of a fresh one.
    pub(crate) fn has_used_much(&self, id: QuestionId) -> bool {
        let question = self.questions.get(&id);
        question.is_some_and(|question| question.level >= MUCH_LEVEL)
    }

    /// Adds a task; one of a question that has left is dropped.
    pub(crate) fn push(&mut self, id: QuestionId, task: T) {
        if let Some(question) = self.questions.get_mut(&id) {
            question.tasks.push_back(task);
        }
    }

    /// The task that is to be done next.
    pub(crate) fn next(&mut self) -> Option<(Turn, T)> {
        let first_of = |level: &Level| {
            let mut line = level.line.iter();
            line.find(|id| {
                self.questions
                    .get(id)
                    .is_some_and(|question| !question.tasks.is_empty())
            })
            .copied()
        };
        let firsts = self.levels.each_ref().map(first_of);
        let mut least_below = u64::MAX;
        for (level, first) in self.levels.iter_mut().zip(&firsts).rev() {
            let was_busy = std::mem::replace(&mut level.is_busy, first.is_some());
            if !level.is_busy {
                continue;
            }
            level.pass = match was_busy {
                true => level.pass.min(least_below.saturating_add(AHEAD_MAX_NANOS)),
                false => {
                    // Without work it has saved up no time for later. And it owes none: those below had a turn since.
                    let pass = level.pass.max(self.now);
                    pass.min(least_below.saturating_sub(START_NANOS))
                }
            };
            least_below = least_below.min(level.pass);
        }
        // Of levels that have had as much the upper one.
        let busy = firsts.into_iter().zip(&self.levels);
        let busy = busy.filter_map(|(first, level)| Some((first?, level.pass)));
        let (question, pass) = busy.min_by_key(|(_, pass)| *pass)?;
        self.now = self.now.max(pass);
        let asked = self.questions.get_mut(&question)?;
        let level = asked.level;
        let task = asked.tasks.pop_front()?;
        Some((Turn { question, level }, task))
    }

    /// Learns how long the task of a turn took; its question may have left.
    pub(crate) fn charge(&mut self, turn: Turn, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let weighted = nanos.saturating_mul(weight(turn.level));
        let level = &mut self.levels[turn.level];
        level.pass = level.pass.saturating_add(weighted);
        let Some(question) = self.questions.get_mut(&turn.question) else {
            return;
        };
        question.used += took;
        if question.used < quantum(question.level) {
            return;
        }
        // From the last level it goes to the end of its line.
        let line = &mut self.levels[question.level].line;
        line.retain(|other| *other != turn.question);
        question.used = Duration::ZERO;
        question.level = (question.level + 1).min(LEVELS - 1);
        self.levels[question.level].line.push_back(turn.question);
    }
}

fn quantum(level: usize) -> Duration {
    (0..level).fold(FIRST_QUANTUM, |quantum, _| quantum * QUANTUM_FACTOR)
}

/// How much faster time passes for a level than for the first.
fn weight(level: usize) -> u64 {
    (0..level).fold(1, |weight, _| weight * SHARE_FACTOR)
}

#[cfg(test)]
mod tests;
