//! A rule checked: whatever can be wrong with one is told here, all at once, and nothing later can be.

mod conditions;
mod measure;
mod plain;
mod query;

use cordwood_query::{FieldName, Filter, Stage};

use crate::cause::CauseTemplate;
use crate::invalid::{Invalid, Mistakes};
use crate::{
    AbsenceOf, AnomalyDirection, Condition, OnMissingData, Operator, RelativeOperator, Rule,
    Threshold,
};

pub(crate) use measure::CheckedMeasure;

/// A rule in which nothing is wrong, with its texts parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedRule {
    pub(crate) rule: Rule,
    pub(crate) filter: Filter,
    /// `where` and `parse`, between the filter and what is computed.
    pub(crate) stages: Vec<Stage>,
    pub(crate) measure: CheckedMeasure,
    pub(crate) further: Vec<CheckedFurther>,
    pub(crate) group_by: Vec<FieldName>,
    pub(crate) on_missing: OnMissingData,
    pub(crate) cause: CauseTemplate,
}

/// A further condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CheckedFurther {
    pub(crate) measure: CheckedMeasure,
    pub(crate) threshold: Threshold,
}

impl CheckedRule {
    /// The rule as it was written.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The filter of its query: which events it is about.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether it knows who is expected to send: its condition is the absence of members.
    pub fn keeps_roster(&self) -> bool {
        matches!(&self.rule.condition, Condition::Absence(absence) if absence.of == AbsenceOf::Members)
    }

    /// What a group counts as of which nothing is found.
    pub fn on_missing_data(&self) -> OnMissingData {
        self.on_missing
    }

    /// Which of the events of a group show what is wrong, where not all do: those that a share is of, or that are counted. `None` too where a value is wrong for
    /// being low: what is missing shows nothing.
    pub fn shown_by(&self) -> Option<&Filter> {
        let is_low = match &self.rule.condition {
            Condition::Threshold(threshold) => matches!(
                threshold.operator,
                Operator::LowerThan | Operator::LowerThanOrEqual
            ),
            Condition::Relative(relative) => relative.operator == RelativeOperator::DecreasesBy,
            Condition::Anomaly(anomaly) => anomaly.direction == AnomalyDirection::Lower,
            Condition::Matches {} | Condition::NewPattern(_) | Condition::Absence(_) => false,
        };
        self.measure.counted().filter(|_| !is_low)
    }

    /// The fields it groups by, as the measure has them: those of `stats … by` among them.
    pub fn group_by(&self) -> &[FieldName] {
        &self.group_by
    }
}

impl Rule {
    /// The rule checked, or all that is wrong with it.
    pub fn check(&self) -> Result<CheckedRule, Vec<Invalid>> {
        let mut mistakes = Mistakes::default();
        let query = query::check(&self.query, &mut mistakes);
        let ending = query.as_ref().and_then(|query| query.ending.as_ref());
        let measures = measure::Measures { rule: self, ending };
        let measure = measures.check_rules_own(&mut mistakes);
        let group_by = query::group_by(self, ending, &mut mistakes);
        plain::check(self, &mut mistakes);
        conditions::check(self, measure.as_ref(), &mut mistakes);
        let further = conditions::further(self, &measures, measure.as_ref(), &mut mistakes);
        let cause = CauseTemplate::of(self, &group_by, &mut mistakes);
        let checked = query.zip(measure).zip(further).zip(cause);
        let checked = checked.map(|(((query, measure), further), cause)| CheckedRule {
            on_missing: self.on_missing(&measure),
            rule: self.clone(),
            filter: query.filter,
            stages: query.stages,
            measure,
            further,
            group_by,
            cause,
        });
        mistakes.unless_any(checked)
    }

    /// What missing data counts as. Conditions on events themselves leave no choice: no event is none.
    fn on_missing(&self, measure: &CheckedMeasure) -> OnMissingData {
        let by_itself = match measure.adds_up_events() {
            true => OnMissingData::TreatAsZero,
            false => OnMissingData::DontFire,
        };
        match self.condition {
            Condition::Matches {} | Condition::NewPattern(_) | Condition::Absence(_) => {
                OnMissingData::TreatAsZero
            }
            Condition::Threshold(_) | Condition::Relative(_) | Condition::Anomaly(_) => {
                self.on_missing_data.unwrap_or(by_itself)
            }
        }
    }
}
