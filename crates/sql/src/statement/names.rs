//! The names a statement mentions: of tables, and of whatever may be a column.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    self, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    Query, Select, SelectItem, TableAlias, TableFactor, Visit, Visitor,
};

/// What a statement mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Tables, by the last part of their names, without those that WITH defines.
    pub(crate) tables: BTreeSet<String>,
    /// What may be a column: identifiers, and for `a.b.c` also `b.c` and `c`.
    pub(crate) columns: BTreeSet<String>,
    /// What stands before the dot in `a.b` if it is a table: tables and aliases.
    pub(crate) qualifiers: BTreeSet<String>,
    /// Whether `*` asks for every column.
    pub(crate) has_wildcard: bool,
}

impl Names {
    pub(super) fn of(statement: &ast::Statement) -> Names {
        let mut collecting = Collecting::default();
        let _ = statement.visit(&mut collecting);
        let Collecting {
            mut names, defined, ..
        } = collecting;
        names.tables.retain(|table| !defined.contains(table));
        names
    }
}

#[derive(Default)]
struct Collecting {
    names: Names,
    /// Tables that WITH defines.
    defined: BTreeSet<String>,
}

impl Collecting {
    fn add_alias(&mut self, alias: Option<&TableAlias>) {
        if let Some(alias) = alias {
            self.names.qualifiers.insert(alias.name.value.clone());
        }
    }

    fn add_compound(&mut self, parts: &[Ident]) {
        for start in 0..parts.len() {
            let tail = parts.iter().skip(start).map(|part| part.value.as_str());
            self.names
                .columns
                .insert(tail.collect::<Vec<_>>().join("."));
        }
    }
}

impl Collecting {
    /// The field that `JSONExtractString(raw, 'a', 'b')` may be about; the last key may be the name of a type.
    fn add_json_path(&mut self, function: &Function) {
        let name = function.name.to_string().to_ascii_lowercase();
        let FunctionArguments::List(list) = &function.args else {
            return;
        };
        if !name.starts_with("jsonextract") {
            return;
        }
        let keys = list.args.iter().filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => {
                value.value.clone().into_string()
            }
            _ => None,
        });
        let keys: Vec<String> = keys.collect();
        self.names.columns.insert(keys.join("."));
        if let Some((_, path)) = keys.split_last() {
            self.names.columns.insert(path.join("."));
        }
    }
}

impl Visitor for Collecting {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let defined = query.with.iter().flat_map(|with| &with.cte_tables);
        for table in defined {
            self.add_alias(Some(&table.alias));
            self.defined.insert(table.alias.name.value.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.names.has_wildcard |= select.projection.iter().any(|item| {
            matches!(
                item,
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
            )
        });
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let last = relation.0.last().and_then(|part| part.as_ident());
        if let Some(last) = last {
            self.names.tables.insert(last.value.clone());
            self.names.qualifiers.insert(last.value.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. } => {
                self.add_alias(alias.as_ref());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(identifier) => {
                self.names.columns.insert(identifier.value.clone());
            }
            Expr::CompoundIdentifier(parts) => self.add_compound(parts),
            Expr::Function(function) => self.add_json_path(function),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
