use warmfront_facts::{Fact, decode_entry};
use warmfront_invalidation::{Index, InvalidationItem};
use warmfront_journal::Entry;

/// Puts into `index` whatever may cover a response that an earlier life of this node has stored: all invalidations that
/// the journal holds.
///
/// By which URLs a response can be named depends on its distribution's configuration, and what that was in the meantime is
/// not known; so what was fetched before a distribution was last changed counts as covered. If a record cannot be read,
/// everything does.
pub(crate) fn take_in_the_past(index: &mut Index, entries: &[Entry]) {
    for entry in entries {
        match decode_entry(entry) {
            Ok(Fact::Invalidation(record)) => {
                index.invalidate_in(record.mode, &record.distribution, &record.items, record.revision);
            }
            Ok(Fact::Distribution(id, Some(record))) => {
                index.invalidate(&id, &[InvalidationItem::Everything], record.revision);
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(key = entry.key, %error, "a record cannot be read; the cache counts as covered");
                index.cover_the_past();
                return;
            }
        }
    }
}
