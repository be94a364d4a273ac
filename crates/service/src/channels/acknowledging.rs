//! The tokens of acknowledge links: the incident, until when the link is good, and a signature. Nothing has to be kept for them, and
//! nobody can make one.

use cordwood_event::Timestamp;

use super::outward::Key;

/// Bytes of incident and time.
const MESSAGE_BYTES: usize = 16;
/// Bytes of the signature: half of it, which nobody guesses within a week (RFC 2104, section 5).
const SIGNATURE_BYTES: usize = 16;
/// What is signed with the same key for another purpose begins otherwise.
const PURPOSE: &[u8] = b"acknowledge";

pub(super) fn token(key: &Key, incident: u64, good_until: Timestamp) -> String {
    let mut bytes = Vec::with_capacity(MESSAGE_BYTES + SIGNATURE_BYTES);
    bytes.extend(incident.to_be_bytes());
    bytes.extend(good_until.as_nanos().to_be_bytes());
    let signature = key.sign(&signed(&bytes));
    bytes.extend(signature.iter().take(SIGNATURE_BYTES));
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn incident(key: &Key, token: &str, now: Timestamp) -> Option<u64> {
    let bytes = unhex(token)?;
    let (message, signature) = bytes.split_at_checked(MESSAGE_BYTES)?;
    if signature.len() != SIGNATURE_BYTES || !key.verify(&signed(message), signature) {
        return None;
    }
    let (incident, good_until) = message.split_first_chunk::<8>()?;
    let good_until = i64::from_be_bytes(good_until.try_into().ok()?);
    (now.as_nanos() < good_until).then_some(u64::from_be_bytes(*incident))
}

fn signed(message: &[u8]) -> Vec<u8> {
    [PURPOSE, message].concat()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let is_whole = text.len() == 2 * (MESSAGE_BYTES + SIGNATURE_BYTES);
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = digits.filter(|_| is_whole)?;
    pairs
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair.first()? * 16 + pair.last()?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_are_good_and_only_for_a_while() {
        let key = Key::new([7; 32]);
        let at = Timestamp::from_nanos;
        let good = token(&key, 17, at(1000));
        assert_eq!(incident(&key, &good, at(999)), Some(17));
        assert_eq!(incident(&key, &good, at(1000)), None);
        assert_eq!(incident(&Key::new([8; 32]), &good, at(999)), None);
        for index in 0..good.len() {
            let mut other: Vec<char> = good.chars().collect();
            other[index] = if other[index] == '0' { '1' } else { '0' };
            let other: String = other.into_iter().collect();
            assert_eq!(incident(&key, &other, at(0)), None, "{index}");
        }
        for text in [
            "",
            "00",
            "zz",
            good.get(2..).unwrap(),
            &format!("{good}00"),
            &"é".repeat(32),
        ] {
            assert_eq!(incident(&key, text, at(0)), None, "{text}");
        }
    }
}
