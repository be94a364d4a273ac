//! JSON numbers: an integer of 64 bits, a float, or else the text as it was sent.

use cordwood_event::Scalar;

use super::scanner::{Scanner, Syntax};

/// Any integer of this many digits fits 64 bits.
const SAFE_DIGITS: usize = 18;

/// Any integer of this many digits is a float of 64 bits.
const EXACT_DIGITS: usize = 15;

/// By how many decimals.
const POWERS_OF_TEN: [f64; EXACT_DIGITS + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

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
            let exact = self.decimal(magnitude, digits)?;
            return Ok(match exact {
                Some(number) if is_negative => Scalar::Float(-number),
                Some(number) => Scalar::Float(number),
                None => float(self.slice(start..self.at())),
            });
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
        let magnitude = self.more_digits(0);
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

    /// The value of the digits of `magnitude` and of those that follow, if any.
    #[inline]
    fn more_digits(&mut self, magnitude: i64) -> i64 {
        let mut magnitude = magnitude;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            magnitude = magnitude
                .wrapping_mul(10)
                .wrapping_add(i64::from(digit - b'0'));
            self.advance();
        }
        magnitude
    }

    /// Reads the fraction and the exponent behind an integer part. Gives the number without its sign if it is the quotient of two
    /// integers that are floats exactly, as nearly all are: that is rounded once, as it should be (Clinger, "How to read
    /// floating point numbers accurately", PLDI 1990).
    #[inline]
    fn decimal(&mut self, integer: i64, integer_digits: usize) -> Result<Option<f64>, Syntax> {
        let mut magnitude = integer;
        let mut decimals = 0;
        if self.peek() == Some(b'.') {
            self.advance();
            let start = self.at();
            magnitude = self.more_digits(integer);
            decimals = self.at() - start;
            if decimals == 0 {
                return Err(self.problem("expected a digit"));
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.skip_exponent()?;
            return Ok(None);
        }
        let power = POWERS_OF_TEN.get(decimals);
        let power = power.filter(|_| integer_digits + decimals <= EXACT_DIGITS);
        #[expect(
            clippy::cast_precision_loss,
            reason = "an integer of so few digits is a float"
        )]
        Ok(power.map(|power| magnitude as f64 / power))
    }

    fn skip_exponent(&mut self) -> Result<(), Syntax> {
        self.advance();
        if let Some(b'+' | b'-') = self.peek() {
            self.advance();
        }
        self.skip_digits()
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
