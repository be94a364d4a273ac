//! `cordwood check`: verifies a data directory that no server is using.

use cordwood_service::Depth;
use serde_json::json;

use crate::bucket;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{write, write_json};

/// Says what was verified and what is wrong; fails when anything is.
pub(crate) fn run(settings: &Settings, depth: Depth) -> Result<(), Failure> {
    let data_dir = settings.data_dir.display();
    if !settings.data_dir.is_dir() {
        return Err(
            Failure::new(format!("There is no data directory {data_dir}"))
                .hint("Name it with --data-dir."),
        );
    }
    let remote = bucket::remote(settings)?;
    let bucket = remote.as_ref().map(|remote| (remote, depth));
    let report = cordwood_service::check(&settings.data_dir, bucket).map_err(|error| {
        Failure::new(format!("Cannot check {data_dir}: {error}"))
            .hint("A server must not be using the directory; stop it first.")
    })?;
    if settings.json {
        write_json(&json!({"data": {
            "data_dir": settings.data_dir,
            "verified": report.verified,
            "notices": report.notices,
            "problems": report.problems,
        }}))?;
    } else {
        let verified = report
            .verified
            .iter()
            .map(|line| format!("  ok     {line}\n"));
        let notices = report
            .notices
            .iter()
            .map(|line| format!("  note   {line}\n"));
        let problems = report
            .problems
            .iter()
            .map(|line| format!("  WRONG  {line}\n"));
        let lines: String = verified.chain(notices).chain(problems).collect();
        write(&lines)?;
    }
    match report.problems.len() {
        0 if settings.json => Ok(()),
        0 => write(&format!("{data_dir} is in good order.\n")),
        count => Err(Failure::new(format!("{data_dir}: {count} problems found"))
            .hint("What could be read is still served; keep a copy before you change anything.")),
    }
}
