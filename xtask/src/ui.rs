//! The one place that prints. Results go to standard output, everything said on the way to standard error. A stream
//! that nobody reads any more is no reason to stop.

use std::io::{IsTerminal, Write};

/// A result: standard output.
pub(crate) fn result(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Something said on the way: standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// An error with its causes.
pub(crate) fn error(error: &anyhow::Error) {
    say(&format!(
        "{} {error:#}",
        Colour::Red.paint("error:", on_terminal(&std::io::stderr()))
    ));
}

/// Asks for a yes. Anything else, and the end of the input, is a no.
pub(crate) fn confirm(question: &str) -> bool {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{question} [y/N] ");
    let _ = stderr.flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Whether someone can answer a question.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// Whether colour belongs on this stream: a terminal, and nobody said no (<https://no-color.org>).
pub(crate) fn on_terminal(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The few colours used, as SGR codes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Colour {
    Bold,
    Red,
    Green,
    Yellow,
    Dim,
}

impl Colour {
    /// `text` in this colour, or as it is.
    pub(crate) fn paint(self, text: &str, colour: bool) -> String {
        let code = match self {
            Self::Bold => "1",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Dim => "2",
        };
        if colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
