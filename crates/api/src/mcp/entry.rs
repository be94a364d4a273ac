//! The entry of a call in the audit log. Its place is taken before the call does anything and kept until the entry is written, so
//! that nothing is done for an agent which the log does not have.

use std::sync::Arc;
use std::time::Instant;

use cordwood_service::{Caller, Service, ToolCall, ToolOutcome};
use serde_json::Value;

use crate::edge::Edge;
use crate::failure::{Failure, log_internal};
use crate::mcp::tool::Call;
use crate::offload::Place;

/// Characters of a tool's name that are kept: those there are fit, and whoever names others fills no log with them.
const NAME_CHARS_MAX: usize = 64;

/// An entry that will be written.
pub(crate) struct Entry {
    /// Gone when it is written.
    begun: Option<Begun>,
}

struct Begun {
    edge: Arc<Edge>,
    service: Arc<Service>,
    place: Place,
    caller: Caller,
    tool: String,
    arguments: String,
    started: Instant,
}

impl Entry {
    /// Takes a place in the log for a call that begins. Where calls have taken all of them, this one is refused.
    pub(crate) fn begin(call: &Call, tool: &str) -> Result<Entry, Failure> {
        let begun = Begun {
            service: call.edge.ready()?,
            place: call.edge.agents.place()?,
            edge: Arc::clone(&call.edge),
            caller: call.caller.clone(),
            tool: tool.chars().take(NAME_CHARS_MAX).collect(),
            arguments: Value::Object(call.arguments.clone()).to_string(),
            started: Instant::now(),
        };
        Ok(Entry { begun: Some(begun) })
    }

    /// Writes it, when its turn comes, and is done when it is written.
    pub(crate) async fn end(mut self, outcome: ToolOutcome, answer_bytes: u64) {
        if let Some(begun) = self.begun.take() {
            begun.write(outcome, answer_bytes).await;
        }
    }
}

impl Drop for Entry {
    /// A call that came to no end has an entry too. Only a defect leads here: calls are cancelled by being told to end.
    fn drop(&mut self) {
        let Some(begun) = self.begun.take() else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let outcome = ToolOutcome::Refused("internal".to_owned());
            runtime.spawn(begun.write(outcome, 0));
        }
    }
}

impl Begun {
    /// An answer is worth more than its entry: a log that cannot be written, as on a full disk, is an error of the server's own log,
    /// and counted.
    async fn write(self, outcome: ToolOutcome, answer_bytes: u64) {
        let call = ToolCall {
            tool: self.tool,
            arguments: self.arguments,
            outcome,
            answer_bytes,
            elapsed: self.started.elapsed(),
        };
        let (service, caller) = (self.service, self.caller);
        let written = self
            .place
            .run(move || service.record_tool_call(&caller, &call));
        let written = written.await;
        if let Ok(Err(error)) = &written {
            log_internal(error);
        }
        if !matches!(written, Ok(Ok(()))) {
            self.edge.counters.count_unwritten_call();
        }
    }
}

#[cfg(test)]
mod tests {
    use cordwood_service::{Cancel, Options};
    use serde_json::Map;

    use super::*;
    use crate::edge::EdgeOptions;
    use crate::links::Links;
    use crate::mcp::budget::Budget;

    /// A call that breaks off, as by a panic, leaves an entry as those do that end.
    #[tokio::test]
    async fn a_call_that_comes_to_no_end_is_written_down() {
        let dir = tempfile::TempDir::new().unwrap();
        let service = Arc::new(Service::open(Options::new(dir.path())).unwrap());
        let token = std::fs::read_to_string(&service.first_start().unwrap().cli_token_path);
        let caller = service.authenticate(token.unwrap().trim()).unwrap();
        let edge = Edge::new(&EdgeOptions::default());
        edge.open(Arc::clone(&service));
        let call = Call {
            edge: Arc::clone(&edge),
            caller: caller.clone(),
            links: Links::at("http://127.0.0.1:4747"),
            arguments: Map::new(),
            budget: Budget::default(),
            cancel: Cancel::default(),
        };
        drop(Entry::begin(&call, &"long name ".repeat(100)).unwrap());
        edge.agents.idle().await;
        let page = service.audit(&caller, None, None).unwrap();
        let outcomes = page.entries.iter().map(|entry| &entry.call.outcome);
        let internal = ToolOutcome::Refused("internal".to_owned());
        assert_eq!(outcomes.collect::<Vec<_>>(), [&internal]);
        assert_eq!(page.entries[0].call.tool.len(), NAME_CHARS_MAX);
        service.close().unwrap();
    }
}
