//! HyperLogLog: counts different values in little memory.
//!
//! Flajolet, Fusy, Gandouet and Meunier, 2007, with hashes of 64 bits and the estimator of Ertl, "New cardinality
//! estimation algorithms for HyperLogLog sketches", 2017, algorithm 6, which needs no correction for few values.

const PRECISION: u32 = 14;
const REGISTERS: usize = 1 << PRECISION;
/// The bits of a hash that are not the index of its register.
const TAIL_BITS: u32 = u64::BITS - PRECISION;

/// A sketch of a set.
#[derive(Clone, Debug)]
pub(crate) struct HyperLogLog {
    registers: [u8; REGISTERS],
}

impl Default for HyperLogLog {
    fn default() -> HyperLogLog {
        HyperLogLog {
            registers: [0; REGISTERS],
        }
    }
}

impl HyperLogLog {
    /// 1.04 / √registers.
    pub(crate) const STANDARD_ERROR: f64 = 1.04 / 128.0;

    pub(crate) fn add(&mut self, hash: u64) {
        let index = (hash >> TAIL_BITS) as usize;
        let tail = hash << PRECISION;
        let rank = tail.leading_zeros().min(TAIL_BITS) + 1;
        let register = &mut self.registers[index];
        *register = (*register).max(u8::try_from(rank).unwrap_or(u8::MAX));
    }

    pub(crate) fn merge(&mut self, other: &HyperLogLog) {
        for (own, other) in self.registers.iter_mut().zip(&other.registers) {
            *own = (*own).max(*other);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an estimate, rounded"
    )]
    pub(crate) fn count(&self) -> u64 {
        let mut with_rank = [0u32; TAIL_BITS as usize + 2];
        for register in &self.registers {
            with_rank[usize::from(*register)] += 1;
        }
        let registers = REGISTERS as f64;
        let full = f64::from(with_rank[TAIL_BITS as usize + 1]);
        let mut sum = registers * tau(1.0 - full / registers);
        for rank in (1..=TAIL_BITS as usize).rev() {
            sum = 0.5 * (sum + f64::from(with_rank[rank]));
        }
        sum += registers * sigma(f64::from(with_rank[0]) / registers);
        let alpha = 0.5 / std::f64::consts::LN_2;
        (alpha * registers * registers / sum).round() as u64
    }
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HyperLogLog;
    use crate::key::hash_of;

    #[test]
    fn estimates_lie_within_a_few_standard_errors() {
        for count in [0u64, 1, 10, 1_000, 50_000, 1_000_000] {
            let mut sketch = HyperLogLog::default();
            (0..count).for_each(|value| sketch.add(hash_of(&value)));
            let off = sketch.count().abs_diff(count) as f64;
            assert!(
                off <= 4.0 * HyperLogLog::STANDARD_ERROR * count as f64,
                "{count}: {}",
                sketch.count()
            );
        }
    }
}
