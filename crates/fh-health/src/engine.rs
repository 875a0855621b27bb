//! From a session to everything a round needs.

use std::sync::Arc;
use std::time::Duration;

use fh_aws::{AwsOptions, BlockingSecrets};
use fh_core::app::Session;
use fh_core::config::Config;
use fh_core::{Error, Result};
use jiff::Timestamp;

use crate::memory::Store;
use crate::probe::{self, Context, Probe, Setup};
use crate::record;
use crate::rules::Rules;
use crate::samples::{Recorder, Samples};

/// Probes and rules of one configuration.
pub struct Engine {
    /// What is looked at.
    pub probes: Vec<Arc<dyn Probe>>,
    /// What holds for each check.
    pub rules: Arc<Rules>,
    /// How long a round may take.
    pub limit: Duration,
    config: Arc<Config>,
}

impl Engine {
    /// Reads the session's configuration.
    ///
    /// # Errors
    /// Exit code 2 when it is wrong, or names nothing to check.
    pub fn new(session: &Session) -> Result<Self> {
        let probes = probe::all(&Setup {
            loaded: &session.loaded,
        })?;
        if probes.is_empty() {
            return Err(Error::usage("nothing to check is configured").hint(
                "set DATABASE_URL or REDIS_URL, add [[health.http]] and its kin to financehub.toml, or let `fh-health init` write a first one",
            ));
        }
        let rules = Rules::new(&probes, &session.loaded)?;
        let limit = session
            .common
            .deadline
            .unwrap_or(session.config().health.deadline);
        Ok(Self {
            probes,
            rules: Arc::new(rules),
            limit: limit.get(),
            config: Arc::new(session.config().clone()),
        })
    }

    /// The id of every check that a probe can answer with and that is enabled.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let ids = self.rules.ids().filter(|id| self.rules.of(id).enabled);
        ids.map(str::to_owned).collect()
    }

    /// What the probes of one round share.
    #[must_use]
    pub fn context(&self, session: &Session, before: Samples, store: Option<&Store>) -> Context {
        Context {
            deadline: session.deadline,
            cancel: session.cancel.clone(),
            now: Timestamp::now(),
            before: Arc::new(before),
            samples: store.map(|store| store.beside(record::LOG)),
            after: Recorder::default(),
            config: Arc::clone(&self.config),
            rules: Arc::clone(&self.rules),
            secrets: Arc::new(secrets(&self.config)),
            lookup: fh_http::system(),
        }
    }
}

/// What fetches the secrets of a configuration.
pub(crate) fn secrets(config: &Config) -> BlockingSecrets {
    let aws = &config.aws;
    BlockingSecrets::new(AwsOptions::from(aws))
}
