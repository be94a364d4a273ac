//! Every dependency's licence is one we allow: the list in deny.toml, read as cargo-deny reads it.
//!
//! cargo-deny itself checks more (advisories, bans, sources) but takes minutes to install; this runs
//! always.

use anyhow::Context as _;
use cargo_metadata::Metadata;

pub(super) fn check(deny: &str, metadata: &Metadata) -> anyhow::Result<Vec<String>> {
    let deny: toml::Table = deny.parse().context("deny.toml is not TOML")?;
    let allowed: Vec<&str> = deny
        .get("licenses")
        .and_then(|licences| licences.get("allow")?.as_array())
        .context("deny.toml has no licenses.allow")?
        .iter()
        .filter_map(|licence| licence.as_str())
        .collect();
    Ok(metadata
        .packages
        .iter()
        .filter_map(|package| {
            let name = format!("{} {}", package.name, package.version);
            match package.license.as_deref() {
                None => Some(format!("{name} states no licence")),
                Some(expression) => (!is_allowed(expression, &allowed))
                    .then(|| format!("{name}: the licence `{expression}` is not allowed")),
            }
        })
        .collect())
}

/// Evaluates an SPDX expression (SPDX 2.3, annex D), with the old `/` for OR.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser {
        tokens: &tokens,
        allowed,
    };
    parser.any() == Some(true) && parser.tokens.is_empty()
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    allowed: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Option<bool> {
        let mut holds = self.all()?;
        while self.take("OR") {
            holds |= self.all()?;
        }
        Some(holds)
    }

    fn all(&mut self) -> Option<bool> {
        let mut holds = self.one()?;
        while self.take("AND") {
            holds &= self.one()?;
        }
        Some(holds)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let holds = self.any()?;
            return self.take(")").then_some(holds);
        }
        let licence = self.next()?;
        if self.take("WITH") {
            let exception = self.next()?;
            let whole = format!("{licence} WITH {exception}");
            return Some(self.allowed.contains(&whole.as_str()));
        }
        Some(self.allowed.contains(&licence))
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take(&mut self, token: &str) -> bool {
        let is_next = self.tokens.first() == Some(&token);
        if is_next {
            self.next();
        }
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn expressions_are_read_as_spdx() {
        let allowed = [
            "MIT",
            "Apache-2.0",
            "Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ];
        for (expression, expected) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("MIT AND (GPL-2.0 OR LGPL-2.1)", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH LLVM-exception", false),
            ("MIT OR", false),
            ("", false),
            ("(MIT", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }
}
