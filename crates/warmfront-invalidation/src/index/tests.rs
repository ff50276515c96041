use proptest::prelude::*;

use super::*;
use crate::{Names, NormalUrl, Stamp, Stamped};

fn distribution(name: &str) -> DistributionId {
    DistributionId::parse(name).unwrap()
}

fn site() -> DistributionId {
    distribution("E1U5RQF7T870K0")
}

fn index_with(entries: &[(&str, u64)]) -> Index {
    let mut index = Index::new(Incarnation(7));
    for (item, revision) in entries {
        index.invalidate(&site(), &[InvalidationItem::parse(item).unwrap()], Revision(*revision));
        index.advance(Revision(*revision));
    }
    index
}

fn required(index: &Index, url: &str) -> u64 {
    required_of(index, url, false, &[])
}

fn required_of(index: &Index, url: &str, is_default_root: bool, tags: &[&str]) -> u64 {
    let tags: Vec<CacheTag> = tags.iter().map(|tag| CacheTag::parse(tag).unwrap()).collect();
    let names = names(url, is_default_root.then_some("/"));
    index
        .required(
            &site(),
            Subject {
                names: &names,
                tags: &tags,
            },
        )
        .0
}

fn names(url: &str, root: Option<&str>) -> Names {
    Names {
        url: NormalUrl::new(url.as_bytes()),
        root: root.map(|root| NormalUrl::new(root.as_bytes())),
    }
}

#[test]
fn an_exact_path_covers_itself_alone() {
    let index = index_with(&[("/index.html", 3)]);
    assert_eq!(required(&index, "/index.html"), 3);
    assert_eq!(required(&index, "/index.htm"), 0);
    assert_eq!(required(&index, "/index.html/"), 0);
    assert_eq!(required(&index, "/Index.html"), 0, "paths are case-sensitive");
    assert_eq!(
        required(&index, "/index.html?v=1"),
        0,
        "a query string in the key is part of the path"
    );
}

#[test]
fn a_wildcard_crosses_slashes_and_question_marks() {
    let index = index_with(&[("/img/a*", 4)]);
    for covered in ["/img/a", "/img/a.jpg", "/img/a/b/c", "/img/a?x=1"] {
        assert_eq!(required(&index, covered), 4, "{covered}");
    }
    assert_eq!(required(&index, "/img/b"), 0);
}

#[test]
fn the_newest_of_all_that_match_counts() {
    let index = index_with(&[("/*", 1), ("/a/*", 2), ("/a/b", 3), ("/a/*", 4), ("/c", 5)]);
    assert_eq!(required(&index, "/a/b"), 4);
    assert_eq!(required(&index, "/c"), 5);
    assert_eq!(required(&index, "/d"), 1);
}

#[test]
fn the_default_root_object_is_covered_by_the_root_too() {
    let index = index_with(&[("/", 2)]);
    assert_eq!(required_of(&index, "/index.html", true, &[]), 2);
    assert_eq!(required_of(&index, "/index.html", false, &[]), 0);
}

#[test]
fn tags_cover_whatever_the_url_is() {
    let index = index_with(&[("#Product:1", 6)]);
    assert_eq!(required_of(&index, "/x", false, &["other", "product:1"]), 6);
    assert_eq!(required_of(&index, "/x", false, &["other"]), 0);
}

#[test]
fn another_distribution_is_not_touched() {
    let index = index_with(&[("/*", 6)]);
    let names = names("/x", None);
    let subject = Subject {
        names: &names,
        tags: &[],
    };
    assert_eq!(index.required(&distribution("E2U5RQF7T870K0"), subject), Revision::ZERO);
}

#[test]
fn forgetting_raises_the_floor_and_keeps_later_entries() {
    let mut index = index_with(&[("/old", 3), ("/a/*", 4), ("#tag", 4), ("/new", 6), ("/b/*", 7)]);
    index.forget(Revision(4));
    assert_eq!(required(&index, "/old"), 4, "the floor");
    assert_eq!(required(&index, "/anything"), 4, "the floor");
    assert_eq!(required(&index, "/new"), 6);
    assert_eq!(required(&index, "/b/c"), 7);
    assert!(!index.is_empty());
    index.forget(Revision(7));
    assert!(index.is_empty());
    assert_eq!(index.floor(), Revision(7));
}

struct Page(Stamp);

impl Stamped for Page {
    fn stamp(&self) -> &Stamp {
        &self.0
    }

    fn tags(&self) -> &[CacheTag] {
        &[]
    }
}

fn page(incarnation: u64, revision: u64) -> Arc<Page> {
    Arc::new(Page(Stamp::new(Epoch {
        incarnation: Incarnation(incarnation),
        revision: Revision(revision),
    })))
}

fn check(index: &Index, page: &Arc<Page>) -> bool {
    index.check(&site(), Arc::clone(page), || names("/page", None)).is_ok()
}

#[test]
fn passing_raises_the_as_of_to_what_the_index_has_applied() {
    let index = index_with(&[("/page", 3), ("/other", 9)]);
    let page = page(7, 3);
    assert!(check(&index, &page));
    assert_eq!(page.stamp().as_of().revision, Revision(9));
}

#[test]
fn a_covered_response_keeps_its_as_of_and_gets_no_proof() {
    let index = index_with(&[("/page", 3), ("/other", 9)]);
    let page = page(7, 2);
    assert!(!check(&index, &page));
    assert_eq!(page.stamp().as_of().revision, Revision(2));
}

#[test]
fn an_older_index_never_lowers_an_as_of() {
    let old = index_with(&[("/other", 3)]);
    let page = page(7, 8);
    assert!(check(&old, &page));
    assert_eq!(page.stamp().as_of().revision, Revision(8));
}

#[test]
fn a_stamp_of_another_incarnation_is_covered() {
    let index = index_with(&[]);
    assert!(!check(&index, &page(8, 100)));
}

#[test]
fn an_unchanged_index_is_not_asked_again() {
    let index = index_with(&[("/other", 9)]);
    let fresh = index.check(&site(), page(7, 9), || panic!("the URL is not needed"));
    assert!(fresh.is_ok());
}

proptest! {
    #[test]
    fn the_index_agrees_with_a_plain_list(
        entries in proptest::collection::vec("(/[ab]{0,3}(/[ab]{0,2})?\\*?)|(#[tu])", 0..30),
        url in "/[ab]{0,3}(/[ab]{0,2})?",
        tag in proptest::option::of("[tu]"),
        forgotten in 0_u64..30,
    ) {
        let list: Vec<(&str, u64)> = entries.iter().zip(1..).map(|(item, revision)| (item.as_str(), revision)).collect();
        let mut index = index_with(&list);
        let matches = |item: &str| match (item.strip_prefix('#'), item.strip_suffix('*')) {
            (Some(name), _) => tag.as_deref() == Some(name),
            (None, Some(prefix)) => url.starts_with(prefix),
            (None, None) => url == item,
        };
        let newest = list.iter().filter(|(item, _)| matches(item)).map(|(_, revision)| *revision).max().unwrap_or(0);
        let tags: Vec<&str> = tag.as_deref().into_iter().collect();
        prop_assert_eq!(required_of(&index, &url, false, &tags), newest);
        index.forget(Revision(forgotten));
        prop_assert_eq!(required_of(&index, &url, false, &tags), newest.max(forgotten));
    }
}
