//! What was found out of texts that follow no template: most of them differ from others in numbers alone, and those are not
//! looked at again.

use cordwood_store::template::Shapes;
use rapidhash::RapidHashMap;

use super::FormNumber;
use super::form::{Form, first_line};

/// No more is kept once texts take so many bytes together: each thread that works on a question keeps as much.
const BYTES_MAX: usize = 8 << 20;

/// About what an entry takes beside its text.
const ENTRY_BYTES: usize = 48;

/// A longer text is seldom met twice.
const SHAPE_BYTES_MAX: usize = 1 << 10;

/// The forms of texts, as one thread has found them for one source. Texts that differ in runs with a digit alone are of one *shape*, and so of
/// one form: whatever has a digit is a place.
#[derive(Debug, Default)]
pub(super) struct TextMemo {
    /// By the text with `0` in the place of each run that has a digit.
    by_shape: RapidHashMap<Box<str>, FormNumber>,
    /// By the form that texts have of their own.
    by_own: RapidHashMap<Box<str>, FormNumber>,
    bytes: usize,
    shapes: Shapes,
    /// Those of the last text, kept for their memory.
    shape: String,
    own: String,
}

impl TextMemo {
    /// That of a text; `of_form` is asked of forms that were not met before.
    pub(super) fn of(
        &mut self,
        text: &str,
        of_form: impl FnOnce(&Form<'_>) -> FormNumber,
    ) -> FormNumber {
        self.shape.clear();
        self.shapes.push(first_line(text), &mut self.shape);
        if let Some(number) = self.by_shape.get(&*self.shape) {
            return *number;
        }
        let form = Form::of_text(text);
        self.own.clear();
        form.push_text(&mut self.own);
        let known = self.by_own.get(&*self.own).copied();
        let number = known.unwrap_or_else(|| of_form(&form));
        if known.is_none() && self.has_room_for(self.own.len()) {
            self.by_own.insert(self.own.as_str().into(), number);
        }
        if self.shape.len() <= SHAPE_BYTES_MAX && self.has_room_for(self.shape.len()) {
            self.by_shape.insert(self.shape.as_str().into(), number);
        }
        number
    }

    /// Whether one more text can be kept, which then is.
    fn has_room_for(&mut self, bytes: usize) -> bool {
        let bytes = self.bytes + bytes + ENTRY_BYTES;
        let has_room = bytes <= BYTES_MAX;
        if has_room {
            self.bytes = bytes;
        }
        has_room
    }
}
