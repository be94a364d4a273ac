//! Mutations of corpus entries: small, stacked, the same for the same seed.

/// Inputs stay small: most faults show on little, and executions per second count.
const INPUT_BYTES_MAX: usize = 16 << 10;
/// Mutations stacked upon one entry, at most.
const STACKED_MAX: u64 = 6;
/// Bytes that mean something to a format: bounds of integers, brackets, MessagePack's wide types.
const NOTABLE: [u8; 24] = [
    0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, b'"', b'\\', b'{', b'}', b'[', b']', b':', b',', b'\n',
    b'/', b'*', b'(', 0xc1, 0xc6, 0xc9, 0xdb, 0xdd, 0xdf,
];

/// Makes inputs out of a corpus and a dictionary.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
    corpus: Vec<Vec<u8>>,
    dictionary: &'static [&'static str],
}

impl Mutator {
    /// A mutator over these entries; an empty corpus begins with the empty input.
    pub fn new(seed: u64, mut corpus: Vec<Vec<u8>>, dictionary: &'static [&'static str]) -> Self {
        if corpus.is_empty() {
            corpus.push(Vec::new());
        }
        Mutator {
            state: seed,
            corpus,
            dictionary,
        }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let chosen = self.below(self.corpus.len());
        let mut input = self.corpus[chosen].clone();
        for _ in 0..=self.random() % STACKED_MAX {
            self.mutate(&mut input);
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.random() % 10 {
            0 => self.change_bit(input),
            1 | 2 => self.change_byte(input),
            3 => input.insert(at, self.random().to_le_bytes()[0]),
            4 => {
                let notable = NOTABLE[self.below(NOTABLE.len())];
                input.insert(at, notable);
            }
            5 => self.remove_range(input),
            6 => self.repeat_range(input),
            7 => self.splice(input),
            8 => input.truncate(at),
            _ => self.insert_word(input, at),
        }
    }

    fn change_bit(&mut self, input: &mut [u8]) {
        if !input.is_empty() {
            let at = self.below(input.len());
            input[at] ^= 1 << (self.random() % 8);
        }
    }

    fn change_byte(&mut self, input: &mut [u8]) {
        if !input.is_empty() {
            let at = self.below(input.len());
            input[at] = NOTABLE[self.below(NOTABLE.len())];
        }
    }

    fn remove_range(&mut self, input: &mut Vec<u8>) {
        let (start, end) = self.range(input.len());
        input.drain(start..end);
    }

    /// A range again, up to 256 times: deep nesting and long runs.
    fn repeat_range(&mut self, input: &mut Vec<u8>) {
        let (start, end) = self.range(input.len());
        let piece = input[start..end.min(start + 64)].to_vec();
        let times = 1 << (self.random() % 9);
        let repeated = piece.repeat(times);
        input.splice(end..end, repeated);
    }

    /// The beginning of this entry and the end of another.
    fn splice(&mut self, input: &mut Vec<u8>) {
        let other = self.below(self.corpus.len());
        let from = self.below(self.corpus[other].len() + 1);
        let keep = self.below(input.len() + 1);
        input.truncate(keep);
        input.extend_from_slice(&self.corpus[other][from..]);
    }

    fn insert_word(&mut self, input: &mut Vec<u8>, at: usize) {
        if !self.dictionary.is_empty() {
            let word = self.dictionary[self.below(self.dictionary.len())];
            input.splice(at..at, word.bytes());
        }
    }

    fn range(&mut self, length: usize) -> (usize, usize) {
        let (a, b) = (self.below(length + 1), self.below(length + 1));
        (a.min(b), a.max(b))
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u64;
        usize::try_from(self.random() % bound).expect("it is below a usize")
    }

    /// splitmix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::{INPUT_BYTES_MAX, Mutator};

    fn inputs(seed: u64) -> Vec<Vec<u8>> {
        let corpus = vec![b"{\"a\":1}".to_vec(), vec![b'['; 20_000]];
        let mut mutator = Mutator::new(seed, corpus, &["null"]);
        (0..500).map(|_| mutator.next_input()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_inputs() {
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
    }

    #[test]
    fn inputs_differ_and_stay_small() {
        let mut inputs = inputs(1);
        assert!(inputs.iter().all(|input| input.len() <= INPUT_BYTES_MAX));
        inputs.sort_unstable();
        inputs.dedup();
        assert!(inputs.len() > 200, "{} different inputs", inputs.len());
    }

    #[test]
    fn an_empty_corpus_still_gives_inputs() {
        let mut mutator = Mutator::new(1, Vec::new(), &[]);
        assert!((0..100).any(|_| !mutator.next_input().is_empty()));
    }
}
