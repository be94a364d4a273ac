//! How large an answer may be, and cutting one down to it, with a word on what was left out.

use serde_json::{Map, Value, json};

/// Tokens of an answer unless asked otherwise: a dozen calls fit in the context of any model.
pub(crate) const TOKENS_DEFAULT: usize = 4_000;
/// The least: below, not one event fits.
pub(crate) const TOKENS_MIN: usize = 500;
/// The most: beyond it no model reads with care, and an export is the way.
pub(crate) const TOKENS_MAX: usize = 50_000;

/// Tokenizers differ; of JSON with ids and times, four bytes to a token is what they have in common.
const BYTES_PER_TOKEN: usize = 4;
/// Kept free for the sentence beside the answer and for what is said of the cut.
const RESERVED_BYTES: usize = 1_200;
/// The share of an answer that one text may take, so that one stack trace does not push out all other events.
const TEXTS_PER_ANSWER: usize = 40;
/// A text is never cut below this.
const TEXT_CHARS_MIN: usize = 40;
/// Members of a list that is shortened no more.
const LIST_MIN: usize = 1;

/// What one answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    tokens: usize,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            tokens: TOKENS_DEFAULT,
        }
    }
}

impl Budget {
    /// That of so many tokens, within what may be asked for.
    pub(crate) fn of_tokens(tokens: usize) -> Budget {
        Budget {
            tokens: tokens.clamp(TOKENS_MIN, TOKENS_MAX),
        }
    }

    /// Bytes of JSON.
    pub(crate) fn bytes(self) -> usize {
        self.tokens * BYTES_PER_TOKEN - RESERVED_BYTES
    }

    /// Characters of one text in it.
    pub(crate) fn text_chars(self) -> usize {
        self.bytes() / TEXTS_PER_ANSWER
    }

    /// Cuts `answer` until it fits: long texts first, then the longest lists from their ends, then texts further, and last the members
    /// of records. What was left out of which list is said in `meta.shortened`.
    pub(crate) fn fit(self, answer: &mut Map<String, Value>, text_chars: usize) {
        let mut shortened = Map::new();
        let mut text_chars = text_chars;
        let mut members_min = MEMBERS_OF_RECORD;
        cut_texts(answer, text_chars);
        while length(answer) > self.bytes() {
            let over = length(answer) - self.bytes();
            if shorten_longest(answer, over, members_min, &mut shortened) {
                continue;
            }
            if text_chars > TEXT_CHARS_MIN {
                text_chars = (text_chars / 2).max(TEXT_CHARS_MIN);
                cut_texts(answer, text_chars);
            } else if members_min > MEMBERS_MIN {
                members_min = MEMBERS_MIN;
            } else {
                break;
            }
        }
        if let Some(Value::Object(meta)) = answer.get_mut("meta")
            && !shortened.is_empty()
        {
            meta.insert("shortened".to_owned(), Value::Object(shortened));
        }
    }
}

/// Cuts the texts of all members but `meta`, which is the server's own.
fn cut_texts(answer: &mut Map<String, Value>, chars: usize) {
    for (_, value) in answer.iter_mut().filter(|(name, _)| *name != "meta") {
        cut_text(value, chars);
    }
}

/// Cuts every text in `value` to `chars` characters and says how many there were; not those that would hardly be shorter for it.
pub(crate) fn cut_text(value: &mut Value, chars: usize) {
    match value {
        Value::String(text) => cut(text, chars),
        Value::Array(values) => values.iter_mut().for_each(|value| cut_text(value, chars)),
        Value::Object(members) => members
            .iter_mut()
            .for_each(|(_, value)| cut_text(value, chars)),
        _ => {}
    }
}

/// What stands where a text was cut.
const CUT: &str = "…[cut: ";
/// How it ends.
const CUT_END: &str = " characters]";
/// About what it takes.
const CUT_CHARS: usize = 35;

fn cut(text: &mut String, chars: usize) {
    let before = cut_before(text);
    let (left, all) = before.unwrap_or_else(|| (text.len(), text.chars().count()));
    if before.is_none() && all <= chars + CUT_CHARS {
        return;
    }
    let kept = text.get(..left).unwrap_or_default();
    if let Some((end, _)) = kept.char_indices().nth(chars) {
        text.truncate(end);
        text.push_str(&format!("{CUT}{chars} of {all}{CUT_END}"));
    }
}

/// Of a text that was cut before: how many bytes were left of it, and how many characters it had.
fn cut_before(text: &str) -> Option<(usize, usize)> {
    let (left, said) = text.strip_suffix(CUT_END)?.rsplit_once(CUT)?;
    let (_, all) = said.split_once(" of ")?;
    Some((left.len(), all.parse().ok()?))
}

pub(crate) fn length(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |bytes| bytes.len())
}

/// Takes from the end of the list, or the object of many members, that takes most space, at least what is over of it but for
/// its first; false if there is none to be shortened.
fn shorten_longest(
    answer: &mut Map<String, Value>,
    over: usize,
    members_min: usize,
    shortened: &mut Map<String, Value>,
) -> bool {
    let lists = answer.iter().filter(|(name, _)| *name != "meta");
    let longest = lists
        .filter_map(|(name, value)| longest_list(value, members_min, &[Step::Name(name.clone())]))
        .max_by_key(|(_, length)| *length);
    let Some((path, _)) = longest else {
        return false;
    };
    let Some(list) = at_path(answer, &path) else {
        return false;
    };
    let before = count(list);
    take_from_end(list, over, members_min);
    let after = count(list);
    let name = name_of(&path);
    let known = shortened.get(&name).and_then(|known| known["of"].as_u64());
    let of = known.unwrap_or(u64::try_from(before).unwrap_or(u64::MAX));
    shortened.insert(name, json!({ "shown": after, "of": of }));
    true
}

/// A step of the way to a list.
#[derive(Clone, Debug)]
enum Step {
    Name(String),
    Index(usize),
}

/// The way in words: `data.causes`, `data[3].values`.
fn name_of(path: &[Step]) -> String {
    let mut name = String::new();
    for step in path {
        match step {
            Step::Name(member) if name.is_empty() => name.push_str(member),
            Step::Name(member) => name.extend([".", member]),
            Step::Index(index) => name.push_str(&format!("[{index}]")),
        }
    }
    name
}

/// The way to the list in `value` that takes most space, and its length; one that is most of another is taken in its place.
fn longest_list(value: &Value, members_min: usize, path: &[Step]) -> Option<(Vec<Step>, usize)> {
    let within =
        |step: Step, value: &Value| longest_list(value, members_min, &[path, &[step]].concat());
    let inner = match value {
        Value::Array(values) => {
            let values = values.iter().enumerate();
            values
                .filter_map(|(index, value)| within(Step::Index(index), value))
                .max_by_key(|(_, length)| *length)
        }
        Value::Object(members) => members
            .iter()
            .filter_map(|(name, value)| within(Step::Name(name.clone()), value))
            .max_by_key(|(_, length)| *length),
        _ => None,
    };
    if !is_list(value, members_min) {
        return inner;
    }
    let own = length(value);
    match inner {
        Some((path, inner)) if inner * 2 >= own => Some((path, inner)),
        _ => Some((path.to_vec(), own)),
    }
}

fn at_path<'v>(answer: &'v mut Map<String, Value>, path: &[Step]) -> Option<&'v mut Value> {
    let (first, rest) = path.split_first()?;
    let Step::Name(first) = first else {
        return None;
    };
    let mut value = answer.get_mut(first)?;
    for step in rest {
        value = match step {
            Step::Name(name) => value.get_mut(name)?,
            Step::Index(index) => value.get_mut(*index)?,
        };
    }
    Some(value)
}

/// Objects of so many members are lists under names, such as events of a thousand fields.
const MEMBERS_OF_RECORD: usize = 60;
/// Members that are left of any object.
const MEMBERS_MIN: usize = 8;

fn is_list(value: &Value, members_min: usize) -> bool {
    match value {
        Value::Array(values) => values.len() > LIST_MIN,
        Value::Object(members) => members.len() > members_min,
        _ => false,
    }
}

fn count(list: &Value) -> usize {
    match list {
        Value::Array(values) => values.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    }
}

fn take_from_end(list: &mut Value, over: usize, members_min: usize) {
    let mut taken = 0;
    match list {
        Value::Array(values) => {
            while taken < over && values.len() > LIST_MIN {
                taken += values.pop().map_or(0, |value| length(&value) + 1);
            }
        }
        Value::Object(members) => {
            while taken < over && members.len() > members_min {
                let Some(last) = members.keys().next_back().cloned() else {
                    return;
                };
                taken += members.remove(&last).map_or(0, |value| length(&value)) + last.len() + 4;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            _ => panic!("an object"),
        }
    }

    #[test]
    fn what_fits_is_left_alone() {
        let answer = object(json!({"data": [{"message": "short"}], "meta": {"complete": true}}));
        let mut fitted = answer.clone();
        Budget::default().fit(&mut fitted, 100);
        assert_eq!(fitted, answer);
    }

    #[test]
    fn a_long_text_is_cut_and_says_of_how_many_characters() {
        let text = |chars: usize| format!("{}…[cut: {chars} of 100 characters]", "é".repeat(chars));
        let mut value = json!({"message": "é".repeat(100)});
        for (chars, left) in [(70, 100), (60, 60), (60, 60), (10, 10), (20, 10)] {
            cut_text(&mut value, chars);
            let expected = if left == 100 {
                "é".repeat(100)
            } else {
                text(left)
            };
            assert_eq!(value["message"], expected, "to {chars}");
        }
    }

    #[test]
    fn lists_are_shortened_from_their_ends_and_it_is_said() {
        let budget = Budget::of_tokens(TOKENS_MIN);
        let events: Vec<Value> = (0..100).map(|n| json!({ "n": n })).collect();
        let mut answer = object(json!({"data": events, "meta": {"complete": true}}));
        budget.fit(&mut answer, 100);
        let shown = answer["data"].as_array().map_or(0, Vec::len);
        assert!(length(&answer) <= budget.bytes() + RESERVED_BYTES);
        assert!((1..100).contains(&shown), "{shown}");
        assert_eq!(answer["data"][0]["n"], 0);
        let told = json!({"data": {"shown": shown, "of": 100}});
        assert_eq!(answer["meta"]["shortened"], told);
    }

    /// Whatever the shape, the answer fits: texts, lists in lists, an object of a thousand fields with dots in their names.
    #[test]
    fn any_shape_fits() {
        let fields: Map<String, Value> = (0..1000)
            .map(|n| (format!("a.b{n}.c"), json!("x".repeat(50))))
            .collect();
        let lists: Vec<Value> = (0..20).map(|n| json!({"list.d": vec![n; 500]})).collect();
        let shapes = [
            json!({"data": ["y".repeat(100_000)], "meta": {}}),
            json!({"data": [fields], "meta": {}}),
            json!({"data": {"causes": lists, "text": "z".repeat(9_000)}, "meta": {}}),
        ];
        let budget = Budget::of_tokens(1_000);
        for shape in shapes {
            let mut answer = object(shape);
            budget.fit(&mut answer, budget.text_chars());
            let length = length(&answer);
            assert!(length <= budget.bytes() + RESERVED_BYTES, "{length}");
        }
    }
}
