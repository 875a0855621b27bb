//! What is looked at: one probe for each thing, all families side by side.
//!
//! A family is a folder here and one line in `FAMILIES`.

mod aws;
mod backup;
mod blocking;
mod certificate;
mod command;
mod context;
mod dns;
mod each;
mod host;
mod http;
mod needs;
mod postgres;
mod redis;
mod setup;
mod tcp;
mod tls;

use std::sync::Arc;

use fh_core::{Check, Result};

pub(crate) use blocking::block_on;
pub use context::{Context, Secrets};
pub use needs::Needs;
pub use setup::Setup;

use crate::limits::Limits;

/// One thing to look at, ready to run.
pub trait Probe: Send + Sync {
    /// What the ids of its checks begin with, such as `postgres.main`.
    fn id(&self) -> &str;

    /// Every check that it can answer with. Answers may also be below one of these ids (`postgres.main.growth.shop`).
    fn checks(&self) -> Vec<Planned>;

    /// Looks. Blocking; must end by the deadline of the context, and is left behind when it does not.
    fn run(&self, context: &Context) -> Vec<Check>;

    /// What it takes to answer with the check of this id: for `explain`.
    fn needs(&self, check: &str) -> Needs;
}

/// A check that a probe can answer with.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// What it looks at, in one line.
    pub about: String,
    /// Its built-in thresholds; `None` when it has no value to compare.
    pub limits: Option<Limits>,
}

impl Planned {
    /// A check without a value to compare.
    pub fn new(id: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            about: about.into(),
            limits: None,
        }
    }

    /// The same with thresholds, which the configuration may change.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }
}

/// Makes the probes of one family from the configuration.
type Family = fn(&Setup<'_>) -> Result<Vec<Arc<dyn Probe>>>;

/// Every family, in the order in which people read about them.
const FAMILIES: [Family; 11] = [
    http::probes,
    tls::probes,
    dns::probes,
    tcp::probes,
    command::probes,
    host::probes,
    postgres::probes,
    redis::probes,
    crate::slo::probes,
    aws::probes,
    backup::probes,
];

/// Every probe that the configuration asks for.
///
/// # Errors
/// Exit code 2 when an entry cannot be used, or two have the same id.
pub fn all(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let mut probes: Vec<Arc<dyn Probe>> = Vec::new();
    for family in FAMILIES {
        for probe in family(setup)? {
            if probes.iter().any(|other| other.id() == probe.id()) {
                return Err(setup.twice(probe.id()));
            }
            probes.push(probe);
        }
    }
    Ok(probes)
}
