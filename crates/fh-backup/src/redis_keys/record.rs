//! How a key is stored, and how stored keys are read.

use std::collections::VecDeque;

use fh_core::{Error, Result};
use fh_repository::{Repository, SegmentRef};

use crate::body::Data;

/// Bytes before key and value.
const HEAD: usize = 4 + 8 + 4 + 8;

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Number of the database.
    pub database: u32,
    /// When it expires, in milliseconds since 1970, by the server's clock.
    pub expires_at: Option<i64>,
    /// The key.
    pub key: Vec<u8>,
    /// The value as `DUMP` gives it.
    pub payload: Vec<u8>,
}

impl Record {
    /// Little-endian: database (4 bytes), expiry (8, −1 for none), length of the key (4), length of the value (8), key,
    /// value.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.key.len() + self.payload.len());
        bytes.extend(self.database.to_le_bytes());
        bytes.extend(self.expires_at.unwrap_or(-1).to_le_bytes());
        // A key has at most 512 MiB (Redis documentation, "Keys").
        bytes.extend(u32::try_from(self.key.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend((self.payload.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&self.key);
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Reads one from the beginning of `bytes`, and how long it was. `Ok(None)` when there is not enough yet; `left` is how
    /// many bytes there are in all.
    fn decode(bytes: &[u8], left: u64) -> Result<Option<(Self, usize)>, ()> {
        let Some((head, rest)) = bytes.split_at_checked(HEAD) else {
            return Ok(None);
        };
        let (database, head) = take::<4>(head);
        let (expires_at, head) = take::<8>(head);
        let (key, head) = take::<4>(head);
        let (payload, _) = take::<8>(head);
        let expires_at = i64::from_le_bytes(expires_at);
        let (key, payload) = (u64::from(u32::from_le_bytes(key)), u64::from_le_bytes(payload));
        let size = key.checked_add(payload).ok_or(())?;
        // A length that cannot be would otherwise have everything read into memory.
        if size > left.saturating_sub(HEAD as u64) {
            return Err(());
        }
        let (key, size) = (
            usize::try_from(key).map_err(drop)?,
            usize::try_from(size).map_err(drop)?,
        );
        let Some(content) = rest.get(..size) else {
            return Ok(None);
        };
        let record = Self {
            database: u32::from_le_bytes(database),
            expires_at: (expires_at != -1).then_some(expires_at),
            key: content[..key].to_vec(),
            payload: content[key..].to_vec(),
        };
        Ok(Some((record, HEAD + size)))
    }
}

fn take<const N: usize>(bytes: &[u8]) -> ([u8; N], &[u8]) {
    bytes
        .split_first_chunk::<N>()
        .map_or(([0; N], &[]), |(first, rest)| (*first, rest))
}

/// The records of a set, in the order in which they were read.
#[derive(Debug)]
pub struct Records<'a> {
    repository: &'a Repository,
    left: VecDeque<SegmentRef>,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes in segments that are not read yet.
    unread: u64,
}

impl<'a> Records<'a> {
    /// From the first on.
    #[must_use]
    pub fn new(repository: &'a Repository, data: &Data) -> Self {
        Self {
            repository,
            left: data.segments.iter().cloned().collect(),
            buffer: Vec::new(),
            at: 0,
            unread: data.segments.iter().map(|segment| segment.size).sum(),
        }
    }

    /// The next record, or `None` after the last.
    ///
    /// # Errors
    /// Exit code 1 when a segment is missing or damaged, 3 when the store cannot be read.
    pub async fn next(&mut self) -> Result<Option<Record>> {
        loop {
            let rest = &self.buffer[self.at..];
            let there = rest.len() as u64;
            let decoded = Record::decode(rest, there + self.unread)
                .map_err(|()| Error::bad("the stored keys of Redis are not readable: a length is wrong"))?;
            if let Some((record, size)) = decoded {
                self.at += size;
                return Ok(Some(record));
            }
            let Some(segment) = self.left.pop_front() else {
                return if there == 0 {
                    Ok(None)
                } else {
                    Err(Error::bad("the stored keys of Redis end in the middle of one"))
                };
            };
            self.buffer.drain(..self.at);
            self.at = 0;
            self.unread -= segment.size;
            self.buffer.extend(self.repository.read_segment(&segment).await?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_decodes(
            database: u32,
            expires_at in prop::option::of(0_i64..i64::MAX),
            key in prop::collection::vec(any::<u8>(), 0..50),
            payload in prop::collection::vec(any::<u8>(), 0..50),
            cut in 1_usize..200,
        ) {
            let record = Record { database, expires_at, key, payload };
            let bytes = record.encode();
            let all = bytes.len() as u64;
            prop_assert_eq!(Record::decode(&bytes, all), Ok(Some((record, bytes.len()))));
            let cut = cut.min(bytes.len());
            prop_assert_eq!(Record::decode(&bytes[..bytes.len() - cut], all), Ok(None));
            // The rest is nowhere.
            if cut <= bytes.len() - HEAD && bytes.len() > HEAD {
                prop_assert_eq!(Record::decode(&bytes[..bytes.len() - cut], all - cut as u64), Err(()));
            }
        }
    }

    #[test]
    fn a_length_that_cannot_be_is_an_error() {
        let mut bytes = vec![0; HEAD];
        bytes[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(Record::decode(&bytes, 1 << 40), Err(()));
    }
}
