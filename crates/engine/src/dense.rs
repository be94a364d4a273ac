//! Grouping on the encoded columns of a block: every row gets the number of its group, and each function goes through
//! its column once.
//!
//! Must agree with grouping row by row, which is what happens where a field has several values in a row or lies in more
//! than one column.

mod codes;
mod directory;
mod edges;
mod group_of;
mod leading;
mod number;
mod patterns;
mod slot_words;
mod values;

use std::borrow::Cow;

use cordwood_query::{Function, Reach, Target};
use cordwood_store::block::BlockDirectory;
use cordwood_store::column::Column;

use crate::SearchedSource;
use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::counted::columns_of;
use crate::datum::Datum;
use crate::evaluate::{BlockClauses, Failure};
use crate::groups::{Computed, GroupBy, GroupColumn, Groups, interval_start};
use crate::key::KeyRef;
use crate::pattern::PatternKey;
use crate::row::block::BlockFields;
use crate::row::{FieldSet, Row};
use crate::selection::Selection;
use codes::Coded;
use group_of::GroupOf;

pub(crate) use directory::DirectoryGrouping;
pub(crate) use leading::{Leading, best_in};

const NANOS_PER_MINUTE: i64 = 60_000_000_000;

/// Of rows with fewer selected than one in so many, codes are looked up one by one.
const FEW_SHARE: usize = 16;

/// The group of a row that is in none.
const NONE: u32 = u32::MAX;

/// A block whose rows are to be grouped.
pub(crate) struct ColumnGrouping<'a> {
    pub(crate) block: &'a OpenBlock,
    pub(crate) fields: &'a FieldSet,
    pub(crate) source: &'a SearchedSource,
    pub(crate) budget: &'a Budget,
}

/// Where a field lies in a block, if in one place.
enum Place<'a> {
    Nowhere,
    Column(Cow<'a, Column>),
    /// In several columns, or inside arrays.
    Elsewhere,
}

impl ColumnGrouping<'_> {
    /// Adds the selected rows; `false` when that must be done row by row, and nothing was added.
    pub(crate) fn group(&self, groups: &mut Groups, selected: &Selection) -> Result<bool, Failure> {
        let aggregation = std::sync::Arc::clone(groups.aggregation());
        let mut keys = Vec::with_capacity(aggregation.keys.len());
        for key in &aggregation.keys {
            self.budget.check()?;
            match self.coded(key, selected)? {
                Some(coded) => keys.push(coded),
                None => return Ok(false),
            }
        }
        let counts_rows =
            |computed: &Computed| computed.field.is_none() && computed.condition.is_none();
        if !aggregation.computed.iter().all(counts_rows) {
            self.add(groups, &keys, selected)?;
            return Ok(true);
        }
        // Counts ask for nothing but keys: those of a few rows are looked up, and the others are as good as not there.
        let few;
        let (mut keys, mut selected) = (&keys, selected);
        if selected.count() * FEW_SHARE < selected.rows() {
            let rows: Vec<usize> = selected.iter().collect();
            let keys_of_few = keys.iter().map(|coded| coded.of_rows(&rows));
            let keys_of_few = keys_of_few.collect::<Result<Vec<_>, Failure>>()?;
            few = (keys_of_few, Selection::all(rows.len()));
            (keys, selected) = (&few.0, &few.1);
        }
        if !number::count_by_code(groups, keys, selected)? {
            self.add(groups, keys, selected)?;
        }
        Ok(true)
    }

    /// Adds the selected rows, of which these are the keys.
    fn add(
        &self,
        groups: &mut Groups,
        keys: &[Coded<'_>],
        selected: &Selection,
    ) -> Result<(), Failure> {
        let aggregation = std::sync::Arc::clone(groups.aggregation());
        let group_of = number::number_groups(groups, keys, selected)?;
        for (column, computed) in aggregation.computed.iter().enumerate() {
            self.budget.check()?;
            let meeting = self.meeting(computed, selected, &group_of)?;
            self.compute(groups, column, computed, &meeting)?;
        }
        Ok(())
    }

    /// The first of the selected rows, in the order of `rows`, for each combination of what some fields are; `None` when a
    /// row may have several values of one.
    pub(crate) fn first_of_each(
        &self,
        fields: &[usize],
        selected: &Selection,
        rows: impl Iterator<Item = usize>,
    ) -> Result<Option<Selection>, Failure> {
        let mut keys = Vec::with_capacity(fields.len());
        for field in fields {
            self.budget.check()?;
            match self.coded(&GroupBy::Field(*field), selected)? {
                Some(coded) => keys.push(coded),
                None => return Ok(None),
            }
        }
        Ok(Some(number::first_of_each(&keys, selected, rows)?))
    }

    /// The groups of those rows that meet the condition of a column.
    fn meeting<'g>(
        &self,
        computed: &Computed,
        selected: &Selection,
        group_of: &'g GroupOf<'_>,
    ) -> Result<GroupOf<'g>, Failure> {
        let Some(filter) = &computed.condition else {
            return Ok(group_of.borrowed());
        };
        let clauses = BlockClauses::new(self.block, filter.clauses(), self.budget);
        let met = filter
            .in_source(self.source)
            .evaluate(&clauses, selected.clone())?;
        let mut meeting = vec![NONE; group_of.len()];
        for row in met.iter() {
            meeting[row] = group_of.get(row);
        }
        Ok(GroupOf::Each(Cow::Owned(meeting)))
    }

    fn compute(
        &self,
        groups: &mut Groups,
        column: usize,
        computed: &Computed,
        group_of: &GroupOf<'_>,
    ) -> Result<(), Failure> {
        let group_count = groups.len();
        let column = groups.column(column);
        let Some(field) = computed.field else {
            values::count_rows(column, group_count, group_of);
            return Ok(());
        };
        if let Some(target @ (Target::Time | Target::Id)) = self.fields.targets().get(field)
            && column.is_of_edges()
        {
            return edges::add(column, (self.block, target), group_of);
        }
        let place = match computed.aggregate.function {
            Function::First(_) | Function::Last(_) => Place::Elsewhere,
            _ => self.place_of(field)?,
        };
        match place {
            Place::Nowhere => Ok(()),
            Place::Column(found) => {
                if values::add_column(column, group_of, &found)? {
                    return Ok(());
                }
                self.compute_by_row(column, field, group_of)
            }
            Place::Elsewhere => self.compute_by_row(column, field, group_of),
        }
    }

    fn compute_by_row(
        &self,
        column: &mut GroupColumn,
        field: usize,
        group_of: &GroupOf<'_>,
    ) -> Result<(), Failure> {
        /// How many rows are added between two looks at the budget.
        const ROWS_PER_CHECK: usize = 512;
        let fields = BlockFields::new(self.block, self.fields, self.source)?;
        for (index, (row, group)) in group_of.iter().enumerate() {
            if index.is_multiple_of(ROWS_PER_CHECK) {
                self.budget.check()?;
            }
            let row = fields.row(row);
            let mut outcome = Ok(());
            let each = &mut |visit: &mut dyn FnMut(Datum<'_>)| outcome = row.each(field, visit);
            column.add(group, row.id(), each);
            outcome?;
        }
        Ok(())
    }

    fn place_of(&self, field: usize) -> Result<Place<'_>, Failure> {
        let Some(Target::Field(name)) = self.fields.targets().get(field) else {
            return Ok(Place::Elsewhere);
        };
        let mut place = Place::Nowhere;
        for (index, entry) in self.block.directory().columns.iter().enumerate() {
            match (name.reach(&entry.path), &place) {
                (None, _) => {}
                (Some(Reach::Whole), Place::Nowhere) => {
                    place = Place::Column(Cow::Borrowed(self.block.column(index)?));
                }
                _ => return Ok(Place::Elsewhere),
            }
        }
        if let Some(rest) = self.block.rest()? {
            for (index, path) in rest.paths().enumerate() {
                match (name.reach(path), &place) {
                    (None, _) => {}
                    (Some(Reach::Whole), Place::Nowhere) => {
                        place = Place::Column(Cow::Owned(rest.column(index)?));
                    }
                    _ => return Ok(Place::Elsewhere),
                }
            }
        }
        Ok(place)
    }

    /// The keys of all rows, or at least of those selected; `None` when a row may have several.
    fn coded(&self, key: &GroupBy, selected: &Selection) -> Result<Option<Coded<'_>>, Failure> {
        let field = match key {
            GroupBy::Time(interval) => {
                let (first, last) = self.block.directory().timestamps;
                let start = interval_start(first, *interval);
                if start == interval_start(last, *interval) {
                    return Ok(Some(Coded::constant(KeyRef::Time(start))));
                }
                let directory = self.block.directory();
                return Ok(Some(match codes::of_minutes(directory, *interval) {
                    Some(coded) => coded,
                    None => codes::of_times(self.block.timestamps()?, *interval),
                }));
            }
            GroupBy::Source => {
                let id = KeyRef::Int(self.source.id.0.into());
                return Ok(Some(Coded::constant(id)));
            }
            GroupBy::Pattern(field, patterns) => {
                return self.patterns(*field, patterns, selected);
            }
            GroupBy::Field(field) => field,
        };
        match self.fields.targets().get(*field) {
            Some(Target::Source) => Ok(Some(Coded::constant(KeyRef::Text(&self.source.name)))),
            Some(Target::Level) if !has_raw_level(self.block.directory()) => {
                Ok(Some(codes::of_levels(self.block.levels()?)))
            }
            _ => match self.place_of(*field)? {
                Place::Nowhere => Ok(Some(Coded::constant(KeyRef::Null))),
                Place::Column(column) => codes::of_column(column),
                Place::Elsewhere => Ok(None),
            },
        }
    }

    /// The patterns of a field as keys of the selected rows.
    fn patterns(
        &self,
        field: usize,
        patterns: &PatternKey,
        selected: &Selection,
    ) -> Result<Option<Coded<'_>>, Failure> {
        let patterns = &patterns.in_source(Some(self.source.id));
        if let Some(column) = self.text_column(field) {
            let rows = (selected, self.budget);
            return patterns::of_templates((self.block, column), patterns, rows).map(Some);
        }
        match self.place_of(field)? {
            Place::Nowhere => Ok(Some(Coded::constant(KeyRef::Null))),
            Place::Column(column) => patterns::of_column(&column, patterns),
            Place::Elsewhere => Ok(None),
        }
    }

    /// The one column of a field, if its texts follow templates.
    fn text_column(&self, field: usize) -> Option<usize> {
        let Some(Target::Field(name)) = self.fields.targets().get(field) else {
            return None;
        };
        let directory = self.block.directory();
        let mut reached = columns_of(directory, name)?;
        match (reached.next(), reached.next()) {
            (Some((index, Reach::Whole)), None) => {
                directory.columns.get(index)?.text.as_ref().map(|_| index)
            }
            _ => None,
        }
    }
}

/// Whether a level that has no name may have been sent as something else.
fn has_raw_level(directory: &BlockDirectory) -> bool {
    directory.rest.is_some() || directory.column_index("level").is_some()
}
