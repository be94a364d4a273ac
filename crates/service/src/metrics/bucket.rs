//! How the bucket is: what is wrong with it, and its counters.

use cordwood_store::Stats;

use super::Page;

/// What is wrong, a sentence each. None of it keeps events from being taken.
pub(super) fn problems(stats: &Stats) -> Vec<String> {
    let mut problems = Vec::new();
    let away = stats.segments_away;
    let Some(bucket) = &stats.bucket else {
        if away > 0 {
            problems.push(format!(
                "{away} segments lie in a bucket and the configuration names none, answers say which events are missing"
            ));
        }
        return problems;
    };
    if let Some(reason) = &bucket.outage {
        problems.push(format!(
            "the bucket cannot be read, answers say which events are missing: {reason}"
        ));
    }
    if bucket.objects_missing > 0 {
        let count = bucket.objects_missing;
        problems.push(format!(
            "the bucket has lost the objects of {count} segments"
        ));
    }
    problems
}

/// Counters and gauges; none without a bucket.
pub(super) fn write(stats: &Stats, page: &mut Page) {
    let Some(bucket) = &stats.bucket else {
        return;
    };
    let counters = [
        (
            "cordwood_bucket_uploads_total",
            "Segments copied to the bucket and read back.",
            bucket.uploads,
        ),
        (
            "cordwood_bucket_upload_failures_total",
            "Uploads that failed, to be tried again.",
            bucket.upload_failures,
        ),
        (
            "cordwood_bucket_uploaded_bytes_total",
            "Bytes of the segments copied.",
            bucket.uploaded_bytes,
        ),
        (
            "cordwood_bucket_evictions_total",
            "Files of segments let go, to be read from the bucket.",
            bucket.evictions,
        ),
        (
            "cordwood_bucket_removals_total",
            "Objects removed.",
            bucket.removals,
        ),
        (
            "cordwood_bucket_cache_hits_total",
            "Ranges of objects found on the local disk.",
            bucket.cache_hits,
        ),
        (
            "cordwood_bucket_fetches_total",
            "Requests for ranges that were not.",
            bucket.fetches,
        ),
        (
            "cordwood_bucket_fetched_bytes_total",
            "Bytes of these.",
            bucket.fetched_bytes,
        ),
        (
            "cordwood_bucket_fetch_failures_total",
            "Requests for ranges that failed.",
            bucket.fetch_failures,
        ),
    ];
    for (name, help, value) in counters {
        page.counter(name, help, value);
    }
    let gauges = [
        (
            "cordwood_bucket_cache_bytes",
            "Bytes of ranges on the local disk.",
            bucket.cache_bytes,
        ),
        (
            "cordwood_bucket_segments_waiting",
            "Segments that are not in the bucket yet.",
            bucket.segments_waiting,
        ),
        (
            "cordwood_bucket_segments_away",
            "Segments of which the blocks are in the bucket only.",
            stats.segments_away,
        ),
        (
            "cordwood_bucket_objects_missing",
            "Objects that should be in the bucket and are not.",
            bucket.objects_missing,
        ),
        (
            "cordwood_bucket_readable",
            "0 while the bucket cannot be read, else 1.",
            u64::from(bucket.outage.is_none()),
        ),
    ];
    for (name, help, value) in gauges {
        page.gauge(name, help, value);
    }
}
