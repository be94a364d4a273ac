//! Verifying a data directory that no server has open.

use std::path::Path;

use crate::Error;
use crate::service::{CATALOG_FILE, lock};

/// What [`check`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// What was verified, one sentence each.
    pub verified: Vec<String>,
    /// What is wrong, one sentence each; empty for a good directory.
    pub problems: Vec<String>,
}

/// Verifies a data directory without changing it.
pub fn check(data_dir: &Path) -> Result<CheckReport, Error> {
    if !data_dir.is_dir() {
        return Err(Error::NotFound {
            kind: "data directory",
            name: data_dir.display().to_string(),
            near: Vec::new(),
        });
    }
    let _lock = lock(data_dir)?;
    let mut report = CheckReport::default();
    check_catalog(data_dir, &mut report)?;
    Ok(report)
}

fn check_catalog(data_dir: &Path, report: &mut CheckReport) -> Result<(), Error> {
    let path = data_dir.join(CATALOG_FILE);
    if !path.exists() {
        report.problems.push(format!("{CATALOG_FILE} is missing"));
        return Ok(());
    }
    let problems = cordwood_catalog::check(&path)
        .map_err(|error| Error::internal("checking the catalog", error))?;
    if problems.is_empty() {
        report.verified.push(format!(
            "{CATALOG_FILE}: every page, index and reference is whole"
        ));
    }
    report.problems.extend(
        problems
            .into_iter()
            .map(|problem| format!("{CATALOG_FILE}: {problem}")),
    );
    Ok(())
}
