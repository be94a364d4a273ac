//! Exports from end to end: what is in the file, who sees it, what a stop or a crash leaves, and when it goes.

use std::io::Read as _;
use std::time::{Duration, Instant};

use cordwood_service::{
    Access, Caller, Cancel, Compression, Error, Export, ExportFormat, ExportState, Finding,
    Formulas, NewExport, Options, Order, SearchRequest, Service, verify_evidence,
};

use crate::ledger::{HOUR, Ledger};

fn export(query: &str) -> NewExport {
    NewExport {
        query: query.to_owned(),
        ..NewExport::default()
    }
}

fn wait(service: &Service, caller: &Caller, id: &str) -> Export {
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let export = service.export(caller, id).unwrap();
        if export.state.is_over() {
            return export;
        }
        assert!(Instant::now() < give_up, "{export:?}");
        std::thread::yield_now();
    }
}

/// Runs an export to its end.
fn run(ledger: &Ledger, new: &NewExport) -> Export {
    let admin = ledger.admin();
    let started = ledger.service().start_export(&admin, new).unwrap();
    wait(ledger.service(), &admin, &started.id)
}

fn content(ledger: &Ledger, export: &Export) -> Vec<u8> {
    assert_eq!(export.state, ExportState::Done, "{export:?}");
    let file = ledger.service().export_file(&ledger.admin(), &export.id);
    let file = file.unwrap();
    assert_eq!(file.bytes, export.bytes);
    // Read in pieces, as a download is that goes on where another ended.
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < file.bytes {
        bytes.extend(file.read_at(bytes.len() as u64, 777).unwrap());
    }
    bytes
}

fn text(ledger: &Ledger, new: &NewExport) -> String {
    let export = run(ledger, new);
    String::from_utf8(content(ledger, &export)).unwrap()
}

fn refusal(ledger: &Ledger, new: &NewExport) -> Error {
    ledger
        .service()
        .start_export(&ledger.admin(), new)
        .unwrap_err()
}

/// Three sources whose events lie between each other's in time, in blocks and in open rows.
fn filled(ledger: &Ledger) {
    for (number, name) in ["web", "pay", "jobs"].iter().enumerate() {
        let token = ledger.create_source(name).token;
        for batch in 0..3 {
            let events = (0..200).map(|event| {
                let millis = event * 31 + batch * 17 + number * 7;
                let level = ["info", "error", "warn"][event % 3];
                format!(
                    r#"{{"dt":"2026-03-27T09:{:02}:{:02}.{:03}Z","level":"{level}","message":"took {event} ms","user":{{"id":{event}}}}}"#,
                    millis / 60_000,
                    millis / 1000 % 60,
                    millis % 1000
                )
            });
            let body = format!("[{}]", events.collect::<Vec<String>>().join(","));
            ledger.send(token.reveal(), &body).unwrap();
        }
    }
}

/// The events that pages of a search give, as a search writes them.
fn searched(ledger: &Ledger, query: &str, order: Order) -> Vec<String> {
    let mut request = SearchRequest {
        query: query.to_owned(),
        order,
        batch_size: Some(1000),
        ..SearchRequest::default()
    };
    let mut lines = Vec::new();
    loop {
        let answer = ledger
            .service()
            .search(&ledger.admin(), &request, &Cancel::default())
            .unwrap();
        lines.extend(answer.events.iter().map(|event| {
            let mut line = String::new();
            cordwood_event::json::write_event(&mut line, event, answer.source_name(event.source));
            line
        }));
        match answer.next {
            Some(next) => request.cursor = Some(next),
            None => return lines,
        }
    }
}

#[test]
fn lines_are_the_events_of_a_search_in_its_order() {
    let ledger = Ledger::new();
    filled(&ledger);
    let queries = [
        "",
        "level:error",
        "user.id:>150 level:(warn OR info)",
        "_source:pay",
    ];
    for query in queries {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let new = NewExport {
                order,
                ..export(query)
            };
            let text = text(&ledger, &new);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines, searched(&ledger, query, order), "{query} {order:?}");
        }
    }
    let done = run(&ledger, &export("level:error"));
    assert_eq!((done.events, done.events_estimated), (603, Some(603)));
    assert_eq!((done.progress, done.incomplete_reason), (1.0, None));
    assert_eq!(done.query, "level:error");
}

#[test]
fn compressed_files_hold_the_same() {
    let ledger = Ledger::new();
    filled(&ledger);
    let plain = text(&ledger, &export(""));
    for compression in [Compression::Gzip, Compression::Zstd] {
        let new = NewExport {
            compression,
            ..export("")
        };
        let done = run(&ledger, &new);
        let bytes = content(&ledger, &done);
        assert!(bytes.len() * 5 < plain.len(), "{}", bytes.len());
        let mut unpacked = String::new();
        match compression {
            Compression::Gzip => {
                flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut unpacked)
            }
            _ => zstd::Decoder::new(&*bytes)
                .unwrap()
                .read_to_string(&mut unpacked),
        }
        .unwrap();
        assert_eq!(unpacked, plain);
        let suffix = compression.suffix();
        assert!(done.file_name().ends_with(&format!(".ndjson{suffix}")));
    }
}

#[test]
fn fields_stages_and_tables() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let events = r#"[
        {"dt":"2026-03-27T09:00:00Z","message":"=1+1","a":{"b":1},"tags":["x","y"]},
        {"dt":"2026-03-27T09:00:02Z","message":"user=ann, \"x\"","level":"error","a":{"b":2.5}},
        {"dt":"2026-03-27T09:00:01Z","message":"user=bob took","a":{"b":"z"}}
    ]"#;
    ledger.send(token.reveal(), events).unwrap();
    let csv = |query: &str, fields: &[&str], formulas| {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        text(
            &ledger,
            &NewExport {
                format: ExportFormat::Csv,
                fields,
                formulas,
                ..export(query)
            },
        )
    };
    let lines = |query: &str, fields: &[&str]| {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        text(
            &ledger,
            &NewExport {
                fields,
                ..export(query)
            },
        )
    };
    assert_eq!(
        csv("", &["dt", "message", "a.b", "none"], Formulas::Guard),
        "dt,message,a.b,none\r\n2026-03-27T09:00:00.000Z,'=1+1,1,\r\n2026-03-27T09:00:01.000Z,user=bob took,z,\r\n\
         2026-03-27T09:00:02.000Z,\"user=ann, \"\"x\"\"\",2.5,\r\n"
    );
    assert_eq!(
        csv("a.b:1", &["message"], Formulas::Keep),
        "message\r\n=1+1\r\n"
    );
    assert_eq!(
        csv("a.b:1 | fields message, tags", &[], Formulas::Guard),
        "message,tags\r\n'=1+1,\"[\"\"x\"\",\"\"y\"\"]\"\r\n"
    );
    let all = csv("a.b:1", &[], Formulas::Guard);
    assert!(
        all.starts_with("dt,level,message,a.b,tags,_id,_source\r\n"),
        "{all}"
    );
    assert!(all.ends_with(",web\r\n"), "{all}");
    assert_eq!(
        lines("", &["a.b", "level"]),
        "{\"a.b\":1,\"level\":null}\n{\"a.b\":\"z\",\"level\":null}\n{\"a.b\":2.5,\"level\":\"error\"}\n"
    );
    assert_eq!(
        lines("* | where level:error | fields a.b", &[]),
        "{\"a.b\":2.5}\n"
    );
    assert_eq!(lines("* | stats count() as n", &[]), "{\"n\":3}\n");
    assert_eq!(
        csv(
            "* | stats count() as n by level | sort by n",
            &[],
            Formulas::Guard
        ),
        "level,n\r\nerror,1\r\n,2\r\n"
    );
    let parsed = lines("* | parse \"user=<user:word>\" | where user:*", &[]);
    let users: Vec<&str> = parsed.lines().collect();
    assert!(
        users[0].contains("\"user\":\"bob\"") && users[1].contains("\"user\":\"ann,\""),
        "{parsed}"
    );
    let sorted = csv(
        "* | parse \"user=<user:word>\" | sort by message | limit 1",
        &[],
        Formulas::Guard,
    );
    assert!(
        sorted.starts_with("dt,level,message,a.b,tags,user,_id,_source\r\n"),
        "{sorted}"
    );
    assert_eq!(csv("nothing:here", &["dt"], Formulas::Guard), "dt\r\n");
    assert_eq!(lines("nothing:here", &[]), "");
}

#[test]
fn what_cannot_be_is_refused_at_once() {
    let ledger = Ledger::new();
    ledger.create_source("web");
    let error = refusal(&ledger, &export("level:"));
    assert_eq!(error.code(), "invalid_query");
    let error = refusal(
        &ledger,
        &NewExport {
            sources: vec!["wed".to_owned()],
            ..export("")
        },
    );
    assert_eq!(error.hint().unwrap(), "did you mean web?");
    let error = refusal(
        &ledger,
        &NewExport {
            from: Some("yesterday".to_owned()),
            ..export("")
        },
    );
    assert_eq!(error.code(), "invalid_parameter");
    let fields = vec!["a".to_owned()];
    let error = refusal(
        &ledger,
        &NewExport {
            fields: fields.clone(),
            ..export("* | top a")
        },
    );
    assert_eq!(error.hint().unwrap(), "end the query with `| fields …`");
    let evidence = NewExport {
        evidence: true,
        ..export("")
    };
    let wrong = NewExport {
        fields,
        format: ExportFormat::Csv,
        ..evidence.clone()
    };
    let Error::InvalidValues(values) = refusal(&ledger, &wrong) else {
        panic!("allowed");
    };
    let named: Vec<&str> = values.iter().map(|value| value.field.as_ref()).collect();
    assert_eq!(named, ["format", "fields"]);
    let error = refusal(
        &ledger,
        &NewExport {
            query: "* | top a".to_owned(),
            ..evidence
        },
    );
    assert_eq!(error.code(), "invalid_parameter");
    assert!(
        ledger
            .service()
            .list_exports(&ledger.admin())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn an_export_is_seen_by_those_who_see_its_events() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let web = ledger.create_source_of("web", Some(ours)).token;
    let pay = ledger.create_source_of("pay", Some(theirs)).token;
    ledger.send(web.reveal(), r#"{"message":"ours"}"#).unwrap();
    ledger
        .send(pay.reveal(), r#"{"message":"theirs"}"#)
        .unwrap();
    let (service, admin) = (ledger.service(), ledger.admin());
    let reader = ledger.caller(Access::Read, &[ours]);
    let other_reader = ledger.caller(Access::Read, &[ours]);
    let stranger = ledger.caller(Access::Admin, &[theirs]);
    let nobody = ledger.caller(Access::Read, &[ledger.create_source("x").source.client]);
    let of_ours = service.start_export(&reader, &export("")).unwrap();
    let of_all = service.start_export(&admin, &export("")).unwrap();
    let done = wait(service, &reader, &of_ours.id);
    wait(service, &admin, &of_all.id);
    let line = String::from_utf8(content(&ledger, &done)).unwrap();
    assert!(line.contains("ours") && !line.contains("theirs"), "{line}");
    let seen = |caller: &Caller| -> Vec<String> {
        let exports = service.list_exports(caller).unwrap();
        exports.into_iter().map(|export| export.id).collect()
    };
    let mut both = vec![of_all.id.clone(), of_ours.id.clone()];
    both.sort();
    let mut by_admin = seen(&admin);
    by_admin.sort();
    assert_eq!(by_admin, both);
    assert_eq!(seen(&reader), std::slice::from_ref(&of_ours.id));
    assert_eq!(seen(&other_reader), std::slice::from_ref(&of_ours.id));
    for caller in [&stranger, &nobody] {
        assert_eq!(seen(caller), Vec::<String>::new());
        for id in [of_ours.id.as_str(), of_all.id.as_str(), "4711"] {
            let answers = [
                service.export(caller, id).map(drop),
                service.export_file(caller, id).map(drop),
                service.delete_export(caller, id),
            ];
            for answer in answers {
                let error = answer.unwrap_err();
                assert_eq!(error.to_string(), format!("export `{id}` was not found"));
            }
        }
    }
    let foreign = NewExport {
        sources: vec!["pay".to_owned()],
        ..export("")
    };
    let error = service.start_export(&reader, &foreign).unwrap_err();
    assert_eq!(error.code(), "source_not_found");
    let error = service
        .delete_export(&other_reader, &of_ours.id)
        .unwrap_err();
    assert_eq!(error.code(), "forbidden");
    service.delete_export(&reader, &of_ours.id).unwrap();
    assert!(service.export(&reader, &of_ours.id).is_err());
}

#[test]
fn exports_expire_and_survive_a_restart() {
    let mut ledger = Ledger::new();
    filled(&ledger);
    let done = run(&ledger, &export("level:error"));
    let before = content(&ledger, &done);
    ledger.reopen();
    let again = ledger.service().export(&ledger.admin(), &done.id).unwrap();
    assert_eq!(again, done);
    assert_eq!(content(&ledger, &again), before);
    let files = || {
        std::fs::read_dir(ledger.dir().join("exports"))
            .unwrap()
            .count()
    };
    assert_eq!(files(), 2);
    ledger.advance(HOUR * 71);
    ledger.service().expire_exports();
    assert_eq!(files(), 2);
    ledger.advance(HOUR);
    ledger.service().expire_exports();
    assert_eq!(files(), 0);
    assert!(
        ledger
            .service()
            .list_exports(&ledger.admin())
            .unwrap()
            .is_empty()
    );
}

/// What a crash leaves: a record that says running, and a part of a file.
#[test]
fn a_crash_leaves_an_export_that_says_so() {
    let mut ledger = Ledger::new();
    filled(&ledger);
    let done = run(&ledger, &export(""));
    ledger.close();
    let directory = ledger.dir().join("exports");
    let record = directory.join(format!("{}.json", done.id));
    let text = std::fs::read_to_string(&record).unwrap();
    let running = text.replace("\"state\":\"done\"", "\"state\":\"running\"");
    assert_ne!(text, running);
    std::fs::write(&record, running).unwrap();
    let file = directory.join(format!("{}.export", done.id));
    std::fs::rename(&file, directory.join(format!("{}.draft", done.id))).unwrap();
    std::fs::write(directory.join("stray.export"), "left over").unwrap();
    ledger.reopen();
    let admin = ledger.admin();
    let left = ledger.service().export(&admin, &done.id).unwrap();
    assert_eq!(left.state, ExportState::Failed);
    assert!(left.error.unwrap().contains("start it again"));
    let error = ledger.service().export_file(&admin, &done.id).unwrap_err();
    assert_eq!(error.code(), "export_not_ready");
    let names: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(names, [record]);
    ledger.service().delete_export(&admin, &done.id).unwrap();
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn the_disk_and_the_list_have_limits() {
    let mut ledger = Ledger::new();
    filled(&ledger);
    let options = Options {
        exports_bytes_max: 10_000,
        ..ledger.options()
    };
    ledger.close();
    let service = Service::open(options).unwrap();
    let admin = ledger.admin_of(&service);
    let small = service.start_export(&admin, &export("user.id:7")).unwrap();
    assert_eq!(wait(&service, &admin, &small.id).state, ExportState::Done);
    let large = service.start_export(&admin, &export("")).unwrap();
    let large = wait(&service, &admin, &large.id);
    assert_eq!(large.state, ExportState::Failed);
    assert!(large.error.unwrap().contains("all the disk they may"));
    let drafts = std::fs::read_dir(ledger.dir().join("exports")).unwrap();
    assert_eq!(drafts.count(), 3, "two records and one file");
    let refused = (0..2000).find_map(|_| service.start_export(&admin, &export("a:b")).err());
    let refused = refused.unwrap();
    assert_eq!(refused.code(), "too_many_exports");
    service.close().unwrap();
    let ended = service.list_exports(&admin).unwrap();
    assert!(ended.iter().all(|export| export.state.is_over()));
}

#[test]
fn evidence_is_good_until_somebody_edits_it() {
    let ledger = Ledger::new();
    filled(&ledger);
    let key = ledger.service().evidence_key(&ledger.admin()).unwrap();
    let new = NewExport {
        evidence: true,
        ..export("level:error")
    };
    let done = run(&ledger, &new);
    let text = String::from_utf8(content(&ledger, &done)).unwrap();
    let report = verify_evidence(text.as_bytes(), Some(key)).unwrap();
    assert!(report.is_good(), "{report:?}");
    let header = report.header.unwrap();
    assert_eq!(
        (header.query.as_str(), header.sources.len()),
        ("level:error", 4)
    );
    assert_eq!(header.requested_by.token_name, "command line");
    assert_eq!((report.records, done.events), (603, 603));
    let events = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(",\"event\":")?;
        Some(rest.rsplit_once(",\"hash\"")?.0.to_owned())
    });
    let events: Vec<String> = events.collect();
    assert_eq!(events, searched(&ledger, "level:error", Order::OldestFirst));
    let edited = text.replacen("took 100 ms", "took 1 ms", 1);
    let place = text
        .lines()
        .position(|line| line.contains("took 100 ms"))
        .unwrap();
    let report = verify_evidence(edited.as_bytes(), Some(key)).unwrap();
    assert_eq!(
        report.findings,
        [Finding::Edited {
            record: place as u64
        }]
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = std::fs::metadata(ledger.dir().join("evidence-key")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    let again = ledger.service().evidence_key(&ledger.admin()).unwrap();
    assert_eq!(again, key);
}

/// Parquet that this build cannot write is refused with what can be done about it.
#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_says_how_it_is_built() {
    let ledger = Ledger::new();
    let new = NewExport {
        format: ExportFormat::Parquet,
        ..export("")
    };
    let error = refusal(&ledger, &new);
    assert_eq!(error.code(), "parquet_not_built");
    assert!(error.hint().unwrap().contains("--features parquet"));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_holds_the_columns_of_the_events() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let events = r#"[
        {"dt":"2026-03-27T09:00:02Z","message":"b","n":2,"f":0.5,"mixed":"x","list":[{"k":1}]},
        {"dt":"2026-03-27T09:00:01Z","message":"a","n":1,"f":3,"mixed":7,"ok":true}
    ]"#;
    ledger.send(token.reveal(), events).unwrap();
    let rows = |new: &NewExport| -> Vec<String> {
        let done = run(&ledger, new);
        let bytes = content(&ledger, &done);
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let rows = reader.get_row_iter(None).unwrap();
        rows.map(|row| row.unwrap().to_string()).collect()
    };
    let names = ["n", "f", "mixed", "ok", "message", "list.k"];
    let new = NewExport {
        format: ExportFormat::Parquet,
        fields: names.map(str::to_owned).to_vec(),
        ..export("")
    };
    let expected = [
        "{n: 1, f: 3.0, mixed: \"7\", ok: true, message: \"a\", list.k: null}",
        "{n: 2, f: 0.5, mixed: \"x\", ok: null, message: \"b\", list.k: \"1\"}",
    ];
    assert_eq!(rows(&new), expected);
    let all = NewExport {
        fields: Vec::new(),
        ..new.clone()
    };
    let all = rows(&all);
    assert!(
        all[0].starts_with("{dt: ") && all[0].contains("_source: \"web\""),
        "{all:?}"
    );
    let table = NewExport {
        query: "* | stats sum(n) as n by message | sort by n desc".to_owned(),
        fields: Vec::new(),
        ..new
    };
    assert_eq!(
        rows(&table),
        ["{message: \"b\", n: 2}", "{message: \"a\", n: 1}"]
    );
}
