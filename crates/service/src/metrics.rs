//! How the service is: health for a probe, counters for Prometheus.

use crate::Service;

/// Whether the service takes and answers requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Searches are answered.
    pub can_read: bool,
    /// Events are taken.
    pub can_write: bool,
    /// What is wrong, if anything.
    pub problems: Vec<String>,
}

impl Service {
    /// How the service is.
    pub fn health(&self) -> Health {
        Health {
            can_read: true,
            can_write: true,
            problems: Vec::new(),
        }
    }

    /// All counters, in the text format of Prometheus.
    pub fn metrics_text(&self) -> String {
        String::new()
    }
}
