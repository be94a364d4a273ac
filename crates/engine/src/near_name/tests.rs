//! Which names are near.

use super::near_names;

fn check(name: &str, known: &[&str], expected: &[&str]) {
    assert_eq!(
        near_names(name, known.iter().copied()),
        expected,
        "near {name}"
    );
}

#[test]
fn slips_of_the_finger() {
    check("sevice", &["service", "level", "message"], &["service"]);
    check("serivce", &["service"], &["service"]);
    check("sercices", &["service"], &["service"]);
    check("Service", &["service"], &["service"]);
    check("hostname", &["service", "host"], &[]);
    check(
        "usre_id",
        &["user_id", "users_id"],
        &["user_id", "users_id"],
    );
    check("straße", &["strasse", "strase"], &["strase", "strasse"]);
}

#[test]
fn a_short_name_is_not_near_every_other() {
    check("x", &["y", "ab", "X"], &["X"]);
    check("id", &["ab", "ip", "ids"], &["ids", "ip"]);
}

#[test]
fn the_nearest_three() {
    check(
        "abcd",
        &["abcdef", "abxd", "abcde", "abc", "abcd1", "abcd2"],
        &["abc", "abcd1", "abcd2"],
    );
}
