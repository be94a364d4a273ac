//! Stages that look at one row alone, done on one event: `where`, `parse` and `fields`.

use cordwood_event::Event;
use cordwood_query::{Filter, Stage};

use super::LiveRow;
use super::row::LooseRow;
use crate::Cell;
use crate::clauses::Compiler;
use crate::row::FieldSet;
use crate::row::filter::RowFilter;
use crate::row::kept::Extended;
use crate::row::tabular::{TableFields, cell_of};
use crate::staged::{LocalStage, extended, local_stage, pass};

/// A stage that needs events together, and so has nothing to say of one that has just arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` looks at events together, and here they come one by one")]
pub struct TogetherStage {
    /// Which of the stages, counted from 0.
    pub index: usize,
    /// Its name.
    pub name: &'static str,
}

impl TogetherStage {
    /// Fails on the first such stage.
    pub(super) fn find(stages: &[Stage]) -> Result<(), TogetherStage> {
        let together = stages.iter().enumerate().find_map(|(index, stage)| {
            let name = match stage {
                Stage::Where(_) | Stage::Parse { .. } | Stage::Fields(_) => return None,
                Stage::Stats { .. } => "stats",
                Stage::Timechart { .. } => "timechart",
                Stage::Top { .. } => "top",
                Stage::Sort(_) => "sort",
                Stage::Limit(_) => "limit",
                Stage::Dedup(_) => "dedup",
                Stage::Patterns { .. } => "patterns",
            };
            Some(TogetherStage { index, name })
        });
        together.map_or(Ok(()), Err)
    }
}

/// The stages, compiled.
#[derive(Clone, Debug)]
pub(super) struct RowStages {
    fields: FieldSet,
    local: Vec<LocalStage>,
    columns: Option<Columns>,
}

/// What the first `fields` keeps, and the stages behind it.
#[derive(Clone, Debug)]
struct Columns {
    /// The field that each cell is made of.
    fields: Vec<usize>,
    on_cells: Vec<CellStage>,
    /// The names in the end.
    names: Vec<String>,
}

#[derive(Clone, Debug)]
enum CellStage {
    Where {
        filter: RowFilter,
        reads: FieldSet,
        names: Vec<String>,
    },
    /// These cells, in this order.
    Keep(Vec<Option<usize>>),
}

impl RowStages {
    /// Takes stages of which none needs rows together.
    pub(super) fn new(stages: &[Stage], compiler: &Compiler) -> RowStages {
        let mut compiled = RowStages {
            fields: FieldSet::default(),
            local: Vec::new(),
            columns: None,
        };
        for stage in stages {
            match (&mut compiled.columns, stage) {
                (None, Stage::Fields(kept)) => {
                    let fields = kept.iter().map(|name| compiled.fields.named(name));
                    compiled.columns = Some(Columns {
                        fields: fields.collect(),
                        on_cells: Vec::new(),
                        names: kept.iter().map(|name| name.as_str().to_owned()).collect(),
                    });
                }
                (None, stage) => {
                    let local = local_stage(stage, compiler, &mut compiled.fields);
                    compiled.local.extend(local);
                }
                (Some(columns), stage) => columns.take(stage, compiler),
            }
        }
        compiled
    }

    pub(super) fn columns(&self) -> Option<&[String]> {
        self.columns.as_ref().map(|columns| &*columns.names)
    }

    /// What becomes of an event; `None` if it is left out.
    pub(super) fn pass(&self, event: Event, source_name: &str) -> Option<LiveRow> {
        if self.local.is_empty() && self.columns.is_none() {
            return Some(LiveRow::Event(event));
        }
        let row = LooseRow {
            event: &event,
            source_name,
            fields: &self.fields,
        };
        let mut added = Vec::new();
        // What lies in memory can be read.
        let is_kept = pass(&self.local, &row, &mut added).unwrap_or(false);
        if !is_kept {
            return None;
        }
        let Some(columns) = &self.columns else {
            return Some(LiveRow::Event(extended(event, added)));
        };
        let row = Extended {
            base: &row,
            added: &added,
        };
        let cells = columns.fields.iter().map(|field| cell_of(&row, *field));
        let cells = cells.collect::<Result<Vec<Cell>, _>>().ok()?;
        Some(LiveRow::Columns(event.id, columns.pass(cells)?))
    }
}

impl Columns {
    fn take(&mut self, stage: &Stage, compiler: &Compiler) {
        match stage {
            Stage::Where(filter) => self.take_where(filter, compiler),
            Stage::Fields(kept) => {
                let place = |name: &str| self.names.iter().position(|column| column == name);
                let kept = kept.iter().map(|name| name.as_str());
                let places = kept.clone().map(place).collect();
                self.names = kept.map(str::to_owned).collect();
                self.on_cells.push(CellStage::Keep(places));
            }
            // Behind `fields`, the language has no other stage for rows one by one.
            _ => {}
        }
    }

    fn take_where(&mut self, filter: &Filter, compiler: &Compiler) {
        let mut reads = FieldSet::default();
        self.on_cells.push(CellStage::Where {
            filter: RowFilter::new(filter, compiler, &mut reads),
            reads,
            names: self.names.clone(),
        });
    }

    fn pass(&self, mut cells: Vec<Cell>) -> Option<Vec<Cell>> {
        for stage in &self.on_cells {
            match stage {
                CellStage::Where {
                    filter,
                    reads,
                    names,
                } => {
                    let fields = TableFields::new(names, reads);
                    if !filter.holds(&fields.row(0, &cells)).unwrap_or(false) {
                        return None;
                    }
                }
                CellStage::Keep(places) => {
                    let kept = places.iter();
                    let kept = kept.map(|place| place.and_then(|place| cells.get(place)).cloned());
                    cells = kept.map(|cell| cell.unwrap_or(Cell::Null)).collect();
                }
            }
        }
        Some(cells)
    }
}
