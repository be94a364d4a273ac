//! Answers that are tables: what they hold, computed line by line, and whether an answer says the same.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::oracle::Line;

/// How far a value may be from the exact one, as a share of it, where the answer calls its column approximate.
const TOLERANCE: f64 = 0.03;

/// A column that events are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Service,
    Level,
    Path,
    /// The start of the interval of so many seconds that the event lies in.
    Interval(i64),
}

/// The column that is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Count,
    /// The 95th percentile of `duration_ms`, by nearest rank.
    P95Duration,
    DistinctUsers,
}

/// A table that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) keys: &'static [Key],
    pub(crate) measure: Measure,
    /// Only so many rows, those of the greatest values first.
    pub(crate) first: Option<usize>,
}

/// A row: its keys as text, and its value, none where there is nothing to compute from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) keys: Vec<String>,
    pub(crate) value: Option<f64>,
}

/// What has been seen of each group.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<Vec<String>, Group>);

#[derive(Debug, Default)]
struct Group {
    events: u64,
    durations: Vec<f64>,
    users: BTreeSet<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, table: &Table, line: &Line<'_>) -> anyhow::Result<()> {
        let keys: anyhow::Result<Vec<String>> = table.keys.iter().map(|key| key.of(line)).collect();
        let group = self.0.entry(keys?).or_default();
        match table.measure {
            Measure::Count => group.events += 1,
            Measure::P95Duration => group.durations.extend(line.duration_ms),
            Measure::DistinctUsers => {
                if let Some(user) = line.user_id.filter(|user| !group.users.contains(*user)) {
                    group.users.insert(user.to_owned());
                }
            }
        }
        Ok(())
    }

    pub(crate) fn append(&mut self, other: Tally) {
        for (keys, mut group) in other.0 {
            let into = self.0.entry(keys).or_default();
            into.events += group.events;
            into.durations.append(&mut group.durations);
            into.users.append(&mut group.users);
        }
    }

    /// The rows, all that share the last value included where only the first are wanted.
    pub(crate) fn into_rows(self, table: &Table) -> Vec<Row> {
        let mut rows: Vec<Row> = self
            .0
            .into_iter()
            .map(|(keys, group)| Row {
                keys,
                value: group.value(table.measure),
            })
            .collect();
        if let Some(first) = table.first {
            rows.sort_by(|a, b| b.value.partial_cmp(&a.value).expect("a count is a number"));
            let least = rows.get(first - 1).and_then(|row| row.value);
            rows.retain(|row| row.value >= least);
        }
        rows
    }
}

impl Group {
    fn value(mut self, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Count => Some(self.events as f64),
            Measure::DistinctUsers => Some(self.users.len() as f64),
            Measure::P95Duration => {
                self.durations.sort_unstable_by(f64::total_cmp);
                let rank = (self.durations.len() * 95).div_ceil(100);
                self.durations.get(rank.checked_sub(1)?).copied()
            }
        }
    }
}

impl Key {
    fn of(self, line: &Line<'_>) -> anyhow::Result<String> {
        Ok(match self {
            Key::Service => line.service.to_owned(),
            Key::Level => line.level.to_owned(),
            Key::Path => line.path.as_deref().unwrap_or("null").to_owned(),
            Key::Interval(seconds) => {
                let second = line.dt.parse::<Timestamp>()?.as_second();
                let start = second - second.rem_euclid(seconds);
                Timestamp::from_second(start)?.to_string()
            }
        })
    }

    /// The key in an answer, written as [`Key::of`] writes it.
    fn read(self, value: &Value) -> anyhow::Result<String> {
        match (self, value) {
            (_, Value::Null) => Ok("null".to_owned()),
            (Key::Interval(_), value) => {
                let text = value.as_str().context("a time that is no text")?;
                Ok(text.parse::<Timestamp>()?.to_string())
            }
            (_, value) => Ok(value.as_str().context("a key that is no text")?.to_owned()),
        }
    }
}

impl Table {
    /// What is wrong with an answer: `columns` name the keys, then the value; rows may come in any order unless only
    /// the first are wanted.
    pub(crate) fn fault(&self, expected: &[Row], answer: &Value) -> anyhow::Result<Option<String>> {
        let mut rows = self.read(answer)?;
        let wanted = self
            .first
            .map_or(expected.len(), |first| first.min(expected.len()));
        if rows.len() != wanted {
            let found = rows.len();
            return Ok(Some(format!("{found} rows and should be {wanted}")));
        }
        if self.first.is_some() {
            let is_sorted = rows.is_sorted_by(|a, b| a.value >= b.value);
            let counts = |rows: &[Row]| -> Vec<_> { rows.iter().map(|row| row.value).collect() };
            if !is_sorted || counts(&rows) != counts(&expected[..wanted]) {
                return Ok(Some(format!("{rows:?} are not the first rows in order")));
            }
        }
        let share = if self.is_approximate(answer) {
            TOLERANCE
        } else {
            0.0
        };
        rows.sort_by(|a, b| a.keys.cmp(&b.keys));
        if let Some(twice) = rows.windows(2).find(|pair| pair[0].keys == pair[1].keys) {
            return Ok(Some(format!("{:?} comes twice", twice[0].keys)));
        }
        let wrong = rows.iter().find(|row| {
            let right = expected.iter().find(|right| right.keys == row.keys);
            !right.is_some_and(|right| is_near(row.value, right.value, share))
        });
        Ok(wrong.map(|row| format!("{row:?} is not a row of the table")))
    }

    fn read(&self, answer: &Value) -> anyhow::Result<Vec<Row>> {
        let columns = columns(answer)?;
        let rows = answer["data"]
            .as_array()
            .context("the answer has no data")?;
        let (value, keys) = columns.split_last().context("a table without columns")?;
        anyhow::ensure!(keys.len() == self.keys.len(), "the columns are {columns:?}");
        rows.iter()
            .map(|row| {
                let keys = self
                    .keys
                    .iter()
                    .zip(keys)
                    .map(|(key, name)| key.read(&row[*name]));
                Ok(Row {
                    keys: keys.collect::<anyhow::Result<_>>()?,
                    value: row[*value].as_f64(),
                })
            })
            .collect()
    }

    fn is_approximate(&self, answer: &Value) -> bool {
        let value = columns(answer)
            .ok()
            .and_then(|columns| columns.last().copied());
        let approximate = answer
            .pointer("/meta/approximate")
            .and_then(Value::as_array);
        self.measure != Measure::Count
            && approximate
                .is_some_and(|names| names.iter().any(|named| named["column"].as_str() == value))
    }
}

fn columns(answer: &Value) -> anyhow::Result<Vec<&str>> {
    let columns = answer.pointer("/meta/columns").and_then(Value::as_array);
    let names = columns.context("the answer names no columns")?.iter();
    names
        .map(|name| name.as_str().context("a column's name is no text"))
        .collect()
}

fn is_near(found: Option<f64>, right: Option<f64>, share: f64) -> bool {
    match (found, right) {
        (Some(found), Some(right)) => (found - right).abs() <= share * right.abs(),
        (found, right) => found == right,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Key, Measure, Row, Table, Tally};
    use crate::oracle::Line;

    const COUNTS: Table = Table {
        keys: &[Key::Interval(60), Key::Service],
        measure: Measure::Count,
        first: None,
    };

    fn rows(table: &Table, events: &[(&str, &str, f64)]) -> Vec<Row> {
        let mut tally = Tally::default();
        for (time, service, duration) in events {
            let text = format!(
                r#"{{"dt":"2026-06-10T{time}Z","level":"info","message":"m","service":"{service}","host":"h","path":"/{service}","user_id":"u{duration}","duration_ms":{duration}}}"#
            );
            let mut part = Tally::default();
            let line = Line::parse(&text).expect("it is an event");
            part.add(table, &line).expect("it has a time");
            tally.append(part);
        }
        tally.into_rows(table)
    }

    fn check(table: &Table, expected: &[Row], answer: &Value, is_right: bool) {
        let fault = table.fault(expected, answer).expect("it is a table");
        assert_eq!(fault.is_none(), is_right, "{answer}: {fault:?}");
    }

    #[test]
    fn a_table_is_right_in_any_order_and_wrong_in_any_cell() {
        let expected = rows(
            &COUNTS,
            &[
                ("00:00:01.000", "a", 1.0),
                ("00:00:59.999", "a", 1.0),
                ("00:01:00.000", "b", 1.0),
            ],
        );
        let a = json!({"dt": "2026-06-10T00:00:00.000Z", "service": "a", "count()": 2});
        let b = json!({"dt": "2026-06-10T00:01:00Z", "service": "b", "count()": 1});
        let wrong = json!({"dt": "2026-06-10T00:01:00Z", "service": "a", "count()": 1});
        for (data, is_right) in [
            (json!([a, b]), true),
            (json!([b, a]), true),
            (json!([a]), false),
            (json!([a, a]), false),
            (json!([a, wrong]), false),
        ] {
            let answer = json!({"data": data, "meta": {"columns": ["dt", "service", "count()"]}});
            check(&COUNTS, &expected, &answer, is_right);
        }
    }

    #[test]
    fn only_an_approximate_column_may_be_off() {
        let table = Table {
            keys: &[Key::Service],
            measure: Measure::P95Duration,
            first: None,
        };
        let events: Vec<_> = (1..=200)
            .map(|n| ("00:00:00.000", "a", f64::from(n)))
            .collect();
        let expected = rows(&table, &events);
        assert_eq!(expected[0].value, Some(190.0));
        for (found, approximate, is_right) in [
            (190.0, json!([]), true),
            (191.0, json!([]), false),
            (191.0, json!([{"column": "p"}]), true),
            (200.0, json!([{"column": "p"}]), false),
        ] {
            let meta = json!({"columns": ["service", "p"], "approximate": approximate});
            let answer = json!({"data": [{"service": "a", "p": found}], "meta": meta});
            check(&table, &expected, &answer, is_right);
        }
    }

    #[test]
    fn of_equal_counts_any_may_be_among_the_first() {
        let table = Table {
            keys: &[Key::Path],
            measure: Measure::Count,
            first: Some(2),
        };
        let events = ["a", "a", "b", "c"].map(|service| ("00:00:00.000", service, 1.0));
        let expected = rows(&table, &events);
        for (paths, is_right) in [
            ([("/a", 2), ("/b", 1)], true),
            ([("/a", 2), ("/c", 1)], true),
            ([("/b", 1), ("/a", 2)], false),
            ([("/b", 1), ("/c", 1)], false),
            ([("/a", 2), ("/d", 1)], false),
        ] {
            let data = paths.map(|(path, count)| json!({"path": path, "count()": count}));
            let answer = json!({"data": data, "meta": {"columns": ["path", "count()"]}});
            check(&table, &expected, &answer, is_right);
        }
    }

    #[test]
    fn distinct_values_count_once() {
        let table = Table {
            keys: &[],
            measure: Measure::DistinctUsers,
            first: None,
        };
        let events = [1.0, 2.0, 1.0].map(|duration| ("00:00:00.000", "a", duration));
        assert_eq!(rows(&table, &events)[0].value, Some(2.0));
    }
}
