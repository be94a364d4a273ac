//! The engine over a real store.

mod answer_memory;
mod cancelled;
mod counted;
mod counted_values;
mod cut;
mod evicted;
mod explain;
mod facets;
mod few_rows;
mod live;
mod oracle;
mod patterns;
mod pruning;
mod query_plan;
mod scan;
mod sorted;
mod stages;
mod stages_cut;
mod support;
mod tally;
mod tasks;
mod templates;
mod top;
mod unreadable;
