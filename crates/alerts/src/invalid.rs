//! What is wrong with a rule or a silence, said to its author.

/// One mistake: which attribute it is in, and in a sentence what is wrong and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The attribute as JSON names it, `condition.recovery_value` for instance.
    pub attribute: String,
    /// What is wrong with it, and the next step.
    pub message: String,
}

/// The mistakes found so far: a check goes on after one, so that all are told at once.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<Invalid>);

impl Mistakes {
    pub(crate) fn add(&mut self, attribute: impl Into<String>, message: impl Into<String>) {
        self.0.push(Invalid {
            attribute: attribute.into(),
            message: message.into(),
        });
    }

    /// Notes a mistake unless `holds`.
    pub(crate) fn require(
        &mut self,
        holds: bool,
        attribute: &str,
        message: impl FnOnce() -> String,
    ) {
        if !holds {
            self.add(attribute, message());
        }
    }

    /// The value that was checked, if there was no mistake; it is there unless one was noted.
    pub(crate) fn unless_any<T>(self, checked: Option<T>) -> Result<T, Vec<Invalid>> {
        match checked {
            Some(checked) if self.0.is_empty() => Ok(checked),
            _ => Err(self.0),
        }
    }
}
