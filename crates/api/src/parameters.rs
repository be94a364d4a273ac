//! The parameters of a request as pairs of text, whether they came in the URL, as a form, or as JSON.

use axum::http::Uri;
use serde_json::Value;
use utoipa::IntoParams;

use crate::failure::Failure;

/// Names and values, in the order sent; a name may repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Those of a URL.
    pub(crate) fn of(uri: &Uri) -> Parameters {
        Parameters::of_form(uri.query().unwrap_or_default().as_bytes())
    }

    /// Those of a body of type `application/x-www-form-urlencoded`.
    pub(crate) fn of_form(form: &[u8]) -> Parameters {
        Parameters(form_urlencoded::parse(form).into_owned().collect())
    }

    /// The members of a JSON object: text, numbers and booleans as one pair, an array as one pair
    /// for each of its elements, null as none.
    pub(crate) fn of_json(object: serde_json::Map<String, Value>) -> Result<Parameters, Failure> {
        let mut pairs = Vec::new();
        for (name, value) in object {
            let values = match value {
                Value::Array(values) => values,
                value => vec![value],
            };
            for value in values {
                match value {
                    Value::Null => {}
                    Value::String(text) => pairs.push((name.clone(), text)),
                    Value::Bool(_) | Value::Number(_) => {
                        pairs.push((name.clone(), value.to_string()));
                    }
                    Value::Array(_) | Value::Object(_) => {
                        let sentence = format!("`{name}` has to be a text, a number or a boolean");
                        return Err(Failure::parameter(&name, sentence));
                    }
                }
            }
        }
        Ok(Parameters(pairs))
    }

    /// A URI that has these, for what reads them from one.
    pub(crate) fn as_uri(&self) -> Uri {
        let mut query_string = form_urlencoded::Serializer::new(String::new());
        query_string.extend_pairs(self.iter());
        let uri = format!("/?{}", query_string.finish()).parse();
        uri.expect("what is percent-encoded is a URI")
    }

    /// Those whose names are not such.
    pub(crate) fn without(&self, is_such: impl Fn(&str) -> bool) -> Parameters {
        let others = self.0.iter().filter(|(name, _)| !is_such(name));
        Parameters(others.cloned().collect())
    }

    /// The same with a name in the place of another.
    pub(crate) fn renamed(mut self, name: &str, to: &str) -> Parameters {
        for (known, _) in self.0.iter_mut().filter(|(known, _)| known == name) {
            *known = to.to_owned();
        }
        self
    }

    pub(crate) fn append(&mut self, other: Parameters) {
        self.0.extend(other.0);
    }

    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The value of `name`, read by `FromStr`; `expected` says what it should have been.
    pub(crate) fn parsed<T: std::str::FromStr>(
        &self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.first(name) else {
            return Ok(None);
        };
        let sentence = || format!("`{name}` is `{value}` and has to be {expected}");
        let parsed = value
            .parse()
            .map_err(|_| Failure::parameter(name, sentence()));
        parsed.map(Some)
    }

    /// Refuses a name that is not documented: a misspelt filter must not widen a search in silence.
    pub(crate) fn only<P: IntoParams>(&self) -> Result<(), Failure> {
        let known = P::into_params(|| None);
        let known: Vec<&str> = known.iter().map(|parameter| &*parameter.name).collect();
        match self.iter().find(|(name, _)| !known.contains(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let sentence = format!("There is no parameter `{name}` here.");
                let hint = format!("The parameters are {}.", known.join(", "));
                Err(Failure::parameter(name, sentence).hint(hint))
            }
        }
    }

    /// As a query string, with `name` set to `value`.
    pub(crate) fn query_string_with(&self, name: &str, value: &str) -> String {
        let mut query_string = form_urlencoded::Serializer::new(String::new());
        query_string.extend_pairs(self.iter().filter(|(other, _)| *other != name));
        query_string.append_pair(name, value);
        query_string.finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_members_become_pairs() {
        let cases = [
            (json!({"a": "x", "b": 1, "c": true}), Some("a=x&b=1&c=true")),
            (json!({"a": ["x", 2], "b": null}), Some("a=x&a=2")),
            (json!({"a": {"b": 1}}), None),
            (json!({"a": [[1]]}), None),
        ];
        for (body, expected) in cases {
            let Value::Object(object) = body.clone() else {
                panic!("an object");
            };
            let parameters = Parameters::of_json(object).ok();
            let form = expected.map(|form| Parameters::of_form(form.as_bytes()));
            assert_eq!(parameters, form, "{body}");
        }
    }

    #[test]
    fn a_query_string_keeps_everything_else() {
        let parameters = Parameters::of_form(b"query=a%20b%26c&cursor=old&source_id=1&source_id=2");
        let expected = "query=a+b%26c&source_id=1&source_id=2&cursor=new";
        assert_eq!(parameters.query_string_with("cursor", "new"), expected);
    }
}
