//! Plain text: the whole line kept, a time and a level read from the usual formats.

use std::path::PathBuf;

use cordwood_event::Timestamp;
use proptest::prelude::*;

use super::{RECEIVED_AT, check, decode, outcome};

const LINES: &str = "1 lines identity";

/// The sample lines, each behind the time and the level that must be read from it.
fn samples() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = include_str!("../samples/lines.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(" | ").unwrap())
}

/// The time and level read from one line: `2026-01-01T00:00:00.000Z warn`, `-` for what is unknown.
fn head(line: &[u8]) -> String {
    let decoded = decode(LINES, line).unwrap();
    assert_eq!(decoded.batch.len(), 1, "{}", String::from_utf8_lossy(line));
    let event = decoded.batch.event(0);
    let time = match event.timestamp() {
        RECEIVED_AT => "-".to_owned(),
        timestamp => timestamp.to_string(),
    };
    let level = event
        .level()
        .map_or("-".to_owned(), |level| level.to_string());
    format!("{time} {level}")
}

#[test]
fn sample_lines() {
    assert!(samples().count() > 40);
    for (expected, line) in samples() {
        assert_eq!(head(line.as_bytes()), expected, "{line}");
    }
}

/// Of the sample lines, and of each file in the directory named by `CORDWOOD_LOGHUB` (loghub's 2 000-line samples, not
/// ours to distribute), nearly every line gives its time; the rest are continuations.
#[test]
fn nearly_every_line_has_a_time() {
    let mut files: Vec<PathBuf> = Vec::new();
    if let Some(directory) = std::env::var_os("CORDWOOD_LOGHUB") {
        let entries = std::fs::read_dir(directory).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        files.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "log")));
        assert!(!files.is_empty());
    }
    let mut bodies: Vec<Vec<u8>> = files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    let samples: Vec<&str> = samples().map(|(_, line)| line).collect();
    bodies.push(samples.join("\n").into_bytes());
    for body in bodies {
        let lines = body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty());
        let (with_time, without): (Vec<&[u8]>, Vec<&[u8]>) =
            lines.partition(|line| !head(line).starts_with('-'));
        let total = with_time.len() + without.len();
        let example = without.first().map(|line| String::from_utf8_lossy(line));
        assert!(
            without.len() * 100 <= total,
            "{} of {total}: {example:?}",
            without.len()
        );
    }
}

#[test]
fn formats_by_example() {
    for (line, expected) in [
        // Syslog.
        (
            "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed",
            "2003-10-11T22:14:15.003Z fatal",
        ),
        (
            "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time",
            "2003-08-24T12:14:15.000003Z info",
        ),
        ("<11>1 - host app - - - no time", "- error"),
        (
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
            "2025-10-11T22:14:15.000Z fatal",
        ),
        (
            "<191>Jun  1 02:03:04 host app: x",
            "2026-06-01T02:03:04.000Z debug",
        ),
        (
            "<12>2026-06-01T02:03:04.5+02:00 host app: x",
            "2026-06-01T00:03:04.500Z warn",
        ),
        ("<4>just a message", "- warn"),
        ("<192>not a priority", "- -"),
        (
            "Jun  1 2026 02:03:04 asa : %ASA-6: x",
            "2026-06-01T02:03:04.000Z -",
        ),
        (
            "Jun 11 09:00:00 host sshd[1]: fatal: no",
            "2026-06-11T09:00:00.000Z fatal",
        ),
        (
            "Jun 12 09:00:00 host kernel: [    1.0] up",
            "2025-06-12T09:00:00.000Z -",
        ),
        (
            "Feb 29 09:00:00 host app[2]: [WARN] leap",
            "2024-02-29T09:00:00.000Z warn",
        ),
        ("Jun 31 09:00:00 host app: no such day", "- -"),
        (
            "Jul  1 09:02:26 mac kernel[0] <Error>: x",
            "2025-07-01T09:02:26.000Z error",
        ),
        // A full date first.
        (
            "2026-03-27T10:15:30.123456789Z  INFO http: listening",
            "2026-03-27T10:15:30.123456789Z info",
        ),
        (
            "2026-03-27T10:15:30+02:00 stdout F hello",
            "2026-03-27T08:15:30.000Z -",
        ),
        (
            "2026-03-27 10:15:30,123 - root - ERROR - boom",
            "2026-03-27T10:15:30.123Z error",
        ),
        (
            "2026-03-27 10:15:30.123 +0200 [main] WARN c.e.App - x",
            "2026-03-27T08:15:30.123Z warn",
        ),
        (
            "2026-03-27 10:15:30.123 UTC [42] LOG:  ready",
            "2026-03-27T10:15:30.123Z info",
        ),
        (
            "2026-03-27 10:15:30.123Z [worker-1] c.e.App DEBUG x",
            "2026-03-27T10:15:30.123Z debug",
        ),
        (
            "2026/03/27 10:15:30 [error] 123#0: *1 open() failed",
            "2026-03-27T10:15:30.000Z error",
        ),
        (
            "2026/03/27 10:15:30 main.go:23: started",
            "2026-03-27T10:15:30.000Z -",
        ),
        (
            "[2026-03-27 10:15:30,123] WARN [Controller id=0] x (kafka.x)",
            "2026-03-27T10:15:30.123Z warn",
        ),
        (
            "[2026-03-27T10:15:30.123+00:00] app.CRITICAL: x",
            "2026-03-27T10:15:30.123Z fatal",
        ),
        (
            "2026-03-27 10:15:30 Log rotated",
            "2026-03-27T10:15:30.000Z -",
        ),
        (
            "2026-03-27 10:15:30 warning: low",
            "2026-03-27T10:15:30.000Z warn",
        ),
        (
            "2026-03-27 10:15:30 level=error msg=x",
            "2026-03-27T10:15:30.000Z error",
        ),
        (
            "2026-03-27 10:15:30 host sshd[1]: error: x",
            "2026-03-27T10:15:30.000Z error",
        ),
        ("2026-03-27T10:15 short", "2026-03-27T10:15:00.000Z -"),
        ("20260327T101530Z compact", "2026-03-27T10:15:30.000Z -"),
        ("2026-13-27 10:15:30 INFO no such month", "- -"),
        // Web servers.
        (
            "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] x",
            "2011-09-09T10:42:29.902022Z error",
        ),
        (
            "[Wed Oct  1 14:32:52 2025] [:warn] x",
            "2025-10-01T14:32:52.000Z warn",
        ),
        (
            "[10-Oct-2000 13:55:36 UTC] PHP Warning:  x",
            "2000-10-10T13:55:36.000Z -",
        ),
        (
            "Thu, 09 Jun 2005 06:07:04 +0200 x",
            "2005-06-09T04:07:04.000Z -",
        ),
        (
            r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326"#,
            "2000-10-10T20:55:36.000Z -",
        ),
        (
            r#"::1 - - [27/Mar/2026:10:15:30 +0000] "POST / HTTP/2.0" 500 0 "-" "x""#,
            "2026-03-27T10:15:30.000Z -",
        ),
        (
            "1286536309.586    921 192.168.0.68 TCP_MISS/200 507 POST http://x",
            "2010-10-08T11:11:49.586Z -",
        ),
        // Android, Kubernetes, Hadoop.
        (
            "06-10 13:00:00.811 W/Tag( 1702): x",
            "2026-06-10T13:00:00.811Z warn",
        ),
        (
            "12-31 23:59:59.999  1  2 F Tag: x",
            "2025-12-31T23:59:59.999Z fatal",
        ),
        (
            "I0612 14:13:05.123456       1 controller.go:114] x",
            "2025-06-12T14:13:05.123456Z info",
        ),
        (
            "E0610 14:13:05.123456 7 a.go:1] x",
            "2026-06-10T14:13:05.123456Z error",
        ),
        (
            "W20260610 14:13:05.123456 12345 main.cc:7] x",
            "2026-06-10T14:13:05.123456Z warn",
        ),
        (
            "17/06/09 20:10:40 WARN x.Y: z",
            "2017-06-09T20:10:40.000Z warn",
        ),
        ("700101 000000 1 INFO x", "1970-01-01T00:00:00.000Z info"),
        // Numbers, pairs, and things behind other things.
        ("1700000000 x", "2023-11-14T22:13:20.000Z -"),
        ("1700000000123 ERROR x", "2023-11-14T22:13:20.123Z error"),
        ("[1700000000.000001] x", "2023-11-14T22:13:20.000001Z -"),
        ("12345 x", "- -"),
        ("9999999999 x", "- -"),
        (
            r#"time="2026-03-27T10:15:30Z" level=warning msg="a b""#,
            "2026-03-27T10:15:30.000Z warn",
        ),
        (
            "level=info ts=1700000000.5 msg=x",
            "2023-11-14T22:13:20.500Z info",
        ),
        ("t=12 msg=x", "- -"),
        (
            "ERROR [2026-03-27 10:15:30] x",
            "2026-03-27T10:15:30.000Z error",
        ),
        (
            "host-1 app 2026-03-27T10:15:30Z INFO x",
            "2026-03-27T10:15:30.000Z info",
        ),
        ("WARN: no time", "- warn"),
        ("[error] no time", "- error"),
        ("the error is here", "- -"),
        ("no time at all", "- -"),
        ("x2026-03-27T10:15:30Z is no word", "- -"),
    ] {
        assert_eq!(head(line.as_bytes()), expected, "{line}");
    }
}

#[test]
fn every_line_is_kept_as_it_is() {
    check(
        LINES,
        "a\r\n\r\n  b \n \t\nc\r\r\n\u{feff}d",
        &[
            r#"message="a""#,
            r#"message="  b ""#,
            r#"message="c""#,
            "message=\"\u{feff}d\"",
        ],
    );
    check(LINES, "\u{feff}a", &[r#"message="a""#]);
    check(
        LINES,
        b"\xff\x00x\n{\"a\":1}",
        &["message=\"\u{fffd}\\u0000x\"", r#"message="{\"a\":1}""#],
    );
    check(LINES, "", &[]);
    check(LINES, "\r\n \n\n", &[]);
}

#[test]
fn a_line_without_a_time_takes_that_of_the_line_before() {
    check(
        LINES,
        "before\n2026-01-01T00:00:00Z ERROR x\n\tat y\n2026-01-01T00:00:01Z INFO z\nCaused by: w",
        &[
            r#"message="before""#,
            r#"@2026-01-01T00:00:00.000Z error message="2026-01-01T00:00:00Z ERROR x""#,
            r#"@2026-01-01T00:00:00.000Z message="\tat y""#,
            r#"@2026-01-01T00:00:01.000Z info message="2026-01-01T00:00:01Z INFO z""#,
            r#"@2026-01-01T00:00:01.000Z message="Caused by: w""#,
        ],
    );
}

#[test]
fn a_line_too_long_is_rejected_beside_the_good_ones() {
    let long = "x".repeat((10 << 20) + 1);
    check(
        LINES,
        format!("a\n{long}\nb\n"),
        &[
            r#"message="a""#,
            r#"message="b""#,
            "rejected 1: the event is larger than 10485760 bytes",
        ],
    );
    assert_eq!(decode(LINES, &long.as_bytes()[1..]).unwrap().batch.len(), 1);
}

#[test]
fn times_without_a_year_are_never_far_in_the_future() {
    let format = LINES.parse().unwrap();
    for (received_at, line, expected) in [
        (
            "2026-01-01T00:30:00Z",
            "Dec 31 23:59:59 h a: x",
            "2025-12-31T23:59:59.000Z",
        ),
        (
            "2025-12-31T23:30:00Z",
            "Jan  1 00:10:00 h a: x",
            "2026-01-01T00:10:00.000Z",
        ),
        (
            "2025-12-30T23:30:00Z",
            "Jan  1 00:10:00 h a: x",
            "2025-01-01T00:10:00.000Z",
        ),
        (
            "2024-03-01T00:00:00Z",
            "Feb 29 00:10:00 h a: x",
            "2024-02-29T00:10:00.000Z",
        ),
        (
            "1905-03-01T00:00:00Z",
            "Feb 29 00:10:00 h a: x",
            "1904-02-29T00:10:00.000Z",
        ),
        (
            "1903-03-01T00:00:00Z",
            "Feb 29 00:10:00 h a: x",
            "1896-02-29T00:10:00.000Z",
        ),
    ] {
        let received_at = Timestamp::parse_rfc3339(received_at).unwrap();
        let decoded =
            cordwood_ingest::decode(&format, line.as_bytes(), received_at, &Default::default());
        let timestamp = decoded.unwrap().batch.event(0).timestamp();
        assert_eq!(timestamp.to_string(), expected, "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_it_panic_and_each_decodes_the_same_twice(
        body in prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(b"0123456789-:/.,T []<>\n\r=\"".to_vec()),
            ],
            0..80,
        )
    ) {
        let once = outcome(&decode(LINES, &body));
        prop_assert_eq!(once, outcome(&decode(LINES, &body)));
    }

    /// Lines that are nearly of some format.
    #[test]
    fn no_change_to_a_good_line_makes_it_panic(
        line in prop::sample::select(samples().map(|(_, line)| line).collect::<Vec<_>>()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        length in any::<prop::sample::Index>(),
    ) {
        let mut line = line.as_bytes().to_vec();
        for (index, byte) in edits {
            let at = index.index(line.len());
            line[at] = byte;
        }
        line.truncate(length.index(line.len()) + 1);
        let decoded = decode(LINES, &line).unwrap();
        prop_assert!(decoded.rejected.is_empty());
    }

    #[test]
    fn the_text_of_every_line_comes_back(lines in prop::collection::vec("[^\\s\u{feff}]\\PC{0,40}", 0..5)) {
        let decoded = decode(LINES, lines.join("\n")).unwrap();
        let got: Vec<_> = decoded.batch.events().map(|event| {
            event.get("message").unwrap().as_str().unwrap().to_owned()
        }).collect();
        prop_assert_eq!(got, lines);
    }
}
