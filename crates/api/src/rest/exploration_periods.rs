//! How long and how often, in Better Stack's words: it computes a value for each interval of a period, and an alert is as it is while one of these
//! is; here a window is one interval.

use cordwood_service::rules::Rule;
use serde::{Deserialize, Serialize};

/// The periods of an alert, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Periods {
    /// How often it is checked.
    pub(super) check_period: u32,
    /// How far back a check looks.
    pub(super) query_period: u32,
    /// How long the intervals are of which a value is computed each.
    pub(super) aggregation_interval: u32,
    /// For how long it must be clear before it is over; `None`: never by itself.
    pub(super) recovery_period: Option<u32>,
}

impl Periods {
    /// Those that a rule comes to that was never told any.
    pub(super) fn of(rule: &Rule) -> Periods {
        Periods {
            check_period: rule.check_every_s,
            query_period: rule.window_s,
            aggregation_interval: rule.window_s,
            recovery_period: rule.recovery_s,
        }
    }

    /// Has a rule keep to them. The intervals leave no gaps, so that it is checked as often as they are long at least. What was breached in one
    /// interval is breached as long as that is within the period, so that the recovery takes as much longer.
    pub(super) fn apply_to(self, rule: &mut Rule) {
        let within = self.query_period.saturating_sub(self.aggregation_interval);
        rule.window_s = self.aggregation_interval;
        rule.check_every_s = self.check_period.min(self.aggregation_interval);
        rule.recovery_s = self
            .recovery_period
            .map(|recovery| recovery.saturating_add(within));
    }

    /// Whether a rule keeps to them.
    pub(super) fn fit(self, rule: &Rule) -> bool {
        let mut kept = rule.clone();
        self.apply_to(&mut kept);
        let of = |rule: &Rule| (rule.window_s, rule.check_every_s, rule.recovery_s);
        of(&kept) == of(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        let rule = r#"{"query": "*", "condition": {"type": "matches"}}"#;
        serde_json::from_str(rule).expect("a rule")
    }

    fn check(periods: [u32; 3], recovery: Option<u32>, expected: (u32, u32, Option<u32>)) {
        let [check_period, query_period, aggregation_interval] = periods;
        let periods = Periods {
            check_period,
            query_period,
            aggregation_interval,
            recovery_period: recovery,
        };
        let mut kept = rule();
        periods.apply_to(&mut kept);
        let found = (kept.window_s, kept.check_every_s, kept.recovery_s);
        assert_eq!(found, expected, "{periods:?}");
        assert!(periods.fit(&kept));
        kept.window_s += 10;
        assert!(!periods.fit(&kept));
    }

    #[test]
    fn a_window_is_an_interval() {
        check([60, 300, 300], Some(300), (300, 60, Some(300)));
        check([60, 60, 60], Some(0), (60, 60, Some(0)));
        check([60, 300, 60], Some(300), (60, 60, Some(540)));
        check([300, 60, 60], None, (60, 60, None));
        check([300, 600, 300], Some(60), (300, 300, Some(360)));
        assert!(Periods::of(&rule()).fit(&rule()));
    }
}
