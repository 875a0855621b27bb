//! Cargo.lock is in step with the manifests.

use super::Finding;
use crate::process::cargo;
use crate::workspace::Workspace;

/// Lets cargo resolve with the lock file as it is.
pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let metadata = cargo(workspace)
        .args(["metadata", "--locked", "--format-version", "1"])
        .quiet();
    match metadata.ignore_status().ignore_stdout().output() {
        Ok(output) if output.status.success() => Vec::new(),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let why = said
                .lines()
                .find(|line| line.starts_with("error"))
                .unwrap_or("cargo metadata failed");
            let what = format!("{why}; please run `cargo metadata >/dev/null` and commit Cargo.lock");
            vec![Finding::new("Cargo.lock", 0, what)]
        }
        Err(error) => vec![Finding::new(
            "Cargo.lock",
            0,
            format!("it could not be checked: {error}"),
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_that_lags_behind_is_found() {
        let root = std::env::temp_dir().join(format!("xtask-lock-{}", std::process::id()));
        std::fs::create_dir_all(root.join("src")).unwrap();
        std::fs::write(root.join("src/lib.rs"), "").unwrap();
        let manifest = |version: &str| {
            let text = format!(
                "[package]\nname = \"x\"\nversion = \"{version}\"\nedition = \"2024\"\n[workspace]\n"
            );
            std::fs::write(root.join("Cargo.toml"), text).unwrap();
        };
        manifest("0.1.0");
        let workspace = Workspace::at(root.clone()).unwrap();
        assert_eq!(check(&workspace).len(), 1, "there is no lock file at all");
        cargo(&workspace)
            .args(["generate-lockfile", "--offline", "--quiet"])
            .quiet()
            .run()
            .unwrap();
        assert!(check(&workspace).is_empty());
        manifest("0.2.0");
        let findings = check(&workspace);
        assert!(
            findings[0].to_string().contains("commit Cargo.lock"),
            "{findings:?}"
        );
        std::fs::remove_dir_all(root).unwrap();
    }
}
