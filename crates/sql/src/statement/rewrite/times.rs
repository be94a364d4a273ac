//! Times: starts of intervals, parts of a time, and making one.

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, DateTimeField, Expr, Interval, TimezoneInfo,
};

use super::{Call, build};
use crate::error::Error;

/// Starts of a fixed length, counted from 1970-01-01 UTC.
const BINS: [(&str, &str); 8] = [
    ("tostartofsecond", "1 second"),
    ("tostartofminute", "1 minute"),
    ("tostartoffiveminutes", "5 minutes"),
    ("tostartoffiveminute", "5 minutes"),
    ("tostartoftenminutes", "10 minutes"),
    ("tostartoffifteenminutes", "15 minutes"),
    ("tostartofhour", "1 hour"),
    ("tostartofday", "1 day"),
];

/// Starts of what the calendar makes longer or shorter; weeks begin on Monday.
const CALENDAR: [(&str, &str); 5] = [
    ("tomonday", "week"),
    ("tostartofweek", "week"),
    ("tostartofmonth", "month"),
    ("tostartofquarter", "quarter"),
    ("tostartofyear", "year"),
];

const PARTS: [(&str, &str); 8] = [
    ("tosecond", "second"),
    ("tominute", "minute"),
    ("tohour", "hour"),
    ("todayofmonth", "day"),
    ("todayofweek", "isodow"),
    ("todayofyear", "doy"),
    ("tomonth", "month"),
    ("toyear", "year"),
];

pub(super) fn rewrite(call: &Call<'_>) -> Result<Option<Expr>, Error> {
    if let Some(length) = of(&BINS, call.name) {
        let [time] = call.exactly()?;
        return Ok(Some(bin(length, time)));
    }
    if let Some(unit) = of(&CALENDAR, call.name) {
        let [time] = call.exactly()?;
        return Ok(Some(build::call(
            "date_trunc",
            vec![build::text(unit), time],
        )));
    }
    if let Some(part) = of(&PARTS, call.name) {
        let [time] = call.exactly()?;
        return Ok(Some(build::call(
            "date_part",
            vec![build::text(part), time],
        )));
    }
    Ok(Some(match call.name {
        "tostartofinterval" => {
            let [time, interval] = call.exactly()?;
            start_of_interval(call, time, interval)?
        }
        "todatetime" | "todatetime64" | "parsedatetimebesteffort" => {
            match call.arguments().into_iter().next() {
                Some(time) => build::cast(time, timestamp(), CastKind::Cast),
                None => return Err(call.wrong("takes a time")),
            }
        }
        "todate" => {
            let [time] = call.exactly()?;
            build::cast(time, DataType::Date, CastKind::Cast)
        }
        "tounixtimestamp" => {
            let [time] = call.exactly()?;
            build::call("to_unixtime", vec![time])
        }
        "today" => build::call("current_date", Vec::new()),
        _ => return Ok(None),
    }))
}

fn of<'a>(table: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    let found = table.iter().find(|(theirs, _)| *theirs == name);
    found.map(|(_, ours)| *ours)
}

fn timestamp() -> DataType {
    DataType::Timestamp(None, TimezoneInfo::WithTimeZone)
}

fn bin(length: &str, time: Expr) -> Expr {
    let interval = Expr::Interval(Interval {
        value: Box::new(build::text(length)),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    });
    build::call("date_bin", vec![interval, time])
}

/// Months and what is made of them have no fixed length, and weeks begin on Monday: only the calendar knows.
fn start_of_interval(call: &Call<'_>, time: Expr, interval: Expr) -> Result<Expr, Error> {
    let Expr::Interval(Interval {
        value,
        leading_field,
        ..
    }) = &interval
    else {
        return Err(call.wrong("takes a time and an INTERVAL"));
    };
    let unit = match leading_field {
        Some(DateTimeField::Week(_) | DateTimeField::Weeks) => "week",
        Some(DateTimeField::Month | DateTimeField::Months) => "month",
        Some(DateTimeField::Quarter) => "quarter",
        Some(DateTimeField::Year | DateTimeField::Years) => "year",
        _ => return Ok(build::call("date_bin", vec![interval, time])),
    };
    let count = match &**value {
        Expr::Value(value) => value.value.to_string(),
        other => other.to_string(),
    };
    if count.trim_matches('\'') != "1" {
        let what = format!("takes one {unit} at a time, not {count}");
        return Err(call.wrong(what));
    }
    Ok(build::call("date_trunc", vec![build::text(unit), time]))
}
