//! Which fields are compared: those with values that many events share.

use std::collections::BTreeMap;

use cordwood_engine::{Grouping, Kept, Variety};
use cordwood_query::FieldName;
use cordwood_store::column::ScalarKind;

/// Fields with few values that are compared, those of most events first: each is counted several times, in microseconds
/// where directories count it.
const FEW_VALUED_MAX: usize = 32;
/// Fields with many values, of which only the commonest are: counting them reads their columns.
const MANY_VALUED_MAX: usize = 4;
/// More different values in a block are many: directories do not count them.
const FEW_VALUES_MAX: u32 = 256;
/// So many values of a field are compared, as a rule all: blocks may have different ones.
const COMMONEST: u64 = 256;
/// Of a field with many values, so many: one that explains a change is common in one of the windows.
const COMMONEST_OF_MANY: u64 = 64;
/// A field of fewer events in a thousand explains none.
const PRESENT_PER_MILLE_MIN: u64 = 1;
/// Durations of which slowness is told.
const DURATIONS_MAX: usize = 2;

/// A field that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ComparedField {
    pub(super) name: String,
    /// Which of its values are.
    pub(super) kept: Kept,
}

impl ComparedField {
    pub(super) fn grouping(&self) -> Grouping {
        Grouping {
            by: vec![FieldName::new(self.name.clone())],
            kept: self.kept,
        }
    }
}

/// What is known of the fields of the events compared.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownFields {
    /// Those that are compared.
    pub(super) compared: Vec<ComparedField>,
    /// Numbers that are statuses of HTTP, as their names say.
    pub(super) statuses: Vec<String>,
    /// Numbers that are durations, as their names say, those of most events first.
    pub(super) durations: Vec<String>,
    /// What tells services apart.
    pub(super) service: Option<String>,
}

impl KnownFields {
    /// `sources` is how many sources the events are of.
    pub(super) fn of(varieties: &BTreeMap<String, Variety>, sources: usize) -> KnownFields {
        let most = varieties.values().map(|variety| variety.present).max();
        let most = most.unwrap_or(0);
        let is_common = |variety: &Variety| variety.present * 1000 >= most * PRESENT_PER_MILLE_MIN;
        let mut fields: Vec<(&String, &Variety)> = varieties.iter().collect();
        fields.retain(|(name, variety)| is_common(variety) && !is_left_out(name));
        fields.sort_by_key(|(_, variety)| std::cmp::Reverse(variety.present));
        let is_number = |variety: &Variety| {
            variety
                .kinds
                .are_within(&[ScalarKind::Int, ScalarKind::Float])
        };
        let mut known = KnownFields::default();
        let (mut few, mut many) = (0, 0);
        for (name, variety) in fields {
            if is_number(variety) && is_duration(name) {
                if known.durations.len() < DURATIONS_MAX {
                    known.durations.push(name.clone());
                }
                continue;
            }
            if is_number(variety) && is_status(name) {
                known.statuses.push(name.clone());
            }
            let is_few = variety.is_known && variety.values <= Some(FEW_VALUES_MAX);
            let (count, max, kept) = match is_few {
                true => (&mut few, FEW_VALUED_MAX, COMMONEST),
                false => (&mut many, MANY_VALUED_MAX, COMMONEST_OF_MANY),
            };
            // Values that no block has a dictionary of are nearly all different.
            if variety.values.is_some() && *count < max {
                *count += 1;
                known.compared.push(ComparedField {
                    name: name.clone(),
                    kept: Kept::Greatest(kept),
                });
            }
        }
        known.service = service_among(&known.compared);
        let mut reserved = vec!["level"];
        if sources > 1 {
            reserved.push("_source");
            known.service.get_or_insert_with(|| "_source".to_owned());
        }
        known
            .compared
            .extend(reserved.into_iter().map(|name| ComparedField {
                name: name.to_owned(),
                kept: Kept::Greatest(COMMONEST),
            }));
        known
    }
}

/// Levels are compared in any case, and messages by their patterns.
fn is_left_out(name: &str) -> bool {
    ["level", "message"].contains(&name)
}

/// The last key of a name, in lower case, without what separates words.
fn last_key(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let letters = last.chars().filter(|c| !matches!(c, '_' | '-'));
    letters.flat_map(char::to_lowercase).collect()
}

fn is_status(name: &str) -> bool {
    [
        "status",
        "statuscode",
        "httpstatus",
        "httpstatuscode",
        "responsestatus",
    ]
    .contains(&last_key(name).as_str())
}

fn is_duration(name: &str) -> bool {
    let key = last_key(name);
    let words = [
        "duration",
        "latency",
        "elapsed",
        "took",
        "responsetime",
        "requesttime",
    ];
    words.iter().any(|word| key.contains(word))
}

/// The names that programs give the field with the service, the commonest first.
fn service_among(compared: &[ComparedField]) -> Option<String> {
    const NAMES: [&str; 8] = [
        "service",
        "service.name",
        "service_name",
        "resource.service.name",
        "app",
        "application",
        "program",
        "kubernetes.container_name",
    ];
    let mut names = NAMES.iter();
    let found = names.find(|name| compared.iter().any(|field| field.name == **name));
    found.map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variety(present: u64, values: Option<u32>, kind: ScalarKind) -> Variety {
        Variety {
            present,
            values,
            is_known: values.is_some(),
            kinds: [kind].into_iter().collect(),
        }
    }

    #[test]
    fn fields_are_known_by_their_values_and_names() {
        let varieties = BTreeMap::from([
            ("host".to_owned(), variety(1000, Some(200), ScalarKind::Str)),
            ("user".to_owned(), variety(900, Some(5000), ScalarKind::Str)),
            ("request_id".to_owned(), variety(900, None, ScalarKind::Str)),
            (
                "http.status_code".to_owned(),
                variety(800, Some(9), ScalarKind::Int),
            ),
            (
                "duration_ms".to_owned(),
                variety(800, None, ScalarKind::Float),
            ),
            ("exit".to_owned(), variety(0, Some(2), ScalarKind::Int)),
            (
                "service".to_owned(),
                variety(1000, Some(20), ScalarKind::Str),
            ),
        ]);
        let known = KnownFields::of(&varieties, 1);
        let names: Vec<(&str, Kept)> = known
            .compared
            .iter()
            .map(|field| (field.name.as_str(), field.kept))
            .collect();
        assert_eq!(
            names,
            [
                ("host", Kept::Greatest(COMMONEST)),
                ("service", Kept::Greatest(COMMONEST)),
                ("user", Kept::Greatest(COMMONEST_OF_MANY)),
                ("http.status_code", Kept::Greatest(COMMONEST)),
                ("level", Kept::Greatest(COMMONEST)),
            ]
        );
        assert_eq!(known.statuses, ["http.status_code"]);
        assert_eq!(known.durations, ["duration_ms"]);
        assert_eq!(known.service.as_deref(), Some("service"));
        let several = KnownFields::of(&BTreeMap::new(), 2);
        assert_eq!(several.service.as_deref(), Some("_source"));
    }
}
