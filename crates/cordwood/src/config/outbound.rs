//! What notices may be sent to, and where people reach this server.

use cordwood_service::Outbound;
use serde::Deserialize;

use crate::failure::Failure;

/// `[outbound]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutboundTable {
    #[serde(default)]
    allow: Vec<String>,
}

pub(super) fn checked(table: Option<OutboundTable>) -> Result<Outbound, Failure> {
    let allow = table.unwrap_or_default().allow;
    Outbound::parse(&allow).map_err(|wrong| {
        Failure::new(format!("`{wrong}` in `[outbound] allow` is no address, network or host"))
            .hint("Write addresses, networks and names, such as allow = [\"127.0.0.1\", \"10.0.0.0/8\", \"hooks.internal\"].")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_allowed() {
        let check = |text: &str| {
            let table: OutboundTable = toml::from_str(text).ok()?;
            checked(Some(table)).ok()
        };
        let good = [
            "",
            "allow = []",
            "allow = [\"127.0.0.1\", \"10.0.0.0/8\", \"hooks.internal\", \"fd00::/8\"]",
        ];
        for text in good {
            assert!(check(text).is_some(), "{text}");
        }
        for text in [
            "allow = \"127.0.0.1\"",
            "allow = [\"10.0.0.0/33\"]",
            "allow = [\"http://a\"]",
            "deny = []",
        ] {
            assert!(check(text).is_none(), "{text}");
        }
    }
}
