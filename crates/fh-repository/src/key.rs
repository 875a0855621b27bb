//! The repository key: what names of segments and seals of sets are made with.

use std::fmt;

use fh_core::{Error, Result, Secret};
use zeroize::Zeroizing;

use crate::crypt::Identities;

/// What the text form begins with: format and version of the key.
const PREFIX: &str = "fh-repository-key-1:";

/// 32 random bytes that belong to one repository. Whoever holds them can seal sets, recognise contents by name, and
/// read the names and sizes of tables in the summaries of sets, but nothing else that is encrypted.
#[derive(Clone)]
pub struct RepositoryKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for RepositoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RepositoryKey(***)")
    }
}

impl RepositoryKey {
    /// A new random key from the operating system.
    ///
    /// # Errors
    /// Exit code 3 when the operating system has no randomness to give.
    pub(crate) fn random() -> Result<Self> {
        random_bytes().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Reads the text form: `fh-repository-key-1:` and 64 hexadecimal digits.
    ///
    /// # Errors
    /// Exit code 2 when the text is something else; it is not repeated in the message.
    pub fn from_text(text: &Secret) -> Result<Self> {
        let wrong = || {
            Error::usage("the repository key is not in the form that `fh-backup init` writes").hint(format!(
                "the file holds one line, {PREFIX} and 64 hexadecimal digits"
            ))
        };
        let digits = text.expose().trim().strip_prefix(PREFIX).ok_or_else(wrong)?;
        let hash = blake3::Hash::from_hex(digits).map_err(|_| wrong())?;
        Ok(Self(Zeroizing::new(*hash.as_bytes())))
    }

    /// The text form, for the key file.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        Secret::new(format!("{PREFIX}{}", blake3::Hash::from_bytes(*self.0).to_hex()))
    }

    /// Content address of a segment: keyed BLAKE3 of its plain bytes. Keyed, so that a reader of the store cannot test
    /// whether it holds a certain text.
    pub(crate) fn name(&self, plain: &[u8]) -> blake3::Hash {
        blake3::keyed_hash(&self.derive("fh-backup 2026 segment name"), plain)
    }

    /// Seal of a set's header.
    pub(crate) fn seal(&self, header: &[u8]) -> blake3::Hash {
        blake3::keyed_hash(&self.derive("fh-backup 2026 set seal"), header)
    }

    /// Seal of a document beside the sets: evidence, or a list of what is to be removed.
    pub(crate) fn seal_document(&self, text: &[u8]) -> blake3::Hash {
        blake3::keyed_hash(&self.derive("fh-backup 2026 document seal"), text)
    }

    /// Seal of the repository's description.
    pub(crate) fn seal_description(&self, text: &[u8]) -> blake3::Hash {
        blake3::keyed_hash(&self.derive("fh-backup 2026 description seal"), text)
    }

    /// The age identity that opens the summaries of sets: see [`crate::summary`].
    pub(crate) fn summary_identity(&self) -> Result<Identities> {
        Identities::from_bytes(&Zeroizing::new(self.derive("fh-backup 2026 summary")))
    }

    /// What the repository's description holds to recognise the key by.
    pub(crate) fn check_value(&self) -> String {
        blake3::Hash::from_bytes(self.derive("fh-backup 2026 key check"))
            .to_hex()
            .to_string()
    }

    fn derive(&self, context: &str) -> [u8; 32] {
        blake3::derive_key(context, &*self.0)
    }
}

/// Random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::unable("the operating system gave no random bytes").because(error))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_reads_back_and_other_texts_do_not() {
        let key = RepositoryKey::random().unwrap();
        let again = RepositoryKey::from_text(&key.to_text()).unwrap();
        assert_eq!(key.check_value(), again.check_value());
        for wrong in [
            "",
            "fh-repository-key-1:",
            "fh-repository-key-1:zz",
            "AGE-SECRET-KEY-1…",
        ] {
            let error = RepositoryKey::from_text(&Secret::new(wrong)).unwrap_err();
            assert_eq!(error.exit(), fh_core::Exit::Usage, "{wrong}");
        }
    }

    #[test]
    fn names_and_seals_depend_on_the_key_and_on_the_purpose() {
        let (one, two) = (RepositoryKey::random().unwrap(), RepositoryKey::random().unwrap());
        assert_ne!(one.name(b"x"), two.name(b"x"));
        assert_ne!(one.name(b"x"), one.seal(b"x"));
        assert_eq!(one.name(b"x"), one.name(b"x"));
        assert!(!format!("{one:?}").contains(one.to_text().expose()));
    }
}
