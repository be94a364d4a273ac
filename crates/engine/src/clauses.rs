//! The clauses of a filter, with what was found out about templates of text so far.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use cordwood_event::Timestamp;
use cordwood_query::{Clause, CompiledClause, Filter, Interrupt, Matcher, Predicate};

use crate::condition::ClauseId;
use crate::evaluate::TemplateTest;

/// Compiles what one question asks.
#[derive(Clone, Debug)]
pub(crate) struct Compiler {
    now: Timestamp,
    interrupt: Interrupt,
}

impl Compiler {
    /// Relative times are counted from `now`; nothing interrupts the tests.
    pub(crate) fn new(now: Timestamp) -> Compiler {
        Compiler {
            now,
            interrupt: Interrupt::default(),
        }
    }

    pub(crate) fn interrupted_by(self, interrupt: &Interrupt) -> Compiler {
        Compiler {
            interrupt: interrupt.clone(),
            ..self
        }
    }

    pub(crate) fn clauses(&self, clauses: &[&Clause]) -> Vec<CompiledClause> {
        let compiled = clauses.iter().map(|clause| clause.compile(self.now));
        let interrupted = compiled.map(|clause| clause.interrupted_by(&self.interrupt));
        interrupted.collect()
    }

    pub(crate) fn matcher(&self, filter: &Filter) -> Matcher {
        Matcher::new(filter, self.now).interrupted_by(&self.interrupt)
    }
}

/// Compiled clauses by [`ClauseId`]. A clone shares what is found out.
#[derive(Clone, Debug)]
pub(crate) struct Clauses {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    compiled: Vec<CompiledClause>,
    /// By clause.
    templates: Vec<OnceLock<TemplateTest>>,
}

impl Clauses {
    pub(crate) fn new(compiled: Vec<CompiledClause>) -> Clauses {
        Clauses {
            inner: Arc::new(Inner {
                templates: compiled.iter().map(|_| OnceLock::new()).collect(),
                compiled,
            }),
        }
    }

    /// What a clause asks of text, prepared to be asked of templates. Every clause has one predicate at most.
    pub(crate) fn template_test(&self, clause: ClauseId, predicate: &Predicate) -> &TemplateTest {
        self.inner.templates[clause.0].get_or_init(|| TemplateTest::new(predicate))
    }
}

impl Deref for Clauses {
    type Target = [CompiledClause];

    fn deref(&self) -> &[CompiledClause] {
        &self.inner.compiled
    }
}
