//! Runs a filter over a snapshot of the store: which blocks can be left out, which rows of the others match,
//! which of them come first, and the account of what was read for it.
//!
//! The store does not know the language and the language does not know the data; they meet here. What a
//! filter means is said by [`cordwood_query::Matcher`]; everything here is a faster way to the same events.
//!
//! This crate must not know HTTP, async, tokens or permissions, and reads no clock of its own.
#![warn(missing_docs)]

mod account;
mod aggregate;
mod answer;
mod answer_memory;
mod block;
mod budget;
mod by_template;
mod clauses;
mod condition;
mod counted;
mod datum;
mod deletions;
mod dense;
mod engine;
mod error;
mod evaluate;
mod explain;
mod explanation;
mod facets;
mod fetch;
mod fields;
mod groups;
mod key;
mod live;
mod matching;
mod narrow;
mod part;
pub mod pattern;
mod plan;
mod pool;
mod query_plan;
mod request;
mod row;
mod run;
mod scan;
mod search;
mod selection;
mod sorting;
mod staged;
mod survey;
mod table;
mod top;
mod value_tally;
mod words;

pub use account::{Account, BlockCounts, Incomplete};
pub use aggregate::{Approximation, Method};
pub use answer::SearchAnswer;
pub use answer_memory::AnswerMemory;
pub use budget::{Cancel, Clock, Progress};
pub use deletions::DeletedRows;
pub use engine::{Engine, Options};
pub use error::Error;
pub use explanation::{ClauseCount, Count, Emptiness, Explanation, NearFields};
pub use facets::{Coverage, Distinct, FACETS_DEFAULT, Facet, Facets, FacetsRequest};
pub use fields::{FieldKinds, Fields, Variety, Wanted};
pub use live::{Examined, LiveQuery, LiveRow, TogetherStage};
pub use query_plan::{
    ClausePlan, Estimate, Left, MatchBounds, Pruning, PruningStep, QueryPlan, Scope, StagePlace,
    StagePlan,
};
pub use request::{Order, Position, SearchRequest, SearchedSource, Total};
pub use scan::{Extent, Gather, ScanRequest, ScannedRows, Unread, Window, WindowLimit};
pub use staged::{
    Grouping, Kept, LEVELS, Pattern, Patterns, PatternsRequest, Staged, StagedAnswer,
    StagedRequest, Tally, TallyRequest,
};
pub use survey::{Survey, SurveyedField};
pub use table::{Cell, Table};
pub use value_tally::ValueCount;
