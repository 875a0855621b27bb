//! Encryption with age (<https://age-encryption.org/v1>), X25519 keys only: stock `age -d` opens everything.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::str::FromStr as _;

use age::secrecy::ExposeSecret as _;
use age::x25519;
use fh_core::{Context as _, Error, Result, Secret};

/// The public keys that everything is encrypted to.
#[derive(Clone, Default)]
pub struct Recipients(Vec<x25519::Recipient>);

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(ToString::to_string))
            .finish()
    }
}

impl Recipients {
    /// Reads `age1…` texts.
    ///
    /// # Errors
    /// Exit code 2 naming the first that is no X25519 recipient.
    pub fn parse(texts: &[String]) -> Result<Self> {
        let parse = |text: &String| {
            if text.trim().to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
                let _register = Secret::new(text.trim());
                return Err(Error::usage("a private key was given where a recipient belongs")
                    .hint("give the public key, which begins with age1; treat that private key as leaked"));
            }
            x25519::Recipient::from_str(text.trim()).map_err(|reason| {
                Error::usage(format!("{text:?} is not an age recipient: {reason}"))
                    .hint("a recipient begins with age1; `fh-backup key generate` makes a pair")
            })
        };
        texts.iter().map(parse).collect::<Result<_>>().map(Self)
    }

    /// The texts again.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Whether there are none: then nothing is encrypted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with one more.
    pub(crate) fn and(&self, more: x25519::Recipient) -> Self {
        let mut all = self.0.clone();
        all.push(more);
        Self(all)
    }

    /// Encrypts.
    pub(crate) fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let recipients = self.0.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).or_unable(|| "cannot encrypt")?;
        let mut out = Vec::with_capacity(plain.len() + plain.len() / 4096 + 1024);
        let mut writer = encryptor.wrap_output(&mut out).or_unable(|| "cannot encrypt")?;
        writer.write_all(plain).or_unable(|| "cannot encrypt")?;
        writer.finish().or_unable(|| "cannot encrypt")?;
        Ok(out)
    }
}

/// Private keys.
#[derive(Clone, Default)]
pub(crate) struct Identities(Vec<x25519::Identity>);

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}

impl Identities {
    /// Reads an identity file: one key a line, `#` for comments.
    pub(crate) fn parse(text: &Secret) -> Result<Self> {
        let mut found = Vec::new();
        for (number, line) in text.expose().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let _register = Secret::new(line);
            found.push(x25519::Identity::from_str(line).map_err(|_| {
                Error::usage(format!("line {} of the identity is not an age X25519 private key", number + 1)).hint(
                    "an identity begins with AGE-SECRET-KEY-1; files locked with a passphrase must be opened with `age -d` first",
                )
            })?);
        }
        if found.is_empty() {
            return Err(Error::usage("the identity holds no key")
                .hint("give the file that `fh-backup key generate` or `age-keygen` made"));
        }
        Ok(Self(found))
    }

    /// One key, for reading back what was just written.
    pub(crate) fn ephemeral() -> (Self, x25519::Recipient) {
        let identity = x25519::Identity::generate();
        let recipient = identity.to_public();
        (Self(vec![identity]), recipient)
    }

    /// Decrypts; `limit` bounds the plain bytes.
    pub(crate) fn decrypt(&self, what: &str, cipher: &[u8], limit: u64) -> Result<Vec<u8>> {
        let failed = |error: age::DecryptError| match error {
            age::DecryptError::NoMatchingKeys => {
                Error::unable(format!("{what} is not encrypted to this identity"))
                    .hint("use the identity of one of the recipients that fh-backup.json names")
            }
            other => Error::bad(format!("{what} cannot be decrypted: it was changed or cut")).because(other),
        };
        let decryptor = age::Decryptor::new(cipher).map_err(failed)?;
        let identities = self.0.iter().map(|identity| identity as &dyn age::Identity);
        let reader = decryptor.decrypt(identities).map_err(failed)?;
        let mut plain = Vec::new();
        reader
            .take(limit.saturating_add(1))
            .read_to_end(&mut plain)
            .or_bad(|| format!("{what} cannot be decrypted: it was changed or cut"))?;
        if plain.len() as u64 > limit {
            return Err(Error::bad(format!("{what} is larger than its set says")));
        }
        Ok(plain)
    }
}

/// A new age key pair.
#[derive(Debug)]
pub struct Generated {
    /// Text of an identity file: a comment with the public key, and the private key.
    pub identity: Secret,
    /// The public key, `age1…`.
    pub recipient: String,
}

/// Makes a new age key pair.
#[must_use]
pub fn generate_identity() -> Generated {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    let _register = Secret::new(secret.expose_secret());
    Generated {
        identity: Secret::new(format!("# public key: {recipient}\n{}\n", secret.expose_secret())),
        recipient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_opens_with_the_right_identity_only() {
        let (right, wrong) = (generate_identity(), generate_identity());
        let cipher = Recipients::parse(&[right.recipient])
            .unwrap()
            .encrypt(b"rows")
            .unwrap();
        assert_eq!(
            Identities::parse(&right.identity)
                .unwrap()
                .decrypt("it", &cipher, 4)
                .unwrap(),
            b"rows"
        );
        let error = Identities::parse(&wrong.identity)
            .unwrap()
            .decrypt("it", &cipher, 4)
            .unwrap_err();
        assert_eq!(error.message(), "it is not encrypted to this identity");
        let error = Identities::parse(&right.identity)
            .unwrap()
            .decrypt("it", &cipher, 3)
            .unwrap_err();
        assert_eq!(error.message(), "it is larger than its set says");
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let pair = generate_identity();
        let identities = Identities::parse(&pair.identity).unwrap();
        let cipher = Recipients::parse(&[pair.recipient])
            .unwrap()
            .encrypt(b"rows")
            .unwrap();
        for at in 0..cipher.len() {
            let mut changed = cipher.clone();
            changed[at] ^= 1;
            assert!(identities.decrypt("it", &changed, 100).is_err(), "byte {at}");
        }
    }

    #[test]
    fn private_keys_are_not_repeated_in_messages() {
        let pair = generate_identity();
        let line = pair.identity.expose().lines().nth(1).unwrap().to_owned();
        let error = Recipients::parse(std::slice::from_ref(&line)).unwrap_err();
        assert!(!error.render().contains(&line));
        assert!(error.render().contains("private key was given"));
        assert!(Identities::parse(&Secret::new("# nothing\n")).is_err());
        assert!(Identities::parse(&Secret::new("age1xyz")).is_err());
    }
}
