//! How fast text is searched, on one core: `text_scan FILE [FIELD]`, a file of one JSON event or text per line.
//!
//! The values (the field of each event, or whole lines) are laid end to end, as a column lays them, and each
//! query's predicate selects among them.

use std::time::Instant;

use cordwood_event::Timestamp;
use cordwood_query::{Predicate, parse};

/// Values are searched in runs of this size, as a column's frames are.
const RUN_BYTES: usize = 256 * 1024;

const QUERIES: &[&str] = &[
    "f:zqxvortex",
    "f:nonexistenttoken42",
    "f:\"connection refused\"",
    "f:\"refused connection\"",
    "f:user",
    "f:a",
    "f:*timeout*",
    "f:time*",
    "f:*out",
    "f:t?meout",
    "f:/took [0-9]{4,}\\.[0-9]+ms/",
    "f:/(?i)timeout/",
    "f:тест",
    "f:(deadlock OR timeout)",
    "f:(alphax OR bravox OR charliex OR deltax OR echox OR foxtrotx OR golfx OR hotelx)",
    "f:(alfax OR bravox OR charliex OR deltax OR echox OR foxtrotx OR golfx OR hotelx OR indiax OR juliettx OR kilox OR limax OR mikex OR novemberx OR oscarx OR papax OR quebecx OR romeox OR sierrax OR tangox OR uniformx OR victorx OR whiskeyx OR xrayx OR yankeex OR zulux OR onex OR twox OR threex OR fourx OR fivex OR sixx)",
    "f=exact",
    "f:>zzz",
];

struct Run {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which file?")?;
    let field = arguments.next();
    let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
    let runs = lay_out(&text, field.as_deref())?;
    let bytes: usize = runs.iter().map(|run| run.bytes.len()).sum();
    let values: usize = runs.iter().map(|run| run.ends.len()).sum();
    println!("{values} values, {} MB", bytes / 1_000_000);
    for query in QUERIES {
        let filter = parse(query)?.query.filter;
        let clauses = filter.clauses();
        let clause = clauses.first().ok_or("a clause")?;
        let predicate = Predicate::new(&clause.test, Timestamp::default());
        let (selected, seconds) = measure(&predicate, &runs);
        let rate = bytes as f64 / 1e9 / seconds;
        println!("{rate:7.2} GB/s {selected:9} selected  {query}");
    }
    Ok(())
}

fn lay_out(text: &str, field: Option<&str>) -> Result<Vec<Run>, Box<dyn std::error::Error>> {
    let mut runs = Vec::new();
    let mut run = Run {
        bytes: Vec::new(),
        ends: Vec::new(),
    };
    for line in text.lines() {
        match field {
            None => run.bytes.extend_from_slice(line.as_bytes()),
            Some(field) => {
                let event: serde_json::Value = serde_json::from_str(line)?;
                let value = event.get(field).and_then(|value| value.as_str());
                run.bytes
                    .extend_from_slice(value.unwrap_or_default().as_bytes());
            }
        }
        run.ends.push(u32::try_from(run.bytes.len())?);
        if run.bytes.len() >= RUN_BYTES {
            runs.push(std::mem::replace(
                &mut run,
                Run {
                    bytes: Vec::new(),
                    ends: Vec::new(),
                },
            ));
        }
    }
    runs.push(run);
    Ok(runs)
}

/// The values selected, and the best time of several.
fn measure(predicate: &Predicate, runs: &[Run]) -> (usize, f64) {
    let mut best = f64::MAX;
    let mut selected = 0;
    for _ in 0..5 {
        selected = 0;
        let start = Instant::now();
        for run in runs {
            predicate.select_texts(&run.bytes, &run.ends, &mut |_| selected += 1);
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    (selected, best)
}
