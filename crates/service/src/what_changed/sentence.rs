//! Plain sentences about what changed, as somebody would say them.

use std::fmt::Write as _;

use cordwood_event::Level;

use super::causes::Found;
use super::evidence::{Direction, TOLERATED};
use super::outcome::{ChangeKind, Numbers};
use super::part::FieldValue;
use super::patterns::FoundPattern;
use super::services::Usual;
use super::windows::Both;

/// "312 of 960 events of `tenant=t-7` are errors (32 %), 0.2 % before: 148× as many as expected; 97 % of the rise."
pub(super) fn of_cause(kind: &ChangeKind, found: &Found, rates: Both<f64>) -> String {
    let part = &found.part;
    let mut text = match kind.is_volume() {
        true => format!(
            "{} events of {part} ({}), {} before ({})",
            count(found.numbers.hits.current),
            per_second(rates.current),
            count(found.numbers.hits.baseline),
            per_second(rates.baseline)
        ),
        false => format!(
            "{} of {} events of {part} {} ({}), {} of {} before ({})",
            count(found.numbers.hits.current),
            count(found.numbers.events.current),
            verb(kind),
            percent(rates.current),
            count(found.numbers.hits.baseline),
            count(found.numbers.events.baseline),
            percent(rates.baseline)
        ),
    };
    let expected = found.observation.expected;
    let _ = write!(
        text,
        ": {} as expected",
        times(found.observation.observed, expected)
    );
    if found.explained >= 0.005 {
        let change = match found.observation.direction() {
            Direction::Up => "rise",
            Direction::Down => "fall",
        };
        let _ = write!(text, ", {} of the {change}", percent(found.explained));
    }
    text.push('.');
    if !found.alike.is_empty() {
        let alike: Vec<String> = found.alike.iter().map(FieldValue::to_string).collect();
        let _ = write!(text, " All of them have {}.", alike.join(", "));
    }
    text
}

/// How all events of a kind went.
pub(super) fn of_change(
    kind: &ChangeKind,
    numbers: Numbers,
    rates: Both<f64>,
    everywhere: f64,
) -> String {
    let ratio = times(rates.current, rates.baseline);
    let mut text = match kind {
        ChangeKind::Volume => format!(
            "{} that {}, {} before: {} as many.",
            per_second(rates.current),
            verb(kind),
            per_second(rates.baseline),
            ratio
        ),
        _ => format!(
            "{} of {} events {} ({}), {} of {} before ({}): {} as often.",
            count(numbers.hits.current),
            count(numbers.events.current),
            verb(kind),
            percent(rates.current),
            count(numbers.hits.baseline),
            count(numbers.events.baseline),
            percent(rates.baseline),
            ratio,
        ),
    };
    if !(1.0 / TOLERATED..=TOLERATED).contains(&everywhere) {
        let _ = write!(
            text,
            " It is {} as often nearly everywhere.",
            times(everywhere, 1.0)
        );
    }
    text
}

/// "Errors of `service=payments` are 3.2× usual: 1.3 % of events, usually 0.4 % ± 0.1 %."
pub(super) fn of_service(service: &FieldValue, rate: f64, usual: Usual) -> String {
    format!(
        "Errors of {service} are {} usual: {} of its events, usually {} ± {}.",
        times(rate, usual.mean),
        percent(rate),
        percent(usual.mean),
        percent(usual.spread)
    )
}

/// "`service=search` has gone quiet: 0 events, usually 1 200 ± 90."
pub(super) fn of_quiet(service: &FieldValue, events: u64, usual: Usual) -> String {
    format!(
        "{service} has gone quiet: {} events, usually {} ± {}.",
        count(events),
        whole(usual.mean),
        whole(usual.spread)
    )
}

pub(super) fn of_new(value: &FieldValue, events: u64) -> String {
    format!("{value} is new: {} events, none before.", count(events))
}

pub(super) fn of_vanished(value: &FieldValue, events: u64) -> String {
    format!("{value} has gone: no events, {} before.", count(events))
}

/// "`certificate of <host> has expired` is new: 90 events, 90 of level error, none in the baseline, and none ever before."
pub(super) fn of_pattern(found: &FoundPattern, is_unseen: bool) -> String {
    let (text, events) = (&found.text, found.events);
    let (current, baseline) = (count(events.current), count(events.baseline));
    let failures = failures(found);
    match events {
        Both { baseline: 0, .. } if is_unseen => format!(
            "`{text}` is new: {current} events{failures}, none in the baseline, and none ever before."
        ),
        Both { baseline: 0, .. } => format!(
            "`{text}` is back: {current} events{failures}, none in the baseline; first seen {}.",
            found.first_seen
        ),
        Both { current: 0, .. } => format!("`{text}` has gone: no events, {baseline} before."),
        Both { .. } => format!(
            "`{text}` is said {} as often as expected: {current} events{failures}, {baseline} before.",
            times(found.observation.observed, found.observation.expected)
        ),
    }
}

/// How many events of a pattern are of a level that calls for attention, after their number.
fn failures(found: &FoundPattern) -> String {
    let mut text = String::new();
    for level in [Level::Fatal, Level::Error, Level::Warn] {
        let events = found.levels.get(level.name()).copied().unwrap_or_default();
        if events.current > 0 {
            let _ = write!(
                text,
                ", {} of level {}",
                count(events.current),
                level.name()
            );
        }
    }
    text
}

/// What events of the kind do, after a plural.
fn verb(kind: &ChangeKind) -> String {
    match kind {
        ChangeKind::Errors => "are errors".to_owned(),
        ChangeKind::Warnings => "are warnings or refusals".to_owned(),
        ChangeKind::Slowness { field, threshold } => {
            format!("have {field} above {}", short(*threshold))
        }
        ChangeKind::Asked => "match".to_owned(),
        ChangeKind::Volume => "are neither errors nor warnings".to_owned(),
    }
}

/// `3.2×`; of next to nothing, `over 1000×`.
pub(super) fn times(observed: f64, expected: f64) -> String {
    const RATIO_MAX: f64 = 1000.0;
    match observed / expected {
        ratio if !ratio.is_finite() || ratio > RATIO_MAX => match observed > 0.0 {
            true => format!("over {RATIO_MAX}×"),
            false => "1×".to_owned(),
        },
        ratio => format!("{}×", short(ratio)),
    }
}

/// Two digits that say something.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 10.0 => format!("{value:.0}"),
        size if size >= 1.0 => trimmed(format!("{value:.1}")),
        size if size >= 0.1 => trimmed(format!("{value:.2}")),
        0.0 => "0".to_owned(),
        _ => trimmed(format!("{value:.4}")),
    }
}

fn trimmed(text: String) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

fn per_second(rate: f64) -> String {
    format!("{} events/s", short(rate))
}

/// `12 345 678`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn whole(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the mean of counts of events"
    )]
    count(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_shortly() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1 234 567");
        assert_eq!(percent(0.0321), "3.2 %");
        assert_eq!(percent(0.321), "32 %");
        assert_eq!(percent(0.000_4), "0.04 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(times(32.0, 10.0), "3.2×");
        assert_eq!(times(5.0, 0.0), "over 1000×");
        assert_eq!(times(0.0, 0.0), "1×");
        assert_eq!(times(0.0, 5.0), "0×");
    }
}
