//! Lists in one column: an entry a line.

/// Numbers as text, one a line.
pub(crate) fn lines_of(numbers: impl Iterator<Item = u64>) -> String {
    let lines: Vec<String> = numbers.map(|number| number.to_string()).collect();
    lines.join("\n")
}

/// The numbers in a text of [`lines_of`].
pub(crate) fn numbers_of(lines: &str) -> impl Iterator<Item = u64> {
    lines.lines().filter_map(|line| line.parse().ok())
}
