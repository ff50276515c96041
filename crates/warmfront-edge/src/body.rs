use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use thiserror::Error;
use warmfront_store::{BodyReader, Truncated};

use crate::half_closed::OnItsWay;
use crate::node::FetchPlace;
use crate::origin::{FetchFailure, OriginBody};
use crate::silence::WaitingForOrigin;

/// What a viewer is sent after the head.
#[derive(Debug)]
pub(crate) enum ViewerBody {
    /// Nothing.
    Empty,
    /// A few words of the edge's own.
    Page(Option<Bytes>),
    /// A stored body, or one that is arriving.
    Stored(BodyReader),
    /// The origin's body, for this viewer alone; its fetch is in flight as long.
    Origin(Box<(OriginBody, FetchPlace)>),
    /// One of these that is too long to be taken in whole at once.
    Long {
        body: Box<ViewerBody>,
        _on_its_way: OnItsWay,
    },
    /// Any of these, while an origin is waited for.
    Awaited {
        body: Box<ViewerBody>,
        _waiting: WaitingForOrigin,
    },
}

/// Why a body broke off. The viewer's connection is closed, so that it cannot take the part for the whole.
#[derive(Debug, Error)]
pub(crate) enum BodyError {
    /// A shared body.
    #[error(transparent)]
    Truncated(#[from] Truncated),
    /// The origin's body.
    #[error(transparent)]
    Origin(#[from] FetchFailure),
}

impl ViewerBody {
    /// All of it, if it lies in memory.
    pub(crate) fn in_memory(&self) -> Option<&[Bytes]> {
        match self {
            ViewerBody::Empty => Some(&[]),
            ViewerBody::Page(page) => Some(page.as_slice()),
            ViewerBody::Stored(reader) => reader.in_memory(),
            ViewerBody::Origin(_) | ViewerBody::Long { .. } | ViewerBody::Awaited { .. } => None,
        }
    }
}

impl Body for ViewerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            ViewerBody::Empty => Poll::Ready(None),
            ViewerBody::Long { body, .. } | ViewerBody::Awaited { body, .. } => {
                Pin::new(&mut **body).poll_frame(context)
            }
            ViewerBody::Page(page) => Poll::Ready(page.take().map(|page| Ok(Frame::data(page)))),
            ViewerBody::Stored(reader) => reader
                .poll_next(context)
                .map(|slice| slice.map(|slice| Ok(Frame::data(slice?)))),
            ViewerBody::Origin(origin) => origin
                .0
                .poll_next(context)
                .map(|slice| slice.map(|slice| Ok(Frame::data(slice?)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ViewerBody::Empty | ViewerBody::Page(None) => true,
            ViewerBody::Long { body, .. } | ViewerBody::Awaited { body, .. } => body.is_end_stream(),
            ViewerBody::Page(Some(_)) | ViewerBody::Stored(_) | ViewerBody::Origin(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ViewerBody::Empty => SizeHint::with_exact(0),
            ViewerBody::Long { body, .. } | ViewerBody::Awaited { body, .. } => body.size_hint(),
            ViewerBody::Page(page) => SizeHint::with_exact(page.as_ref().map_or(0, |page| page.len() as u64)),
            ViewerBody::Stored(reader) => reader.bytes_left().map_or_else(SizeHint::default, SizeHint::with_exact),
            ViewerBody::Origin(_) => SizeHint::default(),
        }
    }
}
