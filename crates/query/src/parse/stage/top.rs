//! `top 10 path`

use std::ops::Range;

use super::group::fields_of;
use crate::Stage;
use crate::parse::{Parser, Step};

/// How many rows unless the query says otherwise.
const LIMIT_DEFAULT: u64 = 10;

impl Parser<'_> {
    pub(super) fn top(&mut self, keyword: Range<usize>) -> Step<Stage> {
        self.expect_rows("top", keyword.clone())?;
        let limit = match self.is_at_row_count() {
            true => self.row_count()?,
            false => LIMIT_DEFAULT,
        };
        let by = self.group_names()?;
        let counted = ("count()".to_owned(), keyword);
        let columns = by
            .iter()
            .map(|name| (name.text.clone(), name.span.clone()))
            .chain(std::iter::once(counted));
        self.make_table("top", columns.collect());
        Ok(Stage::Top {
            limit,
            by: fields_of(&by),
        })
    }
}
