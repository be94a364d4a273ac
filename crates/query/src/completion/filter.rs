//! What may stand in a filter.

use super::scan::{Piece, PieceKind};
use super::{Expected, WordKind, values_of, word, words};
use crate::Target;

const CONNECTIVES: [&str; 3] = ["AND", "OR", "NOT"];

/// What opened a parenthesis.
enum Opened {
    /// Clauses stand inside.
    Group,
    /// Values of a field.
    Values(Target),
}

/// What may follow these pieces of a filter.
pub(super) fn expected(pieces: &[Piece]) -> Vec<Expected> {
    if let Some(field) = field_before_operator(pieces) {
        return value(&Target::named(field));
    }
    if let Some(Opened::Values(target)) = opened(pieces) {
        let mut expected = value(&target);
        if is_operand(pieces.last()) {
            expected.push(word("OR", WordKind::Keyword));
        }
        return expected;
    }
    let mut expected = vec![Expected::Clause];
    match is_whole(pieces) {
        true => expected.extend(words(&CONNECTIVES, WordKind::Keyword)),
        false => expected.push(word("NOT", WordKind::Keyword)),
    }
    expected
}

/// Whether a clause has ended here, so that something may come after it.
pub(super) fn is_whole(pieces: &[Piece]) -> bool {
    is_operand(pieces.last())
}

fn value(target: &Target) -> Vec<Expected> {
    let mut expected = values_of(target);
    expected.push(Expected::Value(target.clone()));
    expected
}

/// The field whose operator is the last piece; after `timeout "a b":` as well, the phrase names the field.
fn field_before_operator(pieces: &[Piece]) -> Option<&str> {
    let is_operator = |piece: &&Piece| piece.kind == PieceKind::Operator;
    // `level:>=` has two.
    let operators = pieces.iter().rev().take_while(is_operator).count();
    let field = pieces.get(..pieces.len() - operators)?.last()?;
    let is_field = matches!(field.kind, PieceKind::Word | PieceKind::Quoted);
    (is_field && operators > 0).then_some(field.text.as_str())
}

fn is_operand(piece: Option<&Piece>) -> bool {
    piece.is_some_and(|piece| match piece.kind {
        PieceKind::Word => !matches!(&*piece.text, "AND" | "OR" | "NOT" | "TO"),
        PieceKind::Quoted | PieceKind::OpenQuote | PieceKind::Regex => true,
        PieceKind::Mark => matches!(&*piece.text, ")" | "]" | "}"),
        PieceKind::Operator => false,
    })
}

/// The innermost parenthesis or bracket that is open.
fn opened(pieces: &[Piece]) -> Option<Opened> {
    let mut open = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if piece.kind != PieceKind::Mark {
            continue;
        }
        match &*piece.text {
            "(" | "[" | "{" => open.push(index),
            ")" | "]" | "}" => drop(open.pop()),
            _ => {}
        }
    }
    let before = pieces.get(..open.pop()?)?;
    // `status:in(` has a word between.
    let before = match before {
        [before @ .., word]
            if word.kind == PieceKind::Word && word.text.eq_ignore_ascii_case("in") =>
        {
            before
        }
        before => before,
    };
    Some(match field_before_operator(before) {
        Some(field) => Opened::Values(Target::named(field)),
        None => Opened::Group,
    })
}
