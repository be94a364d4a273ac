//! The parameters of a comparison, wherever they came from, as a [`WhatChangedRequest`].

use cordwood_service::{Baseline, WhatChangedRequest};
use utoipa::{IntoParams, ToSchema};

use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::query_request::{deadline, sources};

/// A window, what it is compared with, and the events compared.
#[derive(Debug, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`what_changed_request` reads the parameters by their names, wherever they came from"
)]
pub(crate) struct WhatChangedParameters {
    /// A filter in the query language, without stages and times; empty for every event.
    query: Option<String>,
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given.
    source_id: Option<Vec<String>>,
    /// The same, by the name Better Stack has for it.
    source_ids: Option<Vec<String>>,
    /// From when, inclusive: RFC 3339, a date, `now-1h`, a UNIX time; an hour before `to` unless given.
    from: Option<String>,
    /// Until when, inclusive; now unless given.
    to: Option<String>,
    /// `previous` (the window right before, of the same length), `yesterday` or `last-week` (the same hours).
    baseline: Option<String>,
    /// From when a baseline of your own lasts, inclusive; with `baseline_to`, in place of `baseline`.
    baseline_from: Option<String>,
    /// Until when.
    baseline_to: Option<String>,
    /// A filter for the events whose rise is to be explained; errors, warnings, slowness and volume unless given.
    explain: Option<String>,
    /// How long it may take, 30000 unless given, at most 300000; what is found by then is answered as incomplete.
    timeout_ms: Option<u64>,
}

/// Reads a comparison.
pub(crate) fn what_changed_request(parameters: &Parameters) -> Result<WhatChangedRequest, Failure> {
    parameters.only::<WhatChangedParameters>()?;
    Ok(WhatChangedRequest {
        query: parameters.first("query").unwrap_or_default().to_owned(),
        sources: sources(parameters)?,
        from: text(parameters, "from"),
        to: text(parameters, "to"),
        baseline: baseline(parameters)?,
        explain: text(parameters, "explain"),
        deadline: Some(deadline(parameters)?),
    })
}

fn text(parameters: &Parameters, name: &str) -> Option<String> {
    let value = parameters.first(name)?;
    (!value.trim().is_empty()).then(|| value.to_owned())
}

fn baseline(parameters: &Parameters) -> Result<Baseline, Failure> {
    let named = text(parameters, "baseline");
    let ends = (
        text(parameters, "baseline_from"),
        text(parameters, "baseline_to"),
    );
    match (named.as_deref(), ends) {
        (None, (Some(from), Some(to))) => Ok(Baseline::Between { from, to }),
        (None | Some("previous"), (None, None)) => Ok(Baseline::Previous),
        (Some("yesterday"), (None, None)) => Ok(Baseline::Yesterday),
        (Some("last-week"), (None, None)) => Ok(Baseline::LastWeek),
        (None, (Some(_), None)) => {
            let sentence = "`baseline_from` needs `baseline_to`";
            Err(Failure::parameter("baseline_to", sentence))
        }
        (None, (None, Some(_))) => {
            let sentence = "`baseline_to` needs `baseline_from`";
            Err(Failure::parameter("baseline_from", sentence))
        }
        (Some(other), (None, None)) => {
            let sentence = format!(
                "`baseline` is `{other}` and has to be `previous`, `yesterday` or `last-week`"
            );
            Err(Failure::parameter("baseline", sentence))
        }
        (Some(_), _) => {
            let sentence = "`baseline` and `baseline_from` both say what to compare with";
            Err(Failure::parameter("baseline", sentence).hint("Leave one of them out."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query_string: &str, expected: Result<Baseline, &str>) {
        let found = what_changed_request(&Parameters::of_form(query_string.as_bytes()));
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.baseline, expected, "{query_string}"),
            (Err(found), Err(parameter)) => {
                let found = format!("{found:?}");
                let is_about = found.contains(&format!("`{parameter}`"));
                assert!(is_about, "{query_string}: {found}");
            }
            (found, expected) => panic!("{query_string}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn baselines() {
        check("", Ok(Baseline::Previous));
        check("baseline=previous&from=now-2h", Ok(Baseline::Previous));
        check("baseline=yesterday", Ok(Baseline::Yesterday));
        check("baseline=last-week&explain=a", Ok(Baseline::LastWeek));
        check(
            "baseline_from=now-3h&baseline_to=now-2h",
            Ok(Baseline::Between {
                from: "now-3h".into(),
                to: "now-2h".into(),
            }),
        );
        check("baseline=tomorrow", Err("baseline"));
        check("baseline_from=now-3h", Err("baseline_to"));
        check("baseline_to=now-3h", Err("baseline_from"));
        check("baseline=yesterday&baseline_from=now-3h", Err("baseline"));
        check("batch_size=1", Err("batch_size"));
    }
}
