//! `min` and `max`: of the numbers, or where there are none of the texts; of times.

use std::cmp::Ordering;

use cordwood_event::{Number, Timestamp};

use crate::Cell;
use crate::datum::Leaf;

/// The outermost values so far.
#[derive(Clone, Debug)]
pub(crate) struct Extreme {
    /// What a value must compare as to the one before to take its place.
    better: Ordering,
    number: Option<Number>,
    text: Option<Box<str>>,
    time: Option<Timestamp>,
}

impl Extreme {
    pub(crate) fn least() -> Extreme {
        Extreme::of(Ordering::Less)
    }

    pub(crate) fn greatest() -> Extreme {
        Extreme::of(Ordering::Greater)
    }

    fn of(better: Ordering) -> Extreme {
        Extreme {
            better,
            number: None,
            text: None,
            time: None,
        }
    }

    pub(crate) fn add(&mut self, leaf: Leaf<'_>) {
        match (leaf.as_number(), leaf) {
            (Some(number), _) => self.add_number(number),
            (None, Leaf::Time(time)) => self.add_time(time),
            (None, Leaf::Text(text)) => self.add_text(text),
            (None, Leaf::Bool(_) | Leaf::Number(_)) => {}
        }
    }

    pub(crate) fn add_number(&mut self, number: Number) {
        let before = self.number;
        if before.is_none_or(|before| number.compare(before) == self.better) {
            self.number = Some(number);
        }
    }

    fn add_time(&mut self, time: Timestamp) {
        let before = self.time;
        if before.is_none_or(|before| time.cmp(&before) == self.better) {
            self.time = Some(time);
        }
    }

    fn add_text(&mut self, text: &str) {
        let before = self.text.as_deref();
        if before.is_none_or(|before| text.cmp(before) == self.better) {
            self.text = Some(text.into());
        }
    }

    pub(crate) fn merge(&mut self, other: Extreme) {
        other
            .number
            .into_iter()
            .for_each(|number| self.add_number(number));
        other.time.into_iter().for_each(|time| self.add_time(time));
        other.text.iter().for_each(|text| self.add_text(text));
    }

    pub(crate) fn into_cell(self) -> Cell {
        match (self.number, self.time, self.text) {
            (Some(number), ..) => Cell::of_number(number),
            (None, Some(time), _) => Cell::Time(time),
            (None, None, Some(text)) => Cell::Str(text),
            (None, None, None) => Cell::Null,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.text.as_ref().map_or(0, |text| text.len() as u64)
    }
}
