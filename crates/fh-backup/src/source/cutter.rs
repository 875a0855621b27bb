//! Cuts a stream of rows into segments, at row ends.

use crate::proof::Proof;

/// A segment is closed once it holds this many bytes of COPY text. Ranges of 8 MiB of heap mostly stay below; wide or
/// compressed values can make a range many times as large, and memory must not grow with them.
pub const SEGMENT_LIMIT: usize = 32 << 20;

/// A finished segment: its COPY text and the rows in it.
#[derive(Debug)]
pub struct Piece {
    /// Complete lines of COPY text.
    pub text: Vec<u8>,
    /// Their count and hash.
    pub proof: Proof,
}

/// Collects rows until a segment is full.
#[derive(Debug, Default)]
pub struct Cutter {
    text: Vec<u8>,
    proof: Proof,
}

impl Cutter {
    /// Takes one row as the server sent it (with its newline); gives a segment when one is full.
    pub fn push(&mut self, row: &[u8]) -> Option<Piece> {
        self.proof.add(row.strip_suffix(b"\n").unwrap_or(row));
        self.text.extend_from_slice(row);
        if self.text.len() >= SEGMENT_LIMIT {
            self.take()
        } else {
            None
        }
    }

    /// What is left at the end of the stream.
    pub fn take(&mut self) -> Option<Piece> {
        if self.proof.rows == 0 {
            return None;
        }
        let piece = Piece {
            text: std::mem::take(&mut self.text),
            proof: self.proof,
        };
        self.proof = Proof::default();
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_end_at_rows_and_lose_none() {
        let row = vec![b'x'; SEGMENT_LIMIT / 3];
        let mut cutter = Cutter::default();
        let mut pieces = Vec::new();
        for _ in 0..7 {
            pieces.extend(cutter.push(&[&row[..], b"\n"].concat()));
        }
        pieces.extend(cutter.take());
        assert_eq!(
            pieces.iter().map(|piece| piece.proof.rows).collect::<Vec<_>>(),
            [3, 3, 1]
        );
        assert!(
            pieces
                .iter()
                .all(|piece| Proof::of_lines(&piece.text) == Some(piece.proof))
        );
        assert!(cutter.take().is_none());
    }

    #[test]
    fn a_table_without_columns_still_has_rows() {
        let mut cutter = Cutter::default();
        assert!(cutter.push(b"\n").is_none());
        assert_eq!(cutter.take().map(|piece| piece.proof.rows), Some(1));
    }
}
