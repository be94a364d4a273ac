//! Queries with stages from end to end: tables, events with fields added, and what cannot be asked.

use cordwood_service::{
    Cancel, Cell, Error, Order, SearchAnswer, SearchRequest, TABLE_ROWS_MAX, Table,
};

use crate::ledger::Ledger;

fn request(query: &str) -> SearchRequest {
    SearchRequest {
        query: query.to_owned(),
        ..SearchRequest::default()
    }
}

fn search(ledger: &Ledger, request: &SearchRequest) -> Result<SearchAnswer, Error> {
    ledger
        .service()
        .search(&ledger.admin(), request, &Cancel::default())
}

/// A ledger of 300 events, a second apart, every tenth an error, of three hosts in turn.
fn ledger() -> Ledger {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let events = (0..300).map(|number| {
        let (minute, second) = (number / 60, number % 60);
        let level = if number % 10 == 0 { "error" } else { "info" };
        let host = number % 3;
        format!(
            r#"{{"dt":"2026-03-27T08:{minute:02}:{second:02}Z","level":"{level}","message":"took {number}ms","host":"h{host}"}}"#
        )
    });
    let body = format!("[{}]", events.collect::<Vec<_>>().join(","));
    ledger.send(token.reveal(), &body).unwrap();
    ledger
}

/// The cells of a table as text, rows on lines.
fn shown(table: &Table) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Null => "null".to_owned(),
        Cell::Bool(boolean) => boolean.to_string(),
        Cell::Int(integer) => integer.to_string(),
        Cell::Float(float) => float.to_string(),
        Cell::Str(text) | Cell::Json(text) => text.to_string(),
        Cell::Time(time) => time.to_string(),
    };
    let mut lines = vec![table.columns.join("|")];
    for row in &table.rows {
        lines.push(row.iter().map(cell).collect::<Vec<_>>().join("|"));
    }
    lines.join("\n")
}

/// Asserts the table that a query makes, before and after a restart.
fn check(ledger: &mut Ledger, query: &str, expected: &str) {
    for _ in 0..2 {
        let answer = search(ledger, &request(query)).unwrap();
        let table = answer.table.unwrap_or_else(|| panic!("no table: {query}"));
        assert_eq!(shown(&table), expected, "{query}");
        assert!(answer.account.complete && !table.more, "{query}");
        assert!(answer.events.is_empty() && answer.next.is_none(), "{query}");
        ledger.reopen();
    }
}

#[test]
fn tables_are_answered() {
    let mut ledger = ledger();
    check(
        &mut ledger,
        "level:error | stats count() by host | sort by count() desc, host",
        "host|count()\nh0|10\nh1|10\nh2|10",
    );
    check(
        &mut ledger,
        "| stats count() if (level:error) as errors, count() as all, max(dt) by dt:2m",
        "dt|errors|all|max(dt)\n\
         2026-03-27T08:00:00.000Z|12|120|2026-03-27T08:01:59.000Z\n\
         2026-03-27T08:02:00.000Z|12|120|2026-03-27T08:03:59.000Z\n\
         2026-03-27T08:04:00.000Z|6|60|2026-03-27T08:04:59.000Z",
    );
    check(
        &mut ledger,
        "| parse \"took <ms:number>ms\" | where ms >= 100 | stats count(), sum(ms), median(ms)",
        "count()|sum(ms)|median(ms)\n200|39900|199",
    );
    check(
        &mut ledger,
        "host:h1 | stats count() by level | where count() > 10 | fields count()",
        "count()\n90",
    );
    check(&mut ledger, "nothing:here | stats count()", "count()\n0");
    check(
        &mut ledger,
        "level:error | sort by dt | fields message, host | limit 2",
        "message|host\ntook 0ms|h0\ntook 10ms|h1",
    );
}

#[test]
fn a_cut_table_says_so() {
    let ledger = ledger();
    let cut = SearchRequest {
        batch_size: Some(7),
        ..request("| stats count() by message | sort by message")
    };
    let table = search(&ledger, &cut).unwrap().table.unwrap();
    assert_eq!((table.rows.len(), table.more), (7, true));
    let whole = SearchRequest {
        batch_size: Some(TABLE_ROWS_MAX),
        ..cut
    };
    let table = search(&ledger, &whole).unwrap().table.unwrap();
    assert_eq!((table.rows.len(), table.more), (300, false));
}

#[test]
fn events_keep_their_pages_where_stages_look_at_one_at_a_time() {
    let ledger = ledger();
    let mut page = SearchRequest {
        batch_size: Some(40),
        order: Order::OldestFirst,
        ..request("| parse \"took <ms:number>ms\" | where ms >= 100 ms < 250")
    };
    let mut found = 0;
    loop {
        let answer = search(&ledger, &page).unwrap();
        for event in &answer.events {
            let ms = event.fields.iter().find(|(path, _)| &**path == "ms");
            let expected = cordwood_event::Value::Int(100 + found);
            assert_eq!(ms.map(|(_, value)| value), Some(&expected));
            found += 1;
        }
        assert!(!answer.has_more);
        match answer.next {
            Some(next) => page.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(found, 150);
}

#[test]
fn events_in_an_order_of_their_own_have_no_pages_and_say_if_there_are_more() {
    let ledger = ledger();
    let sized = |query: &str, batch_size: usize| {
        let asked = SearchRequest {
            batch_size: Some(batch_size),
            ..request(query)
        };
        let answer = search(&ledger, &asked).unwrap();
        (answer.events.len(), answer.has_more, answer.next.is_some())
    };
    assert_eq!(sized("| sort by host", 40), (40, true, false));
    assert_eq!(sized("| sort by host", 300), (300, false, false));
    assert_eq!(sized("| limit 50", 40), (40, true, false));
    assert_eq!(sized("| limit 40", 40), (40, false, false));
    assert_eq!(sized("| dedup host", 40), (3, false, false));
}

#[test]
fn what_makes_no_sense_with_stages_is_refused() {
    let ledger = ledger();
    let with_pages = SearchRequest {
        batch_size: Some(5),
        ..request("| where level:error")
    };
    let cursor = search(&ledger, &with_pages).unwrap().next;
    assert!(cursor.is_some());
    let refused = |asked: SearchRequest| match search(&ledger, &asked).unwrap_err() {
        Error::InvalidParameter {
            parameter, hint, ..
        } => (parameter, hint.is_some()),
        other => panic!("{other:?}"),
    };
    for query in ["| stats count()", "| sort by dt", "| limit 5"] {
        let asked = SearchRequest {
            cursor: cursor.clone(),
            ..request(query)
        };
        assert_eq!(refused(asked), ("cursor", true), "{query}");
    }
    let counted = SearchRequest {
        total: true,
        ..request("| limit 5")
    };
    assert_eq!(refused(counted), ("total", true));
    let many = SearchRequest {
        batch_size: Some(TABLE_ROWS_MAX + 1),
        ..request("| stats count()")
    };
    assert_eq!(refused(many).0, "batch_size");
}

#[test]
fn emptiness_is_explained_by_the_filter_alone() {
    let ledger = ledger();
    let by_filter = search(&ledger, &request("level:fatal | stats count() by host")).unwrap();
    assert!(by_filter.explanation.is_some());
    let by_stage = search(
        &ledger,
        &request("level:error | stats count() by host | where count() > 99"),
    );
    let by_stage = by_stage.unwrap();
    assert!(by_stage.explanation.is_none());
    assert_eq!(by_stage.table.unwrap().rows.len(), 0);
}
