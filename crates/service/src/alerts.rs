//! Alerts: rules that the server checks, what they open and whom they tell.
//!
//! A thread looks every second which rules are due. Each asks its question of the events that arrived in its window, by the same path as a search; the machine
//! of `cordwood_alerts` says what that means; state, incidents and notices are written in one transaction. docs/decisions/0040 says why.

mod alert;
mod arrivals;
mod asking;
mod back_test;
mod board;
mod charts;
mod checks;
mod counters;
mod evaluation;
mod groups;
mod marks;
mod members;
mod observing;
mod refusals;
mod rules;
mod telling;
mod templates;
mod ticker;
mod watched;

use std::sync::{Arc, Mutex, PoisonError};

use cordwood_catalog as catalog;

use crate::{Cancel, Error, Service};
use board::Board;
use evaluation::Evaluation;
use marks::Marks;

pub use alert::{
    Alert, AlertChanges, AlertStatus, FailingChecks, FiringGroup, GROUPS_TOLD_MAX, OfTemplate,
};
pub use back_test::{BackTestAnswer, BackTestRequest};
pub use charts::query_of_rule;
pub use checks::{CHECKS_DEFAULT, CHECKS_MAX, CheckPage, KeptCheck, SeenCheck};
pub(crate) use counters::Counters;
pub use evaluation::AlertRound;
pub use members::{AlertMember, RetiredMember};
pub use templates::{
    CarriedTo, ClientOfTemplate, RuleTemplate, RuleTemplateChanges, TemplateClients, TemplateDeed,
};
pub(crate) use ticker::Ticker;

/// What the service holds for alerts.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    /// `None` until the first round, which reads what the catalog kept.
    evaluation: Mutex<Option<Evaluation>>,
    marks: Marks,
    board: Board,
    pub(crate) counters: Counters,
    cancel: Cancel,
    ticker: Ticker,
}

impl Alerts {
    /// Stops the thread and waits for it.
    pub(crate) fn stop(&self) {
        self.cancel.cancel();
        self.ticker.stop();
    }
}

impl Service {
    /// Checks all alerts that are due, by the clock, and gives new clients those of templates that say so. A thread does that every second once [`start_alerts`](Service::start_alerts) was called.
    pub fn check_alerts(&self) -> Result<AlertRound, Error> {
        let round = self.with_evaluation(|evaluation| {
            evaluation.round(self, &self.alerts.board, &self.alerts.cancel)
        })?;
        self.alerts.counters.count(&round);
        self.give_to_new_clients()?;
        self.tell_unmuted()?;
        Ok(round)
    }

    /// Does something with what the evaluation knows, between two rounds.
    fn with_evaluation<T>(
        &self,
        act: impl FnOnce(&mut Evaluation) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let evaluation = self.alerts.evaluation.lock();
        let mut evaluation = evaluation.unwrap_or_else(PoisonError::into_inner);
        act(match &mut *evaluation {
            Some(evaluation) => evaluation,
            unread => unread.insert(Evaluation::recall(self)?),
        })
    }

    /// Has a thread check alerts from now on, until the service is closed.
    pub fn start_alerts(self: &Arc<Service>) -> Result<(), Error> {
        self.alerts.ticker.start(Arc::downgrade(self))
    }

    fn described_rule(&self, record: &catalog::Rule) -> Result<Alert, Error> {
        let content = &record.content;
        Ok(Alert {
            id: record.id.0,
            name: content.name.clone(),
            description: content.description.clone(),
            rule: rules::stored(&content.rule)?,
            client: record.client,
            sources: content.sources.clone(),
            channels: content.channels.clone(),
            paused: content.paused.clone(),
            template: content
                .template
                .map(|(id, version)| OfTemplate { id: id.0, version }),
            saved_query: content.saved_query.map(|saved| saved.0),
            kept: rules::kept(content),
            created_by: record.created_by.map(|token| token.0),
            created_at: record.created_at,
            updated_at: record.updated_at,
            status: self.alerts.board.of(record.id),
        })
    }
}
