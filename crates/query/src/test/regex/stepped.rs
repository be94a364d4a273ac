//! A regular expression on one large text, step by step, so that it can be given up in between.
//!
//! The `regex` crate goes through a text in one call, at gigabytes a second as a rule and at a third of a megabyte for the worst
//! expressions that are let in. Here its lazy automaton is moved on byte by byte, at some hundred megabytes a second, and
//! never falls back on a slower one however often its memory is full.

use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::{DFA_BYTES_MAX, UNINTERRUPTED_BYTES};
use crate::Interrupt;
use crate::limits::REGEX_BYTES_MAX;

/// What one thread works with, kept for the next large text.
type Caches = Pool<
    Cache,
    Box<dyn Fn() -> Cache + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>,
>;

/// The automaton of an expression.
#[derive(Debug)]
pub(super) struct Stepped {
    automaton: DFA,
    caches: Caches,
}

impl Stepped {
    /// `None` for an expression that has no such automaton.
    pub(super) fn new(source: &str, is_case_ignored: bool) -> Option<Stepped> {
        let config = Config::new()
            .cache_capacity(DFA_BYTES_MAX)
            .skip_cache_capacity_check(true)
            .unicode_word_boundary(true);
        let syntax = syntax::Config::new()
            .utf8(false)
            .case_insensitive(is_case_ignored);
        let program = thompson::Config::new()
            .utf8(false)
            .nfa_size_limit(Some(2 * REGEX_BYTES_MAX));
        let automaton = DFA::builder()
            .configure(config)
            .syntax(syntax)
            .thompson(program)
            .build(source)
            .ok()?;
        let of_thread = automaton.clone();
        Some(Stepped {
            automaton,
            caches: Pool::new(Box::new(move || of_thread.create_cache())),
        })
    }

    /// Whether the text contains a match, `false` when interrupted; `None` where the automaton cannot tell, as of a word boundary
    /// beside a letter that is not ASCII.
    pub(super) fn matches(&self, text: &[u8], interrupt: &Interrupt) -> Option<bool> {
        let mut cache = self.caches.get();
        let input = Input::new(text).anchored(Anchored::No);
        let mut state = self
            .automaton
            .start_state_forward(&mut cache, &input)
            .ok()?;
        for chunk in text.chunks(UNINTERRUPTED_BYTES) {
            if interrupt.stops() {
                return Some(false);
            }
            for byte in chunk {
                state = self.automaton.next_state(&mut cache, state, *byte).ok()?;
                if state.is_tagged() {
                    if state.is_match() {
                        return Some(true);
                    }
                    if state.is_dead() {
                        return Some(false);
                    }
                    if state.is_quit() {
                        return None;
                    }
                }
            }
        }
        let end = self.automaton.next_eoi_state(&mut cache, state).ok()?;
        Some(end.is_match())
    }
}
