//! The tokens of MessagePack. Lengths that the bytes claim are checked before anything is read by them.

use std::fmt;

use rmp::Marker;

/// What was wrong, and where in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    at: usize,
    problem: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.problem, self.at)
    }
}

/// A value, or the head of one that contains others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    /// Beyond the range of `Int`.
    LargeInt(u64),
    Float(f64),
    Str(&'a [u8]),
    Bin(&'a [u8]),
    Extension(i8, &'a [u8]),
    /// So many values follow.
    Array(u32),
    /// So many pairs of key and value follow.
    Map(u32),
}

/// A place in a body.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Scanner<'a> {
        Scanner { body, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes to a place that [`at`](Self::at) gave before.
    pub(crate) fn return_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.body.len()
    }

    /// The error that `problem` is here.
    pub(crate) fn damage(&self, problem: &'static str) -> Damage {
        let at = self.at;
        Damage { at, problem }
    }

    pub(crate) fn token(&mut self) -> Result<Token<'a>, Damage> {
        let [marker] = self.array()?;
        Ok(match Marker::from_u8(marker) {
            Marker::Null => Token::Nil,
            Marker::True => Token::Bool(true),
            Marker::False => Token::Bool(false),
            Marker::FixPos(number) => Token::Int(i64::from(number)),
            Marker::FixNeg(number) => Token::Int(i64::from(number)),
            Marker::U8 => Token::Int(i64::from(u8::from_be_bytes(self.array()?))),
            Marker::U16 => Token::Int(i64::from(u16::from_be_bytes(self.array()?))),
            Marker::U32 => Token::Int(i64::from(u32::from_be_bytes(self.array()?))),
            Marker::U64 => {
                let number = u64::from_be_bytes(self.array()?);
                i64::try_from(number).map_or(Token::LargeInt(number), Token::Int)
            }
            Marker::I8 => Token::Int(i64::from(i8::from_be_bytes(self.array()?))),
            Marker::I16 => Token::Int(i64::from(i16::from_be_bytes(self.array()?))),
            Marker::I32 => Token::Int(i64::from(i32::from_be_bytes(self.array()?))),
            Marker::I64 => Token::Int(i64::from_be_bytes(self.array()?)),
            Marker::F32 => Token::Float(f64::from(f32::from_be_bytes(self.array()?))),
            Marker::F64 => Token::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(length) => Token::Str(self.bytes(u32::from(length))?),
            Marker::Str8 => self.length_8().map(Token::Str)?,
            Marker::Str16 => self.length_16().map(Token::Str)?,
            Marker::Str32 => self.length_32().map(Token::Str)?,
            Marker::Bin8 => self.length_8().map(Token::Bin)?,
            Marker::Bin16 => self.length_16().map(Token::Bin)?,
            Marker::Bin32 => self.length_32().map(Token::Bin)?,
            Marker::FixArray(count) => Token::Array(u32::from(count)),
            Marker::Array16 => Token::Array(u32::from(u16::from_be_bytes(self.array()?))),
            Marker::Array32 => Token::Array(u32::from_be_bytes(self.array()?)),
            Marker::FixMap(count) => Token::Map(u32::from(count)),
            Marker::Map16 => Token::Map(u32::from(u16::from_be_bytes(self.array()?))),
            Marker::Map32 => Token::Map(u32::from_be_bytes(self.array()?)),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => {
                let length = u32::from(u8::from_be_bytes(self.array()?));
                self.extension(length)?
            }
            Marker::Ext16 => {
                let length = u32::from(u16::from_be_bytes(self.array()?));
                self.extension(length)?
            }
            Marker::Ext32 => {
                let length = u32::from_be_bytes(self.array()?);
                self.extension(length)?
            }
            Marker::Reserved => return Err(self.damage("the reserved byte 0xc1 stands before")),
        })
    }

    /// Steps over the value that begins here, however deep it nests.
    pub(crate) fn skip_value(&mut self) -> Result<(), Damage> {
        let mut missing = 1_u64;
        while missing > 0 {
            missing -= 1;
            match self.token()? {
                Token::Array(count) => missing += u64::from(count),
                Token::Map(count) => missing += 2 * u64::from(count),
                _ => {}
            }
        }
        Ok(())
    }

    fn length_8(&mut self) -> Result<&'a [u8], Damage> {
        let length = u8::from_be_bytes(self.array()?);
        self.bytes(u32::from(length))
    }

    fn length_16(&mut self) -> Result<&'a [u8], Damage> {
        let length = u16::from_be_bytes(self.array()?);
        self.bytes(u32::from(length))
    }

    fn length_32(&mut self) -> Result<&'a [u8], Damage> {
        let length = u32::from_be_bytes(self.array()?);
        self.bytes(length)
    }

    fn extension(&mut self, length: u32) -> Result<Token<'a>, Damage> {
        let kind = i8::from_be_bytes(self.array()?);
        Ok(Token::Extension(kind, self.bytes(length)?))
    }

    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Damage> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let array = rest.first_chunk().ok_or(self.damage(TOO_EARLY))?;
        self.at += LENGTH;
        Ok(*array)
    }

    fn bytes(&mut self, length: u32) -> Result<&'a [u8], Damage> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let bytes = rest.get(..length as usize).ok_or(self.damage(TOO_EARLY))?;
        self.at += bytes.len();
        Ok(bytes)
    }
}

const TOO_EARLY: &str = "it ends too early";
