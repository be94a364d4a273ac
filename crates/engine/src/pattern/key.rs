//! What rows are grouped by when they are grouped by pattern.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use cordwood_event::SourceId;
use cordwood_store::template::TemplateTable;

use super::form::{Form, PLACE};
use super::forms::Common;
use super::memo::TextMemo;
use super::numbers::FormNumbers;
use super::{FormNumber, OpenTemplate, PatternForms};
use crate::key::KeyRef;

/// The form of texts that are in none of their own, because there are too many. No text has it: two places have something between
/// them.
pub(crate) const OTHER: &str = "\0\0";

/// The forms known of each source.
pub(crate) type KnownPatterns = HashMap<SourceId, Arc<PatternForms>>;

/// The patterns of one question: which form each text is of.
#[derive(Debug, Default)]
pub(crate) struct PatternKey {
    known: OnceLock<KnownPatterns>,
    numbers: FormNumbers,
    /// What is known of the templates of each table in each source. A table goes by its address, which is no other's as long as
    /// this holds it.
    tables: Mutex<Tables>,
    /// What threads have found out of the texts of a source, as long as none is at work with it.
    memos: Mutex<HashMap<Option<SourceId>, Vec<TextMemo>>>,
}

/// By the address of the table and the source.
type Tables = HashMap<(usize, Option<SourceId>), Arc<OfTable>>;

/// What is known of the templates of a table, each found out when it is first asked for.
#[derive(Debug)]
struct OfTable {
    table: Arc<TemplateTable>,
    templates: Vec<OnceLock<Found>>,
}

/// What was found out of a template.
#[derive(Debug)]
enum Found {
    One(FormNumber),
    /// With the numbers of its candidates.
    Open(OpenTemplate, Vec<FormNumber>),
}

impl PatternKey {
    /// Says which forms are known, before the first question.
    pub(crate) fn know(&self, known: KnownPatterns) {
        // Whoever was first has said the same.
        let _ = self.known.set(known);
    }

    /// The patterns of the texts of a source.
    pub(crate) fn in_source(&self, source: Option<SourceId>) -> SourcePatterns<'_> {
        SourcePatterns {
            key: self,
            source,
            forms: self.forms_of(source),
        }
    }

    /// The forms known of a source.
    pub(crate) fn forms_of(&self, source: Option<SourceId>) -> &PatternForms {
        static NONE: LazyLock<PatternForms> = LazyLock::new(PatternForms::default);
        let of_source = source.zip(self.known.get());
        let of_source = of_source.and_then(|(source, known)| known.get(&source));
        of_source.map_or(&NONE, |forms| forms)
    }

    /// The forms met so far, by number.
    pub(crate) fn forms(&self) -> Vec<Arc<str>> {
        self.numbers.forms()
    }

    fn of_table(&self, table: &Arc<TemplateTable>, source: Option<SourceId>) -> Arc<OfTable> {
        let tables = self.tables.lock();
        let mut tables = tables.unwrap_or_else(PoisonError::into_inner);
        let of_table = tables.entry((Arc::as_ptr(table).addr(), source));
        let of_table = of_table.or_insert_with(|| {
            Arc::new(OfTable {
                table: Arc::clone(table),
                templates: (0..table.len()).map(|_| OnceLock::new()).collect(),
            })
        });
        Arc::clone(of_table)
    }

    fn memos(&self) -> MutexGuard<'_, HashMap<Option<SourceId>, Vec<TextMemo>>> {
        self.memos.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The patterns of one source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourcePatterns<'k> {
    key: &'k PatternKey,
    source: Option<SourceId>,
    forms: &'k PatternForms,
}

impl<'k> SourcePatterns<'k> {
    /// The form that the texts with a form of their own are of.
    fn of_form(&self, form: &Form<'_>) -> FormNumber {
        match self.forms.known(form) {
            Some(known) => self.key.numbers.of_known(&known),
            None => self.of_new(&form.text()),
        }
    }

    /// The number of a form that is not known.
    pub(crate) fn of_new(&self, form: &str) -> FormNumber {
        self.key.numbers.of_new(form)
    }

    /// The forms of texts, one after the other.
    pub(crate) fn texts(&self) -> TextForms<'k> {
        let memo = self.key.memos().get_mut(&self.source).and_then(Vec::pop);
        TextForms {
            patterns: *self,
            memo: memo.unwrap_or_default(),
        }
    }

    /// The patterns of texts that follow the templates of a table.
    pub(crate) fn of_table(&self, table: &Arc<TemplateTable>) -> TablePatterns<'k> {
        TablePatterns {
            patterns: *self,
            of_table: self.key.of_table(table, self.source),
        }
    }
}

/// The forms of texts of one source, on one thread.
#[derive(Debug)]
pub(crate) struct TextForms<'k> {
    patterns: SourcePatterns<'k>,
    memo: TextMemo,
}

impl TextForms<'_> {
    /// That of a text.
    pub(crate) fn of(&mut self, text: &str) -> FormNumber {
        let patterns = self.patterns;
        self.memo.of(text, |form| patterns.of_form(form))
    }

    /// That of any value but null: numbers vary by their nature.
    pub(crate) fn of_key(&mut self, key: KeyRef<'_>) -> Option<FormNumber> {
        Some(match key {
            KeyRef::Null => return None,
            KeyRef::Text(text) => self.of(text),
            KeyRef::Bool(boolean) => self.of(&boolean.to_string()),
            KeyRef::Int(_) | KeyRef::Float(_) | KeyRef::Time(_) => {
                self.patterns.of_new(PLACE.encode_utf8(&mut [0; 4]))
            }
        })
    }
}

impl Drop for TextForms<'_> {
    /// Leaves what it knows to the next.
    fn drop(&mut self) {
        let memo = std::mem::take(&mut self.memo);
        let mut memos = self.patterns.key.memos();
        memos.entry(self.patterns.source).or_default().push(memo);
    }
}

/// The patterns of texts that follow templates.
#[derive(Clone, Debug)]
pub(crate) struct TablePatterns<'k> {
    patterns: SourcePatterns<'k>,
    of_table: Arc<OfTable>,
}

/// Which patterns the texts of a template are of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OfTemplate<'t> {
    /// All are of the one with this form.
    One(FormNumber),
    /// That depends on what is in the slots; of the candidates, these are the numbers.
    Open(&'t OpenTemplate, &'t [FormNumber]),
}

impl TablePatterns<'_> {
    /// Of the texts of a template; `None` if the table does not have it.
    pub(crate) fn of(&self, template: u32) -> Option<OfTemplate<'_>> {
        let OfTable { table, templates } = &*self.of_table;
        let known = table.get(template as usize)?;
        let found = templates.get(template as usize)?;
        Some(match found.get_or_init(|| self.find(known.text())) {
            Found::One(number) => OfTemplate::One(*number),
            Found::Open(open, candidates) => OfTemplate::Open(open, candidates),
        })
    }

    fn find(&self, template: &str) -> Found {
        let numbers = &self.patterns.key.numbers;
        match self.patterns.forms.common(template) {
            Common::Known(form) => Found::One(numbers.of_known(&form)),
            Common::New(form) => Found::One(numbers.of_new(&form)),
            Common::Open(open) => {
                let candidates = open.candidates();
                let candidates = candidates.map(|known| numbers.of_known(known)).collect();
                Found::Open(open, candidates)
            }
        }
    }
}
