//! What rows are grouped by when they are grouped by pattern.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use cordwood_event::SourceId;
use cordwood_store::template::TemplateTable;

use super::PatternForms;
use super::form::{Form, PLACE};
use super::forms::Common;
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
    /// What is known of the templates of each table in each source. A table goes by its address: the snapshot keeps it.
    templates: Mutex<HashMap<(usize, SourceId), OfTable>>,
}

/// By template.
type OfTable = HashMap<u32, Arc<Common>>;

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
        let form = Form::of_text(text);
        let known = forms.known(&form);
        known.unwrap_or_else(|| self.admitted(form.text()))
    }

    /// The form, if there is room for it.
    fn admitted(&self, form: String) -> String {
        let hash = KeyRef::Text(&form).hash();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.contains(&hash) {
            return form;
        }
        if found.len() >= FORMS_MAX {
            self.is_full.store(true, Ordering::Relaxed);
            return OTHER.to_owned();
        }
        found.insert(hash);
        form
    }

    fn common(&self, table: usize, source: SourceId, template: u32) -> Option<Arc<Common>> {
        let templates = self.templates.lock();
        let templates = templates.unwrap_or_else(PoisonError::into_inner);
        templates
            .get(&(table, source))?
            .get(&template)
            .map(Arc::clone)
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
    /// The form of a text, or [`OTHER`].
    pub(crate) fn of_text(&self, text: &str) -> String {
        self.key.of_text(self.forms, text)
    }

    /// The same of any value but null.
    pub(crate) fn of_key(&self, key: KeyRef<'_>) -> Option<String> {
        self.key.of_key(Some(self.source), key)
    }

    /// The form of all texts of a template, or [`OTHER`]; `None` if they may be of several.
    pub(crate) fn of_template(&self, table: &Arc<TemplateTable>, template: u32) -> Option<String> {
        let address = Arc::as_ptr(table).addr();
        let known = self.key.common(address, self.source, template);
        let common = known.unwrap_or_else(|| {
            let found = table.get(template as usize);
            let common = Arc::new(found.map_or(Common::Open, |template| {
                self.forms.common(&Form::of_template(template.text()))
            }));
            let templates = self.key.templates.lock();
            let mut templates = templates.unwrap_or_else(PoisonError::into_inner);
            let of_table = templates.entry((address, self.source)).or_default();
            of_table.insert(template, Arc::clone(&common));
            common
        });
        match &*common {
            Common::Known(form) => Some(form.clone()),
            Common::New(form) => Some(self.key.admitted(form.clone())),
            Common::Open => None,
        }
    }
}
