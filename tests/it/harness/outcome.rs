//! What a finished command left: its exit code and everything it printed.

use std::process::Output;

use serde_json::Value;

/// What a finished command left. Making one checks what holds for every command: it never panics.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The command line, for messages.
    command: String,
    /// The exit code; absent when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn new(command: String, output: Output) -> Outcome {
        let stdout = String::from_utf8(output.stdout).expect("standard output is UTF-8");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let outcome = Outcome { command, code: output.status.code(), stdout, stderr };
        assert!(!outcome.stderr.contains("panicked at"), "it panicked:\n{}", outcome.shown());
        outcome
    }

    /// Checks that the command did what it was asked.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Outcome {
        assert_eq!(self.code, Some(0), "{}", self.shown());
        self
    }

    /// Checks exit code 1 and a message that contains every one of `needles`, in any case.
    #[track_caller]
    pub(crate) fn failed_saying(self, needles: &[&str]) -> Outcome {
        assert_eq!(self.code, Some(1), "{}", self.shown());
        self.says(needles)
    }

    /// Checks exit code 2, which is for wrong usage, and its message.
    #[track_caller]
    pub(crate) fn misused_saying(self, needles: &[&str]) -> Outcome {
        assert_eq!(self.code, Some(2), "{}", self.shown());
        self.says(needles)
    }

    /// Checks that what was printed contains every one of `needles`, in any case.
    #[track_caller]
    pub(crate) fn says(self, needles: &[&str]) -> Outcome {
        let said = format!("{}\n{}", self.stdout, self.stderr).to_lowercase();
        for needle in needles {
            assert!(said.contains(&needle.to_lowercase()), "it should say `{needle}`:\n{}", self.shown());
        }
        self
    }

    /// Returns standard output, which must be one JSON document and nothing else.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("standard output is not one JSON document: {error}\n{}", self.shown()))
    }

    /// Returns the whole outcome for a message, long outputs cut.
    pub(crate) fn shown(&self) -> String {
        let cut = |text: &str| text.chars().take(4000).collect::<String>();
        let code = self.code.map_or("ended by a signal".to_owned(), |code| format!("exit code {code}"));
        format!("{}\n{code}\nstdout:\n{}\nstderr:\n{}", self.command, cut(&self.stdout), cut(&self.stderr))
    }
}
