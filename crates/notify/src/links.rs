//! Where a notice can be followed: made when it is sent, since one of the links is as good as a key.

use crate::Notice;

/// Absolute URLs that go with a notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// The URL of the server.
    pub server: String,
    /// A name of the server that stays when its URL changes: what providers group notices by begins with it.
    pub origin: String,
    /// The incident.
    pub incident: Option<String>,
    /// Where one click says that somebody looks at it.
    pub acknowledge: Option<String>,
}

impl Links {
    /// Where the events of a notice can be seen.
    pub(crate) fn events(&self, notice: &Notice) -> Option<String> {
        let link = notice.sample_link.as_ref()?;
        let url = match link.starts_with('/') {
            true => format!("{}{link}", self.server),
            false => link.clone(),
        };
        is_link(&url).then_some(url)
    }

    /// The name under which providers keep what belongs to one incident, or to one rule that fails.
    pub(crate) fn subject(&self, notice: &Notice) -> String {
        let origin = &self.origin;
        match (notice.incident, &notice.rule) {
            (Some(incident), _) => format!("{origin}-incident-{incident}"),
            (None, Some(rule)) => format!("{origin}-rule-{}-{rule}", notice.client),
            (None, None) => format!("{origin}-{}", notice.kind.name()),
        }
    }
}

/// Whether a text is a URL that can stand in a link of any format.
pub(crate) fn is_link(text: &str) -> bool {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    let ends_a_link = |character: char| {
        character.is_whitespace() || character.is_control() || "<>\"'`\\()[]{}|".contains(character)
    };
    is_web && !text.contains(ends_a_link)
}
