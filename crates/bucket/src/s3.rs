//! Puts, reads, removes and lists objects.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cordwood_store::bucket::{Bucket, Content, Listed};
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    BackoffConfig, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
};

use crate::connector::Connector;
use crate::options::Addressing;
use crate::worker::Worker;
use crate::{Error, S3Options};

/// An object is uploaded in parts of this size, one after the other: what an upload takes of the memory. A service takes
/// 10 000 of them, of at least 5 MiB.
const PART_BYTES: u64 = 16 << 20;
/// A search waits for this: long enough for a few attempts, shorter than its own deadline.
const READ_DEADLINE: Duration = Duration::from_secs(15);
/// A part, or a list of a thousand objects, over a slow line.
const WRITE_DEADLINE: Duration = Duration::from_secs(120);
/// A request is repeated for so long, while the service says that it is busy or the connection breaks.
const RETRY_TIMEOUT: Duration = Duration::from_secs(10);
const RETRIES_MAX: usize = 4;

/// A bucket of an S3-compatible service.
pub struct S3Bucket {
    options: S3Options,
    store: Arc<AmazonS3>,
    worker: Worker,
}

impl fmt::Debug for S3Bucket {
    /// Without the client, which would show the id of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Bucket")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl S3Bucket {
    /// Makes a client; whether the bucket is there shows with the first request.
    pub fn open(options: S3Options) -> Result<S3Bucket, Error> {
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_TIMEOUT,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_access_key_id(options.access_key.reveal())
            .with_secret_access_key(options.secret_key.reveal())
            .with_virtual_hosted_style_request(options.addressing == Addressing::Host)
            .with_allow_http(options.is_plain_http())
            .with_retry(retry)
            .with_http_connector(Connector::new(options.is_plain_http())?);
        if let Some(address) = options.address() {
            builder = builder.with_endpoint(address);
        }
        let store = builder
            .build()
            .map_err(|error| Error::Options(options.without_keys(&error.to_string())))?;
        Ok(S3Bucket {
            store: Arc::new(store),
            worker: Worker::start()?,
            options,
        })
    }

    fn path_of(&self, name: &str) -> Path {
        match self.options.prefix.is_empty() {
            true => Path::from(name),
            false => Path::from(format!("{}/{name}", self.options.prefix)),
        }
    }

    /// Waits for an answer.
    fn ask<T: Send + 'static>(
        &self,
        deadline: Duration,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        let answer = self.worker.run(deadline, request)?;
        answer.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &object_store::Error) -> io::Error {
        use object_store::Error as E;
        let kind = match error {
            E::NotFound { .. } => io::ErrorKind::NotFound,
            E::PermissionDenied { .. } | E::Unauthenticated { .. } => {
                io::ErrorKind::PermissionDenied
            }
            _ => io::ErrorKind::Other,
        };
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        io::Error::new(kind, self.options.without_keys(&text))
    }

    fn put_in_parts(&self, path: Path, content: &dyn Content) -> io::Result<()> {
        let store = Arc::clone(&self.store);
        let begun = async move { store.put_multipart(&path).await };
        let mut upload = self.ask(WRITE_DEADLINE, begun)?;
        match self.put_parts(upload.as_mut(), content) {
            Ok(()) => self.ask(
                WRITE_DEADLINE,
                async move { upload.complete().await.map(drop) },
            ),
            Err(error) => {
                // Parts that stay are of no object; a service can be told to remove such after days.
                let _ = self.ask(WRITE_DEADLINE, async move { upload.abort().await });
                Err(error)
            }
        }
    }

    fn put_parts(&self, upload: &mut dyn MultipartUpload, content: &dyn Content) -> io::Result<()> {
        let length = content.length();
        let mut offset = 0;
        while offset < length {
            let end = length.min(offset + PART_BYTES);
            let part = upload.put_part(payload(content, offset..end)?);
            self.ask(WRITE_DEADLINE, part)?;
            offset = end;
        }
        Ok(())
    }

    /// A range that an object has not is refused in many words; its length says it in one.
    fn is_too_short(&self, path: Path, end: u64) -> bool {
        let store = Arc::clone(&self.store);
        let head = self.ask(READ_DEADLINE, async move { store.head(&path).await });
        head.is_ok_and(|found| found.size < end)
    }
}

impl Bucket for S3Bucket {
    fn describe(&self) -> String {
        self.options.describe()
    }

    fn put(&self, name: &str, content: &dyn Content) -> io::Result<()> {
        let path = self.path_of(name);
        if content.length() > PART_BYTES {
            return self.put_in_parts(path, content);
        }
        let payload = payload(content, 0..content.length())?;
        let store = Arc::clone(&self.store);
        self.ask(WRITE_DEADLINE, async move {
            store.put(&path, payload).await.map(drop)
        })
    }

    fn read(&self, name: &str, range: Range<u64>) -> io::Result<Bytes> {
        let path = self.path_of(name);
        let (store, asked, end) = (Arc::clone(&self.store), path.clone(), range.end);
        let read = self.ask(READ_DEADLINE, async move {
            store.get_range(&asked, range).await
        });
        match read {
            Err(error) if error.kind() == io::ErrorKind::Other && self.is_too_short(path, end) => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            read => read,
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let (store, path) = (Arc::clone(&self.store), self.path_of(name));
        let removed = self.ask(WRITE_DEADLINE, async move { store.delete(&path).await });
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<Listed>> {
        // The service lists below a slash; what is before the last one narrows that.
        let below = prefix.rsplit_once('/').map_or("", |(below, _)| below);
        let (store, path) = (Arc::clone(&self.store), self.path_of(below));
        let found = self.ask(WRITE_DEADLINE, async move {
            store.list(Some(&path)).try_collect::<Vec<_>>().await
        })?;
        let start = match self.options.prefix.is_empty() {
            true => String::new(),
            false => format!("{}/", self.options.prefix),
        };
        let listed = found.into_iter().filter_map(|object| {
            let name = object.location.as_ref().strip_prefix(&start)?.to_owned();
            let bytes = object.size;
            name.starts_with(prefix).then_some(Listed { name, bytes })
        });
        Ok(listed.collect())
    }
}

fn payload(content: &dyn Content, range: Range<u64>) -> io::Result<PutPayload> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    content.read_at(range.start, &mut bytes)?;
    Ok(Bytes::from(bytes).into())
}
