//! The bucket against a real S3 server, which checks signatures.
#![allow(clippy::unwrap_used, reason = "the code of a test")]

#[path = "../examples/s3_server/server.rs"]
mod server;

use std::io;
use std::path::Path;
use std::sync::Mutex;

use cordwood_bucket::{Addressing, S3Bucket, S3Options, Secret};
use cordwood_store::bucket::{Bucket, Content, Listed};
use server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY};

/// Bytes that can be read, and a place from which on they cannot.
struct Text {
    bytes: Vec<u8>,
    broken_from: u64,
    reads: Mutex<Vec<u64>>,
}

impl Text {
    fn new(bytes: Vec<u8>) -> Text {
        Text {
            bytes,
            broken_from: u64::MAX,
            reads: Mutex::default(),
        }
    }
}

impl Content for Text {
    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.reads.lock().unwrap().push(offset);
        if offset + buffer.len() as u64 > self.broken_from {
            return Err(io::Error::other("the disk is broken"));
        }
        let start = usize::try_from(offset).unwrap();
        buffer.copy_from_slice(&self.bytes[start..start + buffer.len()]);
        Ok(())
    }
}

fn options(server: &S3Server, prefix: &str) -> S3Options {
    S3Options {
        endpoint: Some(format!("http://{}", server.address())),
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
        region: "us-east-1".to_owned(),
        access_key: Secret::new(ACCESS_KEY),
        secret_key: Secret::new(SECRET_KEY),
        addressing: Addressing::Path,
    }
}

fn start(root: &Path, prefix: &str) -> (S3Server, S3Bucket) {
    let server = S3Server::start(root).unwrap();
    let bucket = S3Bucket::open(options(&server, prefix)).unwrap();
    (server, bucket)
}

fn listed(name: &str, bytes: u64) -> Listed {
    let name = name.to_owned();
    Listed { name, bytes }
}

#[test]
fn objects_come_back_and_go() {
    for prefix in ["", "cordwood", "a/deep place"] {
        let root = tempfile::tempdir().unwrap();
        let (_server, bucket) = start(root.path(), prefix);
        assert_eq!(bucket.list("aa/").unwrap(), []);
        bucket
            .put("aa/one.seg", &Text::new(b"0123456789".to_vec()))
            .unwrap();
        bucket.put("aa/two.seg", &Text::new(Vec::new())).unwrap();
        bucket
            .put("ab/one.seg", &Text::new(b"other".to_vec()))
            .unwrap();
        assert_eq!(&*bucket.read("aa/one.seg", 2..5).unwrap(), b"234");
        bucket
            .put("aa/one.seg", &Text::new(b"abc".to_vec()))
            .unwrap();
        assert_eq!(&*bucket.read("aa/one.seg", 0..3).unwrap(), b"abc");
        let mut found = bucket.list("aa/").unwrap();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(found, [listed("aa/one.seg", 3), listed("aa/two.seg", 0)]);
        bucket.remove("aa/one.seg").unwrap();
        bucket.remove("aa/one.seg").unwrap();
        assert_eq!(bucket.list("aa/").unwrap(), [listed("aa/two.seg", 0)]);
        assert_eq!(bucket.list("ab/").unwrap(), [listed("ab/one.seg", 5)]);
    }
}

#[test]
fn what_is_not_there_is_told_apart() {
    let root = tempfile::tempdir().unwrap();
    let (_server, bucket) = start(root.path(), "p");
    let error = bucket.read("aa/none.seg", 0..3).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
    bucket
        .put("aa/one.seg", &Text::new(b"0123".to_vec()))
        .unwrap();
    let behind = bucket.read("aa/one.seg", 10..13).unwrap_err();
    assert_eq!(behind.kind(), io::ErrorKind::UnexpectedEof, "{behind}");
    let short = bucket.read("aa/one.seg", 2..13);
    assert!(short.map_or(true, |bytes| &*bytes == b"23"));
}

#[test]
fn large_objects_go_in_parts() {
    let root = tempfile::tempdir().unwrap();
    let (_server, bucket) = start(root.path(), "p");
    let bytes: Vec<u8> = (0..40_000_000u32)
        .map(|at| (at >> 8).to_le_bytes()[0])
        .collect();
    let text = Text::new(bytes);
    bucket.put("aa/large.seg", &text).unwrap();
    assert_eq!(text.reads.lock().unwrap().len(), 3);
    assert_eq!(
        bucket.list("aa/").unwrap(),
        [listed("aa/large.seg", 40_000_000)]
    );
    let found = bucket.read("aa/large.seg", 16_777_000..33_555_000).unwrap();
    assert_eq!(&*found, &text.bytes[16_777_000..33_555_000]);

    let broken = Text {
        broken_from: 30_000_000,
        ..Text::new(text.bytes)
    };
    let error = bucket.put("aa/broken.seg", &broken).unwrap_err();
    assert_eq!(error.to_string(), "the disk is broken");
    assert_eq!(bucket.list("aa/").unwrap().len(), 1);
}

#[test]
fn failures_are_told_without_keys() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path()).unwrap();
    let right = options(&server, "p");
    let key = "AKIASOMEBODYELSE";
    let cases = [
        S3Options {
            secret_key: Secret::new("wrong-key-of-nobody"),
            ..right.clone()
        },
        S3Options {
            access_key: Secret::new(key),
            ..right.clone()
        },
        S3Options {
            bucket: "nowhere".to_owned(),
            ..right.clone()
        },
    ];
    for options in cases {
        let bucket = S3Bucket::open(options).unwrap();
        let error = bucket.list("aa/").unwrap_err().to_string();
        // This server makes a bucket of any name for who puts something into it.
        let put = bucket.put("aa/x.seg", &Text::new(vec![1]));
        let put = put.map_or_else(|error| error.to_string(), |()| String::new());
        for text in [error, put, format!("{bucket:?}")] {
            let keys = [ACCESS_KEY, SECRET_KEY, "wrong-key-of-nobody", key];
            assert!(!keys.iter().any(|key| text.contains(key)), "{text}");
            assert!(
                !text.contains('\n') || text.starts_with("S3Bucket"),
                "{text}"
            );
        }
    }
}

#[test]
fn a_server_that_is_gone_is_a_failure_in_time() {
    let root = tempfile::tempdir().unwrap();
    let (server, bucket) = start(root.path(), "p");
    bucket.put("aa/one.seg", &Text::new(vec![1, 2])).unwrap();
    let address = server.address();
    drop(server);
    let error = bucket.read("aa/one.seg", 0..2).unwrap_err();
    let is_of_object = [io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof];
    assert!(!is_of_object.contains(&error.kind()), "{error}");
    let server = S3Server::start_at(root.path(), address).unwrap();
    assert_eq!(&*bucket.read("aa/one.seg", 0..2).unwrap(), [1, 2]);
    drop(server);
}

#[test]
fn plain_http_is_said_in_the_address() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path()).unwrap();
    let secure = S3Options {
        endpoint: Some(format!("https://{}", server.address())),
        ..options(&server, "p")
    };
    // A machine without certificates refuses to begin; any other does not take the server's word.
    if let Ok(bucket) = S3Bucket::open(secure) {
        assert!(bucket.list("aa/").is_err());
    }
}
