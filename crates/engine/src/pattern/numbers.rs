//! The forms that one question meets, by number: rows are grouped by numbers, which take a fraction of the time that texts do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rapidhash::RapidHashMap;

use super::key::OTHER;

/// More forms than these, of those that are not known, are not told apart by one question: texts that have so many have no
/// patterns.
const FORMS_MAX: usize = 20_000;

/// Nor are more when they take more bytes together: a form can have some thousands.
const FORM_BYTES_MAX: usize = 32 << 20;

/// A form, for the time of one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FormNumber(u32);

impl FormNumber {
    /// That of [`OTHER`].
    pub(crate) const OTHER: FormNumber = FormNumber(0);

    /// Counts from 0, without a gap.
    pub(crate) fn get(self) -> u32 {
        self.0
    }
}

/// The forms met so far, shared by the threads.
#[derive(Debug)]
pub(super) struct FormNumbers {
    met: Mutex<Met>,
}

#[derive(Debug)]
struct Met {
    /// By number.
    forms: Vec<Arc<str>>,
    numbers: RapidHashMap<Arc<str>, FormNumber>,
    /// Of those that are not known, how many there are, and their bytes.
    new: usize,
    new_bytes: usize,
}

impl Default for FormNumbers {
    fn default() -> FormNumbers {
        let other: Arc<str> = OTHER.into();
        let met = Met {
            numbers: RapidHashMap::from_iter([(Arc::clone(&other), FormNumber::OTHER)]),
            forms: vec![other],
            new: 0,
            new_bytes: 0,
        };
        FormNumbers {
            met: Mutex::new(met),
        }
    }
}

impl FormNumbers {
    /// That of a form that is known.
    pub(super) fn of_known(&self, form: &str) -> FormNumber {
        let mut met = self.met();
        let number = met.numbers.get(form).copied();
        number.unwrap_or_else(|| met.push(form))
    }

    /// That of a form that is not; [`FormNumber::OTHER`] if there is no room for it.
    pub(super) fn of_new(&self, form: &str) -> FormNumber {
        let mut met = self.met();
        if let Some(number) = met.numbers.get(form) {
            return *number;
        }
        let bytes = met.new_bytes + form.len();
        if met.new >= FORMS_MAX || bytes > FORM_BYTES_MAX {
            return FormNumber::OTHER;
        }
        met.new += 1;
        met.new_bytes = bytes;
        met.push(form)
    }

    /// All of them, by number.
    pub(super) fn forms(&self) -> Vec<Arc<str>> {
        self.met().forms.clone()
    }

    /// Whoever panicked has left nothing half done that matters: a form without a number gets one.
    fn met(&self) -> MutexGuard<'_, Met> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Met {
    fn push(&mut self, form: &str) -> FormNumber {
        // Those that are known and FORMS_MAX more are far fewer.
        let number = FormNumber(u32::try_from(self.forms.len()).unwrap_or(0));
        let form: Arc<str> = form.into();
        self.forms.push(Arc::clone(&form));
        self.numbers.insert(form, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::{FORM_BYTES_MAX, FORMS_MAX, FormNumber, FormNumbers};

    #[test]
    fn a_form_has_one_number_whoever_asks() {
        let numbers = FormNumbers::default();
        let new = numbers.of_new("user \0 logged in");
        assert_eq!(numbers.of_known("user \0 logged in"), new);
        let known = numbers.of_known("mail sent");
        assert_eq!(numbers.of_new("mail sent"), known);
        let forms = numbers.forms();
        let form = |number: FormNumber| forms.get(number.get() as usize).map(|form| &**form);
        assert_eq!(form(new), Some("user \0 logged in"));
        assert_eq!(form(known), Some("mail sent"));
        assert_eq!(form(FormNumber::OTHER), Some(super::OTHER));
    }

    #[test]
    fn there_is_room_for_so_many_new_forms() {
        let numbers = FormNumbers::default();
        let met: Vec<FormNumber> = (0..FORMS_MAX)
            .map(|number| numbers.of_new(&number.to_string()))
            .collect();
        assert!(!met.contains(&FormNumber::OTHER));
        assert_eq!(numbers.of_new("one more"), FormNumber::OTHER);
        assert_eq!(Some(&numbers.of_new("0")), met.first());
        assert_ne!(numbers.of_known("one that is known"), FormNumber::OTHER);
    }

    #[test]
    fn there_is_room_for_so_many_bytes_of_them() {
        let numbers = FormNumbers::default();
        let half = |letter: &str| letter.repeat(FORM_BYTES_MAX / 2);
        assert_ne!(numbers.of_new(&half("a")), FormNumber::OTHER);
        assert_ne!(numbers.of_new(&half("b")), FormNumber::OTHER);
        assert_eq!(numbers.of_new("c"), FormNumber::OTHER);
    }
}
