//! The control group that this process is in (Linux, `Documentation/admin-guide/cgroup-v2.rst`). In a container its limits
//! count, and not the host's figures.

use std::path::{Path, PathBuf};

use super::Places;

/// Our group and those above it, the nearest first. Empty where there is no version 2.
#[derive(Debug, Clone, Default)]
pub(super) struct Cgroup {
    folders: Vec<PathBuf>,
}

impl Cgroup {
    pub(super) fn own(places: &Places) -> Self {
        let Ok(text) = std::fs::read_to_string(places.proc.join("self/cgroup")) else {
            return Self::default();
        };
        // Version 2 has the one line with the number 0 and no controllers.
        let Some(path) = text.lines().find_map(|line| line.strip_prefix("0::")) else {
            return Self::default();
        };
        let mut folder = places.cgroups.join(path.trim_start_matches('/'));
        // Without a namespace of its own a container sees the host's path, and only its own folder is mounted.
        if !folder.is_dir() {
            folder.clone_from(&places.cgroups);
        }
        let folders = folder
            .ancestors()
            .take_while(|above| above.starts_with(&places.cgroups))
            .map(Path::to_path_buf)
            .collect();
        Self { folders }
    }

    /// The content of a file of our own group.
    pub(super) fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folders.first()?.join(name)).ok()
    }

    /// The group whose limit of memory is the tightest, with the limit in bytes.
    pub(super) fn memory_limit(&self) -> Option<(Group<'_>, u64)> {
        self.folders
            .iter()
            .filter_map(|folder| {
                let text = std::fs::read_to_string(folder.join("memory.max")).ok()?;
                // `max` is no number and no limit.
                let limit = text.trim().parse::<u64>().ok()?;
                Some((Group(folder), limit))
            })
            .min_by_key(|(_, limit)| *limit)
    }
}

/// One group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'a>(&'a Path);

impl Group<'_> {
    /// A file with one number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        std::fs::read_to_string(self.0.join(name))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// One line of a file with names and numbers.
    pub(super) fn entry(&self, file: &str, name: &str) -> Option<u64> {
        entry(&std::fs::read_to_string(self.0.join(file)).ok()?, name)
    }
}

/// The number behind a name in `name number` lines; `/proc/meminfo` writes a colon behind the name.
pub(super) fn entry(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let found = words.next()?.trim_end_matches(':') == name;
        found.then(|| words.next()?.parse().ok()).flatten()
    })
}
