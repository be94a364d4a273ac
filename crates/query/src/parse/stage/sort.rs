//! `sort by p95 desc, service`, `sort -p95`

use std::ops::Range;

use super::name::Name;
use crate::limits::NAMES_MAX;
use crate::parse::{Parser, Step};
use crate::{Diagnostic, Direction, SortKey, Stage};

impl Parser<'_> {
    pub(super) fn sort(&mut self) -> Step<Stage> {
        let before = self.cursor.at();
        if self.keyword("by").is_none() {
            self.cursor.go_to(before);
        }
        let mut keys: Vec<SortKey> = Vec::new();
        loop {
            let (key, name) = self.sort_key()?;
            if keys.iter().any(|earlier| earlier.field == key.field) {
                self.note_repeated(&name);
            }
            keys.push(key);
            if keys.len() > NAMES_MAX {
                let message = format!(
                    "There are more than {NAMES_MAX} fields to sort by, which is the limit."
                );
                return self.stop(Diagnostic::new(name.span, message));
            }
            if !self.comma() {
                return Ok(Stage::Sort(keys));
            }
        }
    }

    fn sort_key(&mut self) -> Step<(SortKey, Name)> {
        self.cursor.skip_space();
        let has_minus = self.cursor.eat("-");
        let name = self.name()?;
        self.check_column(&name.text, &name.span);
        let direction = match self.direction() {
            Some((_, span)) if has_minus => {
                self.note_second_direction(span);
                Direction::Descending
            }
            Some((direction, _)) => direction,
            None if has_minus => Direction::Descending,
            None => Direction::Ascending,
        };
        let field = name.field();
        Ok((SortKey { field, direction }, name))
    }

    fn direction(&mut self) -> Option<(Direction, Range<usize>)> {
        let before = self.cursor.at();
        for (word, direction) in [
            ("asc", Direction::Ascending),
            ("desc", Direction::Descending),
        ] {
            if let Some(span) = self.keyword(word) {
                return Some((direction, span));
            }
        }
        self.cursor.go_to(before);
        None
    }

    fn note_second_direction(&mut self, span: Range<usize>) {
        self.note(
            Diagnostic::new(span, "The `-` has said the direction already.")
                .hint("Write `-field` or `field desc`, not both."),
        );
    }
}
