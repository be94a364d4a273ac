//! The books: what was sent and acknowledged, held against what a search finds.

use std::collections::HashMap;

use serde_json::Value;

use super::sender::Batch;

/// Faults printed per comparison; a real loss shows in the first.
const FAULTS_MAX: usize = 20;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    batches: Vec<Batch>,
}

impl Ledger {
    pub(crate) fn add(&mut self, batches: Vec<Batch>) {
        self.batches.extend(batches);
    }

    pub(crate) fn append(&mut self, other: Ledger) {
        self.add(other.batches);
    }

    pub(crate) fn acknowledged_batches(&self) -> usize {
        self.acknowledged().count()
    }

    pub(crate) fn acknowledged_events(&self) -> u64 {
        self.acknowledged().map(|batch| batch.events).sum()
    }

    pub(crate) fn unanswered(&self) -> usize {
        self.batches.len() - self.acknowledged_batches()
    }

    fn acknowledged(&self) -> impl Iterator<Item = &Batch> {
        self.batches.iter().filter(|batch| batch.is_acknowledged)
    }

    /// Compares a source's events, of one round or of all, with the books. A sentence for each fault.
    pub(crate) fn compare(
        &self,
        source: usize,
        round: Option<u64>,
        found: &[Value],
    ) -> Vec<String> {
        let mut faults = Vec::new();
        let mut stored: HashMap<&str, &Value> = HashMap::new();
        for event in found {
            match event.get("marker").and_then(Value::as_str) {
                None => faults.push(format!("nobody sent {event}")),
                Some(marker) => {
                    if stored.insert(marker, event).is_some() {
                        faults.push(format!("{marker} is there more than once"));
                    }
                }
            }
        }
        let batches = self.batches.iter().filter(|batch| {
            batch.source == source && round.is_none_or(|round| batch.round == round)
        });
        for batch in batches {
            faults.extend(compare_batch(batch, &mut stored));
        }
        faults.extend(stored.keys().map(|marker| format!("nobody sent {marker}")));
        faults.truncate(FAULTS_MAX);
        faults
    }
}

/// Takes the batch's events out of what is stored.
fn compare_batch(batch: &Batch, stored: &mut HashMap<&str, &Value>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut missing = 0;
    for event in 0..batch.events {
        let marker = batch.marker(event);
        match stored.remove(marker.as_str()) {
            None => missing += 1,
            Some(found) => faults.extend(difference(&marker, &batch.event(event), found)),
        }
    }
    if missing > 0 && batch.is_acknowledged {
        let name = batch.marker(0);
        let events = batch.events;
        faults.push(format!(
            "{name}: acknowledged, {missing} of {events} events are missing"
        ));
    }
    if missing > 0 && missing < batch.events && !batch.is_acknowledged {
        faults.push(format!(
            "{}: only a part of the batch is there",
            batch.marker(0)
        ));
    }
    faults
}

/// The first field that did not come back as it was sent.
fn difference(marker: &str, sent: &Value, found: &Value) -> Option<String> {
    let (field, value) = sent
        .as_object()?
        .iter()
        .find(|(field, value)| found.get(field.as_str()) != Some(*value))?;
    let found = found.get(field.as_str()).unwrap_or(&Value::Null);
    Some(format!(
        "{marker}: {field} was sent as {value} and came back as {found}"
    ))
}

#[cfg(test)]
mod tests {
    use super::Ledger;
    use crate::crash::sender::Batch;
    use serde_json::Value;

    fn batch(number: u64, is_acknowledged: bool) -> Batch {
        Batch {
            round: 1,
            sender: 2,
            number,
            events: 3,
            source: 0,
            has_key: false,
            is_acknowledged,
        }
    }

    #[test]
    fn every_kind_of_fault_is_found() {
        let (first, second) = (batch(0, true), batch(1, false));
        let all = |batch: &Batch| {
            (0..3)
                .map(|event| batch.event(event))
                .collect::<Vec<Value>>()
        };
        let mut ledger = Ledger::default();
        ledger.add(vec![first.clone(), second.clone()]);

        let whole = [all(&first), all(&second)].concat();
        let mut changed = whole.clone();
        changed[1]["message"] = "other".into();
        let cases = [
            (all(&first), ""),
            (whole.clone(), ""),
            (whole[..5].to_vec(), "only a part"),
            (whole[1..].to_vec(), "1 of 3 events are missing"),
            ([&whole[..], &whole[..1]].concat(), "more than once"),
            (
                [whole.clone(), all(&batch(2, true))].concat(),
                "nobody sent",
            ),
            (changed, "message was sent as"),
        ];
        for (found, expected) in cases {
            let faults = ledger.compare(0, None, &found);
            if expected.is_empty() {
                assert_eq!(faults, Vec::<String>::new());
            } else {
                assert!(
                    faults.iter().any(|fault| fault.contains(expected)),
                    "{faults:?}"
                );
            }
        }
        assert!(ledger.compare(1, None, &[]).is_empty());
        assert!(ledger.compare(0, Some(7), &[]).is_empty());
    }
}
