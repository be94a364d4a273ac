//! Verifying a data directory that no server has open.

use std::path::Path;
use std::sync::Arc;

use cordwood_store::disk::FileSystem;
use cordwood_store::{self as store, Depth, Disk, Remote, Severity};

use crate::Error;
use crate::decoding::Replay;
use crate::service::{CATALOG_FILE, STORE_DIR, lock};

/// What [`check`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// What was verified, one sentence each.
    pub verified: Vec<String>,
    /// What is as it should be after a crash or an earlier repair, one sentence each.
    pub notices: Vec<String>,
    /// What is wrong, one sentence each; empty for a good directory.
    pub problems: Vec<String>,
}

/// Whether there is a data directory; [`Service::open`](crate::Service::open) makes one where there is none.
pub fn is_data_directory(data_dir: &Path) -> bool {
    data_dir.join(CATALOG_FILE).exists() || data_dir.join(STORE_DIR).is_dir()
}

/// Verifies a data directory without changing it; of a bucket, what the directory says of it, so deep.
pub fn check(data_dir: &Path, bucket: Option<(&Remote, Depth)>) -> Result<CheckReport, Error> {
    let (catalog_path, store_dir) = (data_dir.join(CATALOG_FILE), data_dir.join(STORE_DIR));
    if !is_data_directory(data_dir) {
        return Err(Error::NotFound {
            kind: "data directory",
            name: data_dir.display().to_string(),
            near: Vec::new(),
        });
    }
    let _lock = lock(data_dir)?;
    let mut report = CheckReport::default();
    check_catalog(&catalog_path, &mut report)?;
    check_store(&store_dir, bucket, &mut report)?;
    Ok(report)
}

fn check_catalog(path: &Path, report: &mut CheckReport) -> Result<(), Error> {
    if !path.exists() {
        report.problems.push(format!("{CATALOG_FILE} is missing"));
        return Ok(());
    }
    let problems = cordwood_catalog::check(path)
        .map_err(|error| Error::internal("checking the catalog", error))?;
    if problems.is_empty() {
        let sentence = format!("{CATALOG_FILE}: every page, index and reference is whole");
        report.verified.push(sentence);
    }
    let named = problems
        .into_iter()
        .map(|problem| format!("{CATALOG_FILE}: {problem}"));
    report.problems.extend(named);
    Ok(())
}

fn check_store(
    dir: &Path,
    bucket: Option<(&Remote, Depth)>,
    report: &mut CheckReport,
) -> Result<(), Error> {
    let disk: Arc<dyn Disk> = Arc::new(FileSystem::new(dir));
    let found = match bucket {
        Some((remote, depth)) => store::check_with_bucket(&disk, &Replay, remote, depth),
        None => store::check(&disk, &Replay),
    };
    let found = match found {
        Ok(found) => found,
        Err(store::Error::NoDataDirectory { .. }) => {
            report
                .problems
                .push(format!("{STORE_DIR} is missing or holds no store"));
            return Ok(());
        }
        Err(store::Error::InUse { .. }) => return Err(Error::InUse),
        Err(error) => return Err(Error::internal("checking the store", error)),
    };
    report.verified.extend([
        format!(
            "{STORE_DIR}: {} segments with {} events in {} blocks and {} columns",
            found.segments, found.segment_events, found.blocks, found.columns
        ),
        format!(
            "{STORE_DIR}: {} log files with {} events in {} records",
            found.log_files, found.log_events, found.log_records
        ),
        format!(
            "{STORE_DIR}: {} manifests; {} bytes read in all",
            found.manifests, found.bytes
        ),
    ]);
    if let (Some((remote, depth)), 1..) = (bucket, found.objects) {
        let how = match depth {
            Depth::Listed => "are there, as long as they should be",
            Depth::Read => "were read, every byte as it was written",
        };
        let bucket = remote.bucket.describe();
        let objects = found.objects;
        report
            .verified
            .push(format!("{bucket}: {objects} objects {how}"));
    }
    for finding in found.findings {
        let sentence = format!("{STORE_DIR}/{}: {}", finding.file, finding.sentence);
        match finding.severity {
            Severity::Notice => report.notices.push(sentence),
            Severity::Damage => report.problems.push(sentence),
        }
    }
    Ok(())
}
