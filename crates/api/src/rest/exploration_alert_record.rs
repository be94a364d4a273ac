//! An alert as Better Stack's clients read it.

use std::collections::BTreeMap;

use cordwood_service::Alert;
use cordwood_service::rules::{
    AnomalyDirection, Condition, FurtherCondition, GroupMatcher, IncidentPer, OnMissingData, Rule,
    ThresholdValue,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::rest::envelope::{Attributes, Record, record};
use crate::rest::exploration_alert_body::{NOTIFYING, kind_of, labels, periods};
use crate::rest::times::RecordTime;

/// An alert. Of `matches`, `new_pattern` and `absence`, for which Better Stack has no names, `alert_type` is that name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplorationAlertAttributes {
    /// The id of the saved query it was made for; null if it was made otherwise.
    exploration_id: Option<u64>,
    name: String,
    /// `threshold`, `relative` or `anomaly_rrcf`.
    alert_type: &'static str,
    operator: Option<Value>,
    value: Option<f64>,
    string_value: Option<String>,
    /// Null for an anomaly.
    check_period: Option<u32>,
    query_period: u32,
    confirmation_period: u32,
    /// Null: never by itself.
    recovery_period: Option<u32>,
    aggregation_interval: u32,
    series_names: Vec<String>,
    series_names_except: Vec<String>,
    additional_conditions: Vec<AdditionalCondition>,
    /// Null for an anomaly, and where no event means something anyway.
    on_missing_data: Option<&'static str>,
    /// `source:` and the name of a table, of an alert on one source.
    source_variable: Option<String>,
    source_mode: &'static str,
    source_platforms: Vec<String>,
    incident_cause: Option<String>,
    incident_per_series: bool,
    /// As they were sent, unless the target is a policy.
    #[serde(flatten)]
    notifying: Notifying,
    escalation_target: Option<Value>,
    /// The labels, each with a list of values.
    metadata: BTreeMap<String, Vec<String>>,
    anomaly_sensitivity: Option<u8>,
    anomaly_trigger: Option<&'static str>,
    anomaly_training_range_days: Option<u32>,
    paused: bool,
    /// `Manually paused`, or what the server found.
    paused_reason: Option<String>,
    created_at: RecordTime,
    updated_at: RecordTime,
}

/// How to wake whom; channels say it here.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Notifying {
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    push: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    critical_alert: Option<bool>,
}

/// A threshold that must hold besides.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdditionalCondition {
    alert_type: &'static str,
    operator: Value,
    value: Option<f64>,
    string_value: Option<String>,
    series_names: Vec<String>,
    series_names_except: Vec<String>,
}

impl Attributes for ExplorationAlertAttributes {
    const TYPE: &'static str = "alert";
}

pub(crate) type ExplorationAlertRecord = Record<ExplorationAlertAttributes>;

/// The record of an alert on a source with this table, if it is on one alone.
pub(crate) fn exploration_alert_record(
    alert: &Alert,
    table: Option<&str>,
) -> ExplorationAlertRecord {
    let (rule, kept) = (&alert.rule, &alert.kept);
    let of_condition = OfCondition::of(&rule.condition);
    let periods = periods(rule, kept);
    let is_anomaly = matches!(rule.condition, Condition::Anomaly(_));
    let attributes = ExplorationAlertAttributes {
        exploration_id: alert.saved_query,
        name: alert.name.clone(),
        alert_type: kind_of(&rule.condition),
        operator: of_condition.operator,
        value: of_condition.value,
        string_value: of_condition.string_value,
        check_period: (!is_anomaly).then_some(periods.check_period),
        query_period: periods.query_period,
        confirmation_period: rule.confirmation_s,
        recovery_period: periods.recovery_period,
        aggregation_interval: periods.aggregation_interval,
        series_names: series(&rule.only_groups),
        series_names_except: series(&rule.except_groups),
        additional_conditions: rule.further_conditions.iter().map(additional).collect(),
        on_missing_data: of_condition
            .takes_missing_data
            .then(|| on_missing_data(rule)),
        source_variable: table.map(|table| format!("source:{table}")),
        source_mode: "source_variable",
        source_platforms: Vec::new(),
        incident_cause: rule.cause.clone(),
        incident_per_series: rule.incident_per == IncidentPer::Group,
        notifying: notifying(kept),
        escalation_target: kept
            .get("escalation_target")
            .filter(|target| !target.is_null())
            .cloned(),
        metadata: metadata(alert),
        anomaly_sensitivity: of_condition.sensitivity,
        anomaly_trigger: of_condition.trigger,
        anomaly_training_range_days: of_condition.training_days,
        paused: alert.paused.is_some(),
        paused_reason: alert.paused.as_deref().map(|reason| match reason {
            "manual" => "Manually paused".to_owned(),
            reason => reason.to_owned(),
        }),
        created_at: RecordTime(alert.created_at),
        updated_at: RecordTime(alert.updated_at),
    };
    record(alert.id, attributes)
}

/// What a condition comes to in Better Stack's attributes.
#[derive(Default)]
struct OfCondition {
    operator: Option<Value>,
    value: Option<f64>,
    string_value: Option<String>,
    sensitivity: Option<u8>,
    trigger: Option<&'static str>,
    training_days: Option<u32>,
    takes_missing_data: bool,
}

impl OfCondition {
    fn of(condition: &Condition) -> OfCondition {
        match condition {
            Condition::Threshold(threshold) => {
                let (value, string_value) = compared(&threshold.value);
                OfCondition {
                    operator: Some(json!(threshold.operator)),
                    value,
                    string_value,
                    takes_missing_data: true,
                    ..OfCondition::default()
                }
            }
            Condition::Relative(relative) => OfCondition {
                operator: Some(json!(relative.operator)),
                value: relative.by_percent,
                takes_missing_data: true,
                ..OfCondition::default()
            },
            Condition::Anomaly(anomaly) => OfCondition {
                sensitivity: Some(anomaly.sensitivity),
                trigger: Some(match anomaly.direction {
                    AnomalyDirection::Any => "any",
                    AnomalyDirection::Higher => "higher",
                    AnomalyDirection::Lower => "lower",
                }),
                training_days: Some(anomaly.training_days),
                ..OfCondition::default()
            },
            Condition::Matches {} | Condition::NewPattern(_) | Condition::Absence(_) => {
                OfCondition::default()
            }
        }
    }
}

fn compared(value: &ThresholdValue) -> (Option<f64>, Option<String>) {
    match value {
        ThresholdValue::Number(number) => (Some(*number), None),
        ThresholdValue::Text(text) => (None, Some(text.clone())),
    }
}

fn additional(condition: &FurtherCondition) -> AdditionalCondition {
    let (value, string_value) = compared(&condition.value);
    AdditionalCondition {
        alert_type: "threshold",
        operator: json!(condition.operator),
        value,
        string_value,
        series_names: Vec::new(),
        series_names_except: Vec::new(),
    }
}

/// What missing data counts as, whether or not somebody said so.
fn on_missing_data(rule: &Rule) -> &'static str {
    let by_itself = || rule.check().ok().map(|checked| checked.on_missing_data());
    match rule.on_missing_data.or_else(by_itself) {
        Some(OnMissingData::TreatAsZero) => "treat_as_zero",
        Some(OnMissingData::TreatAsPrevious) => "treat_as_previous",
        Some(OnMissingData::Fire) => "start_incident",
        Some(OnMissingData::DontFire) | None => "dont_fire",
    }
}

/// Groups by the names that charts have for them; those that are told by fields, with their values.
fn series(matchers: &[GroupMatcher]) -> Vec<String> {
    let names = matchers.iter().map(|matcher| match matcher {
        GroupMatcher::Value(value) => value.clone(),
        GroupMatcher::Fields(fields) => {
            let values: Vec<&str> = fields.values().map(String::as_str).collect();
            values.join(", ")
        }
    });
    names.collect()
}

/// As Better Stack does, nothing of it where a policy says whom to wake.
fn notifying(kept: &Map<String, Value>) -> Notifying {
    let target = kept.get("escalation_target");
    let is_policy = ["policy_id", "policy_name"]
        .into_iter()
        .any(|name| target.is_some_and(|target| !target[name].is_null()));
    if is_policy {
        return Notifying::default();
    }
    let [call, sms, email, push, critical_alert] = NOTIFYING.map(|name| {
        let is_sent = kept.get(name).and_then(Value::as_bool);
        Some(is_sent.unwrap_or(name == "email"))
    });
    Notifying {
        call,
        sms,
        email,
        push,
        critical_alert,
    }
}

/// The labels, with the lists that were sent where these are still what they say.
fn metadata(alert: &Alert) -> BTreeMap<String, Vec<String>> {
    let sent = alert.kept.get("metadata").cloned().unwrap_or_default();
    let sent: BTreeMap<String, Vec<String>> = serde_json::from_value(sent).unwrap_or_default();
    let joined = labels(&sent);
    let metadata = alert.rule.labels.iter().map(|(name, value)| {
        let is_as_sent = joined.get(name) == Some(value);
        let values = sent.get(name).filter(|_| is_as_sent).cloned();
        (name.clone(), values.unwrap_or_else(|| vec![value.clone()]))
    });
    metadata.collect()
}
