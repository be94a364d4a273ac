//! Stages in the most obvious way: every row in memory, every function over a list of all its values.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use cordwood_engine::pattern::{PatternForms, PatternId, Settled, form_of, settle, shown};
use cordwood_engine::{Cell, Table};
use cordwood_event::{Event, EventId, Number, Scalar, SourceId, Timestamp, Value, path};
use cordwood_query::{
    Aggregate, Column, ColumnValues, CompiledPattern, Direction, EventRow, FieldName, Filter,
    Function, GroupKey, Matcher, PATTERN_COLUMNS, Percentile, SortKey, Stage, TableRow, TimeBounds,
    each_element,
};

/// Rows on their way.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// Events with the names of their sources.
    Events(Vec<(Event, String)>),
    /// A table.
    Table(Table),
}

/// What does not change from stage to stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) now: Timestamp,
    /// The range of the question, closed at both ends by the events there are.
    pub(crate) range: Option<TimeBounds>,
}

impl Circumstances {
    fn seconds(self) -> f64 {
        let nanos = self.range.map_or(0, |range| {
            i128::from(range.last.as_nanos()) - i128::from(range.first.as_nanos()) + 1
        });
        (nanos as f64 / 1e9).max(1.0)
    }
}

/// The rows after all stages.
pub(crate) fn apply(stages: &[Stage], rows: Rows, around: Circumstances) -> Rows {
    stages
        .iter()
        .fold(rows, |rows, stage| step(stage, rows, around))
}

fn step(stage: &Stage, rows: Rows, around: Circumstances) -> Rows {
    match stage {
        Stage::Where(filter) => keep(rows, |row| row.holds(filter, around.now)),
        Stage::Limit(limit) => {
            let mut left = *limit;
            keep(rows, |_| {
                let is_kept = left > 0;
                left = left.saturating_sub(1);
                is_kept
            })
        }
        Stage::Dedup(by) => {
            let mut seen: Vec<Vec<Vec<Cell>>> = Vec::new();
            keep(rows, |row| {
                let identity = by
                    .iter()
                    .map(|name| row.elements(name))
                    .map(|cells| cells.into_iter().map(canonical).collect());
                let identity: Vec<Vec<Cell>> = identity.collect();
                let is_new = !seen.contains(&identity);
                seen.push(identity);
                is_new
            })
        }
        Stage::Sort(keys) => sort(rows, keys),
        Stage::Fields(names) => Rows::Table(project(&rows, names)),
        Stage::Parse { from, pattern } => match rows {
            Rows::Events(events) => Rows::Events(
                events
                    .into_iter()
                    .map(|(event, source)| {
                        (
                            parsed(event, &source, from, &CompiledPattern::new(pattern)),
                            source,
                        )
                    })
                    .collect(),
            ),
            table => table,
        },
        Stage::Patterns { field } => Rows::Table(patterns(&rows, field)),
        Stage::Stats { aggregates, by } => Rows::Table(stats(&rows, aggregates, by, around)),
        Stage::Top { limit, by } => {
            let count = Aggregate {
                function: Function::Count(None),
                condition: None,
                name: "count()".to_owned(),
            };
            let by: Vec<GroupKey> = by.iter().cloned().map(GroupKey::Field).collect();
            let mut table = stats(&rows, &[count], &by, around);
            table.rows.sort_by_key(|row| match row.last() {
                Some(Cell::Int(count)) => -count,
                _ => 0,
            });
            let limit = usize::try_from(*limit).expect("a small limit");
            table.rows.truncate(limit);
            Rows::Table(table)
        }
        Stage::Timechart {
            interval,
            aggregates,
            by,
        } => {
            let mut keys: Vec<GroupKey> = by.iter().cloned().map(GroupKey::Field).collect();
            keys.insert(0, GroupKey::Time(*interval));
            let mut table = stats(&rows, aggregates, &keys, around);
            let mut series: Vec<Vec<Cell>> = Vec::new();
            for row in &table.rows {
                let others = row[1..keys.len()].to_vec();
                if !series.contains(&others) {
                    series.push(others);
                }
            }
            if series.is_empty() {
                series.push(vec![Cell::Null; by.len()]);
            }
            if let Some(range) = around.range {
                let mut start = range.first.as_nanos().div_euclid(interval.nanos) * interval.nanos;
                while start <= range.last.as_nanos() {
                    for others in &series {
                        let time = Cell::Time(Timestamp::from_nanos(start));
                        let wanted: Vec<Cell> = [time].into_iter().chain(others.clone()).collect();
                        if !table.rows.iter().any(|row| row.starts_with(&wanted)) {
                            let empty = aggregates
                                .iter()
                                .map(|aggregate| value(&aggregate.function, &[], 1.0));
                            table
                                .rows
                                .push(wanted.iter().cloned().chain(empty).collect());
                        }
                    }
                    start += interval.nanos;
                }
            }
            order_by_keys(&mut table, keys.len());
            Rows::Table(table)
        }
    }
}

/// One row, of either kind.
pub(crate) enum One<'a> {
    Event(&'a Event, &'a str),
    Row(&'a [String], &'a [Cell]),
}

struct Named<'a>(&'a [String], &'a [Cell]);

fn visit_cell(cell: &Cell, visit: &mut dyn FnMut(Column<'_>)) {
    match cell {
        Cell::Null => {}
        Cell::Time(time) => visit(Column::Time(*time)),
        Cell::Bool(boolean) => visit(Column::Scalar(Scalar::Bool(*boolean))),
        Cell::Int(integer) => match i64::try_from(*integer) {
            Ok(integer) => visit(Column::Scalar(Scalar::Int(integer))),
            Err(_) => visit(Column::Scalar(Scalar::Json(&integer.to_string()))),
        },
        Cell::Float(float) => visit(Column::Scalar(Scalar::Float(*float))),
        Cell::Str(text) => visit(Column::Scalar(Scalar::Str(text))),
        Cell::Json(text) => visit(Column::Scalar(Scalar::Json(text))),
    }
}

impl ColumnValues for Named<'_> {
    fn visit(&self, column: &str, visit: &mut dyn FnMut(Column<'_>)) {
        if let Some(index) = self.0.iter().position(|name| name == column) {
            visit_cell(&self.1[index], visit);
        }
    }

    fn visit_all(&self, visit: &mut dyn FnMut(Column<'_>)) {
        self.1.iter().for_each(|cell| visit_cell(cell, visit));
    }
}

fn cell(scalar: Scalar<'_>) -> Cell {
    match scalar {
        Scalar::Null => Cell::Null,
        Scalar::Bool(boolean) => Cell::Bool(boolean),
        Scalar::Int(integer) => Cell::Int(integer.into()),
        Scalar::Float(float) => Cell::Float(float),
        Scalar::Str(text) => Cell::Str(text.into()),
        Scalar::Json(text) => Cell::Json(text.into()),
    }
}

impl One<'_> {
    fn holds(&self, filter: &Filter, now: Timestamp) -> bool {
        let matcher = Matcher::new(filter, now);
        match self {
            One::Event(event, source_name) => matcher.matches_row(&EventRow { event, source_name }),
            One::Row(columns, cells) => matcher.matches_row(&TableRow(Named(columns, cells))),
        }
    }

    fn id(&self) -> EventId {
        match self {
            One::Event(event, _) => event.id,
            One::Row(..) => EventId {
                timestamp: Timestamp::MIN,
                sequence: 0,
            },
        }
    }

    /// The values of a field, arrays whole.
    fn values(&self, name: &FieldName) -> Vec<Cell> {
        let (event, source) = match self {
            One::Event(event, source) => (event, source),
            One::Row(columns, cells) => {
                let index = columns.iter().position(|column| column == name.as_str());
                let found = index.map(|index| cells[index].clone());
                return found
                    .into_iter()
                    .filter(|cell| *cell != Cell::Null)
                    .collect();
            }
        };
        match (name.as_str(), event.level) {
            ("dt", _) => return vec![Cell::Time(event.id.timestamp)],
            ("_source", _) => return vec![Cell::Str((*source).into())],
            ("_id", _) => return vec![Cell::Str(event.id.to_string().into())],
            ("level", Some(level)) => return vec![Cell::Str(level.name().into())],
            _ => {}
        }
        let mut fields: Vec<&(Box<str>, Value)> = event.fields.iter().collect();
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut values = Vec::new();
        for (path, value) in fields {
            let reach = name
                .reach(path)
                .filter(|_| name.as_str() != "level" || &**path == "level");
            if let Some(reach) = reach {
                reach.each_value(value.as_scalar(), &mut |scalar| values.push(cell(scalar)));
            }
        }
        values
    }

    /// The same with arrays taken apart.
    fn elements(&self, name: &FieldName) -> Vec<Cell> {
        let mut elements = Vec::new();
        for value in self.values(name) {
            match &value {
                Cell::Json(json) => each_element(Scalar::Json(json), &mut |scalar| {
                    elements.push(cell(scalar))
                }),
                _ => elements.push(value),
            }
        }
        elements
    }
}

/// The forms a row has for a field; none when it does not have it.
pub(crate) fn forms_of(row: &One<'_>, field: &FieldName) -> Vec<Option<String>> {
    let form = |cell: &Cell| match cell {
        Cell::Str(text) => form_of(text),
        Cell::Bool(boolean) => form_of(&boolean.to_string()),
        Cell::Json(json) if number(cell).is_none() => form_of(json),
        _ => form_of("0"),
    };
    let elements = row.elements(field);
    let present = elements.iter().filter(|cell| **cell != Cell::Null);
    let mut forms: Vec<Option<String>> = Vec::new();
    for form in present.map(form) {
        if !forms.contains(&Some(form.clone())) {
            forms.push(Some(form));
        }
    }
    if forms.is_empty() {
        forms.push(None);
    }
    forms
}

fn patterns(rows: &Rows, field: &FieldName) -> Table {
    let mut found: Vec<(Option<SourceId>, Option<String>, Cell)> = Vec::new();
    for row in each_row(rows) {
        let source = match &row {
            One::Event(event, _) => Some(event.source),
            One::Row(..) => None,
        };
        let time = row.values(&FieldName::new("dt")).pop();
        for form in forms_of(&row, field) {
            found.push((source, form, time.clone().unwrap_or(Cell::Null)));
        }
    }
    let settle_source = |source: Option<SourceId>| {
        let of_source = found.iter().filter(|(other, ..)| *other == source);
        let forms = of_source.filter_map(|(_, form, _)| form.as_deref());
        settle(&PatternForms::default(), forms)
    };
    let sources: BTreeSet<Option<SourceId>> = found.iter().map(|(source, ..)| *source).collect();
    let settled: BTreeMap<Option<SourceId>, Settled> = sources
        .into_iter()
        .map(|source| (source, settle_source(source)))
        .collect();
    let mut groups: Vec<(Option<String>, i128, Cell, Cell)> = Vec::new();
    for (source, form, time) in &found {
        let settled = &settled[source];
        let form = form.as_ref().map(|form| settled.of(form).to_owned());
        match groups.iter_mut().find(|(other, ..)| *other == form) {
            Some((_, count, first, last)) => {
                *count += 1;
                if let (Cell::Time(time), Cell::Time(least)) = (time, &mut *first) {
                    *least = (*least).min(*time);
                }
                if let (Cell::Time(time), Cell::Time(greatest)) = (time, &mut *last) {
                    *greatest = (*greatest).max(*time);
                }
            }
            None => groups.push((form, 1, time.clone(), time.clone())),
        }
    }
    groups.sort_by_key(|(form, count, ..)| (-count, form.is_none(), form.as_deref().map(shown)));
    let rows = groups.into_iter().map(|(form, count, first, last)| {
        let text = |text: String| Cell::Str(text.into());
        let id = form
            .as_deref()
            .map(|form| PatternId::of_form(form).to_string());
        vec![
            form.as_deref().map(shown).map_or(Cell::Null, text),
            id.map_or(Cell::Null, text),
            Cell::Int(count),
            Cell::Float(count as f64 / found.len() as f64),
            first,
            last,
        ]
    });
    Table {
        columns: PATTERN_COLUMNS.map(str::to_owned).into(),
        rows: rows.collect(),
        more: false,
    }
}

fn each_row(rows: &Rows) -> Vec<One<'_>> {
    match rows {
        Rows::Events(events) => events
            .iter()
            .map(|(event, source)| One::Event(event, source))
            .collect(),
        Rows::Table(table) => table
            .rows
            .iter()
            .map(|cells| One::Row(&table.columns, cells))
            .collect(),
    }
}

fn keep(rows: Rows, mut is_kept: impl FnMut(&One<'_>) -> bool) -> Rows {
    let kept: Vec<bool> = each_row(&rows).iter().map(&mut is_kept).collect();
    let mut kept = kept.into_iter();
    match rows {
        Rows::Events(mut events) => {
            events.retain(|_| kept.next() == Some(true));
            Rows::Events(events)
        }
        Rows::Table(mut table) => {
            table.rows.retain(|_| kept.next() == Some(true));
            Rows::Table(table)
        }
    }
}

fn sort(rows: Rows, keys: &[SortKey]) -> Rows {
    let values: Vec<Vec<Cell>> = each_row(&rows)
        .iter()
        .map(|row| {
            keys.iter()
                .map(|key| {
                    row.elements(&key.field)
                        .into_iter()
                        .next()
                        .unwrap_or(Cell::Null)
                })
                .collect()
        })
        .collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| {
        keys.iter()
            .enumerate()
            .fold(Ordering::Equal, |order, (index, key)| {
                let (a, b) = (&values[*a][index], &values[*b][index]);
                let is_last = *a == Cell::Null || *b == Cell::Null;
                order.then(match key.direction {
                    Direction::Descending if !is_last => compare(b, a),
                    _ => compare(a, b),
                })
            })
    });
    match rows {
        Rows::Events(events) => Rows::Events(
            order
                .into_iter()
                .map(|index| events[index].clone())
                .collect(),
        ),
        Rows::Table(table) => Rows::Table(Table {
            rows: order
                .into_iter()
                .map(|index| table.rows[index].clone())
                .collect(),
            ..table
        }),
    }
}

/// Numbers and what reads as one, times, texts, booleans, nulls.
fn compare(a: &Cell, b: &Cell) -> Ordering {
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return a.compare(b);
    }
    let class = |cell: &Cell| match cell {
        cell if number(cell).is_some() => 0,
        Cell::Time(_) => 1,
        Cell::Str(_) | Cell::Json(_) => 2,
        Cell::Bool(_) => 3,
        _ => 4,
    };
    class(a).cmp(&class(b)).then_with(|| match (a, b) {
        (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
        (Cell::Str(a) | Cell::Json(a), Cell::Str(b) | Cell::Json(b)) => a.cmp(b),
        (Cell::Bool(a), Cell::Bool(b)) => a.cmp(b),
        _ => Ordering::Equal,
    })
}

fn number(cell: &Cell) -> Option<Number> {
    let number = match cell {
        Cell::Int(integer) => Some(Number::Int(*integer)),
        Cell::Float(float) => Some(Number::Float(*float)),
        Cell::Str(text) | Cell::Json(text) => Number::parse(text),
        _ => None,
    };
    number.filter(|number| number.as_f64().is_finite())
}

/// Equal values become the same cell.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a whole number within 1e37"
)]
fn canonical(cell: Cell) -> Cell {
    match (&cell, number(&cell)) {
        (Cell::Str(_), _) | (_, None) => cell,
        (_, Some(Number::Float(float))) if float.fract() == 0.0 && float.abs() < 1e37 => {
            Cell::Int(float as i128)
        }
        (_, Some(Number::Float(float))) => Cell::Float(float),
        (_, Some(Number::Int(integer))) => Cell::Int(integer),
    }
}

fn project(rows: &Rows, names: &[FieldName]) -> Table {
    let shown = |row: &One<'_>, name: &FieldName| {
        let mut values = row.values(name);
        if values.len() < 2 {
            return values.pop().unwrap_or(Cell::Null);
        }
        let mut members = Vec::new();
        for value in &values {
            visit_cell(value, &mut |column| {
                let mut json = String::new();
                match column {
                    Column::Scalar(scalar) => cordwood_event::json::write_value(&mut json, scalar),
                    Column::Time(time) => json = format!("\"{time}\""),
                }
                members.push(json);
            });
        }
        Cell::Json(format!("[{}]", members.join(",")).into())
    };
    Table {
        columns: names.iter().map(|name| name.as_str().to_owned()).collect(),
        rows: each_row(rows)
            .iter()
            .map(|row| names.iter().map(|name| shown(row, name)).collect())
            .collect(),
        more: false,
    }
}

fn parsed(mut event: Event, source: &str, from: &FieldName, pattern: &CompiledPattern) -> Event {
    let captures = One::Event(&event, source)
        .values(from)
        .into_iter()
        .find_map(|value| match value {
            Cell::Str(text) => pattern.captures(&text).map(|captures| {
                captures
                    .iter()
                    .map(|capture| capture.to_value())
                    .collect::<Vec<Value>>()
            }),
            _ => None,
        });
    for (name, value) in pattern.names().zip(captures.into_iter().flatten()) {
        event
            .fields
            .retain(|(stored, _)| path::name(stored) != *name);
        let mut escaped = String::new();
        path::push_key(&mut escaped, name, true);
        event.fields.push((escaped.into(), value));
    }
    event
}

fn stats(rows: &Rows, aggregates: &[Aggregate], by: &[GroupKey], around: Circumstances) -> Table {
    let rows = each_row(rows);
    let mut groups: Vec<(Vec<Cell>, Vec<&One<'_>>)> = Vec::new();
    if by.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    for row in &rows {
        let mut combinations: Vec<Vec<Cell>> = vec![Vec::new()];
        for key in by {
            let values = match key {
                GroupKey::Field(name) => row.elements(name).into_iter().map(canonical).collect(),
                GroupKey::Time(interval) => {
                    let nanos = row.id().timestamp.as_nanos();
                    vec![Cell::Time(Timestamp::from_nanos(
                        nanos.div_euclid(interval.nanos) * interval.nanos,
                    ))]
                }
            };
            let values = if values.is_empty() {
                vec![Cell::Null]
            } else {
                values
            };
            combinations = combinations
                .iter()
                .flat_map(|head| {
                    values
                        .iter()
                        .map(|value| head.iter().cloned().chain([value.clone()]).collect())
                })
                .collect();
        }
        let mut taken: Vec<Vec<Cell>> = Vec::new();
        for keys in combinations {
            if taken.contains(&keys) {
                continue;
            }
            match groups.iter_mut().find(|(known, _)| *known == keys) {
                Some((_, members)) => members.push(row),
                None => groups.push((keys.clone(), vec![row])),
            }
            taken.push(keys);
        }
    }
    let interval = by.iter().find_map(|key| match key {
        GroupKey::Time(interval) => Some(interval.nanos as f64 / 1e9),
        GroupKey::Field(_) => None,
    });
    let seconds = interval.unwrap_or(around.seconds());
    let names = by.iter().map(|key| match key {
        GroupKey::Field(name) => name.as_str().to_owned(),
        GroupKey::Time(_) => "dt".to_owned(),
    });
    let mut table = Table {
        columns: names
            .chain(aggregates.iter().map(|aggregate| aggregate.name.clone()))
            .collect(),
        rows: groups
            .into_iter()
            .map(|(keys, members)| {
                let columns = aggregates.iter().map(|aggregate| {
                    let condition = aggregate.condition.as_ref();
                    let members: Vec<&One<'_>> = members
                        .iter()
                        .copied()
                        .filter(|row| condition.is_none_or(|filter| row.holds(filter, around.now)))
                        .collect();
                    value(&aggregate.function, &members, seconds)
                });
                let columns: Vec<Cell> = columns.collect();
                keys.into_iter().chain(columns).collect()
            })
            .collect(),
        more: false,
    };
    order_by_keys(&mut table, by.len());
    table
}

fn order_by_keys(table: &mut Table, keys: usize) {
    table.rows.sort_by(|a, b| {
        a.iter()
            .zip(b)
            .take(keys)
            .fold(Ordering::Equal, |order, (a, b)| {
                let is_text = |cell: &Cell| matches!(cell, Cell::Str(_));
                order
                    .then_with(|| compare(a, b))
                    .then_with(|| is_text(a).cmp(&is_text(b)))
            })
    });
}

fn value(function: &Function, members: &[&One<'_>], seconds: f64) -> Cell {
    let elements = |name: &FieldName| -> Vec<Cell> {
        members.iter().flat_map(|row| row.elements(name)).collect()
    };
    let numbers =
        |name: &FieldName| -> Vec<Number> { elements(name).iter().filter_map(number).collect() };
    match function {
        Function::Count(None) => Cell::Int(members.len() as i128),
        Function::Count(Some(name)) => Cell::Int(
            members
                .iter()
                .filter(|row| !row.values(name).is_empty())
                .count() as i128,
        ),
        Function::Rate => Cell::Float(members.len() as f64 / seconds),
        Function::CountDistinct(name) => {
            let mut different: Vec<Cell> = Vec::new();
            for element in elements(name).into_iter().map(canonical) {
                if !different.contains(&element) {
                    different.push(element);
                }
            }
            Cell::Int(different.len() as i128)
        }
        Function::Sum(name) => total(&numbers(name)),
        Function::Avg(name) => {
            let numbers = numbers(name);
            match total(&numbers) {
                Cell::Int(sum) => Cell::Float(sum as f64 / numbers.len() as f64),
                Cell::Float(sum) => Cell::Float(sum / numbers.len() as f64),
                other => other,
            }
        }
        Function::Min(name) => extreme(elements(name), Ordering::Less),
        Function::Max(name) => extreme(elements(name), Ordering::Greater),
        Function::Percentile(Percentile(thousandths), name) => {
            let mut numbers = numbers(name);
            numbers.sort_by(|a, b| a.compare(*b));
            let rank =
                (u128::from(*thousandths) * numbers.len() as u128).div_ceil(100_000) as usize;
            let number = numbers.get(rank.saturating_sub(1)).copied();
            number.map_or(Cell::Null, of_number)
        }
        Function::First(name) => edge(members, name, Ordering::Less),
        Function::Last(name) => edge(members, name, Ordering::Greater),
    }
}

fn of_number(number: Number) -> Cell {
    canonical(match number {
        Number::Int(integer) => Cell::Int(integer),
        Number::Float(float) => Cell::Float(float),
    })
}

/// Whole numbers are added up exactly, so that great ones do not swallow small ones; the others are few and positive.
fn total(numbers: &[Number]) -> Cell {
    if numbers.is_empty() {
        return Cell::Null;
    }
    let mut whole = 0i128;
    let mut rest = 0.0;
    for number in numbers {
        match of_number(*number) {
            Cell::Int(integer) => whole += integer,
            _ => rest += number.as_f64(),
        }
    }
    let are_integers = numbers
        .iter()
        .all(|number| matches!(number, Number::Int(_)));
    if are_integers {
        Cell::Int(whole)
    } else {
        Cell::Float(whole as f64 + rest)
    }
}

fn extreme(elements: Vec<Cell>, better: Ordering) -> Cell {
    let candidates: Vec<Cell> = match elements.iter().any(|cell| number(cell).is_some()) {
        true => elements.iter().filter_map(number).map(of_number).collect(),
        false => elements
            .into_iter()
            .filter(|cell| matches!(cell, Cell::Time(_) | Cell::Str(_) | Cell::Json(_)))
            .collect(),
    };
    let best = candidates.into_iter().reduce(|best, cell| {
        if compare(&cell, &best) == better {
            cell
        } else {
            best
        }
    });
    best.unwrap_or(Cell::Null)
}

fn edge(members: &[&One<'_>], name: &FieldName, better: Ordering) -> Cell {
    let with_field = members.iter().filter(|row| !row.values(name).is_empty());
    let best = with_field.reduce(|best, row| {
        if row.id().cmp(&best.id()) == better {
            row
        } else {
            best
        }
    });
    best.map_or(Cell::Null, |row| row.values(name).swap_remove(0))
}
