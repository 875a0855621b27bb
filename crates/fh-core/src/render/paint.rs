//! Colours, for terminals only. A status is always a glyph and a word too, so that nothing is lost without them.

use crate::report::Status;

/// Wraps texts in colours, or leaves them alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(super) fn hint(self, text: &str) -> String {
        self.wrap("36", text)
    }

    pub(super) fn status(self, status: Status, text: &str) -> String {
        self.wrap(
            match status {
                Status::Pass => "32",
                Status::Warn => "33",
                Status::Fail => "1;31",
                Status::Unknown => "1;35",
                Status::Skip => "2",
            },
            text,
        )
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The sign of a status, one column wide everywhere.
pub(super) const fn glyph(status: Status) -> &'static str {
    match status {
        Status::Pass => "✓",
        Status::Warn => "!",
        Status::Fail => "✗",
        Status::Unknown => "?",
        Status::Skip => "-",
    }
}
