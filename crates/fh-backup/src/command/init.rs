//! `fh-backup init`.

use std::path::{Path, PathBuf};

use fh_core::app::Session;
use fh_core::report::{Check, Report};
use fh_core::{Error, Result};
use fh_repository::{Encryption, Repository, RepositoryKey, open_store};

use super::verdict;
use crate::cli::Init;
use crate::context;

/// Makes a repository and, when it is encrypted, the key file.
///
/// # Errors
/// Exit code 2 when the key file is missing on the command line, 4 when there is a repository or key file already.
pub async fn run(session: &Session, init: &Init, key_file: Option<&Path>) -> Result<Report> {
    let recipients = if init.recipient.is_empty() {
        session.config().backup.recipients.clone()
    } else {
        init.recipient.clone()
    };
    let key_file = key_path(!recipients.is_empty(), key_file)?;
    let location = context::location(session)?;
    let store = open_store(&location, &context::s3_options(session), session.deadline).await?;
    let created = Repository::create(store.clone(), &recipients).await?;

    let mut report = verdict("init", "New repository").about("repository", store.describe());
    report.push(Check::pass("repository", format!("made in {}", store.describe())));
    report.push(encryption(&created.description.encryption));
    if let Some(path) = key_file {
        write_key(&path, &created.key)?;
        report.push(Check::pass("key", format!("repository key written to {}", path.display())).hint(
            "keep a copy elsewhere; hosts that back up need it, and an identity can open the copy in the repository",
        ));
    }
    report.data = serde_json::json!({ "repository": store.describe(), "id": created.description.id });
    Ok(report)
}

fn encryption(encryption: &Encryption) -> Check {
    match encryption {
        Encryption::None => Check::warn("encryption", "none: everything is stored in clear")
            .hint("for anything but test data make a key pair with `fh-backup key generate` and give --recipient"),
        Encryption::Age(recipients) if recipients.len() == 1 => {
            Check::warn("encryption", format!("age, to one recipient: {}", recipients.join(", ")))
                .hint("if that one private key is lost, so is every backup: give a second recipient and keep its key offline")
        }
        Encryption::Age(recipients) => Check::pass("encryption", format!("age, to {} recipients", recipients.len())),
    }
}

/// The key file is asked for before anything is made, and must not exist: it might be the key of another repository.
fn key_path(encrypted: bool, given: Option<&Path>) -> Result<Option<PathBuf>> {
    match given {
        Some(path) if encrypted && path.exists() => {
            Err(Error::refused(format!("{} exists already", path.display()))
                .hint("choose another name for the key file; nothing was changed"))
        }
        Some(path) if encrypted => Ok(Some(path.to_owned())),
        None if encrypted => Err(Error::usage("an encrypted repository needs a key file")
            .hint("give --key-file FILE: the repository key is written there")),
        _ => Ok(None),
    }
}

fn write_key(path: &Path, key: &RepositoryKey) -> Result<()> {
    let text = format!("{}\n", key.to_text().expose());
    fh_core::atomic::write(path, text.as_bytes(), Some(0o600)).map_err(|error| {
        error.hint("the repository was made; its key can still be read from it with --identity")
    })
}
