//! The limits of rules and silences. Each is named in the mistake that reports it.

/// The shortest time between two checks, and what each is a multiple of, so that rules checked at the same time can share their questions.
pub const CHECK_EVERY_S_MIN: u32 = 10;

/// The longest time between two checks: Better Stack's too.
pub const CHECK_EVERY_S_MAX: u32 = 3_600;

/// The longest window: a week, so that a whole weekly rhythm can be in it.
pub const WINDOW_S_MAX: u32 = 7 * 86_400;

/// The longest lateness: what comes later is an import, not news.
pub const LATENESS_S_MAX: u32 = 3_600;

/// The longest confirmation, recovery and cooldown: after a day without a word, a rule says nothing that still helps.
pub const HOLD_S_MAX: u32 = 86_400;

/// The most further conditions: as Better Stack's.
pub const FURTHER_CONDITIONS_MAX: usize = 4;

/// The most fields that a rule groups by: more do not name anything that people know.
pub const GROUP_FIELDS_MAX: usize = 8;

/// The most matchers in each of `only_groups` and `except_groups`, and in a silence.
pub const MATCHERS_MAX: usize = 100;

/// The most labels.
pub const LABELS_MAX: usize = 32;

/// The longest name of a label, or of a field, in bytes.
pub const NAME_BYTES_MAX: usize = 128;

/// The longest value of a label or of a matcher, in bytes.
pub const VALUE_BYTES_MAX: usize = 1_024;

/// The longest template of a cause, in bytes: it is a sentence, and stands in the subject of a mail.
pub const CAUSE_BYTES_MAX: usize = 1_024;

/// The longest runbook, in bytes: a link or a few paragraphs.
pub const RUNBOOK_BYTES_MAX: usize = 8_192;

/// The most days of a roster and of training.
pub const DAYS_MAX: u32 = 30;

/// The most groups that one rule follows at a time: as many incidents at once are one incident. Further groups are counted.
pub const GROUPS_MAX: usize = 1_000;

/// The most members of a roster: with longer names than usual, still below a megabyte of state.
pub const ROSTER_MAX: usize = 10_000;

/// The most patterns remembered as told; the one told longest ago is forgotten first.
pub const PATTERNS_MAX: usize = 10_000;

/// So many checks that failed one after the other are told: one or two may be a server that is busy.
pub const FAILURES_TOLD_AT: u32 = 5;

/// The longest value of a field in the name of a group, in bytes; the rest is cut off, since the name stands in notices and in the state.
pub const GROUP_VALUE_BYTES_MAX: usize = 256;

/// The longest silence that is not weekly, in days: what nobody wants to hear of for a year needs no rule.
pub const SILENCE_DAYS_MAX: u32 = 366;

/// The most episodes that a back-test tells one by one: whoever sees a thousand knows that the rule is no good.
pub const EPISODES_MAX: usize = 1_000;
