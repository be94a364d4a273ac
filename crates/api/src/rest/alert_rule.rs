//! What an alert is made of, as bodies describe it. `docs/alerts.md` says what each member means.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

/// What of an alert is to be changed.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "the members are read one by one, and those of the rule by serde"
)]
pub(crate) struct AlertBody {
    name: Option<String>,
    description: Option<String>,
    /// Ids, `src-` ids or names of sources of its client; empty for all of them.
    source_id: Option<Vec<String>>,
    /// Ids of channels; empty for the default ones.
    channels: Option<Vec<String>>,
    /// Whether it is not checked.
    paused: Option<bool>,
    /// A filter, with `where` and `parse` behind it if need be, and `| stats …` at its end if the measure and the groups are written there.
    query: Option<String>,
    /// A function such as `p95(duration_ms)`, or `{"ratio": {"of": "level:error", "to": "*"}}`; `count()` unless given.
    measure: Option<Value>,
    /// The fields whose values are judged each by itself.
    group_by: Option<Vec<String>>,
    /// `{"type": "threshold", "operator": "higher_than", "value": 5, "recovery_value": 3}`, or of type `matches`, `new_pattern`, `absence`,
    /// `relative` or `anomaly`.
    condition: Option<Value>,
    /// Up to four of the threshold kind that must hold besides.
    further_conditions: Option<Vec<Value>>,
    /// 300 unless given.
    window_s: Option<u32>,
    /// 60 unless given.
    check_every_s: Option<u32>,
    /// How much older than the window events may be that arrive in it: 60 unless given.
    lateness_s: Option<u32>,
    /// For how long it must be breached before it fires: 0 unless given.
    confirmation_s: Option<u32>,
    /// For how long it must be clear before it recovers: 300 unless given; null for never by itself.
    recovery_s: Option<u32>,
    /// For how long it does not fire again: 0 unless given.
    cooldown_s: Option<u32>,
    /// `treat_as_zero`, `dont_fire`, `treat_as_previous` or `fire`.
    on_missing_data: Option<String>,
    /// `group` unless given, or `rule`.
    incident_per: Option<String>,
    /// `"web-*"` or `{"host": "web-*"}`, one of which must fit.
    only_groups: Option<Vec<Value>>,
    /// None of which may fit.
    except_groups: Option<Vec<Value>>,
    /// `error` unless given, `info`, `warning` or `critical`.
    severity: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    /// What is said when it fires, with names in braces: `{group.host} has {value} errors`.
    cause: Option<String>,
    /// What to do then: a text or a link.
    runbook: Option<String>,
}

/// A new alert: what of [`AlertBody`] it needs, and whose it is.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `AlertBody`")]
pub(crate) struct NewAlertBody {
    name: String,
    query: String,
    condition: Value,
    /// Needed if the token sees several.
    client_id: Option<u64>,
    #[serde(flatten)]
    all_else: AlertBody,
}

/// What to back-test: the members of an alert, saved or not.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `AlertBody`")]
pub(crate) struct BackTestBody {
    /// The id or name of one that is there; what is given besides is changed for the test.
    alert: Option<String>,
    /// 1 to 30; 7 unless given.
    days: Option<u32>,
    /// 30 000 unless given, at most 600 000.
    timeout_ms: Option<u64>,
    #[serde(flatten)]
    changes: AlertBody,
}
