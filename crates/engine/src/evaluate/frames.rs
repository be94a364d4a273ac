//! Which frames of slots hold a part of a literal at all.
//!
//! A frame holds the slots of many templates, and most frames hold no rare word in any: its text is looked through once, and
//! then no slot in it is looked at.

use std::cell::RefCell;

use cordwood_store::column::SlotFrame;

use crate::evaluate::templates::LiteralPart;

/// The frames of one column that were looked through.
#[derive(Debug, Default)]
pub(crate) struct PartsInFrames {
    /// By index of the part and of the frame; `None` of those that nobody has asked for.
    found: RefCell<Vec<Vec<Option<bool>>>>,
}

impl PartsInFrames {
    /// Whether a frame holds a part, which comes with its index among the parts of the test.
    pub(crate) fn holds(&self, (index, part): (usize, &LiteralPart), frame: SlotFrame<'_>) -> bool {
        let mut found = self.found.borrow_mut();
        if found.len() <= index {
            found.resize(index + 1, Vec::new());
        }
        let of_part = &mut found[index];
        if of_part.len() <= frame.index {
            of_part.resize(frame.index + 1, None);
        }
        *of_part[frame.index].get_or_insert_with(|| part.is_in_any(frame.text))
    }
}
