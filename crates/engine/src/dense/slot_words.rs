//! The words in those slots of a template that may hold some, read where the slots lie.

use cordwood_store::column::{SlotRun, SlotValues, TextSlots};
use rapidhash::RapidHashMap;

use crate::evaluate::Failure;
use crate::pattern::{OpenTemplate, Standing, word_of};

/// The words in the open slots of a template.
pub(super) struct SlotWords<'s> {
    slots: Vec<InSlot<'s>>,
}

/// What is in one slot, by the place of a text.
enum InSlot<'s> {
    /// No words at all.
    Numbers,
    Texts(SlotRun<'s>),
    /// Distinct values, and by place which of them.
    Dictionary(Vec<&'s str>, &'s [u16]),
}

/// What the words of texts mean to the known forms.
pub(super) struct Meanings {
    /// By place, which of the meanings.
    by_place: Vec<u32>,
    /// By meaning, what stands in each open slot.
    standing: Vec<Vec<Standing>>,
}

impl<'s> SlotWords<'s> {
    /// Of the template at an index of those that the block uses.
    pub(super) fn of(
        slots: &'s TextSlots,
        template: usize,
        open: &OpenTemplate,
    ) -> Result<SlotWords<'s>, Failure> {
        let in_slot = |slot| {
            if slots.are_numbers(template, slot)? {
                return Ok(InSlot::Numbers);
            }
            Ok(match slots.values(template, slot)? {
                SlotValues::Numbers => InSlot::Numbers,
                SlotValues::Texts(run) => InSlot::Texts(run),
                SlotValues::Dictionary(run, codes) => {
                    let values = (0..run.len()).map(|code| run.get(code).unwrap_or_default());
                    InSlot::Dictionary(values.collect(), codes)
                }
            })
        };
        let in_slots = open.slots().iter().map(|open| in_slot(open.slot));
        Ok(SlotWords {
            slots: in_slots.collect::<Result<_, Failure>>()?,
        })
    }

    /// The words at a place, `None` for what varies.
    pub(super) fn at(&self, place: usize) -> impl Iterator<Item = Option<&'s str>> {
        self.slots
            .iter()
            .map(move |slot| slot.value(place).and_then(word_of))
    }

    /// Appends the words at a place, each behind a line feed, which no slot holds; nothing for what varies.
    pub(super) fn push(&self, place: usize, out: &mut String) {
        for word in self.at(place) {
            out.push('\n');
            out.push_str(word.unwrap_or_default());
        }
    }

    /// What the words at each of so many places mean. Values of a dictionary are looked at once.
    pub(super) fn meanings(&self, open: &OpenTemplate, rows: usize) -> Meanings {
        let mut meanings = Meanings {
            by_place: vec![0; rows],
            standing: vec![Vec::new()],
        };
        for (slot, open) in self.slots.iter().zip(open.slots()) {
            match slot {
                InSlot::Numbers => meanings.all_have(Standing::Varying),
                InSlot::Texts(run) => meanings.split(|place| {
                    let value = run.get(place);
                    value.map_or(Standing::Varying, |value| open.standing(value))
                }),
                InSlot::Dictionary(values, codes) => {
                    let by_code: Vec<_> = values.iter().map(|value| open.standing(value)).collect();
                    meanings.split(|place| {
                        let code = codes.get(place).map(|code| usize::from(*code));
                        let standing = code.and_then(|code| by_code.get(code));
                        standing.copied().unwrap_or(Standing::Varying)
                    });
                }
            }
        }
        meanings
    }
}

impl<'s> InSlot<'s> {
    fn value(&self, place: usize) -> Option<&'s str> {
        match self {
            InSlot::Numbers => None,
            InSlot::Texts(run) => run.get(place),
            InSlot::Dictionary(values, codes) => {
                let code = usize::from(*codes.get(place)?);
                values.get(code).copied()
            }
        }
    }
}

impl Meanings {
    /// By place, which of the meanings.
    pub(super) fn by_place(&self) -> &[u32] {
        &self.by_place
    }

    /// By meaning, what stands in each open slot.
    pub(super) fn standing(&self) -> impl Iterator<Item = &[Standing]> {
        self.standing.iter().map(Vec::as_slice)
    }

    /// Adds a slot in which the same stands at all places.
    fn all_have(&mut self, standing: Standing) {
        self.standing
            .iter_mut()
            .for_each(|slots| slots.push(standing));
    }

    /// Adds a slot: places of one meaning stay so if the same stands there.
    fn split(&mut self, standing_at: impl Fn(usize) -> Standing) {
        let before = std::mem::take(&mut self.standing);
        let mut numbers: RapidHashMap<(u32, Standing), u32> = RapidHashMap::default();
        for (place, meaning) in self.by_place.iter_mut().enumerate() {
            let standing = standing_at(place);
            let number = numbers.entry((*meaning, standing)).or_insert_with(|| {
                let mut slots = before.get(*meaning as usize).cloned().unwrap_or_default();
                slots.push(standing);
                self.standing.push(slots);
                u32::try_from(self.standing.len() - 1).unwrap_or(u32::MAX)
            });
            *meaning = *number;
        }
    }
}
