//! Reads ranges of a stream that is stored in segments.

use fh_core::{Error, Result};
use fh_repository::{Repository, SegmentRef};

/// The stream; the segment that was read last is kept, since contents follow each other.
#[derive(Debug)]
pub(crate) struct Ranges<'a> {
    repository: &'a Repository,
    segments: &'a [SegmentRef],
    /// Where each segment begins.
    starts: Vec<u64>,
    /// Index and plain bytes.
    held: Option<(usize, Vec<u8>)>,
    /// Segments read so far.
    pub(crate) segments_read: u64,
}

impl<'a> Ranges<'a> {
    /// # Errors
    /// Exit code 1 when the segments are not together as long as the stream.
    pub(crate) fn new(
        repository: &'a Repository,
        segments: &'a [SegmentRef],
        bytes: u64,
        what: &str,
    ) -> Result<Self> {
        let mut starts = Vec::with_capacity(segments.len());
        let mut end = 0_u64;
        for segment in segments {
            starts.push(end);
            end = end.saturating_add(segment.size);
        }
        if end != bytes {
            return Err(Error::bad(format!(
                "the segments of {what} have {end} bytes together, the set says {bytes}"
            )));
        }
        Ok(Self {
            repository,
            segments,
            starts,
            held: None,
            segments_read: 0,
        })
    }

    /// Gives the bytes from `start` on, `size` of them, in portions.
    ///
    /// # Errors
    /// Exit code 1 when a segment is missing or damaged, 3 when the store cannot be read; else those of `give`.
    pub(crate) async fn read(
        &mut self,
        mut start: u64,
        mut size: u64,
        mut give: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        while size > 0 {
            let index = self
                .starts
                .partition_point(|begin| *begin <= start)
                .saturating_sub(1);
            let within = start - self.starts.get(index).copied().unwrap_or(0);
            let plain = self.segment(index).await?;
            let begin = usize::try_from(within).unwrap_or(usize::MAX);
            let part = plain
                .get(begin..)
                .filter(|part| !part.is_empty())
                .ok_or_else(|| Error::bad("a content lies beyond the end of its stream"))?;
            let count = part.len().min(usize::try_from(size).unwrap_or(usize::MAX));
            give(&part[..count])?;
            start += count as u64;
            size -= count as u64;
        }
        Ok(())
    }

    async fn segment(&mut self, index: usize) -> Result<&[u8]> {
        if self.held.as_ref().is_none_or(|(held, _)| *held != index) {
            let segment = self
                .segments
                .get(index)
                .ok_or_else(|| Error::bad("a content lies beyond the end of its stream"))?;
            // The one before is given back first: two at a time would be twice the memory.
            self.held = None;
            self.held = Some((index, self.repository.read_segment(segment).await?));
            self.segments_read += 1;
        }
        Ok(self.held.as_ref().map_or(&[], |(_, plain)| plain.as_slice()))
    }
}
