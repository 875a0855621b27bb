//! Rows of a `COPY … TO STDOUT`, many in one message.
//!
//! The server sends a message for each row (PostgreSQL manual, 55.2.6), and the library below does some work for each
//! message, which for short rows is more than all the rest of reading. Its own stream, as it were, is rewritten: neighbouring
//! `CopyData` messages that have come whole become one. Everything else passes as it is.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// Bytes that are read at a time.
const ROOM: usize = 128 << 10;

/// The kind of a message, and its length with the four bytes of the length (PostgreSQL manual, 55.1.1).
const HEADER: usize = 5;

/// `CopyData` (PostgreSQL manual, 55.7).
const COPY_DATA: u8 = b'd';

/// A stream of messages from a server, with the rows merged. What is written passes.
#[derive(Debug)]
pub(crate) struct Merging<S> {
    stream: S,
    /// What was read and not handed out yet: `bytes[from..to]`, beginning with a message.
    bytes: Vec<u8>,
    from: usize,
    to: usize,
    /// Bytes of the message in hand that are handed out as they are.
    verbatim: usize,
}

impl<S> Merging<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            from: 0,
            to: 0,
            verbatim: 0,
        }
    }

    /// The whole length of the message at `at`, once its header is there. What is no message is taken for one that never
    /// ends, and the library will say so.
    fn length(&self, at: usize) -> Option<usize> {
        let header = self
            .bytes
            .get(at..at + HEADER)
            .filter(|_| at + HEADER <= self.to)?;
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        Some(if length < 4 { usize::MAX } else { length + 1 })
    }

    /// The end of the rows that begin with the first message and fit `room` when merged, and the length of what they hold.
    fn rows(&self, room: usize) -> Option<(usize, usize)> {
        let (mut end, mut payload) = (self.from, 0);
        while self.bytes.get(end) == Some(&COPY_DATA)
            && let Some(length) = self.length(end)
            && length <= self.to - end
            && payload + length <= room
        {
            payload += length - HEADER;
            end += length;
        }
        (end > self.from).then_some((end, payload))
    }

    /// Hands out what is there; false when more must be read first.
    fn hand_out(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        if self.verbatim == 0 {
            if let Some((end, payload)) = self.rows(buffer.remaining()) {
                self.merge(end, payload, buffer);
                return true;
            }
            match self.length(self.from) {
                // A whole row that does not fit, or half of one: it cannot be merged.
                Some(length) => self.verbatim = length,
                None => return false,
            }
        }
        let count = buffer.remaining().min(self.to - self.from).min(self.verbatim);
        buffer.put_slice(&self.bytes[self.from..self.from + count]);
        self.from += count;
        if self.verbatim != usize::MAX {
            self.verbatim -= count;
        }
        count > 0
    }

    fn merge(&mut self, end: usize, payload: usize, buffer: &mut ReadBuf<'_>) {
        // It fits the buffer, which is far from 4 GiB.
        let length = u32::try_from(payload + 4).unwrap_or(u32::MAX);
        buffer.put_slice(&[COPY_DATA]);
        buffer.put_slice(&length.to_be_bytes());
        while self.from < end {
            let next = self.length(self.from).map_or(end, |length| self.from + length);
            buffer.put_slice(&self.bytes[self.from + HEADER..next]);
            self.from = next;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Merging<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if buffer.remaining() == 0 || (this.from < this.to && this.hand_out(buffer)) {
                return Poll::Ready(Ok(()));
            }
            this.bytes.resize(ROOM, 0);
            // At most the head of a message is left.
            this.bytes.copy_within(this.from..this.to, 0);
            (this.from, this.to) = (0, this.to - this.from);
            let mut room = ReadBuf::new(&mut this.bytes[this.to..]);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut room))?;
            let count = room.filled().len();
            this.to += count;
            if count == 0 {
                // The end; a head without a message is for the library to complain about.
                if this.from == this.to {
                    return Poll::Ready(Ok(()));
                }
                this.verbatim = usize::MAX;
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Merging<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buffer)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Merging<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// A handshake after which rows are merged.
pub(super) struct MergingConnect<C>(pub(super) C);

impl<C, S> TlsConnect<S> for MergingConnect<C>
where
    C: TlsConnect<S>,
    C::Stream: Send,
    C::Future: Send + 'static,
{
    type Stream = Merging<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, C::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let shaking_hands = self.0.connect(stream);
        Box::pin(async move { Ok(Merging::new(shaking_hands.await?)) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len() + 4).unwrap();
        [&[kind], &length.to_be_bytes()[..], payload].concat()
    }

    /// A stream that gives its bytes in the given pieces.
    struct Pieces(Vec<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if let Some(piece) = self.0.first_mut() {
                let count = piece.len().min(buffer.remaining());
                buffer.put_slice(&piece[..count]);
                piece.drain(..count);
                if piece.is_empty() {
                    self.0.remove(0);
                }
            }
            Poll::Ready(Ok(()))
        }
    }

    /// What comes out when `size` bytes are asked for at a time.
    fn through(sent: &[u8], cut: usize, size: usize) -> Vec<u8> {
        let pieces = sent.chunks(cut.max(1)).map(<[u8]>::to_vec).collect();
        let mut merging = Merging::new(Pieces(pieces));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut came = Vec::new();
            let mut part = vec![0; size];
            loop {
                let count = merging.read(&mut part).await.unwrap();
                if count == 0 {
                    return came;
                }
                came.extend_from_slice(&part[..count]);
            }
        })
    }

    /// Messages with neighbouring rows joined.
    fn joined(mut stream: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut all: Vec<(u8, Vec<u8>)> = Vec::new();
        while let [kind, a, b, c, d, ..] = *stream {
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            let payload = &stream[HEADER..=length];
            match all.last_mut() {
                Some((COPY_DATA, rows)) if kind == COPY_DATA => rows.extend_from_slice(payload),
                _ => all.push((kind, payload.to_vec())),
            }
            stream = &stream[length + 1..];
        }
        assert!(stream.is_empty(), "{} bytes are left", stream.len());
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn nothing_is_lost_and_everything_keeps_its_order(
            messages in prop::collection::vec((prop::sample::select(&b"ddddddHCZN"[..]), prop::collection::vec(any::<u8>(), 0..300)), 0..60),
            cut in 1_usize..2000,
            size in 1_usize..9000,
        ) {
            let sent: Vec<u8> = messages.iter().flat_map(|(kind, payload)| message(*kind, payload)).collect();
            prop_assert_eq!(joined(&through(&sent, cut, size)), joined(&sent));
        }
    }

    #[test]
    fn neighbouring_rows_come_in_one_message() {
        let sent = [
            message(b'H', b"x"),
            message(b'd', b"1\n"),
            message(b'd', b"22\n"),
            message(b'c', b""),
        ]
        .concat();
        let wanted = [message(b'H', b"x"), message(b'd', b"1\n22\n"), message(b'c', b"")].concat();
        assert_eq!(through(&sent, 1000, 1000), wanted);
    }

    #[test]
    fn a_row_larger_than_any_buffer_passes() {
        let large = vec![b'x'; 3 * ROOM];
        let sent = [
            message(b'd', b"1\n"),
            message(b'd', &large),
            message(b'd', b"2\n"),
        ]
        .concat();
        assert_eq!(joined(&through(&sent, 50_000, 8192)), joined(&sent));
    }

    #[test]
    fn what_is_no_message_and_half_a_message_pass_as_they_are() {
        for sent in [&b"d\0\0\0\x01 no length"[..], b"d\0\0", b"d\0\0\0\x09 row"] {
            assert_eq!(through(sent, 1000, 1000), sent);
        }
    }
}
