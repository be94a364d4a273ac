//! Periods, labels, matchers and texts of a rule.

use crate::invalid::Mistakes;
use crate::limits::{
    CHECK_EVERY_S_MAX, CHECK_EVERY_S_MIN, HOLD_S_MAX, LABELS_MAX, LATENESS_S_MAX, MATCHERS_MAX,
    NAME_BYTES_MAX, RUNBOOK_BYTES_MAX, VALUE_BYTES_MAX, WINDOW_S_MAX,
};
use crate::{Condition, GroupMatcher, Rule};

pub(super) fn check(rule: &Rule, mistakes: &mut Mistakes) {
    check_rhythm(rule, mistakes);
    check_patience(rule, mistakes);
    check_labels(rule, mistakes);
    check_matchers("only_groups", &rule.only_groups, mistakes);
    check_matchers("except_groups", &rule.except_groups, mistakes);
    let runbook_bytes = rule.runbook.as_ref().map_or(0, String::len);
    mistakes.require(runbook_bytes <= RUNBOOK_BYTES_MAX, "runbook", || {
        format!("A runbook has at most {RUNBOOK_BYTES_MAX} bytes; write a link to a longer one.")
    });
}

fn check_rhythm(rule: &Rule, mistakes: &mut Mistakes) {
    let (every, window) = (rule.check_every_s, rule.window_s);
    let is_regular = (CHECK_EVERY_S_MIN..=CHECK_EVERY_S_MAX).contains(&every)
        && every.is_multiple_of(CHECK_EVERY_S_MIN);
    mistakes.require(is_regular, "check_every_s", || {
        format!("A rule is checked every {CHECK_EVERY_S_MIN} to {CHECK_EVERY_S_MAX} seconds, a multiple of {CHECK_EVERY_S_MIN}; this says {every}.")
    });
    let is_whole = window <= WINDOW_S_MAX && window.is_multiple_of(CHECK_EVERY_S_MIN);
    mistakes.require(is_whole && window > 0, "window_s", || {
        format!("A window is up to {WINDOW_S_MAX} seconds long, a multiple of {CHECK_EVERY_S_MIN}; this says {window}.")
    });
    mistakes.require(window >= every, "window_s", || {
        format!("A window of {window} seconds, checked every {every}, leaves gaps; make it as long as `check_every_s` or longer.")
    });
    mistakes.require(rule.lateness_s <= LATENESS_S_MAX, "lateness_s", || {
        format!(
            "Events may be late by at most {LATENESS_S_MAX} seconds; this says {}.",
            rule.lateness_s
        )
    });
}

fn check_patience(rule: &Rule, mistakes: &mut Mistakes) {
    let periods = [
        ("confirmation_s", rule.confirmation_s),
        ("recovery_s", rule.recovery_s.unwrap_or_default()),
        ("cooldown_s", rule.cooldown_s),
    ];
    for (attribute, seconds) in periods {
        mistakes.require(seconds <= HOLD_S_MAX, attribute, || {
            format!("At most {HOLD_S_MAX} seconds, a day; this says {seconds}.")
        });
    }
    let is_once = matches!(rule.condition, Condition::NewPattern(_));
    mistakes.require(!is_once || rule.confirmation_s == 0, "confirmation_s", || {
        "A pattern is new once, so there is nothing to confirm; leave this out, and set `condition.events` to wait for more of them.".to_owned()
    });
    let leaves_choice = matches!(
        rule.condition,
        Condition::Threshold(_) | Condition::Relative(_) | Condition::Anomaly(_)
    );
    mistakes.require(
        leaves_choice || rule.on_missing_data.is_none(),
        "on_missing_data",
        || {
            format!(
                "With `{}`, no event is what it is; leave this out.",
                rule.condition.name()
            )
        },
    );
}

fn check_labels(rule: &Rule, mistakes: &mut Mistakes) {
    mistakes.require(rule.labels.len() <= LABELS_MAX, "labels", || {
        format!(
            "A rule has at most {LABELS_MAX} labels; these are {}.",
            rule.labels.len()
        )
    });
    for (name, value) in &rule.labels {
        let is_named = !name.trim().is_empty() && name.len() <= NAME_BYTES_MAX;
        mistakes.require(is_named, "labels", || {
            format!("The name of a label has from 1 to {NAME_BYTES_MAX} bytes.")
        });
        mistakes.require(value.len() <= VALUE_BYTES_MAX, "labels", || {
            format!("The value of the label `{name}` is longer than {VALUE_BYTES_MAX} bytes.")
        });
    }
}

fn check_matchers(attribute: &str, matchers: &[GroupMatcher], mistakes: &mut Mistakes) {
    mistakes.require(matchers.len() <= MATCHERS_MAX, attribute, || {
        format!(
            "At most {MATCHERS_MAX}; these are {}. One with `*` can stand for many.",
            matchers.len()
        )
    });
    for matcher in matchers {
        let is_short = match matcher {
            GroupMatcher::Value(value) => value.len() <= VALUE_BYTES_MAX,
            GroupMatcher::Fields(fields) => fields.iter().all(|(field, value)| {
                field.len() <= NAME_BYTES_MAX && value.len() <= VALUE_BYTES_MAX
            }),
        };
        mistakes.require(is_short, attribute, || {
            format!("A field has at most {NAME_BYTES_MAX} bytes, a value {VALUE_BYTES_MAX}.")
        });
        let says_nothing = matches!(matcher, GroupMatcher::Fields(fields) if fields.is_empty());
        mistakes.require(!says_nothing, attribute, || {
            "`{}` would mean every group; name a field and its value, or leave it out.".to_owned()
        });
    }
}
