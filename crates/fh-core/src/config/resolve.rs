//! Fetching a secret from where the configuration says it is.

use std::io::Read;
use std::path::Path;

use super::secret_source::SecretSource;
use crate::error::{Context, Error, Hint, Result};
use crate::secret::Secret;

/// More than any key, token or URL has; a wrong path to something endless must not fill the memory.
const LARGEST_SECRET_FILE: u64 = 64 * 1024;

/// Fetches secrets that live in AWS. Tools that link AWS bring their own; the others use [`LocalSecrets`].
pub trait SecretResolver {
    /// The current value of a secret in AWS Secrets Manager, by name or ARN.
    ///
    /// # Errors
    /// When it cannot be read.
    fn secretsmanager(&self, id: &str) -> Result<Secret>;

    /// The value of a parameter in AWS Systems Manager Parameter Store, decrypted.
    ///
    /// # Errors
    /// When it cannot be read.
    fn ssm(&self, name: &str) -> Result<Secret>;
}

/// The resolver of tools without AWS: environment variables and files work, the two AWS kinds are refused with advice.
#[derive(Debug, Clone, Copy)]
pub struct LocalSecrets;

impl LocalSecrets {
    fn refuse<T>(service: &str, name: &str) -> Result<T> {
        Err(
            Error::usage(format!("this tool cannot read {service} (asked for `{name}`)")).hint(
                "give the secret as { env = \"NAME\" } or { file = \"PATH\" } here; on ECS, the task definition can put it in a variable",
            ),
        )
    }
}

impl SecretResolver for LocalSecrets {
    fn secretsmanager(&self, id: &str) -> Result<Secret> {
        Self::refuse("Secrets Manager", id)
    }

    fn ssm(&self, name: &str) -> Result<Secret> {
        Self::refuse("Parameter Store", name)
    }
}

impl SecretSource {
    /// The secret itself. `what` says what it is for in errors: "the database URL".
    ///
    /// # Errors
    /// Exit code 2 when the variable is not set, the file cannot be read, or the value is empty; whatever `resolver`
    /// says for the AWS kinds.
    pub fn resolve(&self, resolver: &dyn SecretResolver, what: &str) -> Result<Secret> {
        let secret = match self {
            Self::Plain(secret) => secret.clone(),
            Self::Env { env } => from_variable(env, what)?,
            Self::File { file } => from_file(file, what)?,
            Self::SecretsManager { secretsmanager } => resolver.secretsmanager(secretsmanager)?,
            Self::Ssm { ssm } => resolver.ssm(ssm)?,
        };
        if secret.expose().trim().is_empty() {
            return Err(Error::usage(format!("{what} is empty (from {})", self.place()))
                .hint("put the value there, or take the setting out"));
        }
        Ok(secret)
    }

    /// Where the secret comes from, in words without the secret.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Plain(_) => "the configuration".into(),
            Self::Env { env } => format!("the environment variable {env}"),
            Self::File { file } => format!("the file {}", file.display()),
            Self::SecretsManager { secretsmanager } => format!("Secrets Manager, `{secretsmanager}`"),
            Self::Ssm { ssm } => format!("Parameter Store, `{ssm}`"),
        }
    }
}

fn from_variable(name: &str, what: &str) -> Result<Secret> {
    let value = std::env::var_os(name).ok_or_else(|| {
        Error::usage(format!(
            "{what} comes from the environment variable {name}, which is not set"
        ))
        .hint(format!("set {name} for this process, or change the setting"))
    })?;
    // The value must not show, and OsString's own error would print it.
    value.into_string().map(Secret::new).map_err(|_| {
        Error::usage(format!(
            "{what}: the environment variable {name} is not valid UTF-8"
        ))
        .hint("secrets are texts; encode binary keys as the tool's documentation says")
    })
}

fn from_file(path: &Path, what: &str) -> Result<Secret> {
    let said = || format!("cannot read {what} from the file {}", path.display());
    let file = std::fs::File::open(path).or_usage(said).hint(
        || "check the path and who may read it; relative paths in the configuration start at its folder",
    )?;
    warn_if_open_to_others(&file, path);
    let mut bytes = Vec::new();
    file.take(LARGEST_SECRET_FILE + 1)
        .read_to_end(&mut bytes)
        .or_usage(said)
        .hint(|| "a secret file is a regular file with the secret in its first line")?;
    if bytes.len() as u64 > LARGEST_SECRET_FILE {
        return Err(
            Error::usage(format!("{}: it is larger than 64 KiB", said())).hint("is this the right file?")
        );
    }
    // Not the error of the conversion: it holds the bytes.
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::usage(format!("{}: it is not valid UTF-8", said())).hint("is this the right file?")
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

#[cfg(unix)]
fn warn_if_open_to_others(file: &std::fs::File, path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if let Ok(data) = file.metadata() {
        let mode = data.permissions().mode() & 0o777;
        if data.is_file() && mode & 0o077 != 0 {
            tracing::warn!(
                "secret file {} has mode {mode:04o}: others can reach it; run: chmod 600 {}",
                path.display(),
                path.display()
            );
        }
    }
}

#[cfg(not(unix))]
fn warn_if_open_to_others(_: &std::fs::File, _: &Path) {}
