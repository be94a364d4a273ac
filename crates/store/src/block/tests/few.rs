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
        assert_eq!(
            reader.values_of(index, &rows).unwrap(),
            reader.column(index).unwrap().values_of(&rows).unwrap(),
            "of {}",
            reader.directory().columns[index].path
        );
    }
}

/// A few rows have the ids that they were given.
pub(super) fn check_ids(rows: &[Row], reader: &BlockReader<Bytes>) {
    let last = rows.len() - 1;
    for few in [vec![last, 0, last / 2], (0..=last).rev().collect()] {
        let ids = reader.ids_of(&few).unwrap();
        for (row, id) in few.into_iter().zip(ids) {
            let known = (rows[row].nanos, rows[row].sequence);
            assert_eq!((id.timestamp.as_nanos(), id.sequence), known, "row {row}");
        }
    }
}
