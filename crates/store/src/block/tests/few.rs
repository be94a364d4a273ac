//! The values of a few rows, which a column gives without unpacking all.

use super::*;

/// A few rows of a column have the values that all rows of it have.
pub(super) fn check_few(reader: &BlockReader<Bytes>, index: usize) {
    let all = reader.column(index).unwrap();
    let last = reader.rows() - 1;
    for rows in [vec![last, 0, last / 2], (0..=last).collect()] {
        let few = reader.column(index).unwrap().values_of(&rows).unwrap();
        for (row, value) in rows.iter().zip(few) {
            let scalar = all.scalar(*row).unwrap();
            assert_eq!(value, scalar.map(Scalar::to_value), "row {row}");
        }
    }
}
