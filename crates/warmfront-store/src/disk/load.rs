//! Reading whole responses back from disk.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use warmfront_invalidation::Stamped;

use super::directory::{DiskEntry, Place};
use super::pool::LOOKUPS_WAITING_MAX;
use super::read::{ResponseRecord, response_bytes};
use super::slices::{DiskBody, Slice};
use super::{Disk, meta};
use crate::shares::Use;
use crate::{Body, StoredResponse};

/// Why a response on disk cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotLoaded {
    /// Too many are waiting for the disk.
    Busy,
    /// It is damaged or gone, or the disk failed.
    Unreadable,
}

/// What is being read, and what large bodies someone has open, both by the address of their entry.
#[derive(Debug, Default)]
pub(super) struct Loads {
    loading: Mutex<HashMap<usize, Arc<Loading>>>,
    open: Mutex<HashMap<usize, Weak<DiskBody>>>,
}

impl Disk {
    /// Reads a response. Whoever asks for it while it is read gets the same.
    pub(crate) async fn load(&self, entry: &Arc<DiskEntry>) -> Result<Arc<StoredResponse>, NotLoaded> {
        entry.ask();
        let part = LoadingPart::join(&self.loads.loading, entry);
        part.loading.get_or_init(|| self.read_entry(entry)).await.clone()
    }

    async fn read_entry(&self, entry: &Arc<DiskEntry>) -> Result<Arc<StoredResponse>, NotLoaded> {
        let figures = &self.shared.figures;
        let read = self.try_read(entry).await;
        match &read {
            Ok(_) => figures.n_hits.fetch_add(1, Ordering::Relaxed),
            Err(NotLoaded::Busy) => figures.n_busy.fetch_add(1, Ordering::Relaxed),
            Err(NotLoaded::Unreadable) => figures.n_read_failures.fetch_add(1, Ordering::Relaxed),
        };
        read.map(Arc::new)
    }

    /// A record may move while it is looked up: then it is looked up again, once.
    async fn try_read(&self, entry: &Arc<DiskEntry>) -> Result<StoredResponse, NotLoaded> {
        let place = entry.place().ok_or(NotLoaded::Unreadable)?;
        match self.read_at(entry, place).await {
            Err(NotLoaded::Unreadable) => match entry.place().filter(|now| *now != place) {
                Some(moved) => self.read_at(entry, moved).await,
                None => Err(NotLoaded::Unreadable),
            },
            read => read,
        }
    }

    async fn read_at(&self, entry: &Arc<DiskEntry>, place: Place) -> Result<StoredResponse, NotLoaded> {
        let segment = self.shared.segments.get(place.segment).ok_or(NotLoaded::Unreadable)?;
        let shares = &self.reader.shares;
        let share = shares.try_take(Use::LookingUp, response_bytes(place));
        let _share = share.ok_or(NotLoaded::Busy)?;
        let room = ResponseRecord::room(&segment, place).ok_or(NotLoaded::Unreadable)?;
        let read = move || room.read(&segment, place);
        let reading = self.reader.pool.run(LOOKUPS_WAITING_MAX, read).ok_or(NotLoaded::Busy)?;
        let record = reading.await.ok().flatten().ok_or(NotLoaded::Unreadable)?;
        self.whole(entry, record).ok_or(NotLoaded::Unreadable)
    }

    fn whole(&self, entry: &Arc<DiskEntry>, record: ResponseRecord) -> Option<StoredResponse> {
        let (meta, inline) = record.response()?;
        if meta.key[..] != *entry.key() || meta.body_bytes != entry.body_bytes() {
            return None;
        }
        let body = if meta.slices.is_empty() {
            (inline.bytes() == Some(meta.body_bytes)).then_some(inline)?
        } else {
            Body::on_disk(self.open_body(entry, &meta)?)
        };
        let response = StoredResponse::of_parts(meta.head, entry.stamp().as_of(), meta.tag_header, body);
        response.written_as(Arc::clone(entry));
        Some(response)
    }

    /// The body in slices that `entry` has; all who read it share the list of them.
    fn open_body(&self, entry: &Arc<DiskEntry>, meta: &meta::Meta) -> Option<Arc<DiskBody>> {
        let address = Arc::as_ptr(entry).addr();
        let is_the_same = |body: &Arc<DiskBody>| body.places().eq(meta.slices.iter().copied());
        let present = self.loads.open.lock().get(&address).and_then(Weak::upgrade);
        if let Some(body) = present.filter(is_the_same) {
            return Some(body);
        }
        let slices: Option<Vec<Slice>> = meta
            .slices
            .iter()
            .map(|&place| {
                let segment = self.shared.segments.get(place.segment)?;
                Some(Slice { segment, place })
            })
            .collect();
        let body = Arc::new(DiskBody::new(slices?, self.reader.clone()));
        if body.bytes() != meta.body_bytes {
            return None;
        }
        let mut open = self.loads.open.lock();
        open.retain(|_, body| body.strong_count() > 0);
        open.insert(address, Arc::downgrade(&body));
        Some(body)
    }
}

type Loading = OnceCell<Result<Arc<StoredResponse>, NotLoaded>>;

/// One of those who wait for the same response. The last one takes it off the list.
struct LoadingPart<'a> {
    list: &'a Mutex<HashMap<usize, Arc<Loading>>>,
    address: usize,
    loading: Arc<Loading>,
    // Its address is not given to another while this lives.
    _entry: &'a Arc<DiskEntry>,
}

impl<'a> LoadingPart<'a> {
    fn join(list: &'a Mutex<HashMap<usize, Arc<Loading>>>, entry: &'a Arc<DiskEntry>) -> LoadingPart<'a> {
        let address = Arc::as_ptr(entry).addr();
        let loading = Arc::clone(list.lock().entry(address).or_default());
        LoadingPart {
            list,
            address,
            loading,
            _entry: entry,
        }
    }
}

impl Drop for LoadingPart<'_> {
    fn drop(&mut self) {
        let mut list = self.list.lock();
        // What is read is asked for anew by who comes later: it may be in memory by then, or gone.
        let is_over = Arc::strong_count(&self.loading) <= 2 || self.loading.initialized();
        let is_listed = |listed: &Arc<Loading>| Arc::ptr_eq(listed, &self.loading);
        if is_over && list.get(&self.address).is_some_and(is_listed) {
            list.remove(&self.address);
        }
    }
}
