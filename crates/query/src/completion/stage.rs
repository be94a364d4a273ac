//! What may stand in a stage.

use super::scan::{Piece, PieceKind};
use super::{Expected, WordKind, filter, word, words};
use crate::parse::{FUNCTION_NAMES, STAGE_NAMES};
use crate::{FieldName, GroupKey, PATTERN_COLUMNS, Stage, parse};

const INTERVALS: [&str; 6] = ["10s", "1m", "5m", "15m", "1h", "1d"];

/// The columns of the table that the stages of a text make; `None` where there are events, or where it cannot be read.
pub(super) fn columns(text: &str) -> Option<Vec<String>> {
    let query = parse(text).ok()?.query;
    let name = |field: &FieldName| field.as_str().to_owned();
    query.stages.iter().fold(None, |before, stage| match stage {
        Stage::Stats { aggregates, by } => {
            let keys = by.iter().map(|key| match key {
                GroupKey::Field(field) => name(field),
                GroupKey::Time(_) => "dt".to_owned(),
            });
            let computed = aggregates.iter().map(|aggregate| aggregate.name.clone());
            Some(keys.chain(computed).collect())
        }
        Stage::Timechart { aggregates, by, .. } => {
            let computed = aggregates.iter().map(|aggregate| aggregate.name.clone());
            let time = std::iter::once("dt".to_owned());
            Some(time.chain(by.iter().map(name)).chain(computed).collect())
        }
        Stage::Top { by, .. } => {
            let count = std::iter::once("count()".to_owned());
            Some(by.iter().map(name).chain(count).collect())
        }
        Stage::Patterns { .. } => Some(PATTERN_COLUMNS.map(str::to_owned).into()),
        Stage::Fields(fields) => Some(fields.iter().map(name).collect()),
        Stage::Where(_)
        | Stage::Sort(_)
        | Stage::Limit(_)
        | Stage::Dedup(_)
        | Stage::Parse { .. } => before,
    })
}

/// What may follow these pieces of a stage.
pub(super) fn expected(pieces: &[Piece], columns: Option<&[String]>) -> Vec<Expected> {
    let Some((name, inside)) = pieces.split_first() else {
        return words(&STAGE_NAMES, WordKind::Stage).collect();
    };
    match &*name.text.to_ascii_lowercase() {
        "stats" => aggregates(inside),
        "timechart" if inside.is_empty() => words(&INTERVALS, WordKind::Value).collect(),
        "timechart" => aggregates(inside.get(1..).unwrap_or_default()),
        "patterns" if inside.is_empty() => vec![Expected::Field, word("|", WordKind::Operator)],
        "top" => names(after_number(inside), None, &["|"]),
        "where" => condition(inside, columns),
        "sort" => sort(inside, columns),
        "fields" | "dedup" => names(inside, columns, &["|"]),
        "parse" => parse_stage(inside),
        _ => bar(inside),
    }
}

/// The functions of `stats` and `timechart`, and what stands around them.
fn aggregates(pieces: &[Piece]) -> Vec<Expected> {
    let open = open_parenthesis(pieces);
    if let Some(open) = open {
        let before = pieces.get(..open).unwrap_or_default();
        let inside = pieces.get(open + 1..).unwrap_or_default();
        let is_condition = before.last().is_some_and(|piece| is_keyword(piece, "if"));
        return match is_condition {
            true => filter::expected(inside),
            false => vec![Expected::Field],
        };
    }
    if let Some(by) = pieces.iter().position(|piece| is_keyword(piece, "by")) {
        return names(pieces.get(by + 1..).unwrap_or_default(), None, &["|"]);
    }
    match pieces.last() {
        None => functions(),
        Some(last) if is_mark(last, ",") => functions(),
        // The name is for its author to choose.
        Some(last) if is_keyword(last, "as") => Vec::new(),
        Some(_) => words(&["by", "as", "if ("], WordKind::Keyword)
            .chain([word(",", WordKind::Operator), word("|", WordKind::Operator)])
            .collect(),
    }
}

fn functions() -> Vec<Expected> {
    words(&FUNCTION_NAMES, WordKind::Function).collect()
}

/// Names with commas between.
fn names(pieces: &[Piece], columns: Option<&[String]>, after: &[&'static str]) -> Vec<Expected> {
    match pieces.last() {
        Some(last) if !is_mark(last, ",") => {
            let more = [word(",", WordKind::Operator)].into_iter();
            more.chain(words(after, WordKind::Operator)).collect()
        }
        _ => fields_or(columns),
    }
}

fn fields_or(columns: Option<&[String]>) -> Vec<Expected> {
    match columns {
        None => vec![Expected::Field],
        Some(columns) => columns.iter().cloned().map(Expected::Column).collect(),
    }
}

fn condition(pieces: &[Piece], columns: Option<&[String]>) -> Vec<Expected> {
    let expected = filter::expected(pieces);
    let Some(columns) = columns else {
        return expected;
    };
    let of_table = |expected| match expected {
        Expected::Clause => columns.iter().cloned().map(Expected::Column).collect(),
        // The values in a table are not known before it is made.
        Expected::Value(_) => Vec::new(),
        other => vec![other],
    };
    expected.into_iter().flat_map(of_table).collect()
}

fn sort(pieces: &[Piece], columns: Option<&[String]>) -> Vec<Expected> {
    let pieces = match pieces {
        [by, rest @ ..] if is_keyword(by, "by") => rest,
        [] => {
            let by = [word("by", WordKind::Keyword)].into_iter();
            return by.chain(fields_or(columns)).collect();
        }
        pieces => pieces,
    };
    match pieces.last() {
        Some(last) if is_keyword(last, "asc") || is_keyword(last, "desc") => bar(pieces),
        Some(last) if !is_mark(last, ",") => {
            let directions = words(&["desc", "asc"], WordKind::Keyword);
            directions.chain([word(",", WordKind::Operator)]).collect()
        }
        _ => fields_or(columns),
    }
}

fn parse_stage(pieces: &[Piece]) -> Vec<Expected> {
    match pieces.last() {
        None => Vec::new(),
        Some(last) if is_keyword(last, "from") => vec![Expected::Field],
        Some(last) if last.kind == PieceKind::Quoted => {
            vec![
                word("from", WordKind::Keyword),
                word("|", WordKind::Operator),
            ]
        }
        Some(_) => bar(pieces),
    }
}

fn bar(pieces: &[Piece]) -> Vec<Expected> {
    match pieces.is_empty() {
        true => Vec::new(),
        false => vec![word("|", WordKind::Operator)],
    }
}

/// Without the number of rows that `top` may begin with.
fn after_number(pieces: &[Piece]) -> &[Piece] {
    match pieces {
        [number, rest @ ..] if number.text.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        pieces => pieces,
    }
}

fn open_parenthesis(pieces: &[Piece]) -> Option<usize> {
    let mut open = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece.kind {
            PieceKind::Mark if piece.text == "(" => open.push(index),
            PieceKind::Mark if piece.text == ")" => drop(open.pop()),
            _ => {}
        }
    }
    // A condition may hold groups of its own.
    open.first().copied()
}

fn is_keyword(piece: &Piece, keyword: &str) -> bool {
    piece.kind == PieceKind::Word && piece.text.eq_ignore_ascii_case(keyword)
}

fn is_mark(piece: &Piece, mark: &str) -> bool {
    piece.kind == PieceKind::Mark && piece.text == mark
}
