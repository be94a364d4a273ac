//! Texts without their numbers: most texts that follow no template differ in these alone.

use super::{Marks, PLACEHOLDER};

/// Masks texts one after the other, and keeps its memory from text to text.
#[derive(Debug, Default)]
pub struct Shapes {
    marks: Marks,
}

impl Shapes {
    /// Appends a text with `0` in the place of each run that has a digit.
    pub fn push(&mut self, text: &str, shape: &mut String) {
        self.marks.mark(text);
        let mut at = 0;
        self.marks.each_number(|number| {
            shape.push_str(text.get(at..number.start).unwrap_or_default());
            shape.push_str(PLACEHOLDER);
            at = number.end;
        });
        shape.push_str(text.get(at..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::runs;
    use super::Shapes;

    /// Run by run.
    fn masked(text: &str) -> String {
        let (mut masked, mut at) = (String::new(), 0);
        for run in runs(text).filter(|run| run.has_digit) {
            masked += text.get(at..run.range.start).expect("runs are characters");
            masked += "0";
            at = run.range.end;
        }
        masked + text.get(at..).expect("runs are characters")
    }

    proptest! {
        #[test]
        fn numbers_are_masked_and_nothing_else(
            texts in proptest::collection::vec("([a-c]{0,9}|[0-9.:/-]{0,9}|[ =\n]{0,3}|\u{e9}|\u{2192}|.){0,16}", 1..4)
        ) {
            let mut shapes = Shapes::default();
            for text in &texts {
                let mut shape = String::new();
                shapes.push(text, &mut shape);
                prop_assert_eq!(shape, masked(text));
            }
        }
    }
}
