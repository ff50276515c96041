use super::*;

/// Whether one path of the result covers another. Source: CloudFront Developer Guide, "What you need to know when invalidating files".
fn covers(path: &str, other: &str) -> bool {
    match path.strip_suffix('*') {
        Some(prefix) if path.starts_with('/') => other.starts_with(prefix),
        _ => path == other,
    }
}

fn check(wanted: &[&str], files_max: usize, wildcards_max: usize, expected: &[&str]) {
    let wanted: BTreeSet<String> = wanted.iter().map(|path| (*path).to_owned()).collect();
    let limits = Limits {
        files_max,
        wildcards_max,
    };
    let chosen = cover(&wanted, limits);
    assert_eq!(chosen, expected);
    for path in &wanted {
        assert!(
            chosen.iter().any(|candidate| covers(candidate, path)),
            "{path} is not covered by {chosen:?}"
        );
    }
}

#[test]
fn exact_paths_stay_while_they_fit() {
    check(&["/a", "/b/c", "/b/d"], 3, 15, &["/a", "/b/c", "/b/d"]);
    check(&[], 3, 15, &[]);
    check(&["#tag", "/a"], 3, 15, &["#tag", "/a"]);
}

#[test]
fn the_deepest_folder_is_drawn_together_first() {
    check(&["/a", "/b/c", "/b/d/e", "/b/d/f"], 2, 15, &["/a", "/b/c", "/b/d/*"]);
    check(&["/a", "/b/c", "/b/d/e", "/b/d/f"], 1, 15, &["/a", "/b/*"]);
    check(&["/a", "/b"], 1, 15, &["/*"]);
}

#[test]
fn the_fullest_of_equally_deep_folders_goes_first() {
    check(
        &["/x/1", "/x/2", "/y/1", "/y/2", "/y/3"],
        2,
        15,
        &["/x/1", "/x/2", "/y/*"],
    );
}

#[test]
fn what_a_wildcard_covers_is_not_paid_twice() {
    check(&["/b*", "/b", "/b/c", "/bc", "/a", "/b/c*"], 9, 15, &["/a", "/b*"]);
}

#[test]
fn too_many_wildcards_climb_too() {
    check(&["/a/1*", "/a/2*", "/b*"], 9, 2, &["/a/*", "/b*"]);
    check(&["/a*", "/b*", "/c"], 9, 1, &["/*"]);
}

#[test]
fn a_folder_path_and_its_wildcard_are_two() {
    // `/b/*` does not cover `/b`: it stays a path of its own.
    check(&["/b", "/b/", "/b/c"], 1, 15, &["/b", "/b/*"]);
}

#[test]
fn a_large_release_fits_the_quotas() {
    let wanted: BTreeSet<String> = (0..40)
        .flat_map(|folder| (0..100).map(move |page| format!("/d{folder}/p{page}")))
        .collect();
    let chosen = cover(&wanted, Limits::new(FILES_MAX));
    let n_wildcards = chosen.iter().filter(|path| is_wildcard(path)).count();
    assert_eq!((chosen.len() - n_wildcards, n_wildcards), (3_000, 10));
    assert!(
        wanted
            .iter()
            .all(|path| chosen.iter().any(|candidate| covers(candidate, path)))
    );
}

#[test]
fn tags_alone_are_left_as_they_are() {
    check(&["#a", "#b", "#c"], 2, 15, &["#a", "#b", "#c", "/*"]);
}

#[test]
fn odd_slashes_do_no_harm() {
    check(&["//a", "//b", "/c"], 2, 15, &["/c", "//*"]);
    check(&["/a//*", "/a/b", "/a/c"], 1, 15, &["/a/*"]);
}
