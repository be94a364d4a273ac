//! Rows of a window, written already but in no order yet.

use cordwood_engine::Order;
use cordwood_event::EventId;

/// Rows of one part as text, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The id of each.
    ids: Vec<EventId>,
    /// Where each ends in `text`.
    ends: Vec<usize>,
    pub(super) text: String,
}

impl Rows {
    /// With room for so many.
    pub(super) fn with_capacity(rows: usize) -> Rows {
        Rows {
            ids: Vec::with_capacity(rows),
            ends: Vec::with_capacity(rows),
            text: String::new(),
        }
    }

    /// A row ends here in `text`.
    pub(super) fn end_row(&mut self, id: EventId, end: usize) {
        self.ids.push(id);
        self.ends.push(end);
    }

    /// The memory they take.
    pub(super) fn bytes(&self) -> u64 {
        let places = self.ids.capacity() * (size_of::<EventId>() + size_of::<usize>());
        (self.text.capacity() + places) as u64
    }

    /// The text of a row.
    fn row(&self, row: usize) -> &str {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(row).copied().unwrap_or_default();
        let start = start.copied().unwrap_or_default();
        self.text.get(start..end).unwrap_or_default()
    }
}

/// Visits the rows of all parts in order; an error ends it.
pub(super) fn each_in_order<E>(
    parts: &[Rows],
    order: Order,
    visit: &mut dyn FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let places = places_in_order(parts.iter().map(|part| part.ids.as_slice()), order);
    places.into_iter().try_for_each(|(part, row)| {
        let part = parts.get(part);
        visit(part.map_or("", |part| part.row(row)))
    })
}

/// The part and the row in it of each id, in order. What comes in runs is merged, not sorted anew.
pub(super) fn places_in_order<'a>(
    parts: impl Iterator<Item = &'a [EventId]>,
    order: Order,
) -> Vec<(usize, usize)> {
    let ids = parts.enumerate().flat_map(|(part, ids)| {
        let ids = ids.iter().enumerate();
        ids.map(move |(row, id)| (*id, part, row))
    });
    let mut places: Vec<(EventId, usize, usize)> = ids.collect();
    match order {
        Order::OldestFirst => places.sort_by_key(|(id, ..)| *id),
        Order::NewestFirst => places.sort_by_key(|(id, ..)| std::cmp::Reverse(*id)),
    }
    let places = places.into_iter().map(|(_, part, row)| (part, row));
    places.collect()
}

#[cfg(test)]
mod tests {
    use cordwood_event::Timestamp;

    use super::*;

    fn check(parts: &[&[i64]], order: Order, expected: &str) {
        let parts: Vec<Rows> = parts.iter().map(|times| rows(times)).collect();
        let mut text = String::new();
        let appended = each_in_order(&parts, order, &mut |row| {
            text.push_str(row);
            Ok::<(), ()>(())
        });
        assert_eq!((appended, text.as_str()), (Ok(()), expected));
    }

    fn rows(times: &[i64]) -> Rows {
        let mut rows = Rows::default();
        for time in times {
            rows.text.push_str(&format!("{time} "));
            let id = EventId {
                timestamp: Timestamp::from_nanos(*time),
                sequence: 1,
            };
            rows.end_row(id, rows.text.len());
        }
        rows
    }

    #[test]
    fn rows_of_parts_are_put_in_order() {
        use Order::{NewestFirst, OldestFirst};
        check(&[], OldestFirst, "");
        check(&[&[5, 7], &[], &[1, 6]], OldestFirst, "1 5 6 7 ");
        check(&[&[5, 7], &[1, 6]], NewestFirst, "7 6 5 1 ");
        check(&[&[-2, -9]], OldestFirst, "-9 -2 ");
    }
}
