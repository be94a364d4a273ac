//! Turns counted in tasks of a millisecond: nothing runs, nothing is measured.

use proptest::prelude::*;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

/// Tasks that wait in a schedule: each is one millisecond of the question of its name.
struct Simulated {
    schedule: Schedule<char>,
    questions: HashMap<char, QuestionId>,
}

impl Simulated {
    fn new() -> Simulated {
        Simulated {
            schedule: Schedule::default(),
            questions: HashMap::new(),
        }
    }

    fn enter(&mut self, name: char, tasks: usize) {
        let id = self.schedule.enter();
        self.questions.insert(name, id);
        self.push(name, tasks);
    }

    fn push(&mut self, name: char, tasks: usize) {
        for _ in 0..tasks {
            self.schedule.push(self.questions[&name], name);
        }
    }

    /// Whose task is done next.
    fn turn(&mut self) -> Option<char> {
        self.turn_that_takes(MILLISECOND)
    }

    fn turn_that_takes(&mut self, time: Duration) -> Option<char> {
        let (turn, name) = self.schedule.next()?;
        self.schedule.charge(turn, time);
        Some(name)
    }

    fn turns(&mut self, count: usize) -> String {
        (0..count).map_while(|_| self.turn()).collect()
    }
}

#[test]
fn a_fresh_question_goes_before_long_ones() {
    let mut simulated = Simulated::new();
    for name in ['a', 'b', 'c'] {
        simulated.enter(name, 2_500);
    }
    simulated.turns(6_000);
    simulated.enter('x', 7);
    assert_eq!(simulated.turns(7), "xxxxxxx");
    // What no fresh question wants the long ones have.
    assert!(!simulated.turns(3).contains('x'));
}

#[test]
fn questions_alike_are_done_one_after_the_other() {
    let mut simulated = Simulated::new();
    for name in ['a', 'b', 'c'] {
        simulated.enter(name, 6);
    }
    assert_eq!(simulated.turns(18), "aaaaaabbbbbbcccccc");
    // Beyond the first quantum they sink, and meet again in the next level.
    for name in ['a', 'b', 'c'] {
        simulated.push(name, 12);
    }
    let turns = simulated.turns(36);
    assert!(turns.ends_with("aaaaaaaabbbbbbbbbbcccccccccc"), "{turns}");
}

#[test]
fn long_questions_go_on_beside_ever_new_ones() {
    let mut simulated = Simulated::new();
    simulated.enter('a', 6_000);
    simulated.turns(5_000);
    let mut of_long = 0;
    for _ in 0..1_000 {
        // There is always a fresh one.
        simulated.enter('x', 5);
        let turns = simulated.turns(5);
        of_long += turns.matches('a').count();
        let id = simulated.questions[&'x'];
        let left = simulated.schedule.leave(id).len();
        assert_eq!(left, turns.matches('a').count());
    }
    // An 81st of what the fresh ones get.
    assert!((50..=75).contains(&of_long), "{of_long} of 5000");
}

#[test]
fn who_has_used_little_keeps_its_place() {
    let mut simulated = Simulated::new();
    simulated.enter('a', 12);
    simulated.enter('b', 40);
    simulated.turns(20);
    // Both have sunk by a level, and the first has done what it had to.
    let id = simulated.questions[&'a'];
    assert!(!simulated.schedule.has_used_much(id));
    simulated.push('a', 15);
    assert_eq!(simulated.turns(16), "aaaaaaaaaaaaaaab");
    simulated.turns(40);
    assert!(simulated.schedule.has_used_much(simulated.questions[&'b']));
}

#[test]
fn the_last_level_goes_round() {
    let mut simulated = Simulated::new();
    simulated.enter('a', 20_000);
    simulated.enter('b', 20_000);
    let turns = simulated.turns(20_000);
    let of_a = turns.matches('a').count();
    assert!((5_000..=15_000).contains(&of_a), "{of_a}");
}

#[test]
fn a_question_that_waits_does_not_keep_others_waiting() {
    let mut simulated = Simulated::new();
    simulated.enter('a', 0);
    simulated.enter('b', 3);
    assert_eq!(simulated.turns(2), "bb");
    simulated.push('a', 1);
    assert_eq!(simulated.turns(5), "ab");
}

#[test]
fn who_leaves_is_charged_all_the_same() {
    let mut simulated = Simulated::new();
    simulated.enter('a', 6_000);
    simulated.turns(5_000);
    let mut of_long = 0;
    for _ in 0..2_000 {
        // It has its answer before the thread says how long that took.
        let id = simulated.schedule.enter();
        simulated.schedule.push(id, 'x');
        let (turn, name) = simulated.schedule.next().expect("a task waits");
        simulated.schedule.leave(id);
        simulated.schedule.charge(turn, MILLISECOND);
        of_long += usize::from(name == 'a');
    }
    assert!((20..=30).contains(&of_long), "{of_long} of 2000");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever came before, a question of `tasks` blocks waits for few of those that are less fresh: what the first level
    /// owes to the lower ones.
    #[test]
    fn a_short_question_waits_for_few_others(
        long in 1usize..9,
        turns_before in 0usize..400,
        tasks in 1usize..8,
        threads in 1usize..5,
    ) {
        let mut simulated = Simulated::new();
        for index in 0..long {
            let name = char::from(b'a' + u8::try_from(index).expect("a few"));
            simulated.enter(name, 500);
        }
        // None is as fresh as the one to come.
        while !simulated.schedule.levels[0].line.is_empty() {
            simulated.turn_that_takes(10 * MILLISECOND);
        }
        for _ in 0..turns_before {
            simulated.turn_that_takes(10 * MILLISECOND);
        }
        let running: Vec<_> = (0..threads).filter_map(|_| simulated.schedule.next()).collect();
        simulated.enter('x', tasks);
        for (turn, _) in running {
            simulated.schedule.charge(turn, MILLISECOND);
        }
        let mut others = 0;
        let mut left = tasks;
        while left > 0 {
            match simulated.turn() {
                Some('x') => left -= 1,
                _ => others += 1,
            }
        }
        let owed = tasks.div_ceil(usize::try_from(SHARE_FACTOR).expect("small"));
        prop_assert!(others < LEVELS + owed, "{others} of others before {tasks}");
    }

    /// Every task is done once, and as long as one waits a thread has something to do.
    #[test]
    fn no_task_is_lost(steps in proptest::collection::vec((0u8..4, 0u8..6, 0u64..30), 1..200)) {
        let mut schedule = Schedule::default();
        let mut entered: Vec<QuestionId> = Vec::new();
        let (mut pushed, mut done, mut dropped) = (0, 0, 0);
        for (step, which, millis) in steps {
            let chosen = entered.get(usize::from(which)).copied();
            match (step, chosen) {
                (0, _) | (_, None) => entered.push(schedule.enter()),
                (1, Some(id)) => {
                    schedule.push(id, ());
                    pushed += 1;
                }
                (2, Some(id)) => {
                    dropped += schedule.leave(id).len();
                    entered.retain(|other| *other != id);
                }
                _ => match schedule.next() {
                    Some((turn, ())) => {
                        done += 1;
                        schedule.charge(turn, Duration::from_millis(millis));
                    }
                    None => prop_assert_eq!(pushed, done + dropped),
                },
            }
        }
        while let Some((turn, ())) = schedule.next() {
            done += 1;
            schedule.charge(turn, MILLISECOND);
        }
        prop_assert_eq!(pushed, done + dropped);
    }
}
