//! What is known of the table a stage works on.

use std::ops::Range;

use super::is_call;
use crate::Diagnostic;
use crate::near_names;
use crate::parse::{Parser, Step};

/// The table an earlier stage has made.
#[derive(Clone, Debug)]
pub(in crate::parse) struct Table {
    /// The stage that made it.
    made_by: &'static str,
    /// The names of its columns; unknown after a mistake, which would bring on others.
    columns: Option<Vec<String>>,
}

/// How many columns a diagnostic lists.
const LISTED_MAX: usize = 8;

impl Parser<'_> {
    /// Refuses a stage that works on events where there is a table.
    pub(super) fn expect_rows(&mut self, stage: &str, keyword: Range<usize>) -> Step<()> {
        let Some(table) = &self.table else {
            return Ok(());
        };
        let message = format!(
            "`{stage}` works on events, and after `{}` there is a table.",
            table.made_by
        );
        self.stop(
            Diagnostic::new(keyword, message)
                .hint("What can follow a table is `where`, `sort`, `limit`, `fields` and `dedup`."),
        )
    }

    /// From here on there is a table of these columns. Two of one name are refused.
    pub(super) fn make_table(
        &mut self,
        made_by: &'static str,
        columns: Vec<(String, Range<usize>)>,
    ) {
        let mut names: Vec<String> = Vec::with_capacity(columns.len());
        for (name, span) in columns {
            if names.contains(&name) {
                let message = format!("Two columns are named `{name}`.");
                self.note(
                    Diagnostic::new(span, message)
                        .hint("Give one of them another name, as in `count() as total`."),
                );
            }
            names.push(name);
        }
        self.table = Some(Table {
            made_by,
            columns: Some(names),
        });
    }

    /// Keeps these columns of the table, if there is one.
    pub(super) fn keep_columns(&mut self, names: impl Iterator<Item = String>) {
        if let Some(table) = &mut self.table {
            table.columns = table.columns.is_some().then(|| names.collect());
        }
    }

    /// Says no more about columns.
    pub(super) fn forget_columns(&mut self) {
        if let Some(table) = &mut self.table {
            table.columns = None;
        }
    }

    /// Notes a name that no column of the table has.
    pub(in crate::parse) fn check_column(&mut self, name: &str, span: &Range<usize>) {
        if self.table.is_none() && is_call(name) {
            let message = format!("`{name}` is read as the name of a field.");
            let hint = format!("To compute it, write `stats {name}` in a stage before.");
            self.hint(span.clone(), message, hint);
        }
        let Some(columns) = self.table.as_ref().and_then(|table| table.columns.as_ref()) else {
            return;
        };
        if columns.iter().any(|column| column == name) {
            return;
        }
        let near = near_names(name, columns.iter().map(String::as_str));
        let hint = match near.first() {
            Some(near) => format!("Did you mean `{near}`?"),
            None => listed(columns),
        };
        let message = format!("The table has no column `{name}`.");
        self.note(Diagnostic::new(span.clone(), message).hint(hint));
    }
}

fn listed(columns: &[String]) -> String {
    let names: Vec<String> = columns
        .iter()
        .take(LISTED_MAX)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match columns.len() > LISTED_MAX {
        true => " and others",
        false => "",
    };
    format!("Its columns are {}{more}.", names.join(", "))
}
