//! One round of the probes of a configuration, without a command line around it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fh_core::config::{Config, ConfigSource, LocalSecrets};
use fh_core::report::{Check, Status};
use fh_core::{Cancel, Deadline};
use fh_health::probe::{self, Context, Probe, Setup};
use fh_health::rules::Rules;
use fh_health::samples::{Recorder, Samples};
use jiff::{SignedDuration, Timestamp};

/// The probes of a configuration.
pub(crate) struct Round {
    probes: Vec<Arc<dyn Probe>>,
    context: Context,
}

/// What a round found.
pub(crate) struct Found {
    checks: BTreeMap<String, Check>,
    pub(crate) samples: Samples,
}

impl Round {
    /// Reads `toml` as the configuration of an empty environment.
    pub(crate) fn of(toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        std::fs::write(folder.path().join("financehub.toml"), toml).unwrap();
        let loaded = Config::load(&ConfigSource::default(), &|_| None, folder.path())
            .unwrap_or_else(|error| panic!("{}", error.render()));
        let setup = Setup { loaded: &loaded };
        let probes = probe::all(&setup).unwrap_or_else(|error| panic!("{}", error.render()));
        let rules = Rules::new(&probes, &loaded).unwrap_or_else(|error| panic!("{}", error.render()));
        let context = Context {
            deadline: Deadline::after(Duration::from_secs(60)),
            cancel: Cancel::new(),
            now: Timestamp::now(),
            before: Arc::default(),
            after: Recorder::default(),
            samples: None,
            config: Arc::new(loaded.config.clone()),
            rules: Arc::new(rules),
            secrets: Arc::new(LocalSecrets),
            lookup: fh_http::system(),
        };
        Self { probes, context }
    }

    /// The same with another deadline.
    pub(crate) fn within(mut self, limit: Duration) -> Self {
        self.context.deadline = Deadline::after(limit);
        self
    }

    /// The same with names that a test cannot have in its DNS.
    pub(crate) fn resolving(mut self, lookup: fh_http::Lookup) -> Self {
        self.context.lookup = lookup;
        self
    }

    /// Runs every probe.
    pub(crate) fn run(&self) -> Found {
        self.at(self.context.now, Samples::default())
    }

    /// Runs every probe as if `later` had passed since a run that left `before`.
    pub(crate) fn again(&self, before: &Found, later: SignedDuration) -> Found {
        self.at(self.context.now + later, before.samples.clone())
    }

    fn at(&self, now: Timestamp, before: Samples) -> Found {
        let context = Context {
            now,
            before: Arc::new(before),
            after: Recorder::default(),
            ..self.context.clone()
        };
        let mut checks = BTreeMap::new();
        for probe in &self.probes {
            let planned: Vec<String> = probe.checks().into_iter().map(|check| check.id).collect();
            for check in probe.run(&context) {
                let known = planned
                    .iter()
                    .any(|id| check.id == *id || check.id.starts_with(&format!("{id}.")));
                assert!(known, "{} was not planned: {planned:?}", check.id);
                assert!(checks.insert(check.id.clone(), check).is_none(), "twice");
            }
            for id in planned {
                // What no threshold holds for need not be told.
                let open = context.limits(&id).is_some_and(|limits| limits.is_open());
                assert!(
                    open || checks.keys().any(|known| known.starts_with(&id)),
                    "{id} has no answer"
                );
            }
        }
        Found {
            checks,
            samples: context.after.samples(),
        }
    }
}

impl Found {
    /// The check of this id.
    pub(crate) fn check(&self, id: &str) -> &Check {
        self.checks.get(id).unwrap_or_else(|| {
            let ids: Vec<&String> = self.checks.keys().collect();
            panic!("there is no {id} among {ids:?}")
        })
    }

    /// The check of this id, which must have this status.
    pub(crate) fn expect(&self, id: &str, status: Status) -> &Check {
        let check = self.check(id);
        assert_eq!(check.status, status, "{check:#?}");
        check
    }

    /// A measured value.
    pub(crate) fn value(&self, id: &str, name: &str) -> f64 {
        let check = self.check(id);
        let found = check.measures.iter().find(|measure| measure.name == name);
        found.unwrap_or_else(|| panic!("{check:#?} has no {name}")).value
    }

    /// Every check with its status, for messages.
    pub(crate) fn all(&self) -> Vec<String> {
        let checks = self.checks.values();
        checks
            .map(|check| format!("{} {}: {}", check.status, check.id, check.summary))
            .collect()
    }
}

/// Everything that a check says, in one text.
pub(crate) fn said(check: &Check) -> String {
    let hint = check.hint.as_deref().unwrap_or_default();
    format!("{}\n{}\n{hint}", check.summary, check.evidence.join("\n"))
}

/// Repeats until it holds; the last answer is shown when it never does.
pub(crate) fn wait_until<T>(mut ask: impl FnMut() -> Result<T, String>) -> T {
    let began = std::time::Instant::now();
    loop {
        match ask() {
            Ok(found) => return found,
            Err(why) => assert!(began.elapsed() < Duration::from_secs(60), "{why}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
