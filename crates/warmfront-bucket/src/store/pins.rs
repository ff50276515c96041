use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{ContentId, Files};

/// Who is reading what, so that superseded bytes stay until their last reader is done.
pub(crate) struct Pins {
    files: Arc<Files>,
    pinned: Mutex<HashMap<ContentId, Pinned>>,
}

#[derive(Default)]
struct Pinned {
    n_readers: usize,
    /// What goes with the last reader.
    doomed: Vec<ContentId>,
}

/// Keeps one content's files in place while it lives.
pub(crate) struct Pin {
    pins: Arc<Pins>,
    content: ContentId,
}

impl Pins {
    pub(super) fn new(files: Arc<Files>) -> Pins {
        Pins {
            files,
            pinned: Mutex::default(),
        }
    }

    /// Looks a content up and pins it in one step: [`Pins::release`] of what `look_up` finds cannot happen in between.
    pub(super) fn pin<T, E>(
        self: &Arc<Pins>,
        look_up: impl FnOnce() -> Result<(ContentId, T), E>,
    ) -> Result<(Pin, T), E> {
        let mut pinned = self.pinned.lock();
        let (content, found) = look_up()?;
        pinned.entry(content).or_default().n_readers += 1;
        Ok((
            Pin {
                pins: Arc::clone(self),
                content,
            },
            found,
        ))
    }

    /// Removes `files` of a content that no record names any more, now or with its last reader.
    pub(super) fn release(&self, content: ContentId, files: Vec<ContentId>) {
        let mut pinned = self.pinned.lock();
        match pinned.get_mut(&content) {
            Some(entry) => entry.doomed.extend(files),
            None => {
                drop(pinned);
                files.into_iter().for_each(|file| self.files.remove(file));
            }
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pinned = self.pins.pinned.lock();
        if let Some(entry) = pinned.get_mut(&self.content) {
            entry.n_readers -= 1;
            if entry.n_readers == 0 {
                let doomed = pinned
                    .remove(&self.content)
                    .map(|entry| entry.doomed)
                    .unwrap_or_default();
                drop(pinned);
                doomed.into_iter().for_each(|file| self.pins.files.remove(file));
            }
        }
    }
}
