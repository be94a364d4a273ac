//! What an export has to do, understood and checked.

use std::collections::BTreeSet;

use cordwood_engine as engine;
use cordwood_query::Stage;

use super::format::{Compression, ExportFormat, Formulas};
use crate::ClientId;

/// An export understood.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// The query as it is shown.
    pub(super) query: String,
    /// The clients of the sources.
    pub(super) clients: BTreeSet<ClientId>,
    /// Which events; cancelled through it.
    pub(super) search: engine::SearchRequest,
    /// What is made of them.
    pub(super) content: Content,
    pub(super) format: ExportFormat,
    pub(super) compression: Compression,
    pub(super) formulas: Formulas,
    /// Whether records are chained and signed.
    pub(super) evidence: bool,
}

/// What is exported.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// The events, or these fields of them; none for all.
    Events { fields: Vec<String> },
    /// What the stages make.
    Stages(Vec<Stage>),
}
