//! What rows are grouped by when they are grouped by pattern.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use cordwood_event::SourceId;
use cordwood_store::template::TemplateTable;

use super::form::{Form, PLACE};
use super::forms::Common;
use super::{OpenTemplate, PatternForms};
use crate::key::KeyRef;

/// More forms than these, of those that are not known, are not told apart by one question: texts that have so many have no
/// patterns. They take some megabytes.
pub(crate) const FORMS_MAX: usize = 20_000;

/// The form of texts that are in none of their own, because there are too many. No text has it: two places have something between
/// them.
pub(crate) const OTHER: &str = "\0\0";

/// The forms known of each source.
pub(crate) type KnownPatterns = HashMap<SourceId, Arc<PatternForms>>;

/// The patterns of one question: which form each text is of.
#[derive(Debug, Default)]
pub(crate) struct PatternKey {
    known: OnceLock<KnownPatterns>,
    /// Hashes of the forms found that were not known.
    found: Mutex<HashSet<u64>>,
    is_full: AtomicBool,
    /// What is known of the templates of each table in each source. A table goes by its address, which is no other's as long as
    /// this holds it.
    tables: Mutex<HashMap<(usize, SourceId), Arc<OfTable>>>,
}

/// What is known of the templates of a table, each found out when it is first asked for.
#[derive(Debug)]
struct OfTable {
    table: Arc<TemplateTable>,
    templates: Vec<OnceLock<Common>>,
}

impl PatternKey {
    /// Says which forms are known, before the first question.
    pub(crate) fn know(&self, known: KnownPatterns) {
        // Whoever was first has said the same.
        let _ = self.known.set(known);
    }

    /// The patterns of the texts of a source.
    pub(crate) fn in_source(&self, source: SourceId) -> SourcePatterns<'_> {
        SourcePatterns {
            key: self,
            source,
            forms: self.forms_of(Some(source)),
        }
    }

    /// The forms known of a source.
    pub(crate) fn forms_of(&self, source: Option<SourceId>) -> &PatternForms {
        static NONE: LazyLock<PatternForms> = LazyLock::new(PatternForms::default);
        let of_source = source.zip(self.known.get());
        let of_source = of_source.and_then(|(source, known)| known.get(&source));
        of_source.map_or(&NONE, |forms| forms)
    }

    /// The form of any value but null, or [`OTHER`]: numbers vary by their nature.
    pub(crate) fn of_key(&self, source: Option<SourceId>, key: KeyRef<'_>) -> Option<String> {
        let forms = self.forms_of(source);
        let text = match key {
            KeyRef::Null => return None,
            KeyRef::Text(text) => return Some(self.of_text(forms, text)),
            KeyRef::Bool(boolean) => return Some(self.of_text(forms, &boolean.to_string())),
            KeyRef::Int(_) | KeyRef::Float(_) | KeyRef::Time(_) => PLACE.to_string(),
        };
        Some(self.admitted(text))
    }

    fn of_text(&self, forms: &PatternForms, text: &str) -> String {
        self.of_form(forms, &Form::of_text(text))
    }

    fn of_form(&self, forms: &PatternForms, form: &Form<'_>) -> String {
        let known = forms.known(form);
        known.unwrap_or_else(|| self.admitted(form.text()))
    }

    /// The form, or [`OTHER`] if there is no room for it.
    fn admitted(&self, form: String) -> String {
        match self.admits(&form) {
            true => form,
            false => OTHER.to_owned(),
        }
    }

    fn admits(&self, form: &str) -> bool {
        let hash = KeyRef::Text(form).hash();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.contains(&hash) {
            return true;
        }
        if found.len() >= FORMS_MAX {
            self.is_full.store(true, Ordering::Relaxed);
            return false;
        }
        found.insert(hash)
    }

    fn of_table(&self, table: &Arc<TemplateTable>, source: SourceId) -> Arc<OfTable> {
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
}

/// The patterns of one source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourcePatterns<'k> {
    key: &'k PatternKey,
    source: SourceId,
    forms: &'k PatternForms,
}

impl SourcePatterns<'_> {
    /// The form of the texts that have a form, or [`OTHER`].
    pub(crate) fn of_form(&self, form: &Form<'_>) -> String {
        self.key.of_form(self.forms, form)
    }

    /// The same of any value but null.
    pub(crate) fn of_key(&self, key: KeyRef<'_>) -> Option<String> {
        self.key.of_key(Some(self.source), key)
    }

    /// The form, or [`OTHER`] if there is no room for it.
    pub(crate) fn admitted(&self, form: String) -> String {
        self.key.admitted(form)
    }
}

impl<'k> SourcePatterns<'k> {
    /// The patterns of texts that follow the templates of a table.
    pub(crate) fn of_table(&self, table: &Arc<TemplateTable>) -> TablePatterns<'k> {
        TablePatterns {
            patterns: *self,
            of_table: self.key.of_table(table, self.source),
        }
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
    /// All are of the one with this form, or [`OTHER`].
    One(&'t str),
    /// That depends on what is in the slots.
    Open(&'t OpenTemplate),
}

impl TablePatterns<'_> {
    /// Of the texts of a template; `None` if the table does not have it.
    pub(crate) fn of(&self, template: u32) -> Option<OfTemplate<'_>> {
        let OfTable { table, templates } = &*self.of_table;
        let known = table.get(template as usize)?;
        let common = templates.get(template as usize)?;
        let common = common.get_or_init(|| self.patterns.forms.common(known.text()));
        Some(match common {
            Common::Known(form) => OfTemplate::One(form),
            Common::New(form) if self.patterns.key.admits(form) => OfTemplate::One(form),
            Common::New(_) => OfTemplate::One(OTHER),
            Common::Open(open) => OfTemplate::Open(open),
        })
    }
}
