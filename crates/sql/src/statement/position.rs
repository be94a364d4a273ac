//! Lines and columns, as the parser counts them, as bytes of the text.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::dialect::CordwoodDialect;

/// The byte at a place that is counted in lines and characters from 1.
pub(super) fn byte_at(text: &str, place: Location) -> Option<usize> {
    let (line, column) = (
        usize::try_from(place.line).ok()?,
        usize::try_from(place.column).ok()?,
    );
    let mut start = 0;
    for _ in 1..line {
        start += text.get(start..)?.find('\n')? + 1;
    }
    let rest = text.get(start..)?;
    let mut characters = rest.char_indices().map(|(index, _)| index);
    let within = characters.nth(column.checked_sub(1)?).unwrap_or(rest.len());
    Some(start + within)
}

/// Splits `Expected: …, found: … at Line: 1, Column: 8` into what is wrong and where.
pub(super) fn split_message(message: &str, text: &str) -> (String, Option<Range<usize>>) {
    let Some((sentence, place)) = message.rsplit_once(" at Line: ") else {
        return (message.to_owned(), None);
    };
    let numbers = place.split_once(", Column: ");
    let location = numbers.and_then(|(line, column)| {
        Some(Location {
            line: line.trim().parse().ok()?,
            column: column.trim().parse().ok()?,
        })
    });
    let start = location.and_then(|location| byte_at(text, location));
    let range = start.map(|start| start..end_of_word(text, start));
    (sentence.replace("Expected: ", "expected "), range)
}

/// The end of the word, or else of the character, that begins at `start`.
fn end_of_word(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let is_inside = |character: char| character.is_alphanumeric() || character == '_';
    let word = rest
        .find(|character| !is_inside(character))
        .unwrap_or(rest.len());
    let first = rest.chars().next().map_or(0, char::len_utf8);
    start + word.max(first)
}

/// Where a name stands first in a text as an identifier.
pub(crate) fn place_of_identifier(text: &str, name: &str) -> Option<Range<usize>> {
    let tokens = Tokenizer::new(&CordwoodDialect, text)
        .tokenize_with_location()
        .ok()?;
    let found = tokens.iter().find(|token| match &token.token {
        Token::Word(word) => word.value == name,
        _ => false,
    })?;
    let start = byte_at(text, found.span.start)?;
    Some(start..byte_at(text, found.span.end)?)
}
