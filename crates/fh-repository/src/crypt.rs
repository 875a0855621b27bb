//! Encryption with age (<https://age-encryption.org/v1>), X25519 keys only: stock `age -d` opens everything.

use std::fmt;
use std::io::{Read, Write as _};
use std::str::FromStr as _;

use age::secrecy::ExposeSecret as _;
use age::x25519;
use fh_core::{Context as _, Error, Result, Secret};

/// Human-readable part of a private key's Bech32 text.
const IDENTITY_PREFIX: bech32::Hrp = bech32::Hrp::parse_unchecked("age-secret-key-");

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
        let out = Vec::with_capacity(plain.len() + plain.len() / 4096 + 1024);
        let mut writer = encryptor.wrap_output(out).or_unable(|| "cannot encrypt")?;
        writer.write_all(plain).or_unable(|| "cannot encrypt")?;
        writer.finish().or_unable(|| "cannot encrypt")
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

    /// The key with these 32 bytes, which may be any (RFC 7748 §5 clamps them).
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Result<Self> {
        // age takes private keys as text only: Bech32 (BIP 173) in capitals.
        let text = bech32::encode_upper::<bech32::Bech32>(IDENTITY_PREFIX, bytes)
            .or_unable(|| "cannot write a private key")?;
        let text = Secret::new(text);
        x25519::Identity::from_str(text.expose())
            .map(|identity| Self(vec![identity]))
            .map_err(Error::unable)
    }

    /// The public keys that belong to them.
    pub(crate) fn recipients(&self) -> Vec<x25519::Recipient> {
        self.0.iter().map(x25519::Identity::to_public).collect()
    }

    /// One key, for reading back what was just written.
    pub(crate) fn ephemeral() -> (Self, x25519::Recipient) {
        let identity = x25519::Identity::generate();
        let recipient = identity.to_public();
        (Self(vec![identity]), recipient)
    }

    /// Whether one of them belongs to one of these recipients.
    pub(crate) fn belong_to(&self, recipients: &[String]) -> bool {
        self.0
            .iter()
            .any(|identity| recipients.contains(&identity.to_public().to_string()))
    }

    /// Whether one of them opens `cipher`, as far as its header tells.
    pub(crate) fn fit(&self, cipher: &[u8]) -> bool {
        let Ok(decryptor) = age::Decryptor::new(cipher) else {
            return false;
        };
        let identities = self.0.iter().map(|identity| identity as &dyn age::Identity);
        !matches!(
            decryptor.decrypt(identities),
            Err(age::DecryptError::NoMatchingKeys)
        )
    }

    /// Decrypts; `limit` bounds the plain bytes. That the identity is one of the repository's was checked when it was
    /// opened, so whatever does not open now was changed.
    pub(crate) fn decrypt(&self, what: &str, cipher: &[u8], limit: u64) -> Result<Vec<u8>> {
        let failed = || format!("{what} cannot be decrypted: it was changed or cut");
        let mut plain = Vec::new();
        self.reader(what, cipher)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut plain)
            .or_bad(failed)?;
        if plain.len() as u64 > limit {
            return Err(Error::bad(format!("{what} is larger than its set says")));
        }
        Ok(plain)
    }

    /// Decrypts what is read from it, 64 KiB at a time.
    pub(crate) fn reader<'c>(&self, what: &str, cipher: &'c [u8]) -> Result<impl Read + use<'c>> {
        let failed = || format!("{what} cannot be decrypted: it was changed or cut");
        let decryptor = age::Decryptor::new(cipher).or_bad(failed)?;
        let identities = self.0.iter().map(|identity| identity as &dyn age::Identity);
        decryptor.decrypt(identities).or_bad(failed)
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
        let wrong = Identities::parse(&wrong.identity).unwrap();
        assert!(!wrong.fit(&cipher));
        let error = wrong.decrypt("it", &cipher, 4).unwrap_err();
        assert_eq!(error.message(), "it cannot be decrypted: it was changed or cut");
        assert!(Identities::parse(&right.identity).unwrap().fit(&cipher));
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

    #[test]
    fn an_identity_file_may_hold_comments_and_several_keys() {
        let (one, two) = (generate_identity(), generate_identity());
        let both = format!(
            "\n# old\n{}\n  # new\n{}",
            one.identity.expose(),
            two.identity.expose()
        );
        let identities = Identities::parse(&Secret::new(both)).unwrap();
        for pair in [one, two] {
            let cipher = Recipients::parse(&[pair.recipient])
                .unwrap()
                .encrypt(b"rows")
                .unwrap();
            assert_eq!(identities.decrypt("it", &cipher, 4).unwrap(), b"rows");
        }
    }

    #[test]
    fn any_32_bytes_are_a_key_and_always_the_same_one() {
        for bytes in [[0; 32], [0xff; 32], [7; 32]] {
            let [one, two] = [(); 2].map(|()| Identities::from_bytes(&bytes).unwrap());
            let recipients = Recipients(one.recipients());
            let cipher = recipients.encrypt(b"rows").unwrap();
            assert_eq!(two.decrypt("it", &cipher, 4).unwrap(), b"rows");
        }
    }

    /// Both kinds of file that `age -p` makes for an identity: armored and not.
    #[test]
    fn a_locked_identity_is_refused_with_the_way_out() {
        for locked in [
            "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
            "age-encryption.org/v1\n-> scrypt x 18\n",
        ] {
            let error = Identities::parse(&Secret::new(locked)).unwrap_err();
            assert_eq!(error.exit(), fh_core::Exit::Usage);
            assert_eq!(
                error.message(),
                "line 1 of the identity is not an age X25519 private key"
            );
            assert!(error.advice().unwrap().contains("opened with `age -d` first"));
        }
    }
}
