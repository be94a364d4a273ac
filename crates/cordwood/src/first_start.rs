//! What the first start says: the token of the first source, and how to send and find an event.

use std::path::Path;

use cordwood_service::FirstStart;

use crate::terminal::{Colour, Ink};

/// The text, for the terminal. The source token is in it and nowhere else.
pub(crate) fn greeting(first: &FirstStart, url: &str, data_dir: &Path, colour: Colour) -> String {
    let token = first.source_token.reveal();
    let name = &first.source.name;
    let bold = |text: &str| colour.painted(Ink::Bold, text);
    let data_dir_option = match data_dir.to_str() {
        Some("./cordwood-data") | None => String::new(),
        Some(path) => format!(" --data-dir {}", shell_word(path)),
    };
    let cli_token = first.cli_token_path.display().to_string();
    let cli_token = shell_word(&cli_token);
    format!(
        "Cordwood is ready. Its first source is `{name}`, with this token, shown only now:\n\
         \n\
         \x20   {}\n\
         \n\
         Send a first event:\n\
         \n\
         \x20   curl -X POST {url}/ \\\n\
         \x20     -H 'Authorization: Bearer {token}' \\\n\
         \x20     -H 'Content-Type: application/json' \\\n\
         \x20     -d '{{\"level\": \"info\", \"message\": \"Hello, Cordwood\"}}'\n\
         \n\
         Find it, with the command line or with curl:\n\
         \n\
         \x20   cordwood query hello{data_dir_option}\n\
         \x20   curl -H \"Authorization: Bearer $(cat {cli_token})\" '{url}/api/v1/query?query=hello'\n\
         \n",
        bold(token),
    )
}

/// The text as one word of a POSIX shell.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_words() {
        let cases = [
            ("./cordwood-data/cli-token", "./cordwood-data/cli-token"),
            ("my logs", "'my logs'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
        ];
        for (text, expected) in cases {
            assert_eq!(shell_word(text), expected);
        }
    }
}
