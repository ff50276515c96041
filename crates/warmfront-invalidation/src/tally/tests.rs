use warmfront_model::{Epoch, Incarnation};

use super::*;
use crate::Stamp;

fn site() -> DistributionId {
    DistributionId::parse("E1U5RQF7T870K0").unwrap()
}

struct Page {
    stamp: Stamp,
    tags: Option<&'static str>,
}

impl Stamped for Page {
    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    fn field_values<'a>(&'a self, _: &str) -> Option<impl Iterator<Item = &'a [u8]>> {
        Some(std::iter::once(self.tags?.as_bytes()))
    }
}

fn page(as_of: u64, tags: Option<&'static str>) -> Page {
    let stamp = Stamp::new(Epoch {
        incarnation: Incarnation(7),
        revision: Revision(as_of),
    });
    Page { stamp, tags }
}

fn begin(tally: &mut Tally, revision: u64, items: &[&str]) -> bool {
    let items: Vec<InvalidationItem> = items
        .iter()
        .map(|item| InvalidationItem::parse(item).unwrap())
        .collect();
    tally.begin(&site(), &items, Revision(revision))
}

fn count(tally: &mut Tally, url: &str, page: &Page, bytes: u64) -> usize {
    let names = Names::new(url.as_bytes()).or_tags_in(Some("cache-tag"));
    tally.count(&site(), &names, page, bytes)
}

fn finish(tally: &mut Tally, through: u64) -> Vec<(u64, u64, u64)> {
    let finished = tally.finish(Revision(through));
    finished
        .into_iter()
        .map(|(revision, Tallied { responses, bytes })| (revision.0, responses, bytes))
        .collect()
}

#[test]
fn each_invalidation_counts_what_it_covers_whatever_the_others_cover() {
    let mut tally = Tally::default();
    begin(&mut tally, 2, &["/a", "/b"]);
    begin(&mut tally, 3, &["/a*", "/a", "/"]);
    begin(&mut tally, 4, &["/*"]);
    begin(&mut tally, 5, &["/A"]);
    assert_eq!(count(&mut tally, "/a", &page(1, None), 10), 3);
    assert_eq!(count(&mut tally, "/a/b", &page(1, None), 100), 2);
    assert_eq!(
        count(&mut tally, "/b", &page(2, None), 1_000),
        1,
        "it was fetched after 2"
    );
    assert_eq!(count(&mut tally, "/c", &page(4, None), 10_000), 0);
    let root = Names::new(b"/index.html").or_root(b"");
    assert_eq!(tally.count(&site(), &root, &page(1, None), 5), 2);
    assert_eq!(finish(&mut tally, 3), [(2, 1, 10), (3, 3, 115)]);
    assert_eq!(count(&mut tally, "/a", &page(1, None), 1), 1, "2 and 3 are over");
    assert_eq!(finish(&mut tally, 9), [(4, 5, 1_116), (5, 0, 0)]);
    assert!(tally.is_empty());
    assert_eq!((tally.n_items, tally.distributions.len()), (0, 0));
}

#[test]
fn tags_count_in_whatever_case_and_unknown_ones_as_all() {
    let mut tally = Tally::default();
    begin(&mut tally, 2, &["#Sku:7"]);
    begin(&mut tally, 3, &["#other"]);
    assert_eq!(count(&mut tally, "/a", &page(1, Some("x, SKU:7")), 1), 1);
    assert_eq!(count(&mut tally, "/a", &page(1, Some("x")), 1), 0);
    assert_eq!(count(&mut tally, "/a", &page(1, None), 1), 2);
    assert_eq!(finish(&mut tally, 3), [(2, 2, 2), (3, 1, 1)]);
    assert_eq!((tally.n_items, tally.distributions.len()), (0, 0));
}

#[test]
fn another_distribution_is_not_counted() {
    let mut tally = Tally::default();
    begin(&mut tally, 2, &["/*"]);
    let other = DistributionId::parse("EDFDVBD632BHDS").unwrap();
    assert_eq!(tally.count(&other, &Names::new(b"/a"), &page(1, None), 1), 0);
    assert_eq!(finish(&mut tally, 2), [(2, 0, 0)]);
}

#[test]
fn what_is_too_much_is_not_counted_and_makes_room_when_it_is_over() {
    let mut tally = Tally::default();
    let many = vec!["/a"; Tally::ITEMS_MAX];
    assert!(begin(&mut tally, 2, &many));
    assert!(!begin(&mut tally, 3, &["/*"]));
    assert_eq!(count(&mut tally, "/a", &page(1, None), 1), 1);
    assert_eq!(finish(&mut tally, 3), [(2, 1, 1)]);
    assert!(begin(&mut tally, 4, &["/*"]));
}
