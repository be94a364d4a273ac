//! The settings of the bucket: the table `[bucket]`, and environment variables that stand before it.
//!
//! The keys are shown nowhere, and the command line takes none: others on the machine could read it.

use std::fmt;

use serde::Deserialize;

use super::bytes_of;
use crate::failure::Failure;

const REGION_DEFAULT: &str = "us-east-1";
const LOCAL_BYTES_DEFAULT: u64 = 20 << 30;
const CACHE_BYTES_DEFAULT: u64 = 2 << 30;
/// Below this a search of a few blocks would fetch them again and again.
const CACHE_BYTES_MIN: u64 = 16 << 20;

/// The table as written. All of it is optional where the environment says it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BucketTable {
    endpoint: Option<String>,
    name: Option<String>,
    prefix: Option<String>,
    region: Option<String>,
    access_key: Option<String>,
    secret_key: Option<String>,
    addressing: Option<Addressing>,
    allow_http: Option<bool>,
    local: Option<String>,
    cache: Option<String>,
}

/// How requests name the bucket.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Addressing {
    /// In the path.
    #[default]
    Path,
    /// In the host.
    Host,
}

/// Checked settings of a bucket.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BucketSettings {
    /// The address of the service; `None` for Amazon's.
    pub(crate) endpoint: Option<String>,
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) region: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) addressing: Addressing,
    pub(crate) local_bytes_max: u64,
    pub(crate) cache_bytes_max: u64,
}

impl fmt::Debug for BucketTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketTable").finish_non_exhaustive()
    }
}

impl fmt::Debug for BucketSettings {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketSettings")
            .field("endpoint", &self.endpoint)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Checks the table, over which what `variable` says of the environment goes. `None` if neither names a bucket.
pub(super) fn checked(
    table: Option<BucketTable>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<BucketSettings>, Failure> {
    // A variable that is set to nothing is as good as not set.
    let variable = |name: &str| variable(name).filter(|text| !text.is_empty());
    let name = variable("CORDWOOD_BUCKET_NAME");
    if table.is_none() && name.is_none() {
        return Ok(None);
    }
    let table = table.unwrap_or_default();
    let endpoint = variable("CORDWOOD_BUCKET_ENDPOINT").or(table.endpoint);
    let prefix = variable("CORDWOOD_BUCKET_PREFIX").or(table.prefix);
    let region = variable("CORDWOOD_BUCKET_REGION").or(table.region);
    let access_key = variable("CORDWOOD_BUCKET_ACCESS_KEY").or(table.access_key);
    let secret_key = variable("CORDWOOD_BUCKET_SECRET_KEY").or(table.secret_key);
    let allow_http = table.allow_http.unwrap_or(false);
    Ok(Some(BucketSettings {
        endpoint: endpoint
            .map(|endpoint| checked_endpoint(endpoint, allow_http))
            .transpose()?,
        name: checked_name(name.or(table.name).unwrap_or_default())?,
        prefix: checked_prefix(&prefix.unwrap_or_default())?,
        region: region.unwrap_or_else(|| REGION_DEFAULT.to_owned()),
        access_key: required(access_key, "access_key", "CORDWOOD_BUCKET_ACCESS_KEY")?,
        secret_key: required(secret_key, "secret_key", "CORDWOOD_BUCKET_SECRET_KEY")?,
        addressing: table.addressing.unwrap_or_default(),
        local_bytes_max: bytes("local", table.local, LOCAL_BYTES_DEFAULT, 0)?,
        cache_bytes_max: bytes("cache", table.cache, CACHE_BYTES_DEFAULT, CACHE_BYTES_MIN)?,
    }))
}

fn required(value: Option<String>, key: &str, variable: &str) -> Result<String, Failure> {
    let value = value.filter(|value| !value.is_empty());
    value.ok_or_else(|| {
        Failure::new(format!("The bucket has no {key}"))
            .hint(format!("Set {variable}, or {key} in the table [bucket]."))
    })
}

fn checked_endpoint(endpoint: String, allow_http: bool) -> Result<String, Failure> {
    let address = endpoint.split_once("://");
    let has_host = address.is_some_and(|(_, host)| !host.is_empty() && !host.contains('@'));
    match address.map(|(scheme, _)| scheme) {
        Some("https") if has_host => Ok(endpoint),
        Some("http") if has_host && allow_http => Ok(endpoint),
        Some("http") if has_host => Err(Failure::new(format!(
            "`{endpoint}` would carry events in the clear"
        ))
        .hint("Write https://, or allow_http = true in the table [bucket].")),
        // What stands before an `@` is a password.
        _ => Err(Failure::new("The endpoint of the bucket is no address")
            .hint("Write it such as https://s3.example.org:9000, or leave it out for Amazon's.")),
    }
}

fn checked_name(name: String) -> Result<String, Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        return Ok(name);
    }
    Err(Failure::new(format!("`{name}` is no name of a bucket"))
        .hint("Set CORDWOOD_BUCKET_NAME, or name in the table [bucket]: letters, digits, `-`, `.` and `_`."))
}

fn checked_prefix(prefix: &str) -> Result<String, Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
    let trimmed = prefix.trim_matches('/');
    let parts_are_names = trimmed.split('/').all(|part| !matches!(part, "." | ".."));
    if trimmed.chars().all(is_plain) && !trimmed.contains("//") && parts_are_names {
        return Ok(trimmed.to_owned());
    }
    Err(Failure::new(format!("`{prefix}` is no prefix of names in the bucket"))
        .hint("Write names of letters, digits, `-`, `.` and `_` with slashes between, such as logs/cordwood."))
}

fn bytes(key: &str, text: Option<String>, default: u64, least: u64) -> Result<u64, Failure> {
    let Some(text) = text else {
        return Ok(default);
    };
    let bytes = bytes_of(&text).filter(|bytes| *bytes >= least);
    bytes.ok_or_else(|| {
        let failure = Failure::new(format!(
            "{key} = \"{text}\" in the table [bucket] is no size"
        ));
        failure.hint(match least {
            0 => format!("Write such as {key} = \"50 GiB\"."),
            _ => format!("Write at least 16 MiB, such as {key} = \"2 GiB\"."),
        })
    })
}

/// What a parser says about a file, which shows the line at fault.
pub(super) fn without_keys(message: &str) -> String {
    let lines = message.lines().map(|line| {
        let key = ["access_key", "secret_key"].iter().find_map(|key| {
            let (before, after) = line.split_once(key)?;
            after
                .contains('=')
                .then(|| format!("{before}{key} = (not shown)"))
        });
        key.unwrap_or_else(|| line.to_owned())
    });
    lines.collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "name = \"logs\"\naccess_key = \"A\"\nsecret_key = \"S\"\n";

    fn check(text: &str, variables: &[(&str, &str)]) -> Result<Option<BucketSettings>, Failure> {
        let table = (!text.is_empty()).then(|| toml::from_str(text).expect("a table"));
        checked(table, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_no_bucket() {
        let with = |line: &str| format!("{WHOLE}{line}");
        let cases = [
            ("name = \"logs\"".to_owned(), "The bucket has no access_key"),
            (
                "name = \"logs\"\naccess_key = \"A\"".to_owned(),
                "The bucket has no secret_key",
            ),
            ("access_key = \"A\"".to_owned(), "`` is no name of a bucket"),
            (with("endpoint = \"s3.example.org\""), "is no address"),
            (with("endpoint = \"https://me:pw@host\""), "is no address"),
            (with("endpoint = \"http://10.0.0.1:9000\""), "in the clear"),
            (with("prefix = \"a//b\""), "is no prefix"),
            (with("prefix = \"../b\""), "is no prefix"),
            (with("local = \"much\""), "is no size"),
            (with("cache = \"1 MiB\""), "is no size"),
        ];
        for (text, expected) in cases {
            let failure = check(&text, &[]).expect_err(&text).to_string();
            assert!(failure.contains(expected), "{text}: {failure}");
            assert!(!failure.contains("pw"), "{failure}");
        }
    }

    #[test]
    fn the_environment_stands_before_the_file() {
        assert_eq!(check("", &[]).unwrap(), None);
        let of_file = check(WHOLE, &[]).unwrap().unwrap();
        assert_eq!((&*of_file.name, &*of_file.region), ("logs", "us-east-1"));
        assert_eq!(of_file.endpoint, None);
        assert_eq!(of_file.local_bytes_max, 20 << 30);
        let variables = [
            ("CORDWOOD_BUCKET_NAME", "other"),
            ("CORDWOOD_BUCKET_ACCESS_KEY", "AKIDEXAMPLE"),
            ("CORDWOOD_BUCKET_SECRET_KEY", "wJalrXUtnFEMI"),
            ("CORDWOOD_BUCKET_ENDPOINT", "https://s3.example.org"),
            ("CORDWOOD_BUCKET_REGION", ""),
        ];
        for text in [
            "",
            WHOLE,
            "prefix = \"/a/b/\"\nlocal = \"0\"\naddressing = \"host\"",
        ] {
            let found = check(text, &variables).unwrap().unwrap();
            assert_eq!((&*found.name, &*found.access_key), ("other", "AKIDEXAMPLE"));
            assert_eq!(found.endpoint.as_deref(), Some("https://s3.example.org"));
            let shown = format!("{found:?}");
            assert!(
                !shown.contains("AKIDEXAMPLE") && !shown.contains("wJalr"),
                "{shown}"
            );
            if text.contains("host") {
                assert_eq!((&*found.prefix, found.local_bytes_max), ("a/b", 0));
                assert_eq!(found.addressing, Addressing::Host);
            }
        }
    }

    #[test]
    fn a_file_at_fault_shows_no_key() {
        for text in [
            "secret_key = wJalr",
            "access_key = 5\nsecret_key = \"wJalr",
            "[x]\nsecret_key = [\"wJalr\"]",
        ] {
            let error = toml::from_str::<BucketTable>(text)
                .expect_err(text)
                .to_string();
            let shown = without_keys(&error);
            assert!(!shown.contains("wJalr"), "{shown}");
        }
    }
}
