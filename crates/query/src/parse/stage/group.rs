//! `by service, dt:5m`: what is grouped by.

use super::name::{Name, NameList};
use crate::limits::GROUP_KEYS_MAX;
use crate::parse::{Parser, Step};
use crate::{Diagnostic, FieldName, GroupKey};

const KEYS: NameList = NameList {
    of: "fields to group by",
    count_max: GROUP_KEYS_MAX,
};

impl Parser<'_> {
    /// Fields and intervals after `by`, with their names as columns; nothing when there is no `by`.
    pub(super) fn group_keys(&mut self) -> Step<Vec<(GroupKey, Name)>> {
        let mut keys: Vec<(GroupKey, Name)> = Vec::new();
        if self.keyword("by").is_none() {
            return Ok(keys);
        }
        loop {
            let (key, name) = self.group_key()?;
            match keys.iter().any(|(_, earlier)| earlier.text == name.text) {
                true => self.note_repeated(&name),
                false => keys.push((key, name)),
            }
            if !self.comma() {
                break;
            }
        }
        let names: Vec<Name> = keys.iter().map(|(_, name)| name.clone()).collect();
        self.check_count(KEYS, &names);
        Ok(keys)
    }

    fn group_key(&mut self) -> Step<(GroupKey, Name)> {
        let name = self.name()?;
        if !self.cursor.eat(":") {
            return Ok((GroupKey::Field(name.field()), name));
        }
        let interval = self.interval()?;
        if name.text != "dt" {
            let message = format!("`{}` cannot be grouped by intervals of time.", name.text);
            self.note(
                Diagnostic::new(name.span.clone(), message)
                    .hint("Only `dt` can, as in `by dt:5m`."),
            );
        }
        let key = match interval {
            Some(interval) => GroupKey::Time(interval),
            None => GroupKey::Field(name.field()),
        };
        Ok((key, name))
    }

    /// Fields alone after `by`.
    pub(super) fn group_fields(&mut self) -> Step<Vec<Name>> {
        match self.keyword("by") {
            Some(_) => self.names(KEYS),
            None => Ok(Vec::new()),
        }
    }

    /// Fields alone, of which there must be some.
    pub(super) fn group_names(&mut self) -> Step<Vec<Name>> {
        self.names(KEYS)
    }
}

pub(super) fn fields_of(names: &[Name]) -> Vec<FieldName> {
    names.iter().map(Name::field).collect()
}
