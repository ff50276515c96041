use std::io::Write;
use std::sync::Arc;

use super::*;
use crate::digest::Algorithm;

fn store(dir: &Path) -> Store {
    Store::open(dir).unwrap()
}

fn with_bucket(dir: &Path) -> Store {
    let store = store(dir);
    let record = BucketRecord {
        created_ms: 0,
        region: "us-east-1".to_owned(),
        policy: None,
        public_access_block: None,
    };
    store.create_bucket("site", record).unwrap();
    store
}

fn staged(store: &Store, bytes: &[u8]) -> StagedFile {
    let (staged, mut file) = store.files.create().unwrap();
    file.write_all(bytes).unwrap();
    store.files.sync(staged.id(), &file).unwrap();
    staged
}

fn record(staged: &StagedFile, size: u64) -> ObjectRecord {
    ObjectRecord {
        content: Content::File(staged.id()),
        size,
        etag: "etag".to_owned(),
        modified_ms: 0,
        headers: SystemHeaders::default(),
        metadata: Default::default(),
        checksum: None,
        n_parts: 0,
    }
}

fn put(store: &Store, key: &str, bytes: &[u8]) {
    let staged = staged(store, bytes);
    let record = record(&staged, bytes.len() as u64);
    store
        .put_object("site", key, &record, &WriteCondition::Always, staged)
        .unwrap();
}

fn read(store: &Store, key: &str) -> Vec<u8> {
    let opened = store.open_object("site", key).unwrap();
    let read = |(file, _): &(ContentId, u64)| std::fs::read(store.files.path(*file)).unwrap();
    opened.pieces.iter().flat_map(read).collect()
}

fn files(store: &Store) -> usize {
    let mut n_files = 0;
    store.files.each(|_| n_files += 1).unwrap();
    n_files
}

/// The process is killed after the bytes were written and before their record was committed.
#[test]
fn a_crash_before_the_commit_leaves_the_old_object_and_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let before = with_bucket(dir.path());
    put(&before, "a", b"old");
    std::mem::forget(staged(&before, b"new"));
    assert_eq!(files(&before), 2);
    drop(before);
    let after = store(dir.path());
    assert_eq!((read(&after, "a"), files(&after)), (b"old".to_vec(), 1));
}

/// The process is killed after the commit and before the superseded bytes were removed.
#[test]
fn a_crash_after_the_commit_leaves_the_new_object_and_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let before = with_bucket(dir.path());
    put(&before, "a", b"old");
    let reader = before.open_object("site", "a").unwrap();
    put(&before, "a", b"new");
    std::mem::forget(reader.pin);
    assert_eq!(files(&before), 2);
    drop(before);
    let after = store(dir.path());
    assert_eq!((read(&after, "a"), files(&after)), (b"new".to_vec(), 1));
}

#[test]
fn superseded_bytes_go_with_their_last_reader() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path());
    put(&store, "a", b"old");
    let (first, second) = (
        store.open_object("site", "a").unwrap(),
        store.open_object("site", "a").unwrap(),
    );
    store
        .delete_objects("site", &[("a".to_owned(), WriteCondition::Always)])
        .unwrap();
    assert!(matches!(store.open_object("site", "a"), Err(ObjectError::NoSuchKey)));
    drop(first);
    assert_eq!(std::fs::read(store.files.path(second.pieces[0].0)).unwrap(), b"old");
    drop(second);
    assert_eq!(files(&store), 0);
}

#[test]
fn a_refused_write_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path());
    put(&store, "a", b"old");
    let new = staged(&store, b"new");
    let refused = store.put_object("site", "a", &record(&new, 3), &WriteCondition::IfAbsent, new);
    assert!(matches!(refused, Err(ObjectError::PreconditionFailed)));
    assert_eq!((read(&store, "a"), files(&store)), (b"old".to_vec(), 1));
    let new = staged(&store, b"new");
    let refused = store.put_object("other", "a", &record(&new, 3), &WriteCondition::Always, new);
    assert!(matches!(refused, Err(ObjectError::NoSuchBucket)));
    assert_eq!(files(&store), 1);
}

#[test]
fn parts_of_an_unfinished_upload_survive_a_restart_and_go_with_their_bucket() {
    let dir = tempfile::tempdir().unwrap();
    let before = with_bucket(dir.path());
    let upload = UploadRecord {
        initiated_ms: 0,
        headers: SystemHeaders::default(),
        metadata: Default::default(),
        algorithm: Algorithm::DEFAULT,
        algorithm_given: false,
        composite: false,
    };
    let id = before.create_upload("site", "m", &upload).unwrap();
    let part = staged(&before, b"part");
    let record = PartRecord {
        file: part.id(),
        size: 4,
        md5: crate::digest::md5(b"part"),
        modified_ms: 0,
        checksum: vec![0; 8],
    };
    before.put_part(("site", "m", id), 1, &record, part).unwrap();
    drop(before);
    let after = store(dir.path());
    assert_eq!(
        (
            after.parts(("site", "m", id), 0, 10).unwrap().1.entries.len(),
            files(&after)
        ),
        (1, 1)
    );
    after.delete_bucket("site").unwrap();
    assert_eq!(files(&after), 0);
}

#[test]
fn a_second_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _first = store(dir.path());
    assert!(matches!(Store::open(dir.path()), Err(OpenError::InUse(_))));
}

#[test]
fn records_of_another_version_or_none_are_errors_and_no_panics() {
    for bytes in [&b""[..], b"\x02{}", b"\x01", b"\x01{}", b"\x01[1,2"] {
        assert!(
            matches!(record::decode::<ObjectRecord>(bytes), Err(StoreError::Corrupt(_))),
            "{bytes:?}"
        );
    }
}

#[test]
fn what_comes_behind_a_prefix_is_the_next_string_without_it() {
    assert_eq!(list::behind("a/").as_deref(), Some("a0"));
    assert_eq!(list::behind("a\u{10FFFF}").as_deref(), Some("b"));
    assert_eq!(list::behind("\u{D7FF}").as_deref(), Some("\u{E000}"));
    assert_eq!(list::behind("\u{10FFFF}"), None);
    assert_eq!(list::behind(""), None);
}

#[test]
fn the_store_and_its_files_can_be_shared_among_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Arc<Store>>();
}

/// The records are lost and the bytes are not: removing these as orphans would finish what the accident began.
#[test]
fn objects_without_their_database_are_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let kept = with_bucket(dir.path());
    put(&kept, "a", b"bytes");
    drop(kept);
    let database = dir.path().join("bucket.redb");
    let records = std::fs::read(&database).unwrap();
    for lose in [
        |path: &Path| std::fs::write(path, b"").unwrap(),
        |path: &Path| {
            std::fs::remove_file(path).unwrap();
        },
    ] {
        lose(&database);
        for _ in 0..2 {
            assert!(matches!(Store::open(dir.path()), Err(OpenError::Nameless(_))));
        }
    }
    std::fs::write(&database, records).unwrap();
    assert_eq!(read(&store(dir.path()), "a"), b"bytes");
}

#[test]
fn a_damaged_page_is_found_on_opening() {
    let dir = tempfile::tempdir().unwrap();
    put(&with_bucket(dir.path()), "needle", b"bytes");
    let database = dir.path().join("bucket.redb");
    let mut records = std::fs::read(&database).unwrap();
    let key = b"needle";
    let places: Vec<usize> = (0..records.len() - key.len())
        .filter(|&at| &records[at..at + key.len()] == key)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        records[at..at + key.len()].fill(0xff);
    }
    std::fs::write(&database, records).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(OpenError::Store(_))));
}
