//! Cuts a stream of rows into segments, at row ends.

use bytes::{Bytes, BytesMut};

use crate::proof::Proof;

/// A segment is closed once it holds this many bytes of COPY text. Ranges of 4 MiB of heap mostly stay below; wide or
/// compressed values can make a range many times as large, and memory must not grow with them.
pub const SEGMENT_LIMIT: usize = 6 << 20;

/// Room for the row that passes the limit, so that an ordinary one does not make the buffer move.
const ROOM: usize = SEGMENT_LIMIT + (64 << 10);

/// A finished segment: its COPY text and the rows in it.
#[derive(Debug)]
pub struct Piece {
    /// Complete lines of COPY text.
    pub text: Bytes,
    /// Their count and hash.
    pub proof: Proof,
}

/// Collects rows until a segment is full.
#[derive(Debug, Default)]
pub struct Cutter {
    text: BytesMut,
    proof: Proof,
    spare: Vec<BytesMut>,
}

impl Cutter {
    /// Takes rows from the beginning of `rows`, which are whole lines of COPY text, until a segment is full. Gives how many
    /// bytes it took, and the segment.
    pub fn push(&mut self, rows: &[u8]) -> (usize, Option<Piece>) {
        if self.text.capacity() == 0 {
            self.text = self.spare.pop().unwrap_or_else(|| BytesMut::with_capacity(ROOM));
        }
        let mut taken = 0;
        while taken < rows.len() && self.text.len() + taken < SEGMENT_LIMIT {
            let line = first_line(&rows[taken..]);
            self.proof.add(line.strip_suffix(b"\n").unwrap_or(line));
            taken += line.len();
        }
        self.text.extend_from_slice(&rows[..taken]);
        let full = self.text.len() >= SEGMENT_LIMIT;
        (taken, if full { self.take() } else { None })
    }

    /// What is left at the end of the stream.
    pub fn take(&mut self) -> Option<Piece> {
        if self.proof.rows == 0 {
            return None;
        }
        let piece = Piece {
            text: std::mem::take(&mut self.text).freeze(),
            proof: self.proof,
        };
        self.proof = Proof::default();
        Some(piece)
    }

    /// Takes back the text of a piece that is stored: making buffers of megabytes anew for each segment costs time, and
    /// leaves memory in pieces.
    pub fn recycle(&mut self, text: Bytes) {
        if let Ok(mut buffer) = text.try_into_mut()
            && buffer.capacity() <= 2 * ROOM
        {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}

/// The first line, with its newline.
pub fn first_line(text: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', text).map_or(text, |end| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a reader does it.
    fn push(cutter: &mut Cutter, mut rows: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while !rows.is_empty() {
            let (taken, piece) = cutter.push(rows);
            assert!(taken > 0);
            pieces.extend(piece);
            rows = &rows[taken..];
        }
        pieces
    }

    #[test]
    fn segments_end_at_rows_and_lose_none() {
        let row = vec![b'x'; SEGMENT_LIMIT / 3];
        let mut cutter = Cutter::default();
        let mut pieces = Vec::new();
        // One by one, and several at a time.
        for count in [1, 1, 4, 1] {
            pieces.extend(push(&mut cutter, &[&row[..], b"\n"].concat().repeat(count)));
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
    fn buffers_come_back_empty() {
        let mut cutter = Cutter::default();
        cutter.push(b"one\n");
        let text = cutter.take().unwrap().text;
        let held = text.clone();
        cutter.recycle(text);
        assert!(cutter.spare.is_empty(), "somebody still reads it");
        cutter.recycle(held);
        assert_eq!(cutter.spare.len(), 1);
        cutter.push(b"two\n");
        assert_eq!(cutter.take().unwrap().text, "two\n");
        assert!(cutter.spare.is_empty());
    }

    #[test]
    fn a_table_without_columns_still_has_rows() {
        let mut cutter = Cutter::default();
        assert!(push(&mut cutter, b"\n").is_empty());
        assert_eq!(cutter.take().map(|piece| piece.proof.rows), Some(1));
    }
}
