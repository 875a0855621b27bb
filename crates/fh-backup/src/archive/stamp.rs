//! The creation time in an archive's head: the one thing that differs between two dumps of the same definitions.

use super::Archive;

/// 2000-01-01 00:00:00, in the order of [`Archive::created`]: a time that every `pg_restore` accepts.
const NO_TIME: [i64; 7] = [0, 0, 0, 1, 0, 100, 0];

/// `PGDMP`, three bytes of version, the sizes of integers and offsets, and the format.
const BEFORE_COMPRESSION: usize = 5 + 3 + 2 + 1;

/// Replaces the creation time in `bytes`, which `archive` was read from, and in `archive`, so that unchanged definitions
/// are the same bytes the next time.
pub fn unstamp(archive: &mut Archive, bytes: &mut [u8]) {
    let int = 1 + usize::from(archive.int_size);
    let compression = if archive.version.1 >= 15 { 1 } else { int };
    let fields = bytes
        .iter_mut()
        .skip(BEFORE_COMPRESSION + compression)
        .take(NO_TIME.len() * int)
        .enumerate();
    for (at, byte) in fields {
        // A sign byte, then the value, least significant byte first; all of them fit in one.
        let (field, place) = (at / int, at % int);
        *byte = if place == 1 {
            u8::try_from(NO_TIME[field]).unwrap_or(0)
        } else {
            0
        };
    }
    archive.created = NO_TIME;
}

/// A moment as C's `struct tm` in UTC.
#[must_use]
pub fn stamp(at: jiff::Timestamp) -> [i64; 7] {
    let at = jiff::tz::Offset::UTC.to_datetime(at);
    [
        i64::from(at.second()),
        i64::from(at.minute()),
        i64::from(at.hour()),
        i64::from(at.day()),
        i64::from(at.month()) - 1,
        i64::from(at.year()) - 1900,
        0,
    ]
}
