//! The bucket of the settings, in builds that have one.

use cordwood_service::Remote;

use crate::config::Settings;
use crate::failure::Failure;

/// The bucket, if the settings name one. It is not asked for anything yet.
#[cfg(feature = "bucket")]
pub(crate) fn remote(settings: &Settings) -> Result<Option<Remote>, Failure> {
    use std::sync::Arc;

    use cordwood_bucket::{Addressing, S3Bucket, S3Options, Secret};

    use crate::config;
    use crate::failure::cannot;

    let Some(bucket) = &settings.bucket else {
        return Ok(None);
    };
    let opened = S3Bucket::open(S3Options {
        endpoint: bucket.endpoint.clone(),
        bucket: bucket.name.clone(),
        prefix: bucket.prefix.clone(),
        region: bucket.region.clone(),
        access_key: Secret::new(&bucket.access_key),
        secret_key: Secret::new(&bucket.secret_key),
        addressing: match bucket.addressing {
            config::Addressing::Path => Addressing::Path,
            config::Addressing::Host => Addressing::Host,
        },
    });
    let opened = opened.map_err(|error| cannot("use the bucket", &error))?;
    let mut remote = Remote::new(Arc::new(opened));
    remote.local_bytes_max = bucket.local_bytes_max;
    remote.cache_bytes_max = bucket.cache_bytes_max;
    Ok(Some(remote))
}

/// Refuses a bucket: to go on without it would fill the disk, and find less than there is.
#[cfg(not(feature = "bucket"))]
pub(crate) fn remote(settings: &Settings) -> Result<Option<Remote>, Failure> {
    match &settings.bucket {
        None => Ok(None),
        Some(_) => Err(Failure::new(
            "A bucket is configured, and this cordwood was built without",
        )
        .hint("Build it with `cargo build --release --features bucket`, or take the bucket out of the configuration.")),
    }
}
