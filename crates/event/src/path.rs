//! Field paths: the keys from the root of an event to a leaf, joined by dots.
//!
//! A dot or backslash inside a key is escaped with a backslash, so `{"a":{"b":1}}` has the path
//! `a.b` and `{"a.b":1}` the path `a\.b`: both come back as they were sent. To a reader both are
//! named `a.b`, and a query for `a.b` means either.

use std::borrow::Cow;

/// Appends `key` to `path`, escaped, with a dot before it unless `path` is empty.
pub fn push_key(path: &mut String, key: &str, is_first: bool) {
    if !is_first {
        path.push('.');
    }
    for c in key.chars() {
        if matches!(c, '.' | '\\') {
            path.push('\\');
        }
        path.push(c);
    }
}

/// The keys of a path, unescaped, from the root.
pub fn keys(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let (key, tail) = split_first_key(rest?);
        rest = tail;
        Some(unescape(key))
    })
}

/// The name a reader knows the field by: the keys joined by dots, nothing escaped.
pub fn name(path: &str) -> Cow<'_, str> {
    unescape(path)
}

/// Splits at the first dot that is not escaped: the first key, still escaped, and what follows it.
pub fn split_first_key(path: &str) -> (&str, Option<&str>) {
    let mut is_escaped = false;
    for (index, byte) in path.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'.' => {
                let (head, tail) = path.split_at(index);
                return (head, tail.strip_prefix('.'));
            }
            _ => {}
        }
    }
    (path, None)
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut unescaped = String::with_capacity(text.len());
    let mut is_escaped = false;
    for c in text.chars() {
        if c == '\\' && !is_escaped {
            is_escaped = true;
            continue;
        }
        is_escaped = false;
        unescaped.push(c);
    }
    Cow::Owned(unescaped)
}
