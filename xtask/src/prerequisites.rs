//! What a machine must have that cargo does not bring, and how to get it.

use crate::command::answers;

/// A program a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    CCompiler,
    Git,
    Rustfmt,
    Clippy,
    Node,
    Npm,
    Python,
}

impl Tool {
    fn is_present(self) -> bool {
        match self {
            Tool::CCompiler => answers("cc", &["--version"]) || answers("cl", &[]),
            Tool::Git => answers("git", &["--version"]),
            Tool::Rustfmt => answers("cargo", &["fmt", "--version"]),
            Tool::Clippy => answers("cargo", &["clippy", "--version"]),
            Tool::Node => answers(
                "node",
                &[
                    "--eval",
                    "process.exit(process.versions.node.split('.')[0] >= 20 ? 0 : 1)",
                ],
            ),
            Tool::Npm => answers("npm", &["--version"]),
            Tool::Python => answers("python3", &["-c", "import venv, ensurepip"]),
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Tool::CCompiler => {
                "a C compiler is missing (SQLite and zstd are C): install gcc or clang, on Debian `apt install build-essential`"
            }
            Tool::Git => "git is missing: on Debian `apt install git`",
            Tool::Rustfmt => "rustfmt is missing: `rustup component add rustfmt`",
            Tool::Clippy => "clippy is missing: `rustup component add clippy`",
            Tool::Node => {
                "Node.js 20 or newer is missing, which the real-client tests need: install it from nodejs.org, or leave them out with `--skip clients`"
            }
            Tool::Npm => {
                "npm is missing, which the real-client tests need: it comes with Node.js, on Debian `apt install npm`; or leave them out with `--skip clients`"
            }
            Tool::Python => {
                "Python 3 with venv is missing, which the real-client tests need: on Debian `apt install python3 python3-venv`, or leave them out with `--skip clients`"
            }
        }
    }
}

/// A sentence for each tool that is missing.
pub(crate) fn missing(tools: impl IntoIterator<Item = Tool>) -> Vec<&'static str> {
    let mut tools: Vec<Tool> = tools.into_iter().collect();
    tools.sort_unstable();
    tools.dedup();
    tools
        .into_iter()
        .filter(|tool| !tool.is_present())
        .map(Tool::advice)
        .collect()
}
