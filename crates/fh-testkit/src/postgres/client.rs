//! Talking to a cluster through PostgreSQL's own programs, so that tests judge our code by somebody else's.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::host;

/// `command` in `dir`, as the server's user, with nothing of the caller's environment that could change what it does.
pub(crate) fn clean(mut command: Command, dir: &Path) -> Command {
    command.env_clear().current_dir(dir).stdin(Stdio::null());
    for kept in ["PATH", "LD_LIBRARY_PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
        .env("LC_ALL", "C")
        .env("HOME", "/nonexistent")
        .env("PGCLIENTENCODING", "UTF8");
    if let Some((uid, gid)) = host::server_user() {
        command.uid(uid).gid(gid);
    }
    command
}

/// Runs SQL (or a psql script) from stdin with `psql -X -A -t -q`, stopping at the first error, and gives stdout without the last newline.
pub(super) fn psql(bin_dir: &Path, url: &str, settings: &[(&str, &str)], script: &str) -> Result<String> {
    let options: String = settings
        .iter()
        .map(|(key, value)| format!(" -c {key}={value}"))
        .collect();
    let mut command = clean(Command::new(bin_dir.join("psql")), Path::new("/"));
    command
        .args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            "-",
            "-d",
            url,
        ])
        .env("PGOPTIONS", options)
        .env("PGCONNECT_TIMEOUT", "20");
    let output = feed(command, script)?;
    if !output.status.success() {
        let head: String = script.chars().take(400).collect();
        bail!(
            "psql failed ({}) on {}:\n{}{}\nThe script begins with:\n{head}",
            output.status,
            without_password(url),
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout),
        );
    }
    let mut text = String::from_utf8(output.stdout).context("psql did not print UTF-8")?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// Settings as libpq's `PGOPTIONS`, which outrank those of the database and the role.
fn pgoptions(settings: &[(&str, &str)]) -> String {
    settings
        .iter()
        .map(|(key, value)| format!("-c {key}={value} "))
        .collect()
}

/// Runs a client program with these server settings and gives its stdout.
pub(super) fn run<S: AsRef<OsStr>>(
    program: &Path,
    settings: &[(&str, &str)],
    arguments: impl IntoIterator<Item = S>,
) -> Result<String> {
    let output = clean(Command::new(program), Path::new("/"))
        .env("PGOPTIONS", pgoptions(settings))
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!(
            "{} failed ({}):\n{}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} did not print UTF-8", program.display()))
}

/// Writes `input` to the program's stdin from another thread, so that neither side waits for the other.
fn feed(mut command: Command, input: &str) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    std::thread::scope(|scope| {
        // psql closes its end at the first error; its exit status says more than our broken pipe.
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        child.wait_with_output().context("cannot wait for the program")
    })
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(super) fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// `name` as a quoted SQL identifier.
pub(super) fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The URL with `***` in place of a password.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.find('@')) {
        (Some(scheme), Some(at)) if scheme < at => match url[scheme + 3..at].split_once(':') {
            Some((user, _)) => format!("{}{user}:***{}", &url[..scheme + 3], &url[at..]),
            None => url.to_owned(),
        },
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn odd_names_survive_the_url() {
        assert_eq!(super::percent_encode("a b/ü%"), "a%20b%2F%C3%BC%25");
    }

    #[test]
    fn errors_hide_the_password() {
        assert_eq!(
            super::without_password("postgresql://u:p%40@h:1/d"),
            "postgresql://u:***@h:1/d"
        );
        assert_eq!(
            super::without_password("postgresql://u@/d?host=x"),
            "postgresql://u@/d?host=x"
        );
    }
}
