//! The kernel's files of a container and of a plain host, laid out in a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use fh_core::config::{Config, LocalSecrets};
use fh_core::report::Status;
use fh_core::{Cancel, Deadline};
use jiff::Timestamp;

use super::*;
use crate::rules::Rules;
use crate::samples::{Recorder, Samples};

fn places(files: &[(&str, &str)]) -> (tempfile::TempDir, Places) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let places = Places {
        proc: folder.path().join("proc"),
        cgroups: folder.path().join("cgroup"),
    };
    (folder, places)
}

fn context(host: &Arc<dyn Probe>, before: Samples, second: i64) -> Context {
    let vars = |_: &str| None;
    let loaded = Config::load(&fh_core::config::ConfigSource::default(), &vars, Path::new("/")).unwrap();
    Context {
        deadline: Deadline::never(),
        cancel: Cancel::new(),
        now: Timestamp::from_second(1_700_000_000 + second).unwrap(),
        before: Arc::new(before),
        after: Recorder::default(),
        samples: None,
        rules: Arc::new(Rules::new(std::slice::from_ref(host), &loaded).unwrap()),
        config: Arc::new(loaded.config),
        secrets: Arc::new(LocalSecrets),
        lookup: fh_http::system(),
    }
}

/// What each check says, and what is left for the next run.
fn look(places: &Places, before: Samples, second: i64) -> (BTreeMap<String, (Status, String)>, Samples) {
    let host: Arc<dyn Probe> = Arc::new(Host {
        entry: HealthHost { disks: Vec::new() },
        places: places.clone(),
    });
    let context = context(&host, before, second);
    let checks = host.run(&context).into_iter();
    let found = checks
        .map(|check| (check.id, (check.status, check.summary)))
        .collect();
    (found, context.after.samples())
}

const STAT: &str = "anon 1\ninactive_file 104857600\n";

#[test]
fn in_a_container_its_own_limits_count() {
    let files = [
        ("proc/self/cgroup", "0::/app.slice/web\n"),
        (
            "proc/meminfo",
            "MemTotal: 64000000 kB\nMemAvailable: 63000000 kB\n",
        ),
        ("cgroup/app.slice/memory.max", "1073741824\n"),
        ("cgroup/app.slice/memory.current", "1153433600\n"),
        ("cgroup/app.slice/memory.stat", STAT),
        ("cgroup/app.slice/web/memory.max", "max\n"),
        ("cgroup/app.slice/web/memory.current", "1000\n"),
        ("cgroup/app.slice/web/memory.events", "oom 3\noom_kill 3\n"),
        (
            "cgroup/app.slice/web/memory.pressure",
            "some avg10=0 avg60=0 avg300=0 total=0\nfull avg10=0.00 avg60=7.50 avg300=0 total=0\n",
        ),
        (
            "cgroup/app.slice/web/cpu.pressure",
            "some avg10=0.00 avg60=95.00 avg300=0.00 total=0\n",
        ),
        (
            "cgroup/app.slice/web/cpu.stat",
            "usage_usec 5\nnr_periods 100\nnr_throttled 10\n",
        ),
    ];
    let (folder, places) = places(&files);
    let (found, after) = look(&places, Samples::default(), 0);
    // 1.1 GB less 100 MiB of cache, of the 1 GiB that the group above allows.
    assert_eq!(found["host.memory"].0, Status::Fail, "{found:#?}");
    assert!(
        found["host.memory"].1.contains("of the limit of 1.0 GiB"),
        "{found:#?}"
    );
    assert_eq!(found["host.memory_pressure"].0, Status::Warn);
    assert_eq!(found["host.cpu_pressure"].0, Status::Warn);
    assert_eq!(
        found["host.oom_kills"].0,
        Status::Skip,
        "a first run has nothing to compare with"
    );
    std::fs::write(
        folder.path().join("cgroup/app.slice/web/memory.events"),
        "oom_kill 5\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("cgroup/app.slice/web/cpu.stat"),
        "nr_periods 200\nnr_throttled 60\n",
    )
    .unwrap();
    let (found, _) = look(&places, after, 60);
    assert_eq!(found["host.oom_kills"].0, Status::Fail);
    assert!(found["host.oom_kills"].1.starts_with("2 processes"), "{found:#?}");
    assert_eq!(
        found["host.cpu_throttled"],
        (
            Status::Warn,
            "held back in 50 % of the periods since the run before".into()
        )
    );
}

#[test]
fn without_a_limit_the_hosts_figures_count_and_what_is_missing_is_no_pass() {
    let (_folder, plain) = places(&[
        ("proc/self/cgroup", "0::/\n"),
        ("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 50 kB\n"),
        (
            "proc/pressure/cpu",
            "some avg10=0.00 avg60=1.00 avg300=0.00 total=0\n",
        ),
        ("cgroup/cgroup.procs", ""),
    ]);
    let (found, _) = look(&plain, Samples::default(), 0);
    assert_eq!(found["host.memory"].0, Status::Warn);
    assert!(found["host.memory"].1.contains("95 %"), "{found:#?}");
    assert_eq!(found["host.cpu_pressure"].0, Status::Pass);
    assert_eq!(found["host.memory_pressure"].0, Status::Skip);
    assert_eq!(found["host.cpu_throttled"].0, Status::Skip);
    let (_folder, nothing) = places(&[]);
    let (found, _) = look(&nothing, Samples::default(), 0);
    assert_eq!(found["host.memory"].0, Status::Unknown);
    assert!(
        found.values().all(|(status, _)| *status != Status::Pass),
        "{found:#?}"
    );
}
