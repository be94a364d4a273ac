//! Reads the small pieces that times are made of.

use super::Clock;

/// A place in a text. Each read either takes what it names and moves on, or gives `None`; a reader that tries
/// another form starts again from a copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    start_bytes: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Cursor<'a> {
        Cursor {
            rest: text,
            start_bytes: text.len(),
        }
    }

    /// The bytes read so far.
    pub(crate) fn length(&self) -> usize {
        self.start_bytes - self.rest.len()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn eat(&mut self, byte: u8) -> Option<()> {
        self.one_of(&[byte]).map(|_| ())
    }

    /// One byte out of `choices`.
    pub(crate) fn one_of(&mut self, choices: &[u8]) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        if !choices.contains(&first) {
            return None;
        }
        self.rest = rest;
        Some(first)
    }

    /// All of `byte` that follow, perhaps none.
    pub(crate) fn skip(&mut self, byte: u8) {
        while let Some((&first, rest)) = self.rest.split_first()
            && first == byte
        {
            self.rest = rest;
        }
    }

    /// A number of exactly `count` digits.
    pub(crate) fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let mut number = 0_u32;
        for digit in digits {
            let digit = digit.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + u32::from(digit);
        }
        self.rest = rest;
        Some(number)
    }

    /// A number of one or two digits, as days of the month are written.
    pub(crate) fn one_or_two_digits(&mut self) -> Option<u32> {
        self.digits(2).or_else(|| self.digits(1))
    }

    /// The run of digits that follows; fails when there is none or more than 19.
    pub(crate) fn integer(&mut self) -> Option<(i64, usize)> {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
        self.rest = rest;
        Some((number, count))
    }

    /// Digits after a decimal sign, as nanoseconds; those beyond the ninth are read and dropped.
    pub(crate) fn fraction_digits(&mut self) -> Option<u32> {
        const NANOS_DIGITS: usize = 9;
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at_checked(count)?;
        if digits.is_empty() {
            return None;
        }
        self.rest = rest;
        let significant = digits.iter().chain(std::iter::repeat(&b'0'));
        let nanos = significant
            .take(NANOS_DIGITS)
            .fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
        Some(nanos)
    }

    /// `.` or `,` and digits, as nanoseconds; 0 when there is no fraction.
    pub(crate) fn fraction(&mut self) -> u32 {
        let mut attempt = *self;
        let Some(nanos) = attempt
            .one_of(b".,")
            .and_then(|_| attempt.fraction_digits())
        else {
            return 0;
        };
        *self = attempt;
        nanos
    }

    /// `hh:mm:ss` with an optional fraction.
    pub(crate) fn clock(&mut self) -> Option<Clock> {
        let hour = self.digits(2)?;
        self.eat(b':')?;
        let minute = self.digits(2)?;
        self.eat(b':')?;
        let second = self.digits(2)?;
        let nanos = self.fraction();
        Clock::new(hour, minute, second, nanos)
    }

    /// The English name of a month in three letters, from 1; any case.
    pub(crate) fn month_name(&mut self) -> Option<u32> {
        const MONTHS: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
        let (name, rest) = self.rest.split_at_checked(3)?;
        let index = MONTHS
            .chunks_exact(3)
            .position(|month| month.eq_ignore_ascii_case(name))?;
        self.rest = rest;
        u32::try_from(index + 1).ok()
    }

    /// The English name of a weekday in three letters; any case.
    pub(crate) fn weekday_name(&mut self) -> Option<()> {
        const WEEKDAYS: &[u8; 21] = b"montuewedthufrisatsun";
        let (name, rest) = self.rest.split_at_checked(3)?;
        WEEKDAYS
            .chunks_exact(3)
            .find(|weekday| weekday.eq_ignore_ascii_case(name))?;
        self.rest = rest;
        Some(())
    }

    /// `Z`, `UTC`, `GMT`, `+hh:mm`, `+hhmm` or `+hh`: the seconds ahead of UTC.
    pub(crate) fn offset(&mut self) -> Option<i64> {
        for name in [&b"UTC"[..], b"GMT", b"Z", b"z"] {
            if let Some(rest) = self.rest.strip_prefix(name) {
                self.rest = rest;
                return Some(0);
            }
        }
        let mut attempt = *self;
        let sign = attempt.one_of(b"+-")?;
        let hours = attempt.digits(2)?;
        let _ = attempt.eat(b':');
        let minutes = attempt.digits(2).unwrap_or(0);
        if hours > 23 || minutes > 59 {
            return None;
        }
        *self = attempt;
        let seconds = i64::from(hours) * 3_600 + i64::from(minutes) * 60;
        Some(if sign == b'-' { -seconds } else { seconds })
    }
}
