//! `cordwood export`: has the server write all that matches to a file, and downloads it; goes on where a download ended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{ExportArguments, ResultOrder};
use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::output::{size, write, write_json};
use crate::query::caret::point_out;
use crate::remote::{Remote, path_segment};

const PATH: &str = "/api/v1/exports";

/// How often the server is asked how far it is.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How often a download that breaks off is taken up again before somebody has to look.
const ATTEMPTS: u32 = 5;
const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

/// Starts an export or takes one up, waits for it, and fetches its file.
pub(crate) fn run(settings: &Settings, arguments: &ExportArguments) -> Result<(), Failure> {
    if arguments.output.exists() && !arguments.overwrite {
        return Err(
            Failure::new(format!("{} is there already", arguments.output.display()))
                .hint("Choose another name, or say --overwrite."),
        );
    }
    let remote = Remote::new(settings)?;
    let id = match &arguments.id {
        Some(id) => id.clone(),
        None => start(&remote, arguments)?,
    };
    let bar = bar(settings);
    let export = wait(&remote, &id, &bar)?;
    let download = Download {
        remote: &remote,
        id: &id,
        part: part_of(&arguments.output, &id),
        bytes: export["attributes"]["bytes"].as_u64().unwrap_or_default(),
    };
    download.run(&bar)?;
    bar.finish_and_clear();
    fs::rename(&download.part, &arguments.output)
        .map_err(|error| cannot(format!("write {}", arguments.output.display()), &error))?;
    if arguments.id.is_none() && !arguments.keep {
        // The file is here; on the server it would go by itself in a few days.
        let _ = remote.call(Method::DELETE, &path_to(&id), None);
    }
    report(settings, arguments, &export)
}

fn path_to(id: &str) -> String {
    format!("{PATH}/{}", path_segment(id))
}

fn start(remote: &Remote, arguments: &ExportArguments) -> Result<String, Failure> {
    let (format, compression) = by_name(&arguments.output);
    let body = json!({
        "query": arguments.query,
        "source_id": arguments.scope.sources,
        "from": arguments.scope.from,
        "to": arguments.scope.to,
        "order": match arguments.order {
            ResultOrder::Newest => "newest_first",
            ResultOrder::Oldest => "oldest_first",
        },
        "format": arguments.format.map_or(format, |format| format.name()),
        "compression": arguments.compression.map_or(compression, |compression| compression.name()),
        "fields": arguments.fields,
        "csv_formulas": arguments.keep_formulas.then_some("keep"),
        "evidence": arguments.evidence,
    });
    let answer = remote.call(Method::POST, PATH, Some(&body));
    let answer = answer.map_err(|failure| point_out(failure, &arguments.query))?;
    Ok(text_of(&answer["data"], "id").to_owned())
}

/// The format and the compression that the name of a file asks for.
fn by_name(path: &Path) -> (&'static str, &'static str) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (name, compression) = match name.rsplit_once('.') {
        Some((rest, "gz")) => (rest, "gzip"),
        Some((rest, "zst")) => (rest, "zstd"),
        _ => (&*name, "none"),
    };
    let format = match name.rsplit_once('.') {
        Some((_, "csv")) => "csv",
        Some((_, "parquet")) => "parquet",
        _ => "ndjson",
    };
    (format, compression)
}

/// Beside the file, so that it can be renamed; by the id, so that no other export goes on with it.
fn part_of(output: &Path, id: &str) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{id}.part"));
    output.with_file_name(name)
}

fn bar(settings: &Settings) -> ProgressBar {
    let target = match settings.json {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    };
    ProgressBar::with_draw_target(Some(1), target)
}

fn show(bar: &ProgressBar, template: &str, length: u64) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_length(length);
}

/// Waits until the export is done.
fn wait(remote: &Remote, id: &str, bar: &ProgressBar) -> Result<Value, Failure> {
    /// Progress is a share; the bar counts in whole steps.
    const STEPS: u64 = 1000;
    show(
        bar,
        "exporting  {bar:30} {percent}%  {msg}  {eta} left",
        STEPS,
    );
    loop {
        let answer = remote.get(&path_to(id))?;
        let export = &answer["data"];
        let attributes = &export["attributes"];
        let (state, error) = (text_of(attributes, "state"), text_of(attributes, "error"));
        let events = &attributes["events"];
        match state {
            "queued" => bar.set_message("waiting for other exports"),
            "running" => {
                let share = attributes["progress"].as_f64().unwrap_or_default();
                // A share of a thousand steps is a small whole number.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0 to 1000"
                )]
                bar.set_position((share.clamp(0.0, 1.0) * 1000.0) as u64);
                bar.set_message(format!("{events} events"));
            }
            "done" => return Ok(export.clone()),
            "cancelled" => return Err(Failure::new("Somebody cancelled the export")),
            _ => return Err(Failure::new(format!("The export failed: {error}"))),
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// A file on its way.
struct Download<'a> {
    remote: &'a Remote,
    id: &'a str,
    /// What is here of it.
    part: PathBuf,
    bytes: u64,
}

impl Download<'_> {
    fn run(&self, bar: &ProgressBar) -> Result<(), Failure> {
        let template = "downloading  {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        show(bar, template, self.bytes);
        let mut attempt = 1;
        loop {
            match self.go_on(bar) {
                Ok(()) if self.here()? >= self.bytes => return Ok(()),
                Err(Broken::ForGood(failure)) => return Err(failure),
                _ if attempt < ATTEMPTS => {
                    attempt += 1;
                    thread::sleep(ATTEMPT_PAUSE);
                }
                _ => return Err(self.broken_off()),
            }
        }
    }

    fn here(&self) -> Result<u64, Failure> {
        match fs::metadata(&self.part) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(self.cannot_write(&error)),
        }
    }

    /// Fetches what is not here yet.
    fn go_on(&self, bar: &ProgressBar) -> Result<(), Broken> {
        let here = self.here().map_err(Broken::ForGood)?;
        bar.set_position(here);
        let cannot_write = |error| Broken::ForGood(self.cannot_write(&error));
        let mut file = self.open().map_err(cannot_write)?;
        if here >= self.bytes {
            return Ok(());
        }
        let path = format!("{}/file", path_to(self.id));
        let range = format!("bytes={here}-");
        let etag = format!("\"{}\"", self.id);
        let headers = [("range", range.as_str()), ("if-range", etag.as_str())];
        let mut body = self
            .remote
            .download(&path, &headers)
            .map_err(Broken::ForGood)?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            let read = body.read(&mut buffer).map_err(|_| Broken::ForNow)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                return file.sync_all().map_err(cannot_write);
            };
            file.write_all(bytes).map_err(cannot_write)?;
            bar.inc(read as u64);
        }
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.part)
    }

    fn cannot_write(&self, error: &io::Error) -> Failure {
        cannot(format!("write {}", self.part.display()), error)
    }

    fn broken_off(&self) -> Failure {
        let failure = Failure::new("The download broke off again and again");
        failure.hint(format!(
            "What is here is kept: `cordwood export --id {} -o FILE` goes on with it.",
            self.id
        ))
    }
}

/// A download that ended before its time.
enum Broken {
    /// Another attempt may get further.
    ForNow,
    /// None will.
    ForGood(Failure),
}

fn report(settings: &Settings, arguments: &ExportArguments, export: &Value) -> Result<(), Failure> {
    if settings.json {
        return write_json(&json!({"data": export, "file": arguments.output}));
    }
    let attributes = &export["attributes"];
    let bytes = attributes["bytes"].as_u64().unwrap_or_default();
    let mut text = format!(
        "{}: {} events, {}\n",
        arguments.output.display(),
        attributes["events"],
        size(bytes)
    );
    if let Some(reason) = attributes["incomplete_reason"].as_str() {
        text.push_str(&format!("INCOMPLETE: {reason}\n"));
    }
    write(&text)
}

fn text_of<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_the_format() {
        let cases = [
            ("out.ndjson", ("ndjson", "none")),
            ("out.csv", ("csv", "none")),
            ("out.csv.gz", ("csv", "gzip")),
            ("a.b/out.ndjson.zst", ("ndjson", "zstd")),
            ("out.parquet", ("parquet", "none")),
            ("out.zst", ("ndjson", "zstd")),
            ("out", ("ndjson", "none")),
        ];
        for (name, expected) in cases {
            assert_eq!(by_name(Path::new(name)), expected, "{name}");
        }
        let part = part_of(Path::new("a/out.csv"), "7f");
        assert_eq!(part, Path::new("a/out.csv.7f.part"));
    }
}
