//! The two primitives of the archive: integers with a sign byte, and strings with a length.

use std::io::Read;

use super::read::ArchiveError;

/// Longest string accepted: a definition of 1 GiB does not exist, a damaged length field does.
const LONGEST: i64 = 1 << 30;

pub(super) struct Reader<R> {
    pub(super) inner: R,
    pub(super) int_size: u8,
}

impl<R: Read> Reader<R> {
    pub(super) fn byte(&mut self) -> Result<u8, ArchiveError> {
        let mut byte = [0];
        self.inner.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    /// A sign byte, then `int_size` bytes, least significant first.
    pub(super) fn int(&mut self) -> Result<i64, ArchiveError> {
        let negative = match self.byte()? {
            0 => false,
            1 => true,
            other => return Err(ArchiveError::Malformed(format!("sign byte {other}"))),
        };
        let mut value: i64 = 0;
        for position in 0..self.int_size {
            let byte = i64::from(self.byte()?);
            if position < 7 {
                value |= byte << (8 * position);
            } else if byte != 0 {
                return Err(ArchiveError::Malformed("an integer beyond 56 bits".into()));
            }
        }
        Ok(if negative { -value } else { value })
    }

    /// A length, then that many bytes; a negative length is no string at all.
    pub(super) fn text(&mut self) -> Result<Option<String>, ArchiveError> {
        let length = self.int()?;
        if length < 0 {
            return Ok(None);
        }
        if length > LONGEST {
            return Err(ArchiveError::Malformed(format!("a string of {length} bytes")));
        }
        let mut bytes = Vec::new();
        let wanted = u64::try_from(length).unwrap_or_default();
        self.inner.by_ref().take(wanted).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != wanted {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| ArchiveError::Malformed("a string that is not UTF-8".into()))
    }
}

pub(super) struct Writer {
    pub(super) out: Vec<u8>,
    pub(super) int_size: u8,
}

impl Writer {
    pub(super) fn int(&mut self, value: i64) {
        self.out.push(u8::from(value < 0));
        let magnitude = value.unsigned_abs().to_le_bytes();
        for position in 0..usize::from(self.int_size) {
            self.out.push(magnitude.get(position).copied().unwrap_or(0));
        }
    }

    pub(super) fn text(&mut self, text: Option<&str>) {
        match text {
            None => self.int(-1),
            Some(text) => {
                self.int(i64::try_from(text.len()).unwrap_or(i64::MAX));
                self.out.extend_from_slice(text.as_bytes());
            }
        }
    }
}
