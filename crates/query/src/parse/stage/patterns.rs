//! `patterns`

use std::ops::Range;

use crate::parse::{Parser, Step};
use crate::stage::PATTERN_COLUMNS;
use crate::{FieldName, Stage};

impl Parser<'_> {
    pub(super) fn patterns(&mut self, keyword: Range<usize>) -> Step<Stage> {
        self.expect_rows("patterns", keyword.clone())?;
        self.cursor.skip_space();
        let field = match self.cursor.is_at_end() || self.is_at_bar() {
            true => FieldName::new("message"),
            false => self.name()?.field(),
        };
        let columns = PATTERN_COLUMNS.map(|column| (column.to_owned(), keyword.clone()));
        self.make_table("patterns", columns.into());
        Ok(Stage::Patterns { field })
    }
}
