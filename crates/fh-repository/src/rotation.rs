//! `keys/<number>.json`: whom sets are encrypted to from now on. The newest one rules.
//!
//! `fh-backup.json` is never changed, so a change of recipients is a sealed document beside it: the whole list of
//! recipients from then on, and the repository key encrypted to them. What was stored before stays as it is: nobody can
//! take a copy back from a reader who had one.

use fh_core::{Error, Hint as _, Result};
use serde::{Deserialize, Serialize};

use crate::crypt::{Identities, Recipients};
use crate::description::{Description, Encryption, armor, open_armored};
use crate::document::Found;
use crate::key::RepositoryKey;
use crate::repository::Repository;
use crate::set::SetHeader;
use crate::store::Store;

/// Prefix of every rotation's key.
pub(crate) const FOLDER: &str = "keys/";
/// Size of one at most.
pub(crate) const LIMIT: u64 = 1 << 20;

/// One change of the recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Counted from 1.
    pub number: u64,
    /// When it was made.
    pub created: jiff::Timestamp,
    /// Everybody whom later sets are encrypted to.
    pub recipients: Vec<String>,
    /// The repository key, encrypted to them (armored age).
    key: String,
}

fn object(number: u64) -> String {
    format!("{FOLDER}{number:06}.json")
}

/// The repository key for an identity that `fh-backup.json` does not know, out of the newest rotation that it opens.
///
/// The seal of a rotation can only be checked with the key inside; the caller does so with the key it gets.
pub(crate) async fn open_key(
    store: &dyn Store,
    description: &Description,
    identities: &Identities,
) -> Result<Option<RepositoryKey>> {
    #[derive(Deserialize)]
    struct Line {
        document: Rotation,
    }
    for entry in store.list(FOLDER).await?.iter().rev() {
        let Some(bytes) = store.get(&entry.key, LIMIT).await? else {
            continue;
        };
        let line: Line = serde_json::from_slice(&bytes)
            .map_err(|error| Error::bad(format!("{} cannot be read", entry.key)).because(error))?;
        if let Some(key) = open_armored(&entry.key, &line.document.key, identities)? {
            description.belongs(&entry.key, &key)?;
            return description.checked(key).map(Some);
        }
    }
    Ok(None)
}

impl Repository {
    /// Every rotation, oldest first.
    pub(crate) async fn rotations(&self) -> Result<Vec<Rotation>> {
        let mut rotations = Vec::new();
        for (found, number) in self.documents(FOLDER).await?.into_iter().zip(1..) {
            let Found { key, document, .. } = found;
            let wrong = |why: String| {
                Error::bad(format!("{key} cannot be believed: {why}")).hint(
                    "it says whom backups are encrypted to: do not write to this repository, find out who can write to the store, and put the original back",
                )
            };
            let rotation: Rotation = document.map_err(wrong)?;
            if key != object(number) || rotation.number != number {
                return Err(wrong(format!("{} is missing before it", object(number))));
            }
            rotations.push(rotation);
        }
        Ok(rotations)
    }

    /// Whom sets are encrypted to from now on; none when nothing is encrypted.
    #[must_use]
    pub fn recipients(&self) -> &[String] {
        match self.encryption() {
            Encryption::None => &[],
            Encryption::Age(recipients) => recipients,
        }
    }

    /// Whom everything that this set needs is encrypted to.
    #[must_use]
    pub fn recipients_of<'a>(&'a self, header: &'a SetHeader) -> &'a [String] {
        match &self.first_encryption() {
            Encryption::Age(first) if header.recipients.is_empty() => first,
            _ => &header.recipients,
        }
    }

    /// Whether the identity that was given opens what is encrypted to these recipients; `None` without an identity.
    #[must_use]
    pub fn identity_opens(&self, recipients: &[String]) -> Option<bool> {
        self.identities()
            .map(|identities| identities.belong_to(recipients))
    }

    /// Changes whom later sets are encrypted to. Needs the repository key only, which was given or opened already.
    ///
    /// # Errors
    /// Exit code 2 when nothing is encrypted, a recipient is none, or the lists do not fit the present one; 4 when
    /// nobody would be left; 3 when it cannot be written.
    pub async fn rotate(&self, add: &[String], remove: &[String]) -> Result<Rotation> {
        if *self.encryption() == Encryption::None {
            return Err(
                Error::usage("nothing is encrypted in this repository, so it has no recipients")
                    .hint("make a new repository with recipients; this one can be copied or kept beside it"),
            );
        }
        let mut recipients = self.recipients().to_vec();
        for gone in Recipients::parse(remove)?.texts() {
            let before = recipients.len();
            recipients.retain(|known| *known != gone);
            if recipients.len() == before {
                return Err(Error::usage(format!("{gone} is no recipient of this repository"))
                    .hint("`fh-backup key check` shows the recipients"));
            }
        }
        for new in Recipients::parse(add)?.texts() {
            if recipients.contains(&new) {
                return Err(Error::usage(format!("{new} is a recipient already"))
                    .hint("`fh-backup key check` shows the recipients"));
            }
            recipients.push(new);
        }
        if recipients.is_empty() {
            return Err(
                Error::refused("no recipient would be left: nobody could read the backups")
                    .hint("add the new recipient in the same call; nothing was changed"),
            );
        }
        let text = self.key.to_text();
        let cipher = Recipients::parse(&recipients)?.encrypt(text.expose().as_bytes())?;
        let number = self.rotation() + 1;
        let rotation = Rotation {
            number,
            created: jiff::Timestamp::now(),
            recipients,
            key: armor(&cipher)?,
        };
        self.put_document(&object(number), &rotation).await.hint(
            || "another rotation may have been made at the same time: look with `fh-backup key check`",
        )?;
        Ok(rotation)
    }
}
