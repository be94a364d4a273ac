//! Steps over a value of any depth, in constant stack, to find what comes after an event that nests too deep.

use super::scanner::Syntax;
use super::value::Reader;

/// Which brackets are open, one bit each: a body of nothing but brackets must not cost many times its size.
#[derive(Debug, Default)]
struct Open {
    words: Vec<u64>,
    count: usize,
}

impl Open {
    fn push(&mut self, is_object: bool) {
        let bit = self.count % 64;
        if bit == 0 {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(is_object) << bit;
        }
        self.count += 1;
    }

    fn pop(&mut self) {
        let Some(last) = self.count.checked_sub(1) else {
            return;
        };
        self.count = last;
        if last % 64 == 0 {
            self.words.pop();
        } else if let Some(word) = self.words.last_mut() {
            *word &= !(1 << (last % 64));
        }
    }

    /// Whether the innermost bracket is an object's; `None` when all are closed.
    fn innermost(&self) -> Option<bool> {
        let last = self.count.checked_sub(1)?;
        let word = self.words.last()?;
        Some(word >> (last % 64) & 1 == 1)
    }
}

impl Reader<'_> {
    /// Steps over the value that begins here, as strict about its syntax as the reading of it is.
    pub(crate) fn skip_value(&mut self) -> Result<(), Syntax> {
        let mut open = Open::default();
        loop {
            if !self.skip_opening(&mut open)? {
                continue;
            }
            loop {
                let Some(is_object) = open.innermost() else {
                    return Ok(());
                };
                if !self.ends_with(if is_object { b'}' } else { b']' })? {
                    self.skip_key(is_object)?;
                    break;
                }
                open.pop();
            }
        }
    }

    /// Steps over a scalar or an empty container, or into one that is not empty; says whether a value ended.
    fn skip_opening(&mut self, open: &mut Open) -> Result<bool, Syntax> {
        let token = self.scanner.next_token();
        match token {
            Some(b'{' | b'[') => {
                let is_object = token == Some(b'{');
                self.scanner.advance();
                let end = if is_object { b'}' } else { b']' };
                if self.scanner.next_token() == Some(end) {
                    self.scanner.advance();
                    return Ok(true);
                }
                open.push(is_object);
                self.skip_key(is_object)?;
                return Ok(false);
            }
            Some(b'"') => {
                self.string()?;
            }
            Some(b'-' | b'0'..=b'9') => {
                self.scanner.number()?;
            }
            _ => {
                self.scanner.word()?;
            }
        }
        Ok(true)
    }

    fn skip_key(&mut self, is_object: bool) -> Result<(), Syntax> {
        if is_object {
            let key = self.key()?;
            key.text(&mut self.key_scratch)?;
        }
        Ok(())
    }
}
