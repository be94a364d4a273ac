//! Which incidents are wanted: a filter, asked of SQLite one page at a time.

use cordwood_event::Timestamp;
use rusqlite::ToSql;
use rusqlite::types::Value;

use super::{Incident, IncidentId, Severity};
use crate::database::id_to;
use crate::{Catalog, ClientId, Error, RuleId};

/// How far an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncidentStatus {
    /// It is open, and nobody takes care of it.
    Started,
    /// It is open, and somebody does.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Incident {
    /// How far it is.
    pub fn status(&self) -> IncidentStatus {
        match (&self.resolved, &self.acknowledged) {
            (Some(_), _) => IncidentStatus::Resolved,
            (None, Some(_)) => IncidentStatus::Acknowledged,
            (None, None) => IncidentStatus::Started,
        }
    }
}

/// Which incidents are wanted; what is `None` or empty does not matter.
#[derive(Clone, Debug, Default)]
pub struct IncidentFilter {
    /// Those of these clients; `None` for those of all.
    pub clients: Option<Vec<ClientId>>,
    /// Those that began then or later.
    pub from: Option<Timestamp>,
    /// Those that began then or earlier.
    pub to: Option<Timestamp>,
    /// Those that are so far.
    pub statuses: Vec<IncidentStatus>,
    /// Those that somebody took care of at some time, or that nobody did.
    pub is_acknowledged: Option<bool>,
    /// Those of the rule.
    pub rule: Option<RuleId>,
    /// Those that are so bad.
    pub severities: Vec<Severity>,
    /// Those that have a label with one of these values, or at all if there are none; for each.
    pub labels: Vec<(String, Vec<String>)>,
    /// Those whose name or cause has the text, whatever the case of ASCII letters.
    pub text: Option<String>,
    /// Those that come after this one in the order of the list.
    pub after: Option<(Timestamp, IncidentId)>,
}

impl Catalog {
    /// The incidents wanted: those that began last first, of one time the last opened; so many after leaving out some.
    pub fn incidents(
        &self,
        filter: &IncidentFilter,
        left_out: usize,
        limit: usize,
    ) -> Result<Vec<Incident>, Error> {
        let (mut clauses, mut values) = conditions(filter);
        clauses.push_str(" ORDER BY started_at DESC, id DESC LIMIT ? OFFSET ?");
        let number = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        values.extend([number(limit), number(left_out)]);
        self.select(&clauses, &as_parameters(&values))
    }

    /// How many incidents are wanted.
    pub fn count_incidents(&self, filter: &IncidentFilter) -> Result<u32, Error> {
        let (clauses, values) = conditions(filter);
        self.connection()
            .query_row(
                &format!("SELECT count(*) FROM incidents {clauses}"),
                as_parameters(&values).as_slice(),
                |row| row.get(0),
            )
            .map_err(Error::database("counting incidents"))
    }
}

fn as_parameters(values: &[Value]) -> Vec<&dyn ToSql> {
    values.iter().map(|value| value as &dyn ToSql).collect()
}

/// The conditions as clauses, and the values of their parameters.
fn conditions(filter: &IncidentFilter) -> (String, Vec<Value>) {
    let mut conditions = vec!["1".to_owned()];
    let mut values = Vec::new();
    let mut need = |condition: String, given: Vec<Value>| {
        conditions.push(condition);
        values.extend(given);
    };
    let time = |time: Timestamp| Value::Integer(time.as_nanos());
    if let Some(clients) = &filter.clients {
        let ids = clients.iter().map(|client| Value::Integer(id_to(client.0)));
        need(one_of("client_id", clients.len()), ids.collect());
    }
    if let Some(from) = filter.from {
        need("started_at >= ?".to_owned(), vec![time(from)]);
    }
    if let Some(to) = filter.to {
        need("started_at <= ?".to_owned(), vec![time(to)]);
    }
    if !filter.statuses.is_empty() {
        let statuses = filter.statuses.iter().map(|status| match status {
            IncidentStatus::Started => "(resolved_at IS NULL AND acknowledged_at IS NULL)",
            IncidentStatus::Acknowledged => "(resolved_at IS NULL AND acknowledged_at IS NOT NULL)",
            IncidentStatus::Resolved => "resolved_at IS NOT NULL",
        });
        let statuses: Vec<&str> = statuses.collect();
        need(format!("({})", statuses.join(" OR ")), Vec::new());
    }
    if let Some(is_acknowledged) = filter.is_acknowledged {
        let condition = "(acknowledged_at IS NOT NULL) = ?".to_owned();
        need(condition, vec![Value::Integer(is_acknowledged.into())]);
    }
    if let Some(rule) = filter.rule {
        need(
            "rule_id = ?".to_owned(),
            vec![Value::Integer(id_to(rule.0))],
        );
    }
    if !filter.severities.is_empty() {
        let names = filter.severities.iter();
        let names = names.map(|severity| Value::Text(severity.name().to_owned()));
        need(one_of("severity", filter.severities.len()), names.collect());
    }
    for (name, wanted) in &filter.labels {
        let value = match wanted.len() {
            0 => "1".to_owned(),
            several => one_of("value", several),
        };
        let texts = std::iter::once(name).chain(wanted);
        need(
            format!("EXISTS (SELECT 1 FROM json_each(labels) WHERE key = ? AND {value})"),
            texts.map(|text| Value::Text(text.clone())).collect(),
        );
    }
    if let Some(text) = &filter.text {
        let condition = "instr(lower(name || char(10) || cause), lower(?)) > 0".to_owned();
        need(condition, vec![Value::Text(text.clone())]);
    }
    if let Some((started_at, id)) = filter.after {
        let place = vec![time(started_at), Value::Integer(id_to(id.0))];
        need("(started_at, id) < (?, ?)".to_owned(), place);
    }
    (format!("WHERE {}", conditions.join(" AND ")), values)
}

fn one_of(column: &str, values: usize) -> String {
    format!("{column} IN ({})", vec!["?"; values].join(", "))
}
