//! `dedup request_id`

use super::group::fields_of;
use crate::Stage;
use crate::parse::{Parser, Step};

impl Parser<'_> {
    pub(super) fn dedup(&mut self) -> Step<Stage> {
        let names = self.known_names()?;
        Ok(Stage::Dedup(fields_of(&names)))
    }
}
