//! The proof of a table: how many rows, and a sum of row hashes that does not depend on their order.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_128;

/// Row count and content hash of one table.
///
/// The hash is the sum modulo 2^128 of XXH3-128 over each row's line of `COPY … TO STDOUT` (text format, without the
/// newline), in a session whose output settings are pinned. A sum is the same in every order, so parts can be hashed
/// where they are read and merged; and unlike XOR it notices a row that is there twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Number of rows.
    pub rows: u64,
    /// Sum of the rows' hashes, written as 32 hexadecimal digits.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub hash: u128,
}

impl Proof {
    /// Counts one row, given as its line without the newline.
    pub fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        self.hash = self.hash.wrapping_add(xxh3_128(line));
    }

    /// Adds the rows of another part of the same table.
    pub fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.hash = self.hash.wrapping_add(other.hash);
    }

    /// The proof of complete lines of COPY text.
    ///
    /// In the text format a newline inside a value is written as `\n`, so every real newline ends a row (PostgreSQL
    /// manual, COPY, "Text Format"). Returns `None` when the last line has no end: a row was cut.
    #[must_use]
    pub fn of_lines(text: &[u8]) -> Option<Self> {
        let mut proof = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest)?;
            proof.add(&rest[..end]);
            rest = &rest[end + 1..];
        }
        Some(proof)
    }

    /// The hash as 32 hexadecimal digits.
    #[must_use]
    pub fn hash_hex(&self) -> String {
        format!("{:032x}", self.hash)
    }
}

fn to_hex<S: Serializer>(hash: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{hash:032x}"))
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
    let text = String::deserialize(deserializer)?;
    u128::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_row_is_no_proof() {
        assert!(Proof::of_lines(b"a\nb").is_none());
        assert_eq!(Proof::of_lines(b"").unwrap(), Proof::default());
        assert_eq!(Proof::of_lines(b"\n\n").unwrap().rows, 2);
    }

    #[test]
    fn the_same_row_twice_differs_from_none_and_from_once() {
        let twice = Proof::of_lines(b"a\na\n").unwrap();
        assert_ne!(twice.hash, 0);
        assert_ne!(twice.hash, Proof::of_lines(b"a\n").unwrap().hash);
    }

    #[test]
    fn json_keeps_all_128_bits() {
        let proof = Proof {
            rows: 3,
            hash: u128::MAX - 1,
        };
        let json = serde_json::to_string(&proof).unwrap();
        assert_eq!(json, r#"{"rows":3,"hash":"fffffffffffffffffffffffffffffffe"}"#);
        assert_eq!(serde_json::from_str::<Proof>(&json).unwrap(), proof);
    }

    proptest! {
        #[test]
        fn order_and_cutting_do_not_matter(mut lines in prop::collection::vec("[a-z]{0,8}", 0..40), cut in 0usize..40) {
            let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            let whole = Proof::of_lines(text(&lines).as_bytes()).unwrap();
            let cut = cut.min(lines.len());
            let mut parts = Proof::of_lines(text(&lines[cut..]).as_bytes()).unwrap();
            parts.merge(Proof::of_lines(text(&lines[..cut]).as_bytes()).unwrap());
            prop_assert_eq!(whole, parts);
            lines.reverse();
            prop_assert_eq!(whole, Proof::of_lines(text(&lines).as_bytes()).unwrap());
        }
    }
}
