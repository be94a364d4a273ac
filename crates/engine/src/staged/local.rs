//! Stages that look at one row at a time: `where` and `parse`.

use cordwood_event::Scalar;
use cordwood_query::CompiledPattern;

use crate::datum::Datum;
use crate::evaluate::Failure;
use crate::row::Row;
use crate::row::filter::RowFilter;
use crate::row::kept::{Added, Extended};

/// A stage compiled.
#[derive(Clone, Debug)]
pub(crate) enum LocalStage {
    Where(RowFilter),
    Parse {
        from: usize,
        pattern: Box<CompiledPattern>,
        /// The fields of the captures, in order.
        fields: Vec<usize>,
    },
}

/// Takes a row through the stages: whether it is kept, with what they add to it.
pub(crate) fn pass(
    stages: &[LocalStage],
    base: &dyn Row,
    added: &mut Vec<Added>,
) -> Result<bool, Failure> {
    for stage in stages {
        let row = Extended { base, added };
        match stage {
            LocalStage::Where(filter) => {
                if !filter.holds(&row)? {
                    return Ok(false);
                }
            }
            LocalStage::Parse {
                from,
                pattern,
                fields,
            } => {
                let captured = capture(pattern, fields, *from, &row)?;
                added.extend(captured);
            }
        }
    }
    Ok(true)
}

/// The fields of the first text in which the pattern occurs.
fn capture(
    pattern: &CompiledPattern,
    fields: &[usize],
    from: usize,
    row: &dyn Row,
) -> Result<Vec<Added>, Failure> {
    let mut added = Vec::new();
    row.each(from, &mut |datum| {
        if added.is_empty()
            && let Datum::Scalar(Scalar::Str(text)) = datum
            && let Some(captures) = pattern.captures(text)
        {
            let named = pattern.names().zip(fields).zip(captures);
            added.extend(named.map(|((name, field), value)| Added {
                field: *field,
                name: name.into(),
                value: Datum::Scalar(value).to_cell(),
            }));
        }
    })?;
    Ok(added)
}
