use super::*;

const LATER: i128 = i128::MAX / 2;

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn files_are_found_with_their_digests() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        "index.html",
        "a/b.css",
        ".well-known/x",
        ".DS_Store",
        ".git/HEAD",
        ".warmfront/E1/head.json",
        "a/b.css.map",
        "warmfront.toml",
    ] {
        write(folder.path(), path, path);
    }
    let exclude = [crate::headers::glob("*.map").unwrap()];
    let files = scan(folder.path(), &exclude, &mut DigestCache::default(), LATER).unwrap();
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        [".well-known/x", "a/b.css", "index.html"]
    );
    assert_eq!(
        files["a/b.css"],
        LocalFile {
            digest: Digest::of(b"a/b.css"),
            size: 7
        }
    );
}

#[test]
fn the_cache_is_believed_while_nothing_about_the_file_changed() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", "one");
    let mut cache = DigestCache::default();
    scan(folder.path(), &[], &mut cache, LATER).unwrap();
    // A wrong digest in the cache shows that it is used.
    let lie = Digest::of(b"lie");
    cache.files.get_mut("a").unwrap().digest = lie;
    assert_eq!(
        scan(folder.path(), &[], &mut cache.clone(), LATER).unwrap()["a"].digest,
        lie
    );
    // The same length at the same second, as `--size-only` and mtime would miss it.
    write(folder.path(), "b", "two");
    std::fs::rename(folder.path().join("b"), folder.path().join("a")).unwrap();
    assert_eq!(
        scan(folder.path(), &[], &mut cache, LATER).unwrap()["a"].digest,
        Digest::of(b"two")
    );
}

#[test]
fn what_changed_just_now_is_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a", "one");
    let mut cache = DigestCache::default();
    let mtime = std::fs::metadata(folder.path().join("a")).unwrap();
    let mtime_ns = i128::from(mtime.mtime()) * 1_000_000_000;
    scan(folder.path(), &[], &mut cache, mtime_ns).unwrap();
    assert!(cache.files.is_empty());
    scan(folder.path(), &[], &mut cache, mtime_ns + 10_000_000_000).unwrap();
    assert_eq!(cache.files.len(), 1);
    let path = folder.path().join("cache/digests.json");
    cache.store(&path).unwrap();
    assert_eq!(DigestCache::load(&path).files, cache.files);
}

#[test]
fn an_empty_folder_is_no_site() {
    let folder = tempfile::tempdir().unwrap();
    let error = scan(folder.path(), &[], &mut DigestCache::default(), LATER).unwrap_err();
    assert!(error.to_string().contains("was the site built?"), "{error}");
}

#[test]
fn a_folder_without_an_end_and_what_is_no_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a/index.html", "one");
    std::os::unix::fs::symlink(folder.path().join("a"), folder.path().join("b")).unwrap();
    let scan_it = || scan(folder.path(), &[], &mut DigestCache::default(), LATER);
    assert_eq!(
        scan_it().unwrap().keys().collect::<Vec<_>>(),
        ["a/index.html", "b/index.html"]
    );
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/up")).unwrap();
    assert!(matches!(scan_it().unwrap_err(), ScanError::Endless(path) if path.ends_with("up")));
    std::fs::remove_file(folder.path().join("a/up")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("a/socket")).unwrap();
    assert!(matches!(scan_it().unwrap_err(), ScanError::Special(path) if path.ends_with("socket")));
}
