//! Alerts: rules, what they ask, and the machine that says when one fires and recovers.
//!
//! A [`Rule`] is what its author wrote; [`Rule::check`] tells all that is wrong with it, or makes a [`CheckedRule`]. That has
//! a [`Question`] for each window, and makes [`Reading`]s of the rows that answer it. [`step`] takes the state of the rule and an
//! [`Observation`], and gives the state after it and its [`Effect`]s: what opened, what recovered. [`back_test`] runs the same machine
//! over the past.
//!
//! The crate is pure: time is an argument. It must not know engines, records, channels or incidents: whoever has them runs the questions
//! and carries the effects out.
#![warn(missing_docs)]

mod back_test;
mod cause;
mod check;
mod drift;
mod effect;
pub mod figures;
mod group;
mod group_matcher;
mod instant;
mod invalid;
pub mod limits;
mod machine;
mod observation;
mod pattern_memory;
mod question;
mod reading;
mod reference;
mod roster;
mod rule;
mod severity;
mod silence;
mod state;
mod wildcard;
mod window;

pub use back_test::{BackTest, Episode, back_test};
pub use cause::Telling;
pub use check::CheckedRule;
pub use drift::{Difference, drift};
pub use effect::{Closed, Effect, Opened};
pub use group::Group;
pub use group_matcher::GroupMatcher;
pub use invalid::Invalid;
pub use machine::step;
pub use observation::{Heard, Observation, Outcome};
pub use pattern_memory::PatternMemory;
pub use question::{Cell, FoundRow, Question, Tally};
pub use reading::{Reading, Reference, Value};
pub use reference::Earlier;
pub use roster::{Member, Roster};
pub use rule::{
    Absence, AbsenceOf, Against, Anomaly, AnomalyDirection, Condition, FurtherCondition,
    IncidentPer, Measure, NewPattern, OnMissingData, Operator, Ratio, RatioOf, Relative,
    RelativeOperator, Rule, Threshold, ThresholdValue,
};
pub use severity::Severity;
pub use silence::{CheckedSilence, Silence, SilenceMatcher, Subject, Weekday, Weekly};
pub use state::{GroupState, Phase, RuleState};
pub use window::Window;
