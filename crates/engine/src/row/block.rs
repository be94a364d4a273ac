//! Rows of a block: values are looked up in its columns, of which only those that stages read are decoded.

use std::borrow::Cow;

use cordwood_event::{EventId, Level, Scalar, SourceId, Timestamp, path};
use cordwood_query::{Reach, Target};
use cordwood_store::column::Column;

use super::{FieldSet, Row, raw_level};
use crate::SearchedSource;
use crate::block::OpenBlock;
use crate::datum::Datum;
use crate::evaluate::Failure;

/// A column that a field reaches.
struct Reached<'a> {
    path: Cow<'a, str>,
    reach: Reach<'a>,
    column: Cow<'a, Column>,
}

/// The fields of a block that stages read.
pub(crate) struct BlockFields<'a> {
    targets: &'a [Target],
    source: &'a SearchedSource,
    times: &'a [i64],
    sequences: &'a [u64],
    levels: &'a [u16],
    /// By field, its columns, sorted by path.
    columns: Vec<Vec<Reached<'a>>>,
}

impl<'a> BlockFields<'a> {
    pub(crate) fn new(
        block: &'a OpenBlock,
        fields: &'a FieldSet,
        source: &'a SearchedSource,
    ) -> Result<BlockFields<'a>, Failure> {
        let columns = fields.targets().iter().map(|target| match target {
            Target::Field(field) => reached(block, |path| field.reach(path)),
            Target::Level => reached(block, |path| (path == "level").then_some(Reach::Whole)),
            Target::AnyField => reached(block, |_| Some(Reach::Whole)),
            Target::Time | Target::Source | Target::Id => Ok(Vec::new()),
        });
        Ok(BlockFields {
            targets: fields.targets(),
            source,
            times: block.timestamps()?,
            sequences: block.sequences()?,
            levels: block.levels()?.get()?,
            columns: columns.collect::<Result<_, Failure>>()?,
        })
    }

    /// The column that holds all values of a stored field, if there is one alone and none is inside an array.
    pub(crate) fn only_column(&self, field: usize) -> Option<&Column> {
        match (
            self.targets.get(field)?,
            self.columns.get(field)?.as_slice(),
        ) {
            (Target::Field(_), [only]) if only.reach == Reach::Whole => Some(&only.column),
            _ => None,
        }
    }

    pub(crate) fn row(&self, row: usize) -> BlockRow<'_> {
        BlockRow { fields: self, row }
    }
}

fn reached<'a>(
    block: &'a OpenBlock,
    reach: impl Fn(&str) -> Option<Reach<'a>>,
) -> Result<Vec<Reached<'a>>, Failure> {
    let mut columns = Vec::new();
    for (index, entry) in block.directory().columns.iter().enumerate() {
        if let Some(reach) = reach(&entry.path) {
            columns.push(Reached {
                path: Cow::Borrowed(&*entry.path),
                reach,
                column: Cow::Borrowed(block.column(index)?),
            });
        }
    }
    if let Some(rest) = block.rest()? {
        for (index, path) in rest.paths().enumerate() {
            if let Some(reach) = reach(path) {
                columns.push(Reached {
                    path: Cow::Owned(path.to_owned()),
                    reach,
                    column: Cow::Owned(rest.column(index)?),
                });
            }
        }
        columns.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(columns)
}

/// One row of a block.
pub(crate) struct BlockRow<'a> {
    fields: &'a BlockFields<'a>,
    row: usize,
}

impl Row for BlockRow<'_> {
    fn id(&self) -> EventId {
        EventId {
            timestamp: Timestamp::from_nanos(self.fields.times.get(self.row).copied().unwrap_or(0)),
            sequence: self.fields.sequences.get(self.row).copied().unwrap_or(0),
        }
    }

    fn time(&self) -> Option<Timestamp> {
        Some(self.id().timestamp)
    }

    fn source(&self) -> Option<(SourceId, &str)> {
        Some((self.fields.source.id, &self.fields.source.name))
    }

    fn level(&self) -> Option<Level> {
        let code = self.fields.levels.get(self.row).copied()?;
        Level::from_code(u8::try_from(code).ok()?)
    }

    fn each(&self, field: usize, visit: &mut dyn FnMut(Datum<'_>)) -> Result<(), Failure> {
        if visit_head(self, self.fields.targets.get(field), visit) {
            return Ok(());
        }
        for reached in self.fields.columns.get(field).into_iter().flatten() {
            if let Some(value) = reached.column.scalar(self.row)? {
                reached
                    .reach
                    .each_value(value, &mut |value| visit(Datum::Scalar(value)));
            }
        }
        Ok(())
    }

    fn each_stored(&self, visit: &mut dyn FnMut(&str, Datum<'_>)) -> Result<(), Failure> {
        let all = self
            .fields
            .targets
            .iter()
            .position(|target| *target == Target::AnyField);
        let columns = all.and_then(|field| self.fields.columns.get(field));
        for reached in columns.into_iter().flatten() {
            if let Some(value) = reached.column.scalar(self.row)? {
                visit(&path::name(&reached.path), Datum::Scalar(value));
            }
        }
        Ok(())
    }
}

/// Visits what is no stored field: says whether the target is such. The raw level stands in for a level without a name.
pub(crate) fn visit_head(
    row: &dyn Row,
    target: Option<&Target>,
    visit: &mut dyn FnMut(Datum<'_>),
) -> bool {
    match target {
        Some(Target::Time) => row
            .time()
            .into_iter()
            .for_each(|time| visit(Datum::Time(time))),
        Some(Target::Source) => {
            if let Some((_, name)) = row.source() {
                visit(Datum::Scalar(Scalar::Str(name)));
            }
        }
        Some(Target::Id) => visit(Datum::Scalar(Scalar::Str(&row.id().to_string()))),
        Some(Target::Level) => match row.level() {
            Some(level) => visit(Datum::Scalar(Scalar::Str(level.name()))),
            None => return false,
        },
        Some(Target::Field(_) | Target::AnyField) => return false,
        None => {}
    }
    true
}

/// Whether a path holds what the target of a level that has no name reads.
pub(crate) fn is_level(target: &Target, path: &str) -> bool {
    matches!(target, Target::Level) && raw_level().name() == path
}
