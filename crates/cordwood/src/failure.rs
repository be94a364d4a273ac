//! What went wrong, for the person at the terminal: a sentence, perhaps a detail, and the next step.

use std::fmt;

use serde_json::{Value, json};

/// Ends a verb. Shown once, by `main`.
#[derive(Debug)]
pub(crate) struct Failure {
    sentence: String,
    /// Lines below the sentence, such as the query with a mark under the mistake.
    detail: Option<String>,
    hint: Option<String>,
    /// What `--json` prints: the server's own answer, if it was the server that failed.
    body: Option<Value>,
    /// What the process ends with.
    exit_code: u8,
}

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Failure {
        Failure {
            sentence: sentence.into(),
            detail: None,
            hint: None,
            body: None,
            exit_code: 1,
        }
    }

    pub(crate) fn detail(self, detail: impl Into<String>) -> Failure {
        Failure {
            detail: Some(detail.into()),
            ..self
        }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Failure {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    pub(crate) fn body(self, body: Value) -> Failure {
        Failure {
            body: Some(body),
            ..self
        }
    }

    /// For verbs that promise more codes than failure.
    pub(crate) fn exit_code(self, exit_code: u8) -> Failure {
        Failure { exit_code, ..self }
    }

    pub(crate) fn code_of_exit(&self) -> u8 {
        self.exit_code
    }

    /// The stable code of the server's answer.
    pub(crate) fn code(&self) -> Option<&str> {
        self.body.as_ref()?["code"].as_str()
    }

    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn to_json(&self) -> Value {
        self.body.clone().unwrap_or_else(|| {
            json!({
                "errors": self.sentence,
                "code": "failed",
                "detail": self.detail,
                "hint": self.hint,
            })
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        if let Some(detail) = &self.detail {
            for line in detail.lines() {
                write!(f, "\n  {line}")?;
            }
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{hint}")?;
        }
        Ok(())
    }
}

/// `cannot <what>: <the reason the system gave>`.
pub(crate) fn cannot(what: impl fmt::Display, reason: &dyn std::error::Error) -> Failure {
    Failure::new(format!("Cannot {what}: {reason}"))
}
