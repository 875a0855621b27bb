//! A test that runs itself again, in an environment of its own.
#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "support for the tests beside it"
)]

use std::process::Command;

/// Set in the second run.
const INNER: &str = "FH_TEST_INNER";

/// True in the second run. In the first, runs the test `name` again with these variables and no others, and demands
/// that it passes there.
pub fn inside(name: &str, variables: &[(&str, &str)]) -> bool {
    if std::env::var_os(INNER).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture"])
        .env_clear()
        .env(INNER, "1");
    // Nobody at home, and no metadata service to wait for.
    command
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied());
    if let Some(profile) = std::env::var_os("LLVM_PROFILE_FILE") {
        command.env("LLVM_PROFILE_FILE", profile);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed"), "{name} did not run: {said}");
    false
}
