use warmfront_invalidation::{Index, InvalidationItem};
use warmfront_model::{CacheTag, Epoch, Incarnation, Revision};
use warmfront_store::{DiskOptions, Folder, Store};

use crate::disk::FaultyDisk;
use crate::support::{DISK_BYTES, INCARNATION, MIB, content, distribution, epoch, head, look_up, open, response};

const MEMORY_BYTES: u64 = 22 * MIB;

fn index(applied: u64) -> Index {
    let mut index = Index::new(INCARNATION);
    index.advance(Revision(applied));
    index
}

fn filled(disk: &FaultyDisk, n: u64) -> Store {
    let (store, _) = open(MEMORY_BYTES, disk.clone(), epoch(5));
    for number in 0..n {
        store.insert(
            key(number).as_bytes(),
            response(epoch(5), number, content(number, 1_000)),
        );
    }
    store
}

fn key(number: u64) -> String {
    format!("/page/{number}")
}

async fn n_found(store: &Store, n: u64) -> u64 {
    let mut found = 0;
    for number in 0..n {
        if let Some(Ok((_, _, body))) = look_up(store, &index(5), key(number).as_bytes()).await {
            assert_eq!(body, content(number, 1_000));
            found += 1;
        }
    }
    found
}

#[tokio::test]
async fn head_body_tags_and_as_of_come_back() {
    let disk = FaultyDisk::new(1);
    let (store, _) = open(MEMORY_BYTES, disk.clone(), epoch(5));
    for (number, bytes) in [0, 1, 300_000, 1024 * 1024, 1024 * 1024 + 1, 1_900_000]
        .into_iter()
        .enumerate()
    {
        let number = number as u64;
        store.insert(
            key(number).as_bytes(),
            response(epoch(number), number, content(number, bytes)),
        );
        store.drain();
    }
    store.close();
    drop(store);
    let (store, recovered) = open(MEMORY_BYTES, disk, epoch(5));
    assert_eq!((recovered.n_responses, recovered.n_foreign), (6, 0));
    for (number, bytes) in [0, 1, 300_000, 1024 * 1024, 1024 * 1024 + 1, 1_900_000]
        .into_iter()
        .enumerate()
    {
        let number = number as u64;
        let found = look_up(&store, &index(number), key(number).as_bytes()).await;
        let (as_of, found_head, body) = found.expect("a hit").expect("whole");
        assert_eq!(as_of, epoch(number));
        assert!(body == content(number, bytes), "{bytes} bytes");
        let expected = head(number);
        assert_eq!(found_head.headers(), expected.headers);
        assert_eq!(found_head.status, expected.status);
        assert_eq!(found_head.lifetime(), expected.lifetime);
        assert_eq!(found_head.response_time, expected.response_time);
    }
    let mut index = index(6);
    let tag = InvalidationItem::Tag(CacheTag::parse("product:1").unwrap());
    index.invalidate(&distribution(), &[tag], Revision(6));
    assert!(
        look_up(&store, &index, b"/page/1").await.is_none(),
        "its tag came back as well"
    );
}

/// A journal that was set back grows again: what was stamped in its lost history must not count when the head has passed
/// those stamps.
#[tokio::test]
async fn responses_of_another_journal_or_from_beyond_its_head_are_given_up_for_good() {
    let other = Epoch {
        incarnation: Incarnation(8),
        revision: Revision(9),
    };
    for head in [other, epoch(4)] {
        let disk = FaultyDisk::new(1);
        filled(&disk, 10).close();
        let (store, recovered) = open(MEMORY_BYTES, disk.clone(), head);
        assert_eq!((recovered.n_responses, recovered.n_foreign), (0, 10));
        assert!(store.get_on_disk(b"/page/1").is_none());
        store.close();
        drop(store);
        let (_, recovered) = open(MEMORY_BYTES, disk, epoch(5));
        assert_eq!((recovered.n_responses, recovered.n_foreign), (0, 0));
    }
}

/// The segments alone say nothing of an invalidation that came after all of them.
#[tokio::test]
async fn a_journal_that_had_come_further_is_noticed_though_nothing_was_stored_since() {
    let disk = FaultyDisk::new(1);
    let store = filled(&disk, 10);
    store.saw(epoch(6));
    store.saw(epoch(4));
    store.close();
    drop(store);
    let (_, recovered) = open(MEMORY_BYTES, disk.after_kill(1), epoch(6));
    assert_eq!((recovered.n_responses, recovered.n_foreign), (10, 0));
    let (_, recovered) = open(MEMORY_BYTES, disk.after_kill(1), epoch(5));
    assert_eq!((recovered.n_responses, recovered.n_foreign), (0, 10));
}

#[tokio::test]
async fn how_far_the_journal_had_come_is_known_after_kill_9_too() {
    let disk = FaultyDisk::new(1);
    let store = filled(&disk, 10);
    store.saw(epoch(6));
    store.drain();
    let (_, recovered) = open(MEMORY_BYTES, disk.after_kill(1), epoch(5));
    assert_eq!((recovered.n_responses, recovered.n_foreign), (0, 10));
}

#[tokio::test]
async fn without_knowing_how_far_the_journal_had_come_nothing_is_used() {
    for damage in [
        |disk: &FaultyDisk| disk.lose("journal"),
        |disk: &FaultyDisk| {
            disk.edit("journal", |bytes| bytes[9] ^= 1);
        },
    ] {
        let disk = FaultyDisk::new(1);
        filled(&disk, 10).close();
        damage(&disk);
        let (store, recovered) = open(MEMORY_BYTES, disk.clone(), epoch(5));
        assert_eq!((recovered.n_responses, recovered.n_foreign), (0, 10));
        assert!(disk.segments().is_empty());
        store.insert(b"/page/0", response(epoch(5), 0, content(0, 1_000)));
        store.close();
        drop(store);
        let (_, recovered) = open(MEMORY_BYTES, disk, epoch(5));
        assert_eq!((recovered.n_responses, recovered.n_foreign), (1, 0));
    }
}

#[tokio::test]
async fn another_format_is_discarded_and_counted() {
    let disk = FaultyDisk::new(1);
    filled(&disk, 10).close();
    for name in disk.segments() {
        // The format's number follows eight bytes of magic.
        disk.edit(&name, |bytes| bytes[8] = 99);
    }
    let (store, recovered) = open(MEMORY_BYTES, disk.clone(), epoch(5));
    assert_eq!((recovered.n_responses, recovered.n_discarded_files), (0, 1));
    assert!(disk.segments().is_empty(), "it is removed");
    store.insert(b"/page/0", response(epoch(5), 0, content(0, 1_000)));
    store.close();
    drop(store);
    let (store, _) = open(MEMORY_BYTES, disk, epoch(5));
    assert_eq!(n_found(&store, 10).await, 1);
}

#[tokio::test]
async fn a_segment_without_its_list_is_read_record_by_record_up_to_the_torn_one() {
    let disk = FaultyDisk::new(1);
    let store = filled(&disk, 10);
    store.drain();
    let left = disk.after_kill(1);
    let name = left.segments().remove(0);
    left.edit(&name, |bytes| bytes.truncate(bytes.len() - 1));
    for _ in 0..2 {
        let (store, recovered) = open(MEMORY_BYTES, left.clone(), epoch(5));
        assert_eq!(
            recovered.n_responses, 9,
            "the first start writes a list, the second reads it"
        );
        assert_eq!(n_found(&store, 10).await, 9);
    }
}

#[tokio::test]
async fn one_changed_byte_costs_one_response_at_most() {
    let disk = FaultyDisk::new(1);
    filled(&disk, 10).close();
    let mut bytes = 0;
    disk.edit(&disk.segments()[0], |segment| bytes = segment.len());
    for at in (0..bytes).step_by(37) {
        let left = disk.after_kill(1);
        let name = left.segments().remove(0);
        left.edit(&name, |bytes| bytes[at] ^= 0x10);
        let (store, _) = open(MEMORY_BYTES, left, epoch(5));
        let found = n_found(&store, 10).await;
        assert!(at < 32 || found >= 9, "byte {at}: {found} found");
    }
}

#[tokio::test]
async fn a_full_disk_gives_up_the_oldest_and_goes_on() {
    let disk = FaultyDisk::new(1);
    let (store, _) = open(MEMORY_BYTES, disk.clone(), epoch(5));
    disk.limit(Some(20 * 1024 * 1024));
    for number in 0..300 {
        store.insert(
            key(number).as_bytes(),
            response(epoch(5), number, content(number, 150_000)),
        );
        store.drain();
    }
    let figures = store.figures().disk.unwrap();
    assert!(
        figures.n_write_errors > 0 && figures.disk_bytes <= 20 * 1024 * 1024,
        "{figures:?}"
    );
    assert!(figures.n_responses > 50, "{figures:?}");
    let entry = store.get_on_disk(key(299).as_bytes());
    assert!(entry.is_some(), "the newest is there");
}

#[tokio::test]
async fn the_disk_keeps_to_its_size_and_what_was_asked_for_stays() {
    let disk = FaultyDisk::new(1);
    let (store, _) = open(MEMORY_BYTES, disk.clone(), epoch(5));
    let wanted = key(0);
    store.insert(wanted.as_bytes(), response(epoch(5), 0, content(0, 1_000)));
    for number in 1..3_000 {
        store.insert(
            key(number).as_bytes(),
            response(epoch(5), number, content(number, 100_000)),
        );
        if number % 5 == 0 {
            store.drain();
            let found = look_up(&store, &index(5), wanted.as_bytes()).await;
            assert!(found.is_some_and(|found| found.is_ok()), "after {number}");
            assert!(disk.bytes() <= 66 * 1024 * 1024, "{} bytes", disk.bytes());
        }
    }
    let figures = store.figures().disk.unwrap();
    assert!(figures.n_evicted > 1_000, "{figures:?}");
    assert!(store.get_on_disk(key(1).as_bytes()).is_none(), "asked for by nobody");
}

#[tokio::test]
async fn one_process_at_a_time_uses_a_folder_and_a_restart_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(MEMORY_BYTES, Folder::lock(folder.path()).unwrap(), epoch(5));
    let second = Folder::lock(folder.path()).unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::ResourceBusy);
    store.insert(b"/page/0", response(epoch(5), 0, content(0, 2_000)));
    store.close();
    drop(store);
    let (store, _) = open(MEMORY_BYTES, Folder::lock(folder.path()).unwrap(), epoch(5));
    assert!(look_up(&store, &index(5), b"/page/0").await.unwrap().is_ok());
}

#[tokio::test]
async fn without_threads_nothing_is_written_before_its_step_and_dropping_is_a_crash() {
    let disk = FaultyDisk::new(1);
    let options = || DiskOptions {
        files: Box::new(disk.clone()),
        bytes: DISK_BYTES,
        head: epoch(5),
    };
    let (store, _) = Store::open_without_threads(MEMORY_BYTES, options()).unwrap();
    for number in 0..3 {
        store.insert(
            key(number).as_bytes(),
            response(epoch(5), number, content(number, 1_000)),
        );
    }
    assert!(store.get_on_disk(key(0).as_bytes()).is_none());
    assert!(store.step() && store.step());
    drop(store);
    let (store, recovered) = Store::open_without_threads(MEMORY_BYTES, options()).unwrap();
    assert_eq!(recovered.n_responses, 2);
    assert_eq!(n_found(&store, 3).await, 2);
    assert!(!store.step());
}
