//! Whether a silence makes sense.

use super::{CheckedSilence, Silence, SilenceMatcher};
use crate::invalid::{Invalid, Mistakes};
use crate::limits::{MATCHERS_MAX, NAME_BYTES_MAX, SILENCE_DAYS_MAX, VALUE_BYTES_MAX};
use crate::window::{nanos, nanos_between};

impl Silence {
    /// The silence checked, or all that is wrong with it.
    pub fn check(&self) -> Result<CheckedSilence, Vec<Invalid>> {
        let mut mistakes = Mistakes::default();
        self.check_span(&mut mistakes);
        self.check_matchers(&mut mistakes);
        let weekly = match &self.weekly {
            Some(weekly) => weekly.check(&mut mistakes).map(Some),
            None => Some(None),
        };
        mistakes.unless_any(weekly.map(|weekly| CheckedSilence {
            silence: self.clone(),
            weekly,
        }))
    }

    fn check_span(&self, mistakes: &mut Mistakes) {
        let Some(ends_at) = self.ends_at else {
            mistakes.require(self.weekly.is_some(), "ends_at", || {
                "A silence ends; say when, or at which hours it is `weekly`.".to_owned()
            });
            return;
        };
        let Some(starts_at) = self.starts_at else {
            return;
        };
        mistakes.require(starts_at < ends_at, "ends_at", || {
            format!("It would end at {ends_at} before it starts at {starts_at}.")
        });
        let longest = nanos(SILENCE_DAYS_MAX.saturating_mul(86_400));
        let is_short = nanos_between(starts_at, ends_at) <= longest;
        mistakes.require(is_short || self.weekly.is_some(), "ends_at", || {
            format!("A silence without `weekly` lasts at most {SILENCE_DAYS_MAX} days; what nobody wants to hear of needs no rule.")
        });
    }

    fn check_matchers(&self, mistakes: &mut Mistakes) {
        let count = self.matchers.len();
        mistakes.require(count <= MATCHERS_MAX, "matchers", || {
            format!("At most {MATCHERS_MAX} matchers; these are {count}.")
        });
        for (index, matcher) in self.matchers.iter().enumerate() {
            let (name, is) = match matcher {
                SilenceMatcher::Label { name, is } | SilenceMatcher::Group { field: name, is } => {
                    (Some(name), is)
                }
                SilenceMatcher::Rule { is } => (None, is),
                SilenceMatcher::RuleId { .. } | SilenceMatcher::Severity { .. } => continue,
            };
            let is_named = name.is_none_or(|name| (1..=NAME_BYTES_MAX).contains(&name.len()));
            mistakes.require(is_named, &format!("matchers[{index}]"), || {
                format!("A name has from 1 to {NAME_BYTES_MAX} bytes.")
            });
            mistakes.require(
                is.len() <= VALUE_BYTES_MAX,
                &format!("matchers[{index}].is"),
                || format!("A value has at most {VALUE_BYTES_MAX} bytes."),
            );
        }
    }
}
