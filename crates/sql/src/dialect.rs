//! The SQL that is read: ClickHouse's, as Better Stack's users write it, and what of standard SQL it lacks.

use std::any::TypeId;

use datafusion::sql::sqlparser::dialect::{ClickHouseDialect, Dialect};
use datafusion::sql::sqlparser::keywords::{Keyword, RESERVED_FOR_COLUMN_ALIAS};
use datafusion::sql::sqlparser::parser::Parser;

/// The rules of this dialect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CordwoodDialect;

const CLICKHOUSE: ClickHouseDialect = ClickHouseDialect {};

impl Dialect for CordwoodDialect {
    /// The parser asks some things by the type of the dialect alone.
    fn dialect(&self) -> TypeId {
        CLICKHOUSE.dialect()
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        matches!(character, '"' | '`')
    }

    fn is_identifier_start(&self, character: char) -> bool {
        character.is_alphabetic() || character == '_'
    }

    fn is_identifier_part(&self, character: char) -> bool {
        character.is_alphanumeric() || character == '_'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    /// ClickHouse keeps the backslash before these two, so that LIKE sees it.
    fn ignores_wildcard_escapes(&self) -> bool {
        true
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    fn supports_select_format(&self) -> bool {
        true
    }

    fn supports_settings(&self) -> bool {
        true
    }

    fn supports_select_wildcard_except(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn describe_requires_table_keyword(&self) -> bool {
        true
    }

    /// What may follow the last column is no name for it.
    fn is_column_alias(&self, keyword: &Keyword, _parser: &mut Parser<'_>) -> bool {
        let ends_the_columns = matches!(keyword, Keyword::FORMAT | Keyword::SETTINGS);
        !ends_the_columns && !RESERVED_FOR_COLUMN_ALIAS.contains(keyword)
    }
}
