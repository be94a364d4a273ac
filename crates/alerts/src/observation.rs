//! What one check brings to the machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Group, Reading, Window};

/// A check of one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What it looked at. Its end is the time of the check: the machine's clock.
    pub window: Window,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The questions were not answered, or not completely; why.
    Failed(String),
    /// They were.
    Seen {
        /// What was found, by group. A group that is not here has no events.
        readings: BTreeMap<Group, Reading>,
        /// Whether all that was sent in the window could arrive.
        heard: Heard,
    },
}

/// Whether all that was sent in a window could arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Heard {
    /// It could.
    All,
    /// For a part of the window the server was down or could not write, or a source was paused or refused; why. Few events are no news then.
    Partly(String),
}
