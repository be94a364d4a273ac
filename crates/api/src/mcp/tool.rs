//! What a tool is: how agents see it, who sees it, and what answers it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::response::Response;
use cordwood_service::{Access, Caller, Cancel, Error, SearchAnswer, SearchRequest, Service};
use rmcp::model::{Tool as Described, ToolAnnotations};
use serde_json::{Map, Value};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::links::Links;
use crate::mcp::answer::Answer;
use crate::mcp::budget::Budget;
use crate::mcp::schema;
use crate::parameters::Parameters;

/// An answer on its way. Dropped, it has the work under it cancelled.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// A tool.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What it answers, and when to ask it; every agent that connects reads this.
    pub(crate) description: &'static str,
    /// Who has less does not see it.
    pub(crate) access: Access,
    /// The schema of its arguments, with what this access allows.
    pub(crate) input: fn(Access) -> Value,
    /// The schema of its answer's `data`.
    pub(crate) output: fn() -> Value,
    pub(crate) answer: fn(Call) -> Answering,
}

impl Tool {
    /// As the protocol describes it to those with this access.
    pub(crate) fn described(&self, access: Access) -> Described {
        let input = schema::object((self.input)(access));
        let mut described = Described::new(self.name, self.description, Arc::new(input));
        described.title = Some(self.title.to_owned());
        described.output_schema = Some(Arc::new(schema::answer((self.output)())));
        let changes = access > Access::Read && schema::has_writing_action((self.input)(access));
        let is_read_only = self.access == Access::Read && !changes;
        described.annotations = Some(
            ToolAnnotations::with_title(self.title)
                .read_only(is_read_only)
                .destructive(false)
                .open_world(false),
        );
        described
    }
}

/// A call of a tool: who calls, with what, and what the answer may take.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) edge: Arc<Edge>,
    pub(crate) caller: Caller,
    pub(crate) links: Links,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) budget: Budget,
    /// Of the work under the call; its progress is told.
    pub(crate) cancel: Cancel,
}

impl Call {
    /// The arguments as the REST API takes parameters.
    pub(crate) fn parameters(&self) -> Result<Parameters, Failure> {
        Parameters::of_json(self.arguments.clone())
    }

    /// Takes an argument that is a text; an empty one is as good as none.
    pub(crate) fn take_text(&mut self, name: &str) -> Option<String> {
        match self.arguments.remove(name)? {
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The same of one that has to be there.
    pub(crate) fn require_text(&mut self, name: &str) -> Result<String, Failure> {
        self.take_text(name).ok_or_else(|| {
            Failure::parameter(name, format!("`{name}` is missing and has to be a text"))
        })
    }

    pub(crate) fn authenticated(&self) -> Authenticated {
        Authenticated(self.caller.clone())
    }

    /// Has events searched, in the lane of all searches.
    pub(crate) async fn search(&self, request: SearchRequest) -> Result<SearchAnswer, Failure> {
        self.search_until(request, self.cancel.clone()).await
    }

    /// The same when the search of the call is over, and its cancellation with it.
    pub(crate) async fn search_again(
        &self,
        request: SearchRequest,
    ) -> Result<SearchAnswer, Failure> {
        self.search_until(request, Cancel::default()).await
    }

    async fn search_until(
        &self,
        request: SearchRequest,
        cancel: Cancel,
    ) -> Result<SearchAnswer, Failure> {
        let caller = self.caller.clone();
        let service = self.edge.ready()?;
        let _gone = crate::rest::query::CancelOnDrop(cancel.clone());
        let found = self
            .edge
            .query
            .run(move || service.search(&caller, &request, &cancel));
        Ok(found.await??)
    }

    /// Has a use case done that takes no search, in the lane of those.
    pub(crate) async fn manage<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Service, &Caller) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let caller = self.caller.clone();
        let service = self.edge.ready()?;
        let done = self.edge.manage.run(move || act(&service, &caller));
        Ok(done.await??)
    }
}

/// The JSON of an answer that the REST API sends in pieces.
pub(crate) async fn body_of(response: Response) -> Result<Value, Failure> {
    /// A trace of a thousand events of a megabyte is more than anybody reads.
    const BODY_BYTES_MAX: usize = 64 << 20;
    let body = axum::body::to_bytes(response.into_body(), BODY_BYTES_MAX).await;
    let body = body
        .ok()
        .and_then(|body| serde_json::from_slice(&body).ok());
    body.ok_or_else(|| {
        let sentence = "The answer is too large; ask for fewer events.";
        Failure::new(
            axum::http::StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            sentence,
        )
    })
}
