//! Which rows of a block have a field, and how many have it before a given row.

/// The rows of a block that have a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    rows: usize,
    present: usize,
    /// Empty when every row is present.
    words: Vec<u64>,
    /// How many rows are present before each word.
    ranks: Vec<u32>,
}

impl Presence {
    /// Every one of `rows` rows is present.
    pub fn all(rows: usize) -> Presence {
        Presence {
            rows,
            present: rows,
            words: Vec::new(),
            ranks: Vec::new(),
        }
    }

    /// The given rows, in any order, of `rows` in all; rows past the end are left out.
    pub fn of_rows(rows: usize, present: impl IntoIterator<Item = usize>) -> Presence {
        let mut words = vec![0u64; rows.div_ceil(64)];
        for row in present {
            if row < rows
                && let Some(word) = words.get_mut(row / 64)
            {
                *word |= 1 << (row % 64);
            }
        }
        Presence::of_words(rows, words)
    }

    /// One bit per row, row 0 the lowest of the first word. Missing words are zero, surplus bits are dropped.
    pub fn of_words(rows: usize, mut words: Vec<u64>) -> Presence {
        words.resize(rows.div_ceil(64), 0);
        if let Some(last) = words.last_mut()
            && !rows.is_multiple_of(64)
        {
            *last &= (1 << (rows % 64)) - 1;
        }
        let mut present = 0u32;
        let ranks = words
            .iter()
            .map(|word| {
                let before = present;
                present += word.count_ones();
                before
            })
            .collect();
        if present as usize == rows {
            return Presence::all(rows);
        }
        Presence {
            rows,
            present: present as usize,
            words,
            ranks,
        }
    }

    /// How many rows the block has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many of them have the field.
    pub fn present(&self) -> usize {
        self.present
    }

    /// Whether every row has it.
    pub fn is_all(&self) -> bool {
        self.present == self.rows
    }

    /// Whether row `row` has it.
    pub fn contains(&self, row: usize) -> bool {
        self.rank(row).is_some()
    }

    /// The index of row `row` among the present ones, or `None` if it is absent or past the end.
    pub fn rank(&self, row: usize) -> Option<usize> {
        if self.is_all() {
            return (row < self.rows).then_some(row);
        }
        let word = *self.words.get(row / 64)?;
        let bit = 1u64 << (row % 64);
        if word & bit == 0 {
            return None;
        }
        let before = *self.ranks.get(row / 64)?;
        Some(before as usize + (word & (bit - 1)).count_ones() as usize)
    }

    /// The row of rank `rank`, or `None` past the last. Logarithmic in the number of rows.
    pub fn row(&self, rank: usize) -> Option<usize> {
        if rank >= self.present {
            return None;
        }
        if self.is_all() {
            return Some(rank);
        }
        let index = self
            .ranks
            .partition_point(|before| *before as usize <= rank)
            .checked_sub(1)?;
        let mut word = *self.words.get(index)?;
        for _ in *self.ranks.get(index)? as usize..rank {
            word &= word - 1;
        }
        Some(index * 64 + word.trailing_zeros() as usize)
    }

    /// The bits, row 0 the lowest of the first word; `None` when every row is present.
    pub fn words(&self) -> Option<&[u64]> {
        (!self.is_all()).then_some(&*self.words)
    }

    /// The present rows in order, each with its rank.
    pub fn iter(&self) -> PresentRows<'_> {
        PresentRows {
            presence: self,
            word: 0,
            next_word: 0,
            rank: 0,
        }
    }
}

impl<'a> IntoIterator for &'a Presence {
    type Item = (usize, usize);
    type IntoIter = PresentRows<'a>;

    fn into_iter(self) -> PresentRows<'a> {
        self.iter()
    }
}

/// Iterator over `(row, rank)`; from [`Presence::iter`].
#[derive(Clone, Debug)]
pub struct PresentRows<'a> {
    presence: &'a Presence,
    /// The bits of word `next_word - 1` still to come.
    word: u64,
    next_word: usize,
    rank: usize,
}

impl Iterator for PresentRows<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let rank = self.rank;
        if rank == self.presence.present {
            return None;
        }
        self.rank += 1;
        if self.presence.is_all() {
            return Some((rank, rank));
        }
        while self.word == 0 {
            self.word = *self.presence.words.get(self.next_word)?;
            self.next_word += 1;
        }
        let row = (self.next_word - 1) * 64 + self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some((row, rank))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.presence.present - self.rank;
        (left, Some(left))
    }
}

impl ExactSizeIterator for PresentRows<'_> {}
