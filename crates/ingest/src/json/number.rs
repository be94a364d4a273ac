//! JSON numbers: an integer of 64 bits, a float, or else the text as it was sent.

use cordwood_event::Scalar;

use super::scanner::{Scanner, Syntax};

/// Any integer of this many digits fits 64 bits.
const SAFE_DIGITS: usize = 18;

impl<'a> Scanner<'a> {
    /// A number, from its first character, which was peeked at.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<Scalar<'a>, Syntax> {
        let start = self.at();
        let is_negative = self.peek() == Some(b'-');
        if is_negative {
            self.advance();
        }
        let (magnitude, digits) = self.integer_part()?;
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            self.skip_fraction()?;
            return Ok(float(self.slice(start..self.at())));
        }
        Ok(match (is_negative, magnitude) {
            (true, 0) => Scalar::Float(-0.0),
            (true, _) if digits <= SAFE_DIGITS => Scalar::Int(-magnitude),
            (false, _) if digits <= SAFE_DIGITS => Scalar::Int(magnitude),
            _ => long_integer(self.slice(start..self.at())),
        })
    }

    /// Digits without a leading zero: their value, which has no meaning beyond `SAFE_DIGITS`, and their count.
    #[inline]
    fn integer_part(&mut self) -> Result<(i64, usize), Syntax> {
        let start = self.at();
        let mut magnitude = 0_i64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            magnitude = magnitude
                .wrapping_mul(10)
                .wrapping_add(i64::from(digit - b'0'));
            self.advance();
        }
        let digits = self.at() - start;
        match digits {
            0 => Err(self.problem("expected a digit")),
            2.. if self.slice(start..start + 1) == "0" => {
                self.return_to(start);
                Err(self.problem("a number cannot begin with 0"))
            }
            _ => Ok((magnitude, digits)),
        }
    }

    fn skip_fraction(&mut self) -> Result<(), Syntax> {
        if self.peek() == Some(b'.') {
            self.advance();
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.advance();
            if let Some(b'+' | b'-') = self.peek() {
                self.advance();
            }
            self.skip_digits()?;
        }
        Ok(())
    }

    fn skip_digits(&mut self) -> Result<(), Syntax> {
        let start = self.at();
        while let Some(b'0'..=b'9') = self.peek() {
            self.advance();
        }
        if self.at() == start {
            return Err(self.problem("expected a digit"));
        }
        Ok(())
    }
}

fn float(text: &str) -> Scalar<'_> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Scalar::Float(number),
        _ => Scalar::Json(text),
    }
}

fn long_integer(text: &str) -> Scalar<'_> {
    match text.parse() {
        Ok(number) => Scalar::Int(number),
        Err(_) => Scalar::Json(text),
    }
}
