//! Windows over marks that are taken late, missed or lost.

use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

fn window(from: i64, to: i64) -> Window {
    Window {
        start: at(from),
        end: at(to),
    }
}

/// Marks at these seconds, each with its number of tens as its sequence number.
fn marked(seconds: &[i64]) -> Arrivals {
    let mut arrivals = Arrivals::default();
    for (second, sequence) in seconds.iter().zip(1..) {
        let mark = arrivals.next(at(*second), sequence * 10);
        arrivals.push(mark.expect("the next mark"));
    }
    arrivals
}

#[test]
fn a_window_is_what_came_between_its_marks() {
    let arrivals = marked(&[0, 10, 20, 30]);
    let arrived = |after, up_to| Some(Arrived { after, up_to });
    assert_eq!(arrivals.of(window(10, 30)), arrived(20, 40));
    assert_eq!(arrivals.of(window(0, 10)), arrived(10, 20));
    assert_eq!(arrivals.of(window(-10, 10)), None);
}

#[test]
fn marks_are_taken_every_ten_seconds_however_often_one_looks() {
    let mut arrivals = Arrivals::default();
    let mark = arrivals.next(at(12), 5).expect("the first mark");
    assert_eq!(mark.at, at(10));
    arrivals.push(mark);
    assert_eq!(arrivals.next(at(19), 9), None);
    assert_eq!(arrivals.next(at(20), 9).map(|mark| mark.at), Some(at(20)));
}

#[test]
fn what_came_before_the_server_went_down_came_then() {
    let mut arrivals = marked(&[0, 10, 20]);
    let closing = arrivals.closing(at(500), 37).expect("something came");
    assert_eq!((closing.at, closing.sequence), (at(30), 37));
    assert_eq!(arrivals.closing(at(500), 30), None, "nothing came");
    assert_eq!(arrivals.closing(at(29), 37), None, "the next mark is due");
    arrivals.push(closing);
    let arrived = |after, up_to| Some(Arrived { after, up_to });
    assert_eq!(arrivals.of(window(20, 30)), arrived(30, 37));
    assert_eq!(arrivals.of(window(490, 500)), arrived(37, 37));
    assert!(!arrivals.heard(window(20, 60)));
}

#[test]
fn who_was_away_has_not_heard() {
    let arrivals = marked(&[0, 10, 20, 90, 100, 110]);
    assert!(arrivals.heard(window(0, 20)));
    assert!(!arrivals.heard(window(10, 100)), "down in the middle");
    assert!(!arrivals.heard(window(60, 100)), "up in the middle");
    assert!(arrivals.heard(window(90, 110)));
    assert!(!arrivals.heard(window(-10, 10)), "before the first mark");
    assert!(!arrivals.heard(window(90, 200)), "after the last one");
}

#[test]
fn marks_of_a_store_that_was_put_back_are_left_out() {
    let kept = vec![
        Arrival {
            at: at(0),
            sequence: 5,
        },
        Arrival {
            at: at(10),
            sequence: 9,
        },
    ];
    let arrivals = Arrivals::recalled(kept, 7);
    assert_eq!(
        arrivals.of(window(0, 10)),
        Some(Arrived { after: 5, up_to: 5 })
    );
}

proptest! {
    /// Whatever marks were missed, windows one after the other hold each sequence number once.
    #[test]
    fn windows_share_nothing_and_miss_nothing(gaps in prop::collection::vec(1i64..5, 2..40)) {
        let mut arrivals = Arrivals::default();
        let mut second = 0;
        for (gap, sequence) in gaps.iter().zip(1u64..) {
            second += gap * 10;
            let mark = arrivals.next(at(second), sequence * 7);
            arrivals.push(mark.expect("the next mark"));
        }
        let first = arrivals.marks.front().expect("a mark").at.as_nanos() / 1_000_000_000;
        let mut reached = None;
        for from in (first..second).step_by(10) {
            let arrived = arrivals.of(window(from, from + 10)).expect("marks reach there");
            prop_assert!(reached.is_none_or(|reached| reached == arrived.after));
            prop_assert!(arrived.after <= arrived.up_to);
            reached = Some(arrived.up_to);
        }
        prop_assert_eq!(reached, arrivals.marks.back().map(|mark| mark.sequence));
    }
}
