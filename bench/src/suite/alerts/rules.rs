//! The alerts that are checked: what engineers on call for a shop and its tenants would have, by number, always the same.
//!
//! Of ten, seven ask what others ask too, with thresholds of their own or for other windows; three are about one tenant each, as a provider has
//! them, and share their question with hardly any.

use serde_json::{Value, json};

use crate::corpus::vocabulary::{REGIONS, SERVICES};

/// Tenants in the corpus; the first have the most events.
const TENANTS: usize = 800;
const PHRASES: [&str; 3] = ["connection refused", "context deadline", "out of memory"];

/// How the page says what they are.
pub(crate) const MIX: &str = "of 10 alerts, two count the errors of a service by host, two are ratios of errors of a service, one is a p95 of \
    durations by region, three count the errors and warnings of one tenant, one is a phrase in a service and a region, one looks for new patterns \
    or for silence, of hosts or of a service in a region; half of the windows are 5 minutes, half 10";

/// The alert of this number.
pub(super) fn alert(number: usize, check_every_s: u32) -> Value {
    let (kind, turn) = (number % 10, number / 10);
    let mut alert = match kind {
        0 | 1 => errors_by_host(turn),
        2 | 3 => error_ratio(turn),
        4 => durations(turn),
        5..=7 => of_tenant(turn * 3 + kind - 5),
        8 => phrase(turn),
        _ if turn.is_multiple_of(2) => new_patterns(turn / 2),
        _ => silence(turn / 2),
    };
    let window_s = if turn.is_multiple_of(2) { 300 } else { 600 };
    alert["name"] = json!(format!("alert {number}"));
    alert["window_s"] = json!(window_s);
    alert["check_every_s"] = json!(check_every_s);
    alert
}

fn service(turn: usize) -> &'static str {
    // Both windows are asked of each.
    SERVICES[turn / 2 % SERVICES.len()]
}

/// A number that differs between alerts that ask the same.
fn own(turn: usize) -> usize {
    turn / (2 * SERVICES.len())
}

fn errors_by_host(turn: usize) -> Value {
    json!({
        "query": format!("service:{} level:error", service(turn)),
        "group_by": ["host"],
        "condition": {"type": "threshold", "operator": "higher_than", "value": 2000 + own(turn)},
    })
}

fn error_ratio(turn: usize) -> Value {
    json!({
        "query": format!("service:{}", service(turn)),
        "measure": {"ratio": {"of": "level:error"}},
        "condition": {"type": "threshold", "operator": "higher_than", "value": 60 + own(turn)},
        "further_conditions": [{"measure": "count()", "operator": "higher_than", "value": 100}],
    })
}

fn durations(turn: usize) -> Value {
    json!({
        "query": format!("service:{} duration_ms:*", service(turn)),
        "measure": "p95(duration_ms)",
        "group_by": ["region"],
        "condition": {"type": "threshold", "operator": "higher_than", "value": 20_000 + own(turn)},
    })
}

fn of_tenant(number: usize) -> Value {
    json!({
        "query": format!("tenant_id:t-{} level:(error OR warn)", 1 + number % TENANTS),
        "condition": {"type": "threshold", "operator": "higher_than", "value": 50_000},
        "confirmation_s": 120,
    })
}

fn phrase(turn: usize) -> Value {
    let region = REGIONS[turn / 2 % REGIONS.len()];
    let phrase = PHRASES[own(turn) % PHRASES.len()];
    json!({
        "query": format!("\"{phrase}\" service:{} region:{region}", service(turn)),
        "condition": {"type": "threshold", "operator": "higher_than", "value": 10_000},
    })
}

fn new_patterns(turn: usize) -> Value {
    json!({
        "query": format!("service:{} level:(error OR fatal)", service(turn)),
        "condition": {"type": "new_pattern", "events": 3},
    })
}

fn silence(turn: usize) -> Value {
    match turn.is_multiple_of(2) {
        true => json!({
            "query": format!("service:{}", service(turn)),
            "group_by": ["host"],
            "condition": {"type": "absence", "of": "members"},
        }),
        false => json!({
            "query": format!("service:{} region:{}", service(turn), REGIONS[turn / 2 % REGIONS.len()]),
            "condition": {"type": "absence"},
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::alert;

    #[test]
    fn many_ask_the_same_and_many_do_not() {
        let alerts: Vec<_> = (0..5000).map(|number| alert(number, 60)).collect();
        let asked: BTreeSet<String> = alerts
            .iter()
            .map(|alert| {
                format!(
                    "{} {} {} {}",
                    alert["query"], alert["measure"], alert["group_by"], alert["window_s"]
                )
            })
            .collect();
        assert!((1500..2500).contains(&asked.len()), "{}", asked.len());
        let names: BTreeSet<String> = alerts
            .iter()
            .map(|alert| alert["name"].to_string())
            .collect();
        assert_eq!(names.len(), alerts.len());
    }
}
