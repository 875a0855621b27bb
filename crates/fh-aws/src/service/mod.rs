//! What the tools ask of the small services, read-only, with structures that hold what is looked at and nothing more.
//!
//! Each client is made of [`SdkConfig`](crate::SdkConfig) and follows every page of an answer, up to a limit that no
//! real account reaches. A refusal for lack of rights can be told from other errors with [`crate::denied`].

pub mod cloudwatch;
pub mod ecs;
pub mod elasticache;
pub mod elbv2;
mod moment;
pub mod rds;

/// Pages of one answer at most. A server that names a next page for ever must not hold a run.
pub(crate) const PAGES: usize = 200;

pub(crate) fn endless(operation: &str) -> fh_core::Error {
    fh_core::Error::unable(format!("the answer to {operation} has more than {PAGES} pages"))
        .hint("ask for less, by name; if there really is so much, this is a limit of the tool")
}
