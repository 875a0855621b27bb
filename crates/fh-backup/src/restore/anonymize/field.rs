//! One value in COPY text (PostgreSQL manual, COPY, "Text Format").

use std::borrow::Cow;

/// NULL.
pub(super) const NULL: &[u8] = br"\N";

/// The value that a field stands for. The field is not NULL.
pub(super) fn value(field: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', field).is_none() {
        return Cow::Borrowed(field);
    }
    let mut value = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            value.push(*byte);
            continue;
        }
        // The server writes no other sequences than these.
        match bytes.next() {
            Some(b'b') => value.push(0x08),
            Some(b'f') => value.push(0x0c),
            Some(b'n') => value.push(b'\n'),
            Some(b'r') => value.push(b'\r'),
            Some(b't') => value.push(b'\t'),
            Some(b'v') => value.push(0x0b),
            Some(other) => value.push(*other),
            None => value.push(b'\\'),
        }
    }
    Cow::Owned(value)
}

/// Writes a value as a field, in the form in which the server writes it.
pub(super) fn write(value: &[u8], out: &mut Vec<u8>) {
    for byte in value {
        let letter = match byte {
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x0b => b'v',
            b'\\' => b'\\',
            plain => {
                out.push(*plain);
                continue;
            }
        };
        out.extend([b'\\', letter]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            let mut field = Vec::new();
            write(&bytes, &mut field);
            prop_assert!(!field.contains(&b'\t') && !field.contains(&b'\n'));
            let back = value(&field);
            prop_assert_eq!(&*back, &bytes[..]);
        }
    }
}
