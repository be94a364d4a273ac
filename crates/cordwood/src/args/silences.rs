//! What `cordwood silences` takes.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::quantities::parse_duration;

pub(super) const SILENCES_EXAMPLES: &str = "Examples:
  cordwood silences add --label team=db --for 2h --comment 'patching db-1'
  cordwood silences add --group 'host=web-*' --until 2026-04-01T06:00:00Z
  cordwood silences add --weekly 'mon-fri 22:00-06:00 Europe/Berlin' --lets-pass critical
  cordwood silences list --state active
  cordwood silences end 3";

#[derive(Debug, Subcommand)]
pub(crate) enum SilencesVerb {
    /// List silences, the newest first.
    List {
        /// active, coming or ended.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
    },
    /// Hold back the notices of incidents.
    Add(Box<AddSilenceArguments>),
    /// End one now: what it muted and is still open is told.
    End {
        /// Its id.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddSilenceArguments {
    /// A label that incidents have, NAME=VALUE; * stands for any characters; may be repeated: all must fit.
    #[arg(long = "label", value_name = "LABEL", value_parser = parse_pair)]
    pub labels: Vec<(String, String)>,

    /// A field of their group, FIELD=VALUE; may be repeated.
    #[arg(long = "group", value_name = "GROUP", value_parser = parse_pair)]
    pub groups: Vec<(String, String)>,

    /// The name of their rule.
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,

    /// Mute everything. Without it something to fit must be given.
    #[arg(long, conflicts_with_all = ["labels", "groups", "rule"])]
    pub everything: bool,

    /// From when [default: now].
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// For how long: 30m, 2h, 1d.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration, conflicts_with_all = ["until", "from"])]
    pub lasting: Option<Duration>,

    /// Until when.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// Every week, on days at hours of a place: 'mon-fri 22:00-06:00 Europe/Berlin'.
    #[arg(long, value_name = "HOURS", value_parser = parse_weekly)]
    pub weekly: Option<WeeklyHours>,

    /// What is as bad as this, or worse, is told all the same.
    #[arg(long, value_name = "SEVERITY")]
    pub lets_pass: Option<String>,

    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,

    /// The client it is for, by id or name [default: the only one you see].
    #[arg(long, value_name = "CLIENT")]
    pub client: Option<String>,

    /// For all clients of the provider.
    #[arg(long, conflicts_with = "client")]
    pub all_clients: bool,
}

/// Hours of a week, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WeeklyHours {
    pub days: Vec<&'static str>,
    pub from: String,
    pub to: String,
    pub time_zone: String,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads `name=value`.
pub(super) fn parse_pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write a name and a value such as team=db".to_owned())
}

/// Reads `mon-fri,sun 22:00-06:00 Europe/Berlin`; UTC without a place.
fn parse_weekly(text: &str) -> Result<WeeklyHours, String> {
    let expected = || "write days, hours and a place such as mon-fri 22:00-06:00 Europe/Berlin";
    let words: Vec<&str> = text.split_whitespace().collect();
    let (days, hours, time_zone) = match words.as_slice() {
        [days, hours] => (days, hours, "UTC"),
        [days, hours, time_zone] => (days, hours, *time_zone),
        _ => return Err(expected().to_owned()),
    };
    let days: Option<Vec<Vec<&'static str>>> = days.split(',').map(days_of).collect();
    let hours = hours.split_once('-');
    let (days, (from, to)) = days.zip(hours).ok_or_else(expected)?;
    Ok(WeeklyHours {
        days: days.concat(),
        from: from.to_owned(),
        to: to.to_owned(),
        time_zone: time_zone.to_owned(),
    })
}

/// The days in `fri` or `fri-mon`.
fn days_of(text: &str) -> Option<Vec<&'static str>> {
    let day = |name: &str| {
        let name = name.to_ascii_lowercase();
        DAYS.iter().position(|day| name.get(..3) == Some(*day))
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(text)?, day(text)?),
    };
    let days = DAYS.iter().cycle().skip(first);
    let length = (last + DAYS.len() - first) % DAYS.len() + 1;
    Some(days.take(length).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekly_hours_are_read() {
        let cases: [(&str, &[&str], &str); 4] = [
            ("mon 22:00-06:00 Europe/Berlin", &["mon"], "Europe/Berlin"),
            ("Fri-mon 22:00-06:00", &["fri", "sat", "sun", "mon"], "UTC"),
            (
                "mon-fri,sunday 22:00-06:00",
                &["mon", "tue", "wed", "thu", "fri", "sun"],
                "UTC",
            ),
            ("tue,thu 22:00-06:00", &["tue", "thu"], "UTC"),
        ];
        for (text, days, time_zone) in cases {
            let expected = WeeklyHours {
                days: days.to_vec(),
                from: "22:00".to_owned(),
                to: "06:00".to_owned(),
                time_zone: time_zone.to_owned(),
            };
            assert_eq!(parse_weekly(text), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            "mon",
            "someday 1-2",
            "mon 22:00",
            "mon-x 1-2",
            "a b c d",
            "é 1-2",
        ] {
            assert!(parse_weekly(wrong).is_err(), "{wrong}");
        }
    }
}
