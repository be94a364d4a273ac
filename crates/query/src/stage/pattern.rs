//! The pattern of `parse`.

/// Literal text and captures by turns. [`CompiledPattern`](crate::CompiledPattern) says what it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsePattern {
    /// At least one of them is a capture; two captures never touch.
    pub parts: Vec<PatternPart>,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternPart {
    /// Text that must stand here, case and all.
    Literal(String),
    /// What stands up to where the next literal begins. Where none follows, all that the kind takes.
    Capture(Capture),
}

/// `<name>` or `<name:kind>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The field it becomes.
    pub name: String,
    /// What must stand there.
    pub kind: CaptureKind,
}

/// What a capture takes. Where it finds something else, the pattern does not occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaptureKind {
    /// Any text, as little as possible.
    #[default]
    Text,
    /// `number`: a number as JSON writes it, kept as one.
    Number,
    /// `word`: one or more characters without white space.
    Word,
}
