//! An object's bytes on their way out.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};
use tokio::io::{AsyncReadExt, Take};
use tokio::task::JoinHandle;
use tokio_util::io::ReaderStream;

use crate::store::{ContentId, Files, Opened};

/// How many bytes are read from a file at a time.
const READ_BYTES: usize = 256 << 10;

/// Some of an object's bytes, read as they are asked for. The object's files stay in place while this lives.
pub(crate) struct ObjectBody {
    files: Arc<Files>,
    pieces: VecDeque<(ContentId, Range<u64>)>,
    reading: Reading,
    remaining: u64,
    _pin: crate::store::Pin,
}

enum Reading {
    Nothing,
    Opening(JoinHandle<io::Result<File>>, u64),
    Open(ReaderStream<Take<tokio::fs::File>>),
}

impl ObjectBody {
    /// The bytes of `opened` that lie in `range`, which must lie in the object.
    pub(crate) fn new(files: Arc<Files>, opened: Opened, range: Range<u64>) -> ObjectBody {
        ObjectBody {
            files,
            pieces: cut(&opened.pieces, &range),
            reading: Reading::Nothing,
            remaining: range.end.saturating_sub(range.start),
            _pin: opened.pin,
        }
    }

    fn open_next(&mut self) -> bool {
        let Some((file, range)) = self.pieces.pop_front() else {
            return false;
        };
        let files = Arc::clone(&self.files);
        let opening = tokio::task::spawn_blocking(move || {
            let mut file = files.open_file(file)?;
            if range.start > 0 {
                file.seek(SeekFrom::Start(range.start))?;
            }
            Ok(file)
        });
        self.reading = Reading::Opening(opening, range.end - range.start);
        true
    }
}

/// What of each file lies in `range`, counted over all of them.
fn cut(pieces: &[(ContentId, u64)], range: &Range<u64>) -> VecDeque<(ContentId, Range<u64>)> {
    let mut start = 0u64;
    let mut cut = VecDeque::new();
    for (file, size) in pieces {
        let from = range.start.max(start) - start;
        let to = range.end.min(start + size).saturating_sub(start);
        if from < to {
            cut.push_back((*file, from..to));
        }
        start += size;
    }
    cut
}

impl Stream for ObjectBody {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut self.reading {
                Reading::Nothing => {
                    if !self.open_next() {
                        let complete = self.remaining == 0;
                        return Poll::Ready((!complete).then(|| Err("a file is shorter than its record says".into())));
                    }
                }
                Reading::Opening(opening, length) => {
                    let file = ready!(Pin::new(opening).poll(context));
                    let length = *length;
                    match file
                        .map_err(StdError::from)
                        .and_then(|file| file.map_err(StdError::from))
                    {
                        Ok(file) => {
                            let file = tokio::fs::File::from_std(file).take(length);
                            self.reading = Reading::Open(ReaderStream::with_capacity(file, READ_BYTES));
                        }
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
                Reading::Open(reader) => match ready!(Pin::new(reader).poll_next(context)) {
                    Some(Ok(bytes)) => {
                        self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                    None => self.reading = Reading::Nothing,
                },
            }
        }
    }
}

impl ByteStream for ObjectBody {
    fn remaining_length(&self) -> RemainingLength {
        usize::try_from(self.remaining).map_or_else(|_| RemainingLength::unknown(), RemainingLength::new_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_at_the_files_borders() {
        let (a, b, c) = (ContentId(1), ContentId(2), ContentId(3));
        let pieces = [(a, 10), (b, 0), (c, 5)];
        assert_eq!(cut(&pieces, &(0..15)), [(a, 0..10), (c, 0..5)]);
        assert_eq!(cut(&pieces, &(9..11)), [(a, 9..10), (c, 0..1)]);
        assert_eq!(cut(&pieces, &(10..15)), [(c, 0..5)]);
        assert_eq!(cut(&pieces, &(3..3)), []);
    }
}
