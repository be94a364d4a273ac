//! `cordwood evidence-key` and `cordwood verify-export`: the key of a server, and whether a file is as a server wrote it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use cordwood_service::{EvidenceReport, PublicKey, verify_evidence};
use serde_json::json;

use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::output::{write, write_json};
use crate::remote::Remote;
use crate::terminal::printable;

/// The file was changed.
const CHANGED: u8 = 1;
/// It could not be verified.
const UNVERIFIABLE: u8 = 2;

/// Shows the public key of the server.
pub(crate) fn show_key(settings: &Settings) -> Result<(), Failure> {
    let answer = Remote::new(settings)?.get("/api/v1/evidence-key")?;
    if settings.json {
        return write_json(&answer);
    }
    let key = answer["data"]["attributes"]["public_key"].as_str();
    write(&format!("{}\n", key.unwrap_or_default()))
}

/// Verifies a file, without a server.
pub(crate) fn verify(
    settings: &Settings,
    path: &Path,
    public_key: Option<&str>,
) -> Result<(), Failure> {
    let known = public_key.map(|text| {
        let key = PublicKey::parse(text.trim());
        key.ok_or_else(|| {
            Failure::new(format!("`{text}` is no public key"))
                .hint("It has 64 hexadecimal digits, as `cordwood evidence-key` shows it.")
                .exit_code(UNVERIFIABLE)
        })
    });
    let known = known.transpose()?;
    let shown = path.display();
    let file = open(path)
        .map_err(|error| cannot(format!("read {shown}"), &error).exit_code(UNVERIFIABLE))?;
    let report = verify_evidence(file, known)
        .map_err(|error| cannot(format!("verify {shown}"), &error).exit_code(UNVERIFIABLE))?;
    match settings.json {
        true => write_json(&as_json(&report, known))?,
        false => write(&as_text(&report, known))?,
    }
    match report.findings.len() {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{shown} is not as it was written")).exit_code(CHANGED)),
    }
}

/// The file, unpacked if it is compressed: what it begins with says so, whatever its name.
fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
    let mut file = BufReader::new(File::open(path)?);
    let start = file.fill_buf()?;
    let (is_gzip, is_zstd) = (start.starts_with(GZIP), start.starts_with(ZSTD));
    let unpacked: Box<dyn Read> = match (is_gzip, is_zstd) {
        (true, _) => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        (_, true) => Box::new(zstd::Decoder::with_buffer(file)?),
        _ => return Ok(Box::new(file)),
    };
    Ok(Box::new(BufReader::with_capacity(1 << 18, unpacked)))
}

fn as_json(report: &EvidenceReport, known: Option<PublicKey>) -> serde_json::Value {
    let findings = report.findings.iter().map(ToString::to_string);
    json!({"data": {
        "good": report.is_good(),
        "findings": findings.collect::<Vec<_>>(),
        "more": report.has_more,
        "records": report.records,
        "public_key": report.public_key.to_string(),
        "public_key_known": known.is_some(),
        "header": report.header,
        "ending": report.ending,
    }})
}

fn as_text(report: &EvidenceReport, known: Option<PublicKey>) -> String {
    let mut text = String::new();
    if let Some(header) = &report.header {
        let sources = header.sources.iter().map(|source| source.name.as_str());
        let sources = sources.collect::<Vec<_>>().join(", ");
        let end = |time: &Option<String>| time.clone().unwrap_or_else(|| "any time".to_owned());
        let (from, to) = (end(&header.range.from), end(&header.range.to));
        let lines = [
            ("query", header.query.clone()),
            ("range", format!("{from} to {to}")),
            ("sources", sources),
            (
                "asked by",
                format!(
                    "{} at {}",
                    header.requested_by.token_name, header.requested_at
                ),
            ),
        ];
        for (name, value) in lines {
            text.push_str(&format!("{name:<9} {}\n", printable(&value)));
        }
    }
    text.push_str(&format!("{:<9} {}\n", "records", report.records));
    let reason = report.ending.as_ref();
    if let Some(reason) = reason.and_then(|ending| ending.incomplete_reason.as_ref()) {
        text.push_str(&format!("{:<9} {}\n", "missing", printable(reason)));
    }
    for finding in &report.findings {
        text.push_str(&format!("WRONG     {finding}\n"));
    }
    if report.has_more {
        text.push_str("WRONG     and more\n");
    }
    if report.is_good() {
        text.push_str("Good: nothing was changed since it was written.\n");
        if known.is_none() {
            text.push_str(&format!(
                "Signed with {}; --public-key says whose key that has to be.\n",
                report.public_key
            ));
        }
    }
    text
}
