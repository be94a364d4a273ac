//! The records of templates of alerts, and of how clients stand to them.

use std::collections::BTreeMap;

use cordwood_service::rules::Difference;
use cordwood_service::{ClientOfTemplate, RuleTemplate, TemplateDeed};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::rest::alert_record::rule_members;
use crate::rest::envelope::{Anonymous, Attributes, Record, anonymous, record};
use crate::rest::times::RecordTime;

/// A template of alerts, with the members of its rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleTemplateAttributes {
    name: String,
    description: String,
    /// Empty for all sources of each client.
    source_names: Vec<String>,
    /// Of the provider; empty for the default ones.
    channels: Vec<String>,
    /// Whether clients that are made later are given one.
    for_new_clients: bool,
    /// 1, and one more with each change that alerts have of it.
    version: u64,
    /// Clients, of those the token sees, that have an alert of it.
    alert_count: usize,
    /// How many of these are not as the template has it.
    drifted_count: usize,
    created_by_token_id: Option<String>,
    created_at: RecordTime,
    updated_at: RecordTime,
    /// `query`, `condition`, `window_s` and the other members of its rule.
    #[serde(flatten)]
    rule: BTreeMap<String, Value>,
}

/// How a client stands to a template.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TemplateClientAttributes {
    client_id: String,
    client_name: String,
    /// `as_template`, `drifted`, or `none` if it has no alert of it.
    state: &'static str,
    /// What was done just now: `applied`, `already_there`, `carried`, `left_alone`, `put_back` or `refused`; null where nothing was asked for.
    done: Option<&'static str>,
    alert_id: Option<String>,
    /// Which version of the template the alert has.
    template_version: Option<u64>,
    paused: bool,
    differences: Vec<DifferenceRecord>,
    /// Why it cannot have an alert as the template has it now.
    obstacle: Option<String>,
}

/// An attribute of an alert that is not as in its template.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferenceRecord {
    /// `condition.value`, for instance.
    attribute: String,
    /// What the template says; null if it says nothing.
    template: Option<Value>,
    /// What the alert says.
    alert: Option<Value>,
}

/// A template that was changed, and what became of its alerts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedTemplate {
    pub(super) data: Record<RuleTemplateAttributes>,
    pub(super) clients: Vec<Anonymous<TemplateClientAttributes>>,
}

impl Attributes for RuleTemplateAttributes {
    const TYPE: &'static str = "rule_template";
}

impl Attributes for TemplateClientAttributes {
    const TYPE: &'static str = "rule_template_client";
}

pub(crate) type RuleTemplateRecord = Record<RuleTemplateAttributes>;
pub(crate) type TemplateClientRecord = Anonymous<TemplateClientAttributes>;

pub(crate) fn rule_template_record(template: &RuleTemplate) -> RuleTemplateRecord {
    let attributes = RuleTemplateAttributes {
        name: template.name.clone(),
        description: template.description.clone(),
        source_names: template.sources.clone(),
        channels: template.channels.iter().map(u64::to_string).collect(),
        for_new_clients: template.is_for_new_clients,
        version: template.version,
        alert_count: template.alerts,
        drifted_count: template.drifted,
        created_by_token_id: template.created_by.map(|token| token.to_string()),
        created_at: RecordTime(template.created_at),
        updated_at: RecordTime(template.updated_at),
        rule: rule_members(&template.rule),
    };
    record(template.id, attributes)
}

pub(crate) fn template_client_record(client: &ClientOfTemplate) -> TemplateClientRecord {
    anonymous(TemplateClientAttributes {
        client_id: client.client.to_string(),
        client_name: client.client_name.clone(),
        state: match (client.alert, client.differences.is_empty()) {
            (None, _) => "none",
            (Some(_), true) => "as_template",
            (Some(_), false) => "drifted",
        },
        done: client.done.map(deed),
        alert_id: client.alert.map(|alert| alert.to_string()),
        template_version: client.version,
        paused: client.is_paused,
        differences: client.differences.iter().map(difference).collect(),
        obstacle: client.obstacle.clone(),
    })
}

fn deed(deed: TemplateDeed) -> &'static str {
    match deed {
        TemplateDeed::Applied => "applied",
        TemplateDeed::AlreadyThere => "already_there",
        TemplateDeed::Carried => "carried",
        TemplateDeed::LeftAlone => "left_alone",
        TemplateDeed::PutBack => "put_back",
        TemplateDeed::Refused => "refused",
    }
}

fn difference(of: &Difference) -> DifferenceRecord {
    let said = |value: &Value| (!value.is_null()).then(|| value.clone());
    DifferenceRecord {
        attribute: of.attribute.clone(),
        template: said(&of.template),
        alert: said(&of.rule),
    }
}
