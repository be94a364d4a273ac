//! `fields dt, service, message`

use super::name::{Name, NameList};
use crate::Stage;
use crate::limits::NAMES_MAX;
use crate::parse::{Parser, Step};

const FIELDS: NameList = NameList {
    of: "fields",
    count_max: NAMES_MAX,
};

impl Parser<'_> {
    pub(super) fn fields(&mut self) -> Step<Stage> {
        let names = self.known_names()?;
        self.keep_columns(names.iter().map(|name| name.text.clone()));
        Ok(Stage::Fields(names.iter().map(Name::field).collect()))
    }

    /// A list of names which, where there is a table, are those of its columns.
    pub(super) fn known_names(&mut self) -> Step<Vec<Name>> {
        let names = self.names(FIELDS)?;
        for name in &names {
            self.check_column(&name.text, &name.span);
        }
        Ok(names)
    }
}
