//! How the service is: health for a probe, counters for Prometheus.

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
