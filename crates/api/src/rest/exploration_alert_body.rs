//! An alert as Better Stack's clients send it, read into what our alerts are made of.

use std::collections::BTreeMap;

use cordwood_service::rules::{
    Anomaly, AnomalyDirection, Condition, FurtherCondition, GroupMatcher, IncidentPer,
    OnMissingData, Operator, Relative, RelativeOperator, Rule, Threshold, ThresholdValue,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::failure::Failure;
use crate::rest::exploration_periods::Periods;
use crate::rest::members::Members;

/// What is kept and given back as it was sent: whom to wake is said by channels here.
pub(super) const NOTIFYING: [&str; 5] = ["call", "sms", "email", "push", "critical_alert"];

/// Who is escalated to, by the names that Better Stack has for it.
const ESCALATED_TO: [&str; 4] = ["team_id", "team_name", "policy_id", "policy_name"];

/// Periods in seconds unless they are sent: a minute, as Better Stack has it.
const PERIOD_DEFAULT: u32 = 60;

/// What of an alert is to be changed.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read one by one")]
pub(crate) struct ExplorationAlertBody {
    name: Option<String>,
    /// `threshold`, `relative` or `anomaly_rrcf`; it stays what it was made as.
    alert_type: Option<String>,
    /// Of thresholds `equal`, `not_equal`, `higher_than`, `higher_than_or_equal`, `lower_than` or `lower_than_or_equal`; of relative alerts
    /// `increases_by`, `decreases_by` or `changes_by`.
    operator: Option<String>,
    /// The threshold, or by how many percent.
    value: Option<f64>,
    /// In the place of `value`, with `equal` and `not_equal`.
    string_value: Option<String>,
    /// How often it is checked, in seconds.
    check_period: Option<u32>,
    /// How far back a check looks, in seconds; as `aggregation_interval` or `check_period` unless given.
    query_period: Option<u32>,
    /// Of how long intervals a value is computed, in seconds; as `query_period` unless given.
    aggregation_interval: Option<u32>,
    /// 60 unless given.
    confirmation_period: Option<u32>,
    /// 60 unless given; -1 or null for never by itself.
    recovery_period: Option<i64>,
    /// Of the groups of the query; empty for all.
    series_names: Option<Vec<String>>,
    series_names_except: Option<Vec<String>>,
    /// Up to four thresholds that must hold of the same series besides: `alert_type`, `operator`, `value` or `string_value`.
    additional_conditions: Option<Vec<Value>>,
    /// `treat_as_zero`, `dont_fire`, `treat_as_previous` or `start_incident`.
    on_missing_data: Option<String>,
    /// `source_variable` alone: the sources of the saved query, or the one that `source_variable` names.
    source_mode: Option<String>,
    /// `source:` and the name of a table.
    source_variable: Option<String>,
    source_platforms: Option<Vec<String>>,
    /// What is said when it fires, with `{{series_name}}`, `{{value}}`, `{{operator}}` and `{{threshold}}`.
    incident_cause: Option<String>,
    incident_per_series: Option<bool>,
    /// Kept and given back; whom to tell is said by channels.
    call: Option<bool>,
    sms: Option<bool>,
    email: Option<bool>,
    push: Option<bool>,
    critical_alert: Option<bool>,
    /// Kept and given back: null, `current_team`, or an object with `team_id`, `team_name`, `policy_id` or `policy_name`.
    escalation_target: Option<Value>,
    /// Labels: texts, or lists of them. What is sent takes the place of all.
    metadata: Option<BTreeMap<String, Value>>,
    paused: Option<bool>,
    /// 0 to 100; lower is more sensitive.
    anomaly_sensitivity: Option<f64>,
    /// `any`, `higher` or `lower`.
    anomaly_trigger: Option<String>,
    /// 1 to 30.
    anomaly_training_range_days: Option<u32>,
}

/// What a body says of an alert.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) name: Option<String>,
    pub(super) is_paused: Option<bool>,
    /// The table of its source.
    pub(super) table: Option<String>,
    alert_type: Option<String>,
    operator: Option<String>,
    value: Option<ThresholdValue>,
    sensitivity: Option<u8>,
    trigger: Option<AnomalyDirection>,
    training_days: Option<u32>,
    check_period: Option<u32>,
    query_period: Option<u32>,
    aggregation_interval: Option<u32>,
    confirmation_period: Option<u32>,
    recovery_period: Option<Option<u32>>,
    series_names: Option<Vec<String>>,
    series_names_except: Option<Vec<String>>,
    further: Option<Vec<FurtherCondition>>,
    on_missing_data: Option<OnMissingData>,
    cause: Option<String>,
    is_per_series: Option<bool>,
    /// Each with its values.
    metadata: Option<BTreeMap<String, Vec<String>>>,
    /// What is kept and given back.
    kept: Map<String, Value>,
}

impl Said {
    /// Reads a body. What is wrong with it is noted in `members`.
    pub(super) fn read(members: &mut Members) -> Said {
        members.ignore(&[
            "paused_reason",
            "team_name",
            "exploration_id",
            "created_at",
            "updated_at",
        ]);
        let mut said = Said {
            name: members.text("name"),
            is_paused: members.boolean("paused"),
            table: table(members),
            alert_type: members.text("alert_type"),
            operator: members.text("operator"),
            value: value(members),
            sensitivity: sensitivity(members),
            trigger: word(
                members,
                "anomaly_trigger",
                "has to be one of any, higher, lower",
            ),
            training_days: seconds(members, "anomaly_training_range_days"),
            check_period: period(members, "check_period"),
            query_period: period(members, "query_period"),
            aggregation_interval: period(members, "aggregation_interval"),
            confirmation_period: seconds(members, "confirmation_period"),
            recovery_period: recovery(members),
            series_names: members.texts("series_names"),
            series_names_except: members.texts("series_names_except"),
            further: further(members),
            on_missing_data: on_missing_data(members),
            cause: members.text("incident_cause"),
            is_per_series: members.boolean("incident_per_series"),
            metadata: metadata(members),
            kept: Map::new(),
        };
        for name in NOTIFYING {
            if let Some(is_wanted) = members.boolean(name) {
                said.kept.insert(name.to_owned(), json!(is_wanted));
            }
        }
        if let Some(target) = escalation_target(members) {
            said.kept.insert("escalation_target".to_owned(), target);
        }
        let names = [&said.series_names, &said.series_names_except];
        if names
            .iter()
            .all(|names| names.as_ref().is_some_and(|names| !names.is_empty()))
        {
            members.refuse::<()>("series_names", "can't be given with series_names_except");
        }
        if let Some(kind) = &said.alert_type
            && !["threshold", "relative", "anomaly_rrcf"].contains(&kind.as_str())
        {
            members.refuse::<()>(
                "alert_type",
                "has to be one of threshold, relative, anomaly_rrcf",
            );
        }
        said
    }

    /// Notes what a new alert lacks.
    pub(super) fn require(&self, members: &mut Members) {
        let mut require = |name: &str, is_there: bool| {
            if !is_there {
                members.refuse::<()>(name, "can't be blank");
            }
        };
        require("name", self.name.is_some());
        require("alert_type", self.alert_type.is_some());
        if matches!(self.alert_type.as_deref(), Some("threshold" | "relative")) {
            require("operator", self.operator.is_some());
            require("value", self.value.is_some());
            require("check_period", self.check_period.is_some());
        }
    }

    /// The rule of a new alert over a query, and what of it is kept besides.
    pub(super) fn rule(&self, query: String) -> Result<(Rule, Map<String, Value>), Failure> {
        let mut rule = Rule::new(query, Condition::Matches {});
        rule.condition = self.condition(None)?;
        let first = [
            self.query_period,
            self.aggregation_interval,
            self.check_period,
        ];
        let [query_period, ..] = first;
        let period = first.into_iter().flatten().next().unwrap_or(PERIOD_DEFAULT);
        let periods = Periods {
            check_period: self.check_period.unwrap_or(period),
            query_period: query_period.unwrap_or(period),
            aggregation_interval: self.aggregation_interval.unwrap_or(period),
            recovery_period: self.recovery_period.unwrap_or(Some(PERIOD_DEFAULT)),
        };
        rule.confirmation_s = PERIOD_DEFAULT;
        rule.incident_per = IncidentPer::Rule;
        let mut kept = Map::new();
        self.say(periods, &mut rule, &mut kept);
        Ok((rule, kept))
    }

    /// The rule of an alert that is there, changed as is said; what is not said stays.
    pub(super) fn change(
        &self,
        known: &Rule,
        kept: &Map<String, Value>,
    ) -> Result<(Rule, Map<String, Value>), Failure> {
        let (mut rule, mut kept) = (known.clone(), kept.clone());
        rule.condition = self.condition(Some(&known.condition))?;
        let told = periods(known, &kept);
        let periods = Periods {
            check_period: self.check_period.unwrap_or(told.check_period),
            query_period: self.query_period.unwrap_or(told.query_period),
            aggregation_interval: match (self.aggregation_interval, self.query_period) {
                (Some(interval), _) => interval,
                // It was as long as the period, and stays so.
                (None, Some(period)) if told.aggregation_interval == told.query_period => period,
                (None, _) => told.aggregation_interval,
            },
            recovery_period: self.recovery_period.unwrap_or(told.recovery_period),
        };
        self.say(periods, &mut rule, &mut kept);
        Ok((rule, kept))
    }

    /// What new alerts and those that are changed have in common.
    fn say(&self, periods: Periods, rule: &mut Rule, kept: &mut Map<String, Value>) {
        periods.apply_to(rule);
        kept.insert("periods".to_owned(), json!(periods));
        kept.extend(self.kept.clone());
        rule.confirmation_s = self.confirmation_period.unwrap_or(rule.confirmation_s);
        rule.on_missing_data = self.on_missing_data.or(rule.on_missing_data);
        if let Some(further) = &self.further {
            rule.further_conditions.clone_from(further);
        }
        // The two are one setting: whichever is sent says both.
        if self.series_names.is_some() || self.series_names_except.is_some() {
            rule.only_groups = matchers(self.series_names.as_deref());
            rule.except_groups = matchers(self.series_names_except.as_deref());
        }
        if let Some(cause) = &self.cause {
            rule.cause = (!cause.trim().is_empty()).then(|| cause.clone());
        }
        if let Some(is_per_series) = self.is_per_series {
            rule.incident_per = match is_per_series {
                true => IncidentPer::Group,
                false => IncidentPer::Rule,
            };
        }
        if let Some(metadata) = &self.metadata {
            rule.labels = labels(metadata);
            kept.insert("metadata".to_owned(), json!(metadata));
        }
    }

    /// The condition that is said; of one that is there what is not said stays.
    fn condition(&self, known: Option<&Condition>) -> Result<Condition, Failure> {
        let kind = match (self.alert_type.as_deref(), known.map(kind_of)) {
            (Some(kind), None) => kind,
            (Some(kind), Some(known)) if kind != known => {
                return Err(Failure::invalid_value(
                    "alert_type",
                    &format!("is {known} and can't be changed"),
                ));
            }
            (_, Some(known)) => known,
            (None, None) => return Err(Failure::invalid_value("alert_type", "can't be blank")),
        };
        let says_nothing = self.operator.is_none()
            && self.value.is_none()
            && self.sensitivity.is_none()
            && self.trigger.is_none()
            && self.training_days.is_none();
        match (known, kind) {
            (Some(known), _) if says_nothing => Ok(known.clone()),
            (known, "threshold") => self.threshold(known),
            (known, "relative") => self.relative(known),
            (known, "anomaly_rrcf") => Ok(self.anomaly(known)),
            _ => {
                let message = format!(
                    "is {kind}, of which Better Stack knows nothing; change it under /api/v1/alerts"
                );
                Err(Failure::invalid_value("alert_type", &message))
            }
        }
    }

    fn threshold(&self, known: Option<&Condition>) -> Result<Condition, Failure> {
        let known = match known {
            Some(Condition::Threshold(known)) => Some(known.clone()),
            _ => None,
        };
        let operator = self.operator_of::<Operator>()?;
        let (operator, value) = (
            operator.or(known.as_ref().map(|known| known.operator)),
            self.value.clone().or(known.map(|known| known.value)),
        );
        match (operator, value) {
            // What it recovers at goes with what it fires at; who does not know of it cannot mend it.
            (Some(operator), Some(value)) => Ok(Condition::Threshold(Threshold {
                operator,
                value,
                recovery_value: None,
            })),
            _ => Err(Failure::invalid_value("operator", "can't be blank")),
        }
    }

    fn relative(&self, known: Option<&Condition>) -> Result<Condition, Failure> {
        let operator = self.operator_of::<RelativeOperator>()?;
        let percent = match &self.value {
            Some(ThresholdValue::Number(number)) => Some(*number),
            Some(ThresholdValue::Text(_)) => {
                let message = "goes with thresholds; a relative alert has a value in percent";
                return Err(Failure::invalid_value("string_value", message));
            }
            None => None,
        };
        match (known, operator) {
            (Some(Condition::Relative(known)), operator) => Ok(Condition::Relative(Relative {
                operator: operator.unwrap_or(known.operator),
                by_percent: percent.or(known.by_percent),
                ..known.clone()
            })),
            (_, Some(operator)) => {
                let condition = json!({ "operator": operator, "by_percent": percent });
                let relative = serde_json::from_value(condition);
                relative
                    .map(Condition::Relative)
                    .map_err(|error| Failure::invalid_value("value", &error.to_string()))
            }
            (_, None) => Err(Failure::invalid_value("operator", "can't be blank")),
        }
    }

    fn anomaly(&self, known: Option<&Condition>) -> Condition {
        let known = match known {
            Some(Condition::Anomaly(known)) => known.clone(),
            _ => Anomaly {
                sensitivity: 50,
                direction: AnomalyDirection::Any,
                training_days: 14,
            },
        };
        Condition::Anomaly(Anomaly {
            sensitivity: self.sensitivity.unwrap_or(known.sensitivity),
            direction: self.trigger.unwrap_or(known.direction),
            training_days: self.training_days.unwrap_or(known.training_days),
        })
    }

    fn operator_of<O: DeserializeOwned>(&self) -> Result<Option<O>, Failure> {
        let operator = self.operator.as_ref();
        let operator = operator.map(|operator| serde_json::from_value(json!(operator)));
        operator.transpose().map_err(|_| {
            let message = "has to be one of equal, not_equal, higher_than, higher_than_or_equal, lower_than, lower_than_or_equal for a \
                           threshold, one of increases_by, decreases_by, changes_by for a relative alert";
            Failure::invalid_value("operator", message)
        })
    }
}

/// The name that Better Stack has for a condition, or ours if it has none.
pub(super) fn kind_of(condition: &Condition) -> &'static str {
    match condition {
        Condition::Anomaly(_) => "anomaly_rrcf",
        condition => condition.name(),
    }
}

/// The periods that an alert was told, or those its rule comes to if that was changed otherwise.
pub(super) fn periods(rule: &Rule, kept: &Map<String, Value>) -> Periods {
    let told = kept.get("periods").cloned();
    let told = told.and_then(|told| serde_json::from_value::<Periods>(told).ok());
    told.filter(|told| told.fit(rule))
        .unwrap_or_else(|| Periods::of(rule))
}

/// Labels of metadata: several values are one text.
pub(super) fn labels(metadata: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    let labels = metadata.iter();
    labels
        .map(|(name, values)| (name.clone(), values.join(", ")))
        .collect()
}

fn matchers(names: Option<&[String]>) -> Vec<GroupMatcher> {
    let names = names.unwrap_or_default().iter();
    names.cloned().map(GroupMatcher::Value).collect()
}

/// A number of seconds, or of days.
fn seconds(members: &mut Members, name: &str) -> Option<u32> {
    let number = members.integer(name).flatten()?;
    match u32::try_from(number) {
        Ok(number) => Some(number),
        Err(_) => members.refuse(name, "is too large"),
    }
}

/// A period of whole tens of seconds, as windows and checks are here.
fn period(members: &mut Members, name: &str) -> Option<u32> {
    let seconds = seconds(members, name)?;
    match seconds.is_multiple_of(10) {
        true => Some(seconds),
        false => members.refuse(name, "has to be a multiple of 10"),
    }
}

/// -1 and null: never by itself.
fn recovery(members: &mut Members) -> Option<Option<u32>> {
    if members.take_if("recovery_period", &json!(-1)) {
        return Some(None);
    }
    match members.integer("recovery_period")? {
        None => Some(None),
        Some(number) => match u32::try_from(number) {
            Ok(number) => Some(Some(number)),
            Err(_) => members.refuse("recovery_period", "is too large"),
        },
    }
}

fn value(members: &mut Members) -> Option<ThresholdValue> {
    let number = members.number("value");
    let text = members.text("string_value").filter(|text| !text.is_empty());
    match (number, text) {
        (Some(_), Some(_)) => members.refuse("string_value", "can't be given with value"),
        (Some(number), None) => Some(ThresholdValue::Number(number)),
        (None, Some(text)) => Some(ThresholdValue::Text(text)),
        (None, None) => None,
    }
}

fn sensitivity(members: &mut Members) -> Option<u8> {
    let number = members.number("anomaly_sensitivity")?;
    let is_known = (0.0..=100.0).contains(&number);
    let rounded = (0..=100u8).find(|whole| (f64::from(*whole) - number).abs() <= 0.5);
    match rounded.filter(|_| is_known) {
        Some(sensitivity) => Some(sensitivity),
        None => members.refuse("anomaly_sensitivity", "has to be 0 to 100"),
    }
}

/// One of a few words, as serde knows them.
fn word<T: DeserializeOwned>(members: &mut Members, name: &str, expected: &str) -> Option<T> {
    let text = members.text(name)?;
    match serde_json::from_value(json!(text)) {
        Ok(word) => Some(word),
        Err(_) => members.refuse(name, expected),
    }
}

fn on_missing_data(members: &mut Members) -> Option<OnMissingData> {
    let expected = "has to be one of treat_as_zero, dont_fire, treat_as_previous, start_incident";
    word(members, "on_missing_data", expected)
}

/// The table of `source:table`. Alerts over all sources of a platform are none that would follow sources that are made later.
fn table(members: &mut Members) -> Option<String> {
    let mode = members.text("source_mode");
    if mode.is_some_and(|mode| mode != "source_variable") {
        let message = "has to be source_variable: save a query over the sources that are meant, and alert on that";
        members.refuse::<()>("source_mode", message);
    }
    if members
        .texts("source_platforms")
        .is_some_and(|names| !names.is_empty())
    {
        members.refuse::<()>(
            "source_platforms",
            "go with a source_mode that is not known here",
        );
    }
    let variable = members
        .text("source_variable")
        .filter(|text| !text.is_empty())?;
    match variable.strip_prefix("source:") {
        Some(table) => Some(table.to_owned()),
        None => members.refuse(
            "source_variable",
            "has to be `source:` and the name of a table",
        ),
    }
}

fn metadata(members: &mut Members) -> Option<BTreeMap<String, Vec<String>>> {
    let object = members.object("metadata")?;
    let texts = |value: Value| match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(values) => values
            .into_iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    let entries = object.into_iter();
    let read = entries.map(|(name, value)| Some((name, texts(value)?)));
    match read.collect() {
        Some(metadata) => Some(metadata),
        None => members.refuse(
            "metadata",
            "has to be an object of texts, or lists of texts",
        ),
    }
}

fn escalation_target(members: &mut Members) -> Option<Value> {
    let target = members.take("escalation_target")?;
    let is_known = match &target {
        Value::Null => true,
        Value::String(text) => text == "current_team",
        Value::Object(target) => target.iter().all(|(name, value)| {
            let is_named = ESCALATED_TO.contains(&name.as_str());
            is_named && (value.is_number() || value.is_string() || value.is_null())
        }),
        _ => false,
    };
    match is_known {
        true => Some(target),
        false => {
            let message = "has to be null, current_team, or an object with team_id, team_name, policy_id or policy_name";
            members.refuse("escalation_target", message)
        }
    }
}

fn further(members: &mut Members) -> Option<Vec<FurtherCondition>> {
    let expected = "has to be a list of objects with alert_type threshold, operator, and value or string_value; those of type relative and \
                    those with series of their own are not known here";
    members.objects("additional_conditions", further_condition, expected)
}

fn further_condition(object: &Map<String, Value>) -> Option<FurtherCondition> {
    let said = |name: &str| object.get(name).filter(|value| !value.is_null());
    let is_threshold = said("alert_type").is_none_or(|kind| kind == "threshold");
    let has_series = ["series_names", "series_names_except"]
        .into_iter()
        .filter_map(said)
        .any(|names| *names != json!([]));
    let value = match (said("value"), said("string_value")) {
        (Some(value), None) => ThresholdValue::Number(value.as_f64()?),
        (None, Some(text)) => ThresholdValue::Text(text.as_str()?.to_owned()),
        _ => return None,
    };
    let operator = serde_json::from_value(said("operator")?.clone()).ok()?;
    (is_threshold && !has_series).then_some(FurtherCondition {
        measure: None,
        operator,
        value,
        recovery_value: None,
    })
}
