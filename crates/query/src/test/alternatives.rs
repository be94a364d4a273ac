//! `field:(a OR b)` and `field:in(a, b)`: several alternatives of one field.

use super::Test;

impl Test {
    /// Any of `tests`, which must not be empty; alternatives among them are merged into one list.
    pub fn any_of(tests: Vec<Test>) -> Test {
        let mut flat = Vec::with_capacity(tests.len());
        for test in tests {
            match test {
                Test::AnyOf(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 {
            return flat.remove(0);
        }
        Test::AnyOf(flat)
    }

    /// The tests any of which suffices: the members of [`Test::AnyOf`], else the test itself.
    pub fn alternatives(&self) -> &[Test] {
        match self {
            Test::AnyOf(tests) => tests,
            single => std::slice::from_ref(single),
        }
    }
}
