//! From plain bytes to what is stored and back: zstd, then age. CPU-bound; call it on a blocking thread.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use fh_core::{Context as _, Error, Result};
use zstd::zstd_safe::{CParameter, ParamSwitch};

use crate::crypt::{Identities, Recipients};
use crate::key::RepositoryKey;

/// Plain bytes of one segment or body at most: what a reader must be ready to hold. A row may be 1 GiB (PostgreSQL
/// manual, appendix K), and a row is never cut.
pub(crate) const LARGEST: u64 = 2 << 30;

/// Bytes decompressed at a time when a segment is read back: zstd's own block size.
const WINDOW: usize = 128 << 10;

/// Entries of level 1's match table, as a power of two: 4 KiB of it stay in the first-level cache beside the rows. Rows as
/// COPY writes them repeat at short distances; on price and transaction tables this is faster than zstd's own choice (14)
/// and packs two per cent better, on JSON documents some per cent worse.
const HASH_LOG: u32 = 10;
/// How much further than one byte level 1 steps when nothing matched (`targetLength` of zstd's fast strategy, less one).
/// A tenth less work for less than one per cent of size, as long as literals stay compressed: by itself zstd stops that
/// here (`ZSTD_c_literalCompressionMode`), at half as much size again.
const STEP: u32 = 2;
/// A buffer above this is not kept for the next segment.
const KEPT: usize = 32 << 20;

/// Compresses and encrypts, segment after segment. Contexts and buffers are kept in between: taking megabytes from the
/// system and giving them back for each segment costs time, and leaves memory in pieces.
#[derive(Debug)]
pub(crate) struct Encoder {
    level: i32,
    recipients: Recipients,
    spare: Mutex<Vec<Scratch>>,
}

struct Scratch {
    compressor: zstd::bulk::Compressor<'static>,
    packed: Vec<u8>,
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch")
            .field("packed", &self.packed.capacity())
            .finish_non_exhaustive()
    }
}

impl Encoder {
    pub(crate) fn new(level: i32, recipients: Recipients) -> Self {
        Self {
            level,
            recipients,
            spare: Mutex::default(),
        }
    }

    /// Whether anything is encrypted.
    pub(crate) fn encrypts(&self) -> bool {
        !self.recipients.is_empty()
    }

    /// Compresses and, with recipients, encrypts. The result was decoded again and compared before it is returned: a bit
    /// that flipped in memory, or a fault in a library, must not become the only copy.
    pub(crate) fn encode(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let size = plain.len() as u64;
        if size > LARGEST {
            return Err(Error::unable(format!(
                "a segment of {size} bytes is too large: {LARGEST} can be stored"
            )));
        }
        let mut scratch = self.scratch().or_unable(|| "cannot compress a segment")?;
        let (stored, same) = self.encode_with(&mut scratch, plain)?;
        if scratch.packed.capacity() <= KEPT {
            self.lock().push(scratch);
        }
        if same {
            return Ok(stored);
        }
        Err(Error::unable("a segment did not decode to what was encoded").hint(
            "this points to faulty memory or a damaged binary: run a memory test before you trust this machine",
        ))
    }

    fn encode_with(&self, scratch: &mut Scratch, plain: &[u8]) -> Result<(Vec<u8>, bool)> {
        let Scratch { compressor, packed } = scratch;
        packed.clear();
        packed.reserve(zstd::zstd_safe::compress_bound(plain.len()));
        compressor
            .compress_to_buffer(plain, packed)
            .or_unable(|| "cannot compress a segment")?;
        if !self.encrypts() {
            let stored = packed.clone();
            let same = decompresses_to(&stored[..], plain);
            return Ok((stored, same));
        }
        // This host may hold public keys only. One more key pair, which lives for this one call, lets it read back
        // what it wrote.
        let (ephemeral, recipient) = Identities::ephemeral();
        let stored = self.recipients.and(recipient).encrypt(packed)?;
        let same = ephemeral
            .reader("what was just encrypted", &stored)
            .is_ok_and(|opened| decompresses_to(opened, plain));
        Ok((stored, same))
    }

    fn scratch(&self) -> io::Result<Scratch> {
        if let Some(scratch) = self.lock().pop() {
            return Ok(scratch);
        }
        let mut compressor = zstd::bulk::Compressor::new(self.level)?;
        compressor.include_checksum(true)?;
        if self.level == 1 {
            compressor.set_parameter(CParameter::HashLog(HASH_LOG))?;
            compressor.set_parameter(CParameter::TargetLength(STEP))?;
            compressor.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Enable))?;
        }
        Ok(Scratch {
            compressor,
            packed: Vec::new(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Encodes once, see [`Encoder::encode`].
pub(crate) fn encode(plain: &[u8], level: i32, recipients: &Recipients) -> Result<Vec<u8>> {
    Encoder::new(level, recipients.clone()).encode(plain)
}

/// The reverse: `limit` is the number of plain bytes that are expected at most.
pub(crate) fn decode(
    what: &str,
    stored: &[u8],
    identities: Option<&Identities>,
    limit: u64,
) -> Result<Vec<u8>> {
    let plain = match identities {
        None => decompress(stored, limit),
        Some(identities) => {
            // zstd makes incompressible bytes a little larger; age has taken its own overhead off by then.
            let opened = identities.decrypt(what, stored, limit + limit / 64 + 4096)?;
            decompress(&opened, limit)
        }
    };
    plain.map_err(|error| Error::bad(format!("{what} cannot be decompressed")).because(error))
}

/// As [`decode`], and the content must have the name it was stored under.
pub(crate) fn decode_named(
    key: &RepositoryKey,
    id: &str,
    stored: &[u8],
    identities: Option<&Identities>,
    limit: u64,
) -> Result<Vec<u8>> {
    let plain = decode(&format!("segment {id}"), stored, identities, limit)?;
    if key.name(&plain).to_hex().as_str() == id {
        Ok(plain)
    } else {
        Err(Error::bad(format!(
            "segment {id} holds something else than its name says"
        )))
    }
}

/// Whether `stored` decompresses to exactly `plain`.
fn decompresses_to(stored: impl Read, plain: &[u8]) -> bool {
    let Ok(mut decoder) = zstd::stream::read::Decoder::new(stored) else {
        return false;
    };
    let mut window = vec![0; WINDOW];
    let mut rest = plain;
    loop {
        match decoder.read(&mut window) {
            Ok(0) => return rest.is_empty(),
            Ok(count) => match rest.split_at_checked(count) {
                Some((expected, after)) if *expected == window[..count] => rest = after,
                _ => return false,
            },
            Err(_) => return false,
        }
    }
}

fn decompress(stored: &[u8], limit: u64) -> Result<Vec<u8>> {
    let capacity = usize::try_from(limit.min(LARGEST)).unwrap_or(usize::MAX);
    zstd::bulk::decompress(stored, capacity)
        .or_bad(|| "the compressed data is damaged or larger than it should be")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypt::generate_identity;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_encoded_decodes(plain in prop::collection::vec(any::<u8>(), 0..5000), encrypted: bool) {
            let pair = generate_identity();
            let recipients = if encrypted { vec![pair.recipient] } else { vec![] };
            let recipients = Recipients::parse(&recipients).unwrap();
            let identities = Identities::parse(&pair.identity).unwrap();
            let stored = encode(&plain, 1, &recipients).unwrap();
            let back = decode("it", &stored, encrypted.then_some(&identities), plain.len() as u64).unwrap();
            prop_assert_eq!(back, plain);
        }
    }

    #[test]
    fn the_same_bytes_give_the_same_clear_segment() {
        let none = Recipients::default();
        assert_eq!(
            encode(b"rows", 1, &none).unwrap(),
            encode(b"rows", 1, &none).unwrap()
        );
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let bomb = encode(&vec![0; 1 << 20], 1, &Recipients::default()).unwrap();
        assert!(decode("it", &bomb, None, 1000).is_err());
    }

    #[test]
    fn another_content_under_the_name_is_refused() {
        let key = RepositoryKey::random().unwrap();
        let stored = encode(b"two", 1, &Recipients::default()).unwrap();
        let error = decode_named(&key, key.name(b"one").to_hex().as_str(), &stored, None, 3).unwrap_err();
        assert!(error.message().contains("holds something else"));
    }

    /// What FORMAT.md promises: stock tools read it. The decoders here are the libraries' own, in streaming form.
    #[test]
    fn stock_tools_read_what_is_stored() {
        use std::io::Read as _;
        let plain: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let identity = age::x25519::Identity::generate();
        let recipients = Recipients::parse(&[identity.to_public().to_string()]).unwrap();
        let stored = encode(&plain, 3, &recipients).unwrap();
        let opened = age::decrypt(&identity, &stored).unwrap();
        let mut back = Vec::new();
        zstd::stream::read::Decoder::new(&opened[..])
            .unwrap()
            .read_to_end(&mut back)
            .unwrap();
        assert_eq!(back, plain);
    }

    #[test]
    fn the_frame_carries_its_own_checksum() {
        let stored = encode(&[7; 1000], 1, &Recipients::default()).unwrap();
        // RFC 8878 §3.1.1.1: the frame header descriptor follows the four bytes of the magic number; bit 2 is the flag.
        assert_eq!(stored[4] & 0b100, 0b100);
    }
}
