//! `fh-backup.json`: what kind of repository this is. Written once, never changed.

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use bytes::Bytes;
use fh_core::{Context as _, Error, Result, Secret};
use serde::{Deserialize, Serialize};
use std::io::{Read as _, Write as _};

use crate::crypt::{Identities, Recipients};
use crate::key::{RepositoryKey, random_bytes};

/// Name of the object.
pub(crate) const OBJECT: &str = "fh-backup.json";
/// Its size at most.
pub(crate) const LIMIT: u64 = 1 << 20;
/// The format that this program writes, and the newest it reads.
const VERSION: u32 = 1;
const FORMAT: &str = "fh-backup repository";

/// The content of `fh-backup.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    format: String,
    version: u32,
    /// Random identifier: a set of another repository is recognised by it.
    pub id: String,
    /// When the repository was made.
    pub created: jiff::Timestamp,
    /// Whether and to whom everything is encrypted.
    pub encryption: Encryption,
    /// Recognises the repository key without telling it.
    key_check: String,
    /// The key: in clear when nothing is encrypted, otherwise encrypted to the recipients (armored age).
    key: String,
    /// Keyed hash over version, id, time and recipients. Whoever can write to the store could otherwise turn encryption
    /// off, or add a recipient of their own, and every later backup would be theirs to read.
    seal: String,
}

/// Whether and to whom a repository is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// Everything is stored in clear.
    None,
    /// Everything but headers and names is encrypted to these recipients.
    Age(Vec<String>),
}

impl Description {
    /// A new repository.
    pub(crate) fn new(recipients: &Recipients) -> Result<(Self, RepositoryKey)> {
        let key = RepositoryKey::random()?;
        let text = key.to_text();
        let (encryption, stored) = if recipients.is_empty() {
            (Encryption::None, text.expose().to_owned())
        } else {
            (
                Encryption::Age(recipients.texts()),
                armor(&recipients.encrypt(text.expose().as_bytes())?)?,
            )
        };
        let id = random_bytes::<16>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut description = Self {
            format: FORMAT.into(),
            version: VERSION,
            id,
            created: jiff::Timestamp::now(),
            encryption,
            key_check: key.check_value(),
            key: stored,
            seal: String::new(),
        };
        description.seal = description.expected_seal(&key).to_hex().to_string();
        Ok((description, key))
    }

    /// The bytes of the object.
    pub(crate) fn to_bytes(&self) -> Result<Bytes> {
        let mut text = serde_json::to_vec_pretty(self).or_unable(|| "cannot write fh-backup.json")?;
        text.push(b'\n');
        Ok(text.into())
    }

    /// Reads the object.
    pub(crate) fn from_bytes(place: &str, bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: String,
            version: u32,
        }
        let unreadable = || format!("{OBJECT} in {place} is not the description of a repository");
        let seen: Version = serde_json::from_slice(bytes).or_bad(unreadable)?;
        if seen.format != FORMAT {
            return Err(Error::bad(unreadable()));
        }
        if seen.version > VERSION {
            return Err(Error::unable(format!(
                "the repository in {place} has format version {}, this program knows {VERSION}",
                seen.version
            ))
            .hint("use the version of fh-backup that made it, or a newer one"));
        }
        serde_json::from_slice(bytes).or_bad(unreadable)
    }

    /// The key that is in clear.
    pub(crate) fn clear_key(&self) -> Result<Option<RepositoryKey>> {
        match self.encryption {
            Encryption::None => RepositoryKey::from_text(&Secret::new(self.key.clone()))
                .or_bad(|| format!("the repository key in {OBJECT} is damaged"))
                .and_then(|key| self.checked(key))
                .map(Some),
            Encryption::Age(_) => Ok(None),
        }
    }

    /// The key, opened with a private key.
    pub(crate) fn open_key(&self, identities: &Identities) -> Result<RepositoryKey> {
        let key = open_armored(OBJECT, &self.key, identities)?.ok_or_else(|| {
            Error::usage(format!(
                "the repository key in {OBJECT} is not encrypted to this identity"
            ))
            .hint("use the identity of one of the recipients that fh-backup.json names")
        })?;
        self.belongs(OBJECT, &key)?;
        self.checked(key)
    }

    /// Whether a key that `object` held in encrypted form is that of this repository.
    pub(crate) fn belongs(&self, object: &str, key: &RepositoryKey) -> Result<()> {
        if key.check_value() == self.key_check {
            return Ok(());
        }
        Err(Error::bad(format!("the repository key in {object} is damaged")))
    }

    /// The key, if it is that of this repository, and the description is what was sealed with it.
    pub(crate) fn checked(&self, key: RepositoryKey) -> Result<RepositoryKey> {
        if key.check_value() != self.key_check {
            return Err(Error::usage("the repository key belongs to another repository")
                .hint("use the key file that `fh-backup init` wrote for this one, or the identity, which opens it too"));
        }
        // blake3::Hash compares in constant time.
        if blake3::Hash::from_hex(&self.seal).ok() == Some(self.expected_seal(&key)) {
            return Ok(key);
        }
        Err(Error::bad(format!(
            "{OBJECT} was changed: its id, time or recipients are not those it was made with"
        ))
        .hint(
            "do not write to this repository: find out who can write to the store, and put the original back",
        ))
    }

    fn expected_seal(&self, key: &RepositoryKey) -> blake3::Hash {
        let recipients = match &self.encryption {
            Encryption::None => &[][..],
            Encryption::Age(recipients) => recipients,
        };
        let mut text = format!("{}\n{}\n{}\n", self.version, self.id, self.created);
        for recipient in recipients {
            text.push_str(recipient);
            text.push('\n');
        }
        key.seal_description(text.as_bytes())
    }
}

/// The repository key out of an armored age file; `None` when it is not encrypted to any of the identities.
pub(crate) fn open_armored(
    object: &str,
    armored: &str,
    identities: &Identities,
) -> Result<Option<RepositoryKey>> {
    let damaged = || format!("the repository key in {object} is damaged");
    let mut cipher = Vec::new();
    ArmoredReader::new(armored.as_bytes())
        .read_to_end(&mut cipher)
        .or_bad(damaged)?;
    if !identities.fit(&cipher) {
        return Ok(None);
    }
    let text = identities.decrypt(&format!("the repository key in {object}"), &cipher, 4096)?;
    let text = Secret::new(String::from_utf8(text).or_bad(damaged)?);
    RepositoryKey::from_text(&text).or_bad(damaged).map(Some)
}

pub(crate) fn armor(cipher: &[u8]) -> Result<String> {
    let failed = || "cannot write the repository key";
    let mut writer = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).or_unable(failed)?;
    writer.write_all(cipher).or_unable(failed)?;
    String::from_utf8(writer.finish().or_unable(failed)?).or_unable(failed)
}
