//! What this machine gives us: the workspace's target folder, a short temporary folder, a user for servers, free ports.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

/// Prints one line for the person who runs the tests.
#[expect(
    clippy::print_stderr,
    reason = "test support tells a person what it skipped or kept"
)]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// `target` of this workspace, also under coverage runs, which set another target folder.
pub(crate) fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target")
        .components()
        .fold(PathBuf::new(), |mut path, part| {
            if part == std::path::Component::ParentDir {
                path.pop();
            } else {
                path.push(part);
            }
            path
        })
}

/// The folder for server directories. A unix socket path may have 107 bytes only (`sun_path`), so a long `TMPDIR` is not used.
pub(crate) fn short_temp_dir() -> PathBuf {
    let configured = std::env::temp_dir();
    if configured.as_os_str().len() <= 60 {
        configured
    } else {
        PathBuf::from("/tmp")
    }
}

/// User and group for a server that refuses to run as root: `nobody` when we are root, else we stay who we are.
pub(crate) fn server_user() -> Option<(u32, u32)> {
    rustix::process::geteuid().is_root().then_some((65534, 65534))
}

/// A loopback port that was free a moment ago. Callers retry when somebody else was faster.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .context("cannot bind a loopback port for a test server")?;
    Ok(listener.local_addr()?.port())
}

/// Takes from a command the caller's own settings of our tools: neither databases, nor configuration, nor cloud.
pub(crate) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["FH_", "PG", "AWS_", "BACKUP_"]
            .iter()
            .any(|start| text.starts_with(start));
        // Coverage of the program under test is written to where the caller says.
        if ours || ["DATABASE_URL", "REDIS_URL", "S3_BUCKET", "SLACK_WEBHOOK"].contains(&&*text) {
            command.env_remove(&name);
        }
    }
}

/// The first file called `name` on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

/// The program that the environment variable names, and only that one when it is set; else the first of `places`; else on `PATH`.
pub(crate) fn program(variable: &str, places: &[PathBuf], name: &str) -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os(variable) {
        return Some(PathBuf::from(chosen)).filter(|file| file.is_file());
    }
    places
        .iter()
        .find(|file| file.is_file())
        .cloned()
        .or_else(|| on_path(name))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_target_folder_is_the_workspaces() {
        let dir = super::target_dir();
        assert!(dir.ends_with("target"), "{dir:?}");
        assert!(
            dir.parent().is_some_and(|root| root.join("Cargo.lock").is_file()),
            "{dir:?}"
        );
    }
}
