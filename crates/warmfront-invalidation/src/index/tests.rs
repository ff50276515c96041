use proptest::prelude::*;

use super::*;
use crate::{Names, Stamp, Stamped};

fn distribution(name: &str) -> DistributionId {
    DistributionId::parse(name).unwrap()
}

fn site() -> DistributionId {
    distribution("E1U5RQF7T870K0")
}

fn index_with(entries: &[(&str, u64)]) -> Index {
    let mut index = Index::new(Incarnation(7));
    add(&mut index, entries);
    index
}

fn required(index: &Index, url: &str) -> u64 {
    required_of(index, url, false, &[])
}

fn required_of(index: &Index, url: &str, is_default_root: bool, tags: &[&str]) -> u64 {
    let tagged = Tagged {
        page: page(7, 0),
        header: "cache-tag",
        value: tags.join(","),
    };
    let names = names(url, is_default_root).or_tags_in(Some("cache-tag"));
    index.required_of(&site(), &names, &tagged).0
}

fn names(url: &str, is_default_root: bool) -> Names<'_> {
    let names = Names::new(url.as_bytes());
    if is_default_root { names.or_root(b"") } else { names }
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
    assert_eq!(
        index.required(&distribution("E2U5RQF7T870K0"), &names("/x", false)),
        Revision::ZERO
    );
}

fn add(index: &mut Index, entries: &[(&str, u64)]) {
    for (item, revision) in entries {
        index.invalidate(&site(), &[InvalidationItem::parse(item).unwrap()], Revision(*revision));
        index.advance(Revision(*revision));
    }
}

#[test]
fn a_sweep_forgets_what_was_known_when_it_began_and_makes_the_newest_of_that_the_floor() {
    let mut index = index_with(&[("/old", 3), ("/a/*", 4), ("#tag", 4)]);
    index.advance(Revision(5));
    index.begin_sweep();
    assert_eq!(required(&index, "/old"), 3, "known until the sweep is over");
    add(&mut index, &[("/new", 6), ("/b/*", 7)]);
    assert_eq!((required(&index, "/new"), required(&index, "/a/b")), (6, 4));
    index.end_sweep();
    assert_eq!(required(&index, "/old"), 4, "the floor");
    assert_eq!(required(&index, "/anything"), 4, "the floor");
    assert_eq!(required(&index, "/new"), 6);
    assert_eq!(required(&index, "/b/c"), 7);
    assert!(!index.is_empty());
    index.begin_sweep();
    index.end_sweep();
    assert!(index.is_empty());
    assert_eq!(index.floor(), Revision(7));
}

/// What it would have set aside, nobody has visited since.
#[test]
fn a_sweep_after_one_that_did_not_end_forgets_no_more_than_that_one() {
    let mut index = index_with(&[("/old", 3)]);
    index.begin_sweep();
    add(&mut index, &[("/new", 6)]);
    index.begin_sweep();
    index.end_sweep();
    assert_eq!(index.floor(), Revision(3));
    assert_eq!(required(&index, "/new"), 6);
}

#[test]
fn an_end_without_a_beginning_forgets_nothing() {
    let mut index = index_with(&[("/old", 3)]);
    index.end_sweep();
    assert_eq!((index.floor(), required(&index, "/old")), (Revision::ZERO, 3));
}

struct Page(Stamp);

impl Stamped for Page {
    fn stamp(&self) -> &Stamp {
        &self.0
    }

    fn field_values<'a>(&'a self, _: &str) -> Option<impl Iterator<Item = &'a [u8]>> {
        Some(std::iter::empty())
    }
}

struct Tagged {
    page: Arc<Page>,
    header: &'static str,
    value: String,
}

impl Stamped for Tagged {
    fn stamp(&self) -> &Stamp {
        self.page.stamp()
    }

    fn field_values<'a>(&'a self, name: &str) -> Option<impl Iterator<Item = &'a [u8]>> {
        (name == self.header).then(|| [self.value.as_bytes()].into_iter())
    }
}

fn page(incarnation: u64, revision: u64) -> Arc<Page> {
    Arc::new(Page(Stamp::new(Epoch {
        incarnation: Incarnation(incarnation),
        revision: Revision(revision),
    })))
}

fn check(index: &Index, page: &Arc<Page>) -> bool {
    index.check(&site(), Arc::clone(page), || names("/page", false)).is_ok()
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
    let mut index = index_with(&[("/other", 9)]);
    let met = index.check(&site(), page(7, 9), || panic!("the URL is not needed"));
    assert!(met.is_ok());
    // Leases and whatever else the journal has are no entries.
    index.advance(Revision(12));
    let met = index.check(&site(), page(7, 9), || panic!("the URL is not needed"));
    assert!(met.is_ok());
    index.cover_the_past();
    assert!(!check(&index, &page(7, 11)), "nothing older than 12 will do");
}

/// What a parent knows makes its responses as new as a child needs them, whenever they were fetched.
#[test]
fn a_response_that_the_index_passes_is_as_new_as_the_index() {
    let mut index = index_with(&[("/other", 9)]);
    index.demand(Revision(9));
    let stored = page(7, 3);
    assert!(check(&index, &stored));
    assert_eq!(stored.stamp().as_of().revision, Revision(9));
    let arriving = page(7, 3);
    assert!(index.check_unanswered(&site(), arriving.stamp(), || names("/page", false)));
    index.demand(Revision(12));
    assert!(!check(&index, &stored), "more than this index knows");
    assert!(!index.check_unanswered(&site(), arriving.stamp(), || names("/page", false)));
    assert!(check(&index, &page(7, 12)));
}

#[test]
fn another_distributions_entries_need_no_url() {
    let index = index_with(&[("/other", 9)]);
    let page = page(7, 1);
    let other = distribution("E2U5RQF7T870K0");
    let met = index.check(&other, Arc::clone(&page), || panic!("the URL is not needed"));
    assert!(met.is_ok());
    assert_eq!(page.stamp().as_of().revision, Revision(9));
}

fn tagged(revision: u64, header: &'static str, value: &str) -> Arc<Tagged> {
    Arc::new(Tagged {
        page: page(7, revision),
        header,
        value: value.to_owned(),
    })
}

fn check_tagged(index: &Index, response: &Arc<Tagged>, header: Option<&str>) -> Result<(), InvalidationMode> {
    index
        .check(&site(), Arc::clone(response), || {
            names("/page", false).or_tags_in(header)
        })
        .map(drop)
        .map_err(|covered| covered.mode())
}

#[test]
fn tags_count_in_the_field_that_is_configured_now() {
    let index = index_with(&[("#sku:1", 5)]);
    let covered = Err(InvalidationMode::Refetch);
    assert_eq!(
        check_tagged(&index, &tagged(4, "tag", "other, SKU:1"), Some("tag")),
        covered
    );
    assert_eq!(check_tagged(&index, &tagged(4, "tag", "other"), Some("tag")), Ok(()));
    assert_eq!(
        check_tagged(&index, &tagged(4, "tag", "sku:1"), None),
        Ok(()),
        "the distribution has no tags"
    );
    assert_eq!(
        check_tagged(&index, &tagged(5, "tag", "sku:1"), Some("tag")),
        Ok(()),
        "fetched after it"
    );
}

#[test]
fn unknown_tags_count_as_all_tags() {
    let index = index_with(&[("#sku:1", 5), ("/else", 9)]);
    let response = tagged(4, "old-name", "");
    assert_eq!(
        check_tagged(&index, &response, Some("new-name")),
        Err(InvalidationMode::Refetch)
    );
    assert_eq!(
        check_tagged(&index, &tagged(5, "old-name", ""), Some("new-name")),
        Ok(())
    );
}

#[test]
fn an_invalidation_by_tag_outlives_a_change_of_the_tag_header() {
    let mut index = index_with(&[("#sku:1", 5)]);
    index.change_tag_header(&site());
    let response = tagged(4, "old-name", "sku:1");
    assert_eq!(check_tagged(&index, &response, None), Err(InvalidationMode::Refetch));
    assert_eq!(check_tagged(&index, &tagged(5, "old-name", "sku:1"), None), Ok(()));
    assert_eq!(index.of(&site()).newest_tag(), Revision::ZERO);
}

fn mode_of(entries: &[(&str, InvalidationMode, u64)], as_of: u64) -> Result<(), InvalidationMode> {
    let index = index_in(entries);
    let checked = index.check(&site(), page(7, as_of), || names("/page", false));
    checked.map(drop).map_err(|covered| covered.mode())
}

fn index_in(entries: &[(&str, InvalidationMode, u64)]) -> Index {
    let mut index = Index::new(Incarnation(7));
    add_in(&mut index, entries);
    index
}

fn add_in(index: &mut Index, entries: &[(&str, InvalidationMode, u64)]) {
    for (item, mode, revision) in entries {
        let items = [InvalidationItem::parse(item).unwrap()];
        index.invalidate_in(*mode, &site(), &items, Revision(*revision));
        index.advance(Revision(*revision));
    }
}

#[test]
fn a_response_is_revalidated_only_if_all_that_cover_it_allow_it() {
    use InvalidationMode::{Refetch, Revalidate};
    let gentle_last = [("/page", Refetch, 3), ("/*", Revalidate, 5)];
    assert_eq!(mode_of(&gentle_last, 2), Err(Refetch));
    assert_eq!(mode_of(&gentle_last, 3), Err(Revalidate));
    assert_eq!(mode_of(&gentle_last, 5), Ok(()));
    assert_eq!(
        mode_of(&[("/page", Revalidate, 3), ("/page", Refetch, 5)], 4),
        Err(Refetch)
    );
    assert_eq!(
        mode_of(&[("/page", Revalidate, 3), ("/else", Refetch, 5)], 2),
        Err(Revalidate)
    );
}

fn forget(index: &mut Index) {
    index.begin_sweep();
    index.end_sweep();
}

#[test]
fn what_a_sweep_found_to_be_revalidated_still_is_when_the_entry_is_forgotten() {
    use InvalidationMode::{Refetch, Revalidate};
    let mut index = index_in(&[("/page", Revalidate, 5)]);
    let (swept, missed) = (page(7, 4), page(7, 4));
    let mode = |index: &Index, page: &Arc<Page>| {
        let checked = index.check(&site(), Arc::clone(page), || names("/page", false));
        checked.map(drop).map_err(|covered| covered.mode())
    };
    let sweep = |index: &Index| {
        let checked = index.check(&site(), Arc::clone(&swept), || names("/page", false));
        if let Err(covered) = checked {
            covered.settle();
        }
    };
    assert_eq!(mode(&index, &swept), Err(Revalidate));
    assert_eq!(mode(&index, &missed), Err(Revalidate));
    sweep(&index);
    forget(&mut index);
    index.advance(Revision(6));
    assert_eq!(
        mode(&index, &swept),
        Err(Revalidate),
        "covered for ever, as gently as before"
    );
    assert_eq!(mode(&index, &missed), Err(Refetch), "nothing is known of it");
    index.invalidate(&site(), &[InvalidationItem::parse("/*").unwrap()], Revision(7));
    index.advance(Revision(7));
    assert_eq!(mode(&index, &swept), Err(Refetch));
    sweep(&index);
    forget(&mut index);
    index.advance(Revision(8));
    assert_eq!(
        mode(&index, &swept),
        Err(Refetch),
        "the newer one is forgotten, what it covers is not"
    );
}

#[test]
fn a_fetch_that_is_not_answered_is_judged_by_its_url_and_raised_where_no_tag_can_cover_it() {
    let index = index_with(&[("/page", 4), ("#sku:1", 6), ("/else", 8)]);
    let check = |as_of: u64, header: Option<&str>| {
        let stamp = page(7, as_of);
        let stamp = stamp.stamp();
        let passes = index.check_unanswered(&site(), stamp, || names("/page", false).or_tags_in(header));
        (passes, stamp.as_of().revision.0)
    };
    assert_eq!(check(3, None), (false, 3));
    assert_eq!(check(4, None), (true, 8));
    assert_eq!(check(4, Some("tag")), (true, 4), "its answer may have the tag");
    assert_eq!(check(6, Some("tag")), (true, 8));
}

proptest! {
    #[test]
    fn the_index_agrees_with_a_plain_list(
        entries in proptest::collection::vec(("(/[ab]{0,3}(/[ab]{0,2})?\\*?)|(#[tu])", any::<bool>()), 0..30),
        url in "/[ab]{0,3}(/[ab]{0,2})?",
        tags in proptest::collection::vec("[tuv]", 0..3),
        is_default_root in any::<bool>(),
        n_swept in 0_usize..30,
        as_of in 0_u64..30,
    ) {
        let list: Vec<(&str, InvalidationMode, u64)> = entries
            .iter()
            .zip(1..)
            .map(|((item, gentle), revision)| {
                let mode = if *gentle { InvalidationMode::Revalidate } else { InvalidationMode::Refetch };
                (item.as_str(), mode, revision)
            })
            .collect();
        let index = index_in(&list);
        let matches_url = |url: &str, item: &str| match item.strip_suffix('*') {
            Some(prefix) => url.starts_with(prefix),
            None => url == item,
        };
        let matches = |item: &str| match item.strip_prefix('#') {
            Some(name) => tags.iter().any(|tag| tag == name),
            None => matches_url(&url, item) || (is_default_root && matches_url("/", item)),
        };
        let covering = || list.iter().filter(|(item, _, _)| matches(item));
        let newest = covering().map(|(_, _, revision)| *revision).max().unwrap_or(0);
        let names_of_tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        prop_assert_eq!(required_of(&index, &url, is_default_root, &names_of_tags), newest);

        let names = || names(&url, is_default_root).or_tags_in(Some("cache-tag"));
        let mode = |index: &Index, response: &Arc<Tagged>| {
            index.check(&site(), Arc::clone(response), names).map(drop).map_err(|covered| covered.mode())
        };
        let checked = mode(&index, &tagged(as_of, "cache-tag", &tags.join(",")));
        let newer: Vec<InvalidationMode> =
            covering().filter(|(_, _, revision)| *revision > as_of).map(|(_, mode, _)| *mode).collect();
        let expected = match newer.iter().min() {
            None => Ok(()),
            Some(strictest) => Err(*strictest),
        };
        prop_assert_eq!(checked, expected);
        let (before, later) = list.split_at(n_swept.min(list.len()));
        let mut index = index_in(before);
        index.begin_sweep();
        let visited = tagged(as_of, "cache-tag", &tags.join(","));
        if let Err(covered) = index.check(&site(), Arc::clone(&visited), names) {
            covered.settle();
        }
        add_in(&mut index, later);
        prop_assert_eq!(required_of(&index, &url, is_default_root, &names_of_tags), newest);
        index.end_sweep();
        let floor = before.last().map_or(0, |(_, _, revision)| *revision);
        prop_assert_eq!(required_of(&index, &url, is_default_root, &names_of_tags), newest.max(floor));
        prop_assert_eq!(mode(&index, &visited), checked, "forgetting changes nothing for what was visited");
    }
}
