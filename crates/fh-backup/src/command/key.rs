//! `fh-backup key`.

use fs_err::os::unix::fs::OpenOptionsExt as _;
use std::io::Write as _;
use std::path::Path;

use fh_core::report::{Report, Section};
use fh_core::{Context as _, Error, Result};

use super::listing;

/// Makes an age key pair: the private key goes to a new file, the public key into the report.
///
/// # Errors
/// Exit code 4 when the file exists, 3 when it cannot be written.
pub fn generate(path: &Path) -> Result<Report> {
    let pair = fh_repository::generate_identity();
    let mut file = match fs_err::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::refused(format!("{} exists already", path.display()))
                .hint("choose another name: a private key is never overwritten"));
        }
        Err(error) => return Err(Error::unable(format!("cannot make {}", path.display())).because(error)),
    };
    file.write_all(pair.identity.expose().as_bytes())
        .and_then(|()| file.sync_all())
        .or_unable(|| format!("cannot write {}", path.display()))?;
    let mut report = listing("key generate", "New age key pair");
    report.show(Section::Facts {
        title: String::new(),
        pairs: vec![
            ("recipient".into(), pair.recipient.clone()),
            ("identity".into(), path.display().to_string()),
        ],
    });
    report.show(Section::Text(
        "Give the recipient to `fh-backup init`. Whoever has the identity can read the backups; without it nobody can. \
         Keep it away from the hosts that back up, and keep a copy."
            .into(),
    ));
    report.data = serde_json::json!({ "recipient": pair.recipient, "identity": path });
    Ok(report)
}
