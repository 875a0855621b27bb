//! This host, or the container that this runs in: disks, memory, and pressure on memory and CPU.

mod cgroup;
mod cpu;
mod disk;
mod memory;
mod pressure;

use std::path::PathBuf;
use std::sync::Arc;

use fh_core::config::HealthHost;
use fh_core::{Check, Result};

use super::{Context, Needs, Planned, Probe, Setup};
use cgroup::Cgroup;

/// The probe of `[health.host]`.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let make = |entry: &HealthHost| -> Arc<dyn Probe> {
        Arc::new(Host {
            entry: entry.clone(),
            places: Places::default(),
        })
    };
    Ok(setup.config().health.host.iter().map(make).collect())
}

/// Where the kernel tells its figures.
#[derive(Debug, Clone)]
struct Places {
    proc: PathBuf,
    cgroups: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            cgroups: "/sys/fs/cgroup".into(),
        }
    }
}

struct Host {
    entry: HealthHost,
    places: Places,
}

impl Probe for Host {
    fn id(&self) -> &str {
        "host"
    }

    fn checks(&self) -> Vec<Planned> {
        let mut planned = disk::planned(&self.entry.disks);
        planned.extend(memory::planned());
        planned.extend(cpu::planned());
        planned
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        let cgroup = Cgroup::own(&self.places);
        let mut checks = disk::checks(&self.entry.disks, context);
        checks.extend(memory::checks(&self.places, &cgroup, context));
        checks.extend(cpu::checks(&self.places, &cgroup, context));
        checks
    }

    fn needs(&self, _: &str) -> Needs {
        Needs::default().other("reads /proc and /sys/fs/cgroup; no privileges")
    }
}

#[cfg(test)]
mod tests;
