//! Which tables there are: `logs` for all sources, and one for each by its name and by its id.

use std::collections::BTreeSet;
use std::sync::Arc;

use cordwood_engine::SearchedSource;
use cordwood_query::near_names;

use crate::error::{Error, Problem};

/// The table of all sources.
pub(crate) const ALL: &str = "logs";

/// The sources that the tables are made of: those the caller may read and no others.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    sources: Arc<[SearchedSource]>,
}

impl Tables {
    pub(crate) fn new(sources: &[SearchedSource]) -> Tables {
        Tables {
            sources: sources.into(),
        }
    }

    /// The sources of a table: a source by its name, `src-` and its id, or its id; a source named `logs` goes by its id.
    pub(crate) fn sources_of(&self, table: &str) -> Option<Vec<SearchedSource>> {
        if table == ALL {
            return Some(self.sources.to_vec());
        }
        let mut found = self.sources.iter().filter(|source| source.name == table);
        let by_name = found.next().filter(|_| found.next().is_none());
        let by_id = || {
            let id = table.strip_prefix("src-").unwrap_or(table);
            self.sources
                .iter()
                .find(|source| source.id.to_string() == id)
        };
        by_name.or_else(by_id).map(|source| vec![source.clone()])
    }

    /// All names, each with the id of its source.
    pub(crate) fn names(&self) -> Vec<(String, Option<String>)> {
        let mut names = vec![(ALL.to_owned(), None)];
        let named = self.sources.iter().map(|source| {
            let is_taken = source.name == ALL
                || self
                    .sources
                    .iter()
                    .filter(|other| other.name == source.name)
                    .count()
                    > 1;
            let id = source.id.to_string();
            let name = if is_taken {
                format!("src-{id}")
            } else {
                source.name.clone()
            };
            (name, Some(id))
        });
        names.extend(named.collect::<BTreeSet<_>>());
        names
    }

    /// What to say of a table that is not there, or is another's: the two look alike.
    pub(crate) fn unknown(&self, table: &str) -> Error {
        let names = self.names();
        let near = near_names(table, names.iter().map(|(name, _)| name.as_str()));
        let problem = Problem::new(format!("there is no table `{table}`"));
        Error::Invalid(problem.hint(match near.as_slice() {
            [] => "SHOW TABLES lists them; a name with other characters than letters stands in double quotes".to_owned(),
            near => format!("did you mean {}?", quoted(near)),
        }))
    }
}

/// Names as a statement writes them.
pub(crate) fn quoted(names: &[&str]) -> String {
    let is_plain = |name: &str| {
        let mut characters = name.chars();
        let first = characters.next();
        first.is_some_and(|first| first.is_alphabetic() || first == '_')
            && characters.all(|character| character.is_alphanumeric() || character == '_')
    };
    let quoted = names.iter().map(|name| match is_plain(name) {
        true => (*name).to_owned(),
        false => format!("\"{name}\""),
    });
    quoted.collect::<Vec<_>>().join(" or ")
}
