//! `patterns`: groups of texts become patterns once it is known which forms there are.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cordwood_event::SourceId;
use cordwood_query::{Aggregate, FieldName, Function, PATTERN_COLUMNS};

use crate::budget::{Budget, Cut};
use crate::groups::{Aggregation, Computed, GroupBy};
use crate::pattern::{OTHER, PatternId, PatternKey, Settled, settle, shown};
use crate::row::FieldSet;
use crate::sorting::sort_by;
use crate::{Cell, Table};

/// What stands in the place of a pattern for events that are in none of their own.
const OTHER_SHOWN: &str = "(other)";

/// What `patterns` computes: by form and source, how many events, and the times of the first and the last.
pub(super) fn aggregation(field: &FieldName, fields: &mut FieldSet) -> Aggregation {
    let dt = FieldName::new("dt");
    let functions = [
        Function::Count(None),
        Function::Min(dt.clone()),
        Function::Max(dt),
    ];
    grouped_by(field, &[], functions.into(), fields)
}

/// By form and source and some other keys.
pub(super) fn grouped_by(
    field: &FieldName,
    others: &[GroupBy],
    functions: Vec<Function>,
    fields: &mut FieldSet,
) -> Aggregation {
    let pattern = GroupBy::Pattern(fields.named(field), Arc::default());
    let mut keys = vec![pattern, GroupBy::Source];
    keys.extend(others.iter().cloned());
    let computed = functions.into_iter().map(|function| Computed {
        field: crate::groups::field_of(&function).map(|field| fields.named(field)),
        condition: None,
        aggregate: Aggregate {
            name: function.to_string(),
            condition: None,
            function,
        },
    });
    Aggregation {
        key_names: keys.iter().map(|_| String::new()).collect(),
        keys,
        computed: computed.collect(),
        greatest: None,
    }
}

/// Which forms of a source are of others, now that all are found: source by source, so that no source learns of another.
#[derive(Debug)]
pub(super) struct Settling {
    /// By number.
    forms: Vec<Arc<str>>,
    by_source: HashMap<Option<SourceId>, Settled>,
}

impl Settling {
    /// Of rows that begin with the number of a form and with a source.
    pub(super) fn of(rows: &[Vec<Cell>], patterns: &PatternKey) -> Settling {
        let forms = patterns.forms();
        let mut found: HashMap<Option<SourceId>, HashSet<usize>> = HashMap::new();
        for row in rows {
            if let (Some(number), source) = number_and_source(row) {
                found.entry(source).or_default().insert(number);
            }
        }
        let settled = found.into_iter().map(|(source, numbers)| {
            let of_source = numbers.into_iter().filter_map(|number| forms.get(number));
            let of_source = of_source.map(|form| &**form).filter(|form| *form != OTHER);
            (source, settle(patterns.forms_of(source), of_source))
        });
        Settling {
            by_source: settled.collect(),
            forms,
        }
    }

    /// The form that texts are of whose own has this number.
    pub(super) fn form(&self, source: Option<SourceId>, number: usize) -> &str {
        let form = self.forms.get(number).map_or(OTHER, |form| form);
        let settled = self.by_source.get(&source);
        settled.map_or(form, |settled| settled.of(form))
    }
}

/// The number of a form and the source that a row begins with.
pub(super) fn number_and_source(row: &[Cell]) -> (Option<usize>, Option<SourceId>) {
    let number = match row.first() {
        Some(Cell::Int(number)) => usize::try_from(*number).ok(),
        _ => None,
    };
    let source = match row.get(1) {
        Some(Cell::Int(id)) => u64::try_from(*id).ok().map(SourceId),
        _ => None,
    };
    (number, source)
}

/// One row of the table in the making.
#[derive(Debug)]
struct PatternRow {
    count: i128,
    first: Cell,
    last: Cell,
}

/// The table of patterns, of a table by form and source: the commonest first.
pub(super) fn folded(table: Table, patterns: &PatternKey, budget: &Budget) -> Result<Table, Cut> {
    let settling = Settling::of(&table.rows, patterns);
    budget.check()?;
    let mut by_form: HashMap<Option<String>, PatternRow> = HashMap::new();
    let mut total = 0;
    for row in &table.rows {
        let (number, source) = number_and_source(row);
        let form = number.map(|number| settling.form(source, number).to_owned());
        let [_, _, Cell::Int(count), first, last] = row.as_slice() else {
            continue;
        };
        total += count;
        match by_form.get_mut(&form) {
            Some(known) => known.add(*count, first, last),
            None => {
                let row = PatternRow {
                    count: *count,
                    first: first.clone(),
                    last: last.clone(),
                };
                by_form.insert(form, row);
            }
        }
    }
    let mut rows: Vec<Vec<Cell>> = by_form
        .into_iter()
        .map(|(form, row)| row.into_cells(form.as_deref(), total))
        .collect();
    sort_by(&mut rows, budget, compare)?;
    Ok(Table {
        columns: PATTERN_COLUMNS.map(str::to_owned).into(),
        rows,
        more: table.more,
    })
}

impl PatternRow {
    fn add(&mut self, count: i128, first: &Cell, last: &Cell) {
        self.count += count;
        if is_time_before(first, &self.first) {
            self.first = first.clone();
        }
        if is_time_before(&self.last, last) {
            self.last = last.clone();
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a share is a float")]
    fn into_cells(self, form: Option<&str>, total: i128) -> Vec<Cell> {
        let (pattern, id) = match form {
            None => (Cell::Null, Cell::Null),
            Some(OTHER) => (Cell::Str(OTHER_SHOWN.into()), Cell::Null),
            Some(form) => {
                let id = PatternId::of_form(form).to_string();
                (Cell::Str(shown(form).into()), Cell::Str(id.into()))
            }
        };
        let share = self.count as f64 / total.max(1) as f64;
        let count = Cell::Int(self.count);
        vec![
            pattern,
            id,
            count,
            Cell::Float(share),
            self.first,
            self.last,
        ]
    }
}

/// Whether both are times, and in this order.
fn is_time_before(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Time(a), Cell::Time(b)) => a < b,
        _ => false,
    }
}

/// The greater count first, and of equal ones by text; what has no pattern comes last.
fn compare(a: &Vec<Cell>, b: &Vec<Cell>) -> std::cmp::Ordering {
    let key = |row: &Vec<Cell>| match row.as_slice() {
        [Cell::Str(pattern), _, Cell::Int(count), ..] => (-*count, false, pattern.clone()),
        [_, _, Cell::Int(count), ..] => (-*count, true, "".into()),
        _ => (0, true, "".into()),
    };
    key(a).cmp(&key(b))
}
