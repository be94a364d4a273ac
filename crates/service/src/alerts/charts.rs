//! Alerts on saved queries, as Better Stack has alerts on charts: what a chart shows over time, a rule measures of a window.

use cordwood_query::{GroupKey, Query, Stage};

use crate::search::problems_of;
use crate::{Caller, ClientId, Error, Service, Source};

/// The query of a rule that measures what a query shows: intervals of time are the rule's window, and order is none of its business. What else
/// cannot be part of a rule stays, and is told when the rule is checked.
pub fn query_of_rule(query: &str) -> Result<String, Error> {
    let parsed = cordwood_query::parse(query)
        .map_err(|diagnostics| Error::Query(problems_of(diagnostics.0)))?;
    let Query { filter, stages } = parsed.query;
    let stages = stages.into_iter().filter_map(|stage| match stage {
        Stage::Timechart { aggregates, by, .. } => Some(Stage::Stats {
            aggregates,
            by: by.into_iter().map(GroupKey::Field).collect(),
        }),
        Stage::Stats { aggregates, by } => {
            let by = by.into_iter();
            Some(Stage::Stats {
                aggregates,
                by: by.filter(|key| matches!(key, GroupKey::Field(_))).collect(),
            })
        }
        Stage::Sort(_) => None,
        stage => Some(stage),
    });
    let query = Query {
        filter,
        stages: stages.collect(),
    };
    Ok(query.to_string())
}

impl Service {
    /// The source of a client that has this table in SQL.
    pub fn source_of_table(
        &self,
        caller: &Caller,
        client: ClientId,
        table: &str,
    ) -> Result<Source, Error> {
        let visible = self.visible_sources(caller);
        let found = visible
            .iter()
            .find(|source| source.client == client && source.table_name == table);
        let found = found.ok_or_else(|| Error::NotFound {
            kind: "source",
            name: table.to_owned(),
            near: Vec::new(),
        })?;
        Ok(self.describe(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_chart_shows_is_what_a_rule_measures() {
        let cases = [
            ("level:error", "level:error"),
            ("", "*"),
            (
                "level:error | timechart 5m count() by service",
                "level:error | stats count() by service",
            ),
            (
                "* | stats p95(ms) as p95 by path, dt:1m | sort by p95 desc",
                "* | stats p95(ms) as p95 by path",
            ),
            ("* | top 10 path", "* | top 10 path"),
        ];
        for (query, expected) in cases {
            assert_eq!(
                query_of_rule(query).ok().as_deref(),
                Some(expected),
                "{query}"
            );
        }
        assert!(query_of_rule("level:(error").is_err());
    }
}
