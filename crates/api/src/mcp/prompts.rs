//! The four workflows of the people who keep logs, as prompts: which tools to ask, in which order, and what to make of it.

use rmcp::model::{
    ErrorData, GetPromptResponse, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role,
};
use serde_json::{Map, Value};

/// A workflow.
struct Workflow {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Name, description, and whether it has to be given.
    arguments: &'static [(&'static str, &'static str, bool)],
    /// What to do; `{name}` stands for an argument.
    text: &'static str,
}

const WORKFLOWS: [Workflow; 4] = [
    Workflow {
        name: "incident_investigation",
        title: "Investigate an incident",
        description: "From an incident, or a time at which something was wrong, to its cause",
        arguments: &[
            (
                "service",
                "The service or system that is affected, if known",
                false,
            ),
            (
                "from",
                "When it began, ISO 8601 or relative as `now-1h`",
                false,
            ),
            ("to", "When it ended; now unless given", false),
            (
                "incident_id",
                "The id of an incident in Cordwood, if there is one",
                false,
            ),
        ],
        text: include_str!("prompts/incident_investigation.md"),
    },
    Workflow {
        name: "error_rate_monitoring",
        title: "Look at error rates",
        description: "Which services have more errors than usual, and which errors those are",
        arguments: &[("from", "From when; `now-1h` unless given", false)],
        text: include_str!("prompts/error_rate_monitoring.md"),
    },
    Workflow {
        name: "new_client_setup",
        title: "Set up logging for a new client",
        description: "Sources for a client's services, their tokens, a test, alerts and saved queries",
        arguments: &[
            ("client", "The name of the client", true),
            (
                "services",
                "Its services with their platforms: `API (node), web (docker)`",
                true,
            ),
        ],
        text: include_str!("prompts/new_client_setup.md"),
    },
    Workflow {
        name: "security_log_review",
        title: "Review security logs",
        description: "Failed authentication, unusual access, escalation of privileges and acts of admins, for a report",
        arguments: &[("from", "From when; `now-24h` unless given", false)],
        text: include_str!("prompts/security_log_review.md"),
    },
];

/// The prompts there are.
pub(crate) fn list() -> Vec<Prompt> {
    let described = WORKFLOWS.iter().map(|workflow| {
        let arguments = workflow
            .arguments
            .iter()
            .map(|(name, description, required)| {
                PromptArgument::new(*name)
                    .with_description(*description)
                    .with_required(*required)
            });
        let prompt = Prompt::new(
            workflow.name,
            Some(workflow.description),
            Some(arguments.collect()),
        );
        prompt.with_title(workflow.title)
    });
    described.collect()
}

/// The prompt of a name, with its arguments in place.
pub(crate) fn prompt(
    name: &str,
    given: &Map<String, Value>,
) -> Result<GetPromptResponse, ErrorData> {
    let Some(workflow) = WORKFLOWS.iter().find(|workflow| workflow.name == name) else {
        let names = WORKFLOWS.map(|workflow| workflow.name).join(", ");
        let sentence = format!("There is no prompt `{name}`; there are {names}.");
        return Err(ErrorData::invalid_params(sentence, None));
    };
    let mut text = workflow.text.to_owned();
    for (argument, _, required) in workflow.arguments {
        let value = given.get(*argument).and_then(Value::as_str).map(str::trim);
        let value = value.filter(|value| !value.is_empty());
        if *required && value.is_none() {
            let sentence = format!("The prompt `{name}` needs the argument `{argument}`.");
            return Err(ErrorData::invalid_params(sentence, None));
        }
        text = text.replace(&format!("{{{argument}}}"), value.unwrap_or("(not given)"));
    }
    let messages = vec![PromptMessage::new_text(Role::User, text)];
    Ok(GetPromptResult::new(messages)
        .with_description(workflow.description)
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::tools;

    /// A prompt that names a tool which is not there sends an agent astray.
    #[test]
    fn prompts_name_their_arguments_and_only_tools_that_there_are() {
        for workflow in &WORKFLOWS {
            for (argument, ..) in workflow.arguments {
                let placeholder = format!("{{{argument}}}");
                assert!(
                    workflow.text.contains(&placeholder),
                    "{}: {argument}",
                    workflow.name
                );
            }
            let words = workflow
                .text
                .split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
            let named =
                words.filter(|word| word.starts_with("logs_") || word.starts_with("betterstack_"));
            for name in named {
                assert!(tools::ALL.iter().any(|tool| tool.name == name), "{name}");
            }
        }
    }

    #[test]
    fn an_argument_that_is_needed_is_asked_for() {
        assert!(prompt("new_client_setup", &Map::new()).is_err());
        assert!(prompt("no_such", &Map::new()).is_err());
        assert!(prompt("security_log_review", &Map::new()).is_ok());
    }
}
