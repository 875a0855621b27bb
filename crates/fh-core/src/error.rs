//! One error type for every tool: what happened, why, and what to do next.
//!
//! Written as three parts, in this order, with the causes indented one to a line:
//!
//! ```text
//! error: cannot connect to PostgreSQL at db.example.com:5432
//! caused by: connection refused
//! hint: is the server running, and does its security group allow this host?
//! ```

use std::error::Error as StdError;
use std::fmt;

use crate::exit::Exit;
use crate::secret::scrub;

/// The workspace's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with the exit code it leads to, its causes, and advice.
///
/// Rules: the library that first knows what failed makes the `Error`, names the subject in the message and picks the
/// [`Exit`]; callers pass it on with `?` and do not wrap it again to say the same thing.
#[derive(Debug)]
pub struct Error(Box<Parts>);

#[derive(Debug)]
struct Parts {
    exit: Exit,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    hint: Option<String>,
}

impl Error {
    /// An error that ends the run with `exit`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            exit,
            message: message.into(),
            source: None,
            hint: None,
        }))
    }

    /// The answer is bad (exit code 1): a mismatch, a failed check.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(Exit::Bad, message)
    }

    /// The command line or configuration is wrong (exit code 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The tool could not do or verify what was asked (exit code 3).
    pub fn unable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unable, message)
    }

    /// The tool refuses, for safety (exit code 4).
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// Adds what the operator should do next. The first hint given stays: it is the closest to the problem.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The exit code this error leads to.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    /// The first line, without causes or hint, scrubbed of known secrets.
    #[must_use]
    pub fn message(&self) -> String {
        scrub(&self.0.message)
    }

    /// Every underlying cause, nearest first, scrubbed of known secrets. A cause that its parent already spelled out is
    /// left away.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut said = self.message();
        let mut next = self
            .0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static));
        while let Some(cause) = next {
            let text = scrub(&cause.to_string());
            if !text.is_empty() && !said.contains(&text) {
                causes.push(text.clone());
                said = text;
            }
            next = cause.source();
        }
        causes
    }

    /// The advice, if there is any.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        self.0.hint.as_deref().map(scrub)
    }

    /// The whole error as people see it: `error: … / caused by: … / hint: …`, one per line.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = format!("error: {}", self.message());
        for cause in self.causes() {
            out.push_str("\ncaused by: ");
            out.push_str(cause.trim_end());
        }
        if let Some(hint) = self.advice() {
            out.push_str("\nhint: ");
            out.push_str(&hint);
        }
        out
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// Turns a foreign error into an [`Error`] with a message of ours, keeping the original as the cause.
pub trait Context<T> {
    /// Fails with exit code 1.
    ///
    /// # Errors
    /// The converted error.
    fn or_bad<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T>;
    /// Fails with exit code 2.
    ///
    /// # Errors
    /// The converted error.
    fn or_usage<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T>;
    /// Fails with exit code 3.
    ///
    /// # Errors
    /// The converted error.
    fn or_unable<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> Context<T> for std::result::Result<T, E> {
    fn or_bad<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T> {
        self.map_err(|source| Error::bad(message()).because(source))
    }

    fn or_usage<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T> {
        self.map_err(|source| Error::usage(message()).because(source))
    }

    fn or_unable<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T> {
        self.map_err(|source| Error::unable(message()).because(source))
    }
}

/// Adds a hint to a result that already fails with [`Error`].
pub trait Hint<T> {
    /// Adds the hint unless the error has one.
    ///
    /// # Errors
    /// The same error, with advice.
    fn hint<M: Into<String>>(self, hint: impl FnOnce() -> M) -> Result<T>;
}

impl<T> Hint<T> for Result<T> {
    fn hint<M: Into<String>>(self, hint: impl FnOnce() -> M) -> Result<T> {
        self.map_err(|error| error.hint(hint()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_the_three_parts_in_order() {
        let error = Error::unable("cannot read the manifest")
            .because(std::io::Error::other("disk on fire"))
            .hint("call the fire brigade")
            .hint("a later hint does not replace the nearer one");
        assert_eq!(
            error.render(),
            "error: cannot read the manifest\ncaused by: disk on fire\nhint: call the fire brigade"
        );
        assert_eq!(error.exit(), Exit::Unable);
    }

    #[test]
    fn a_cause_that_repeats_its_parent_is_said_once() {
        let inner = Error::unable("no route to host");
        let outer = Error::unable("cannot connect: no route to host").because(inner);
        assert_eq!(outer.render(), "error: cannot connect: no route to host");
    }

    #[test]
    fn known_secrets_never_show() {
        let _secret = crate::secret::Secret::new("hunter2-and-more");
        let error = Error::unable("login with hunter2-and-more failed")
            .because(std::io::Error::other("password hunter2-and-more rejected"))
            .hint("not hunter2-and-more");
        assert!(!error.render().contains("hunter2"), "{}", error.render());
    }
}
