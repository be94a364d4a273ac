//! Why a statement gave no rows.

use std::ops::Range;

use datafusion::error::DataFusionError;

/// The statement cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no statement, or names what is not there.
    #[error("{}", .0.message)]
    Invalid(Problem),
    /// The statement would change something, or is more than one.
    #[error("{}", .0.message)]
    NotReadOnly(Problem),
    /// It needs more memory than one statement may take.
    #[error("the statement needs more memory than the {bytes_max} bytes it may take")]
    Memory {
        /// How much one statement may take.
        bytes_max: u64,
    },
    /// The deadline passed.
    #[error("the time for the statement ran out")]
    Deadline,
    /// The caller gave up.
    #[error("the statement was cancelled")]
    Cancelled,
    /// The engine cannot answer.
    #[error("the engine failed")]
    Engine(#[from] cordwood_engine::Error),
    /// Planning, running or writing failed in a way that is no fault of the statement.
    #[error("running the statement failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What is wrong with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A plain sentence.
    pub message: String,
    /// Where, in bytes of the text, if that is known.
    pub position: Option<Range<usize>>,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Problem {
        Problem {
            message: message.into(),
            position: None,
            hint: None,
        }
    }

    pub(crate) fn at(mut self, position: Option<Range<usize>>) -> Problem {
        self.position = position;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error::Invalid(Problem::new(message))
    }

    pub(crate) fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Internal(error.into())
    }
}

/// What cut a scan short; travels through DataFusion as an external error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    #[error("the deadline passed")]
    Deadline,
    #[error("cancelled")]
    Cancelled,
    #[error("no memory for the scan")]
    Memory,
}

impl Cut {
    /// The error of the whole statement.
    pub(crate) fn into_error(self, bytes_max: u64) -> Error {
        match self {
            Cut::Deadline => Error::Deadline,
            Cut::Cancelled => Error::Cancelled,
            Cut::Memory => Error::Memory { bytes_max },
        }
    }
}

impl From<Cut> for DataFusionError {
    fn from(cut: Cut) -> DataFusionError {
        DataFusionError::External(Box::new(cut))
    }
}

/// What DataFusion says of a statement, said by what the caller can do about it.
pub(crate) fn of_datafusion(error: DataFusionError, bytes_max: u64) -> Error {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => return Error::Memory { bytes_max },
        DataFusionError::External(source) => {
            if let Some(cut) = source.downcast_ref::<Cut>() {
                return cut.into_error(bytes_max);
            }
        }
        DataFusionError::Internal(_) | DataFusionError::IoError(_) => {
            return Error::internal(error);
        }
        _ => {}
    }
    Error::Invalid(problem_of(&error))
}

/// The first line of the message, without the names DataFusion has for its own parts, and the name it thinks was meant.
fn problem_of(error: &DataFusionError) -> Problem {
    let message = error.find_root().message().into_owned();
    let mut lines = message.lines();
    let line = lines.next().unwrap_or_default().trim_end_matches('.');
    let parts = ["Internal error: ", "Parser error: "];
    let line = parts
        .iter()
        .find_map(|part| line.strip_prefix(part))
        .unwrap_or(line);
    // What follows lists every type that the function knows.
    let problem = Problem::new(match line.split_once(" failed to match any signature") {
        Some((function, _)) => format!("{function} takes no values of this type"),
        None => line.to_owned(),
    });
    match lines.find_map(|line| line.strip_prefix("Did you mean ")) {
        Some(meant) => problem.hint(format!("did you mean {meant}")),
        None => problem,
    }
}
