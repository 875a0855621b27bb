//! Cuts a stream of bytes where its content says so, with FastCDC (Xia et al., "The Design of Fast Content-Defined
//! Chunking", IEEE TPDS 31, 2020): an insertion moves the bytes behind it and changes no more than one or two chunks.

use bytes::Bytes;
use fastcdc::v2020::{Normalization, cut, select_masks};

/// Sizes of chunks, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    smallest: usize,
    average: usize,
    largest: usize,
    masks: (u64, u64),
}

impl Cut {
    /// For contents: about 4 MiB. These are part of the format only in so far as a change sends everything once more.
    #[must_use]
    pub fn contents() -> Self {
        Self::new(1 << 20, 4 << 20, 16 << 20)
    }

    /// For indexes: about 256 KiB, so that one changed line does not send many others again.
    #[must_use]
    pub fn index() -> Self {
        Self::new(64 << 10, 256 << 10, 1 << 20)
    }

    fn new(smallest: usize, average: usize, largest: usize) -> Self {
        let masks = select_masks(average, Normalization::Level1);
        Self {
            smallest,
            average,
            largest,
            masks,
        }
    }

    fn at(&self, source: &[u8]) -> usize {
        let (strict, loose) = self.masks;
        cut(
            source,
            self.smallest,
            self.average,
            self.largest,
            strict,
            loose,
            strict << 1,
            loose << 1,
        )
        .1
    }
}

/// Takes bytes in any portions and gives chunks.
#[derive(Debug)]
pub struct Chunker {
    sizes: Cut,
    /// What is not cut yet is `buffer[start..]`. The part before is given back when the buffer is full: moving the rest
    /// at every cut would copy each byte several times.
    buffer: Vec<u8>,
    start: usize,
}

impl Chunker {
    /// Memory used is the largest chunk and one average chunk.
    #[must_use]
    pub fn new(sizes: Cut) -> Self {
        Self {
            sizes,
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// Adds bytes. Each chunk that is complete goes to `give`; when that fails, so does this.
    ///
    /// # Errors
    /// Those of `give`.
    pub fn push<E>(
        &mut self,
        mut bytes: &[u8],
        mut give: impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        let room = self.sizes.largest + self.sizes.average;
        while !bytes.is_empty() {
            if self.buffer.len() == room {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            let count = bytes.len().min(room - self.buffer.len());
            self.buffer.extend_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            // A cut depends on what follows, up to the largest size: only then it is where it would be in the whole.
            while self.buffer.len() - self.start >= self.sizes.largest {
                self.give_one(&mut give)?;
            }
        }
        Ok(())
    }

    /// Gives what is left.
    ///
    /// # Errors
    /// Those of `give`.
    pub fn finish<E>(mut self, mut give: impl FnMut(Bytes) -> Result<(), E>) -> Result<(), E> {
        while self.start < self.buffer.len() {
            self.give_one(&mut give)?;
        }
        Ok(())
    }

    fn give_one<E>(&mut self, give: &mut impl FnMut(Bytes) -> Result<(), E>) -> Result<(), E> {
        let rest = &self.buffer[self.start..];
        let size = self.sizes.at(rest);
        let chunk = Bytes::copy_from_slice(&rest[..size]);
        self.start += size;
        give(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that look random and are the same everywhere.
    fn noise(count: usize, seed: u64) -> Vec<u8> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                state.to_be_bytes()[0]
            })
            .collect()
    }

    fn chunks(bytes: &[u8], portion: usize) -> Vec<Bytes> {
        let mut found = Vec::new();
        let mut chunker = Chunker::new(Cut::index());
        let mut keep = |chunk| -> Result<(), ()> {
            found.push(chunk);
            Ok(())
        };
        for part in bytes.chunks(portion) {
            chunker.push(part, &mut keep).unwrap();
        }
        chunker.finish(&mut keep).unwrap();
        found
    }

    #[test]
    fn the_cuts_do_not_depend_on_the_portions_and_lose_nothing() {
        let bytes = noise(5_000_000, 7);
        let whole = chunks(&bytes, bytes.len());
        assert_eq!(whole.concat(), bytes);
        assert!(whole.len() > 5);
        assert!(whole.iter().all(|chunk| chunk.len() <= 1 << 20));
        for portion in [512, 65_537, 1 << 20] {
            assert_eq!(chunks(&bytes, portion), whole, "{portion}");
        }
        // The library's own walk over the whole is the judge.
        let theirs: Vec<usize> = fastcdc::v2020::FastCDC::new(&bytes, 64 << 10, 256 << 10, 1 << 20)
            .map(|chunk| chunk.length)
            .collect();
        assert_eq!(whole.iter().map(Bytes::len).collect::<Vec<_>>(), theirs);
    }

    #[test]
    fn an_insertion_changes_few_chunks() {
        let bytes = noise(5_000_000, 8);
        let before = chunks(&bytes, 4096);
        let after = chunks(&[b"x", &bytes[..]].concat(), 4096);
        let new = after.iter().filter(|chunk| !before.contains(chunk)).count();
        assert!((1..=2).contains(&new), "{new} of {} chunks are new", after.len());
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(chunks(b"", 1).is_empty());
    }
}
