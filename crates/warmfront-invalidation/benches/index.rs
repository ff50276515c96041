//! What the index costs: `cargo bench -p warmfront-invalidation`, or `cargo xtask bench index`. Ends with an error if a
//! figure is missed.

use std::collections::HashMap;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use warmfront_invalidation::{Index, InvalidationItem, Names, Stamp, Stamped};
use warmfront_model::{DistributionId, Epoch, Incarnation, Revision};

const N_RESPONSES: usize = 1_000_000;
const N_EXACT: u64 = 100_000;
const N_PREFIXES: u64 = 3_000;
const N_TAGS: u64 = 10_000;
const N_LOOKUPS: usize = 2_000_000;
const ROUNDS: usize = 7;

struct Page {
    url: String,
    stamp: Stamp,
}

impl Stamped for Page {
    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    fn field_values<'a>(&'a self, _: &str) -> Option<impl Iterator<Item = &'a [u8]>> {
        Some([&b"product:1, shoes"[..]].into_iter())
    }
}

/// Responses by key, as a node has them.
struct Cache {
    pages: HashMap<String, Arc<Page>, RandomState>,
    keys: Vec<String>,
}

impl Cache {
    fn of(n_pages: usize, revision: u64) -> Cache {
        let keys: Vec<String> = (0..n_pages).map(url).collect();
        let page = |url: &String| {
            let stamp = Stamp::new(epoch(revision));
            (
                url.clone(),
                Arc::new(Page {
                    url: url.clone(),
                    stamp,
                }),
            )
        };
        Cache {
            pages: keys.iter().map(page).collect(),
            keys,
        }
    }

    /// Looks up `n` responses at random and checks them; gives how many may be used.
    fn look_up(&self, index: &Index, n: usize, among: usize) -> usize {
        let (site, mut random) = (site(), 88_172_645_463_325_252_u64);
        let mut n_hits = 0;
        for _ in 0..n {
            random = next(random);
            let key = &self.keys[usize::try_from(random).unwrap_or(0) % among];
            if let Some(page) = self.pages.get(key) {
                n_hits += usize::from(check(index, &site, page, key));
            }
        }
        n_hits
    }
}

fn main() -> ExitCode {
    println!("{N_PREFIXES} prefixes and {N_EXACT} exact entries where the index is called full");
    let cache = Cache::of(N_RESPONSES, 1);
    let reached = [
        adding(&cache),
        everything(&cache),
        look_ups(&cache),
        checks(),
        intake(),
        forgetting(),
    ];
    if reached.into_iter().all(|reached| reached) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Adding one entry and publishing it, with few and with many responses cached.
fn adding(many: &Cache) -> bool {
    let few = Cache::of(10, 1);
    let mut all = true;
    for (what, item) in [
        ("exact", "/assets/shop/page.html"),
        ("prefix", "/assets/shop/*"),
        ("tag", "#product:1"),
        ("everything", "/*"),
    ] {
        let item = InvalidationItem::parse(item).expect("an item");
        let published = ArcSwap::from_pointee(full(2));
        let mut revision = 1_000_000;
        let mut nanos_with = |cache: &Cache| {
            const N: u64 = 100;
            black_box(cache.pages.len());
            let began = Instant::now();
            for _ in 0..N {
                revision += 1;
                publish(&published, std::slice::from_ref(&item), revision);
            }
            began.elapsed().as_secs_f64() * 1e9 / N as f64
        };
        // In pairs, so that what else the machine does meets both.
        let mut nanos = [Vec::new(), Vec::new()];
        for _ in 0..10 * ROUNDS {
            nanos[0].push(nanos_with(&few));
            nanos[1].push(nanos_with(many));
        }
        let [few, many] = nanos.map(middle);
        let text = format!("add {what}: {few:.0} ns with 10 responses, {many:.0} ns with 1,000,000");
        let ratio = many / few;
        all &= says(&text, "ratio", ratio, Bound::Most(1.5));
    }
    all
}

/// From the call until a reader meets nothing stale any more.
fn everything(cache: &Cache) -> bool {
    let items = [InvalidationItem::Everything];
    let micros = median(|| {
        let published = Arc::new(ArcSwap::from_pointee(empty(2)));
        let cache = Cache::of(1, 2)
            .pages
            .into_values()
            .chain(cache.pages.values().take(1_000).cloned());
        let pages: Vec<Arc<Page>> = cache.collect();
        let (stop, last_hit) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let n_passes = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let reader = {
            let (published, stop, last_hit) = (Arc::clone(&published), Arc::clone(&stop), Arc::clone(&last_hit));
            let n_passes = Arc::clone(&n_passes);
            thread::spawn(move || {
                let site = site();
                while !stop.load(Ordering::Relaxed) {
                    for page in &pages {
                        let asked = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
                        if check(&published.load(), &site, page, &page.url) {
                            last_hit.store(asked, Ordering::Relaxed);
                        }
                    }
                    n_passes.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        passes(&n_passes, 2);
        let called = began.elapsed();
        publish(&published, &items, 3);
        passes(&n_passes, 3);
        stop.store(true, Ordering::Relaxed);
        reader.join().expect("the reader");
        let last_hit = Duration::from_nanos(last_hit.load(Ordering::Relaxed));
        last_hit.saturating_sub(called).as_secs_f64() * 1e6
    });
    let published = ArcSwap::from_pointee(empty(2));
    publish(&published, &items, 3);
    assert_eq!(
        cache.look_up(&published.load(), N_LOOKUPS, N_RESPONSES),
        0,
        "a stale hit"
    );
    says(
        "/* over 1,000,000 until no hit is stale",
        "us",
        micros,
        Bound::Most(1_000.0),
    )
}

/// Hits of 1,000,000 responses and of 1,000, with an empty index and with a full one that every response has met: as it is
/// while entries are known. That each response meets each entry once is in [`checks`].
fn look_ups(cache: &Cache) -> bool {
    const SLICE: usize = 50_000;
    let mut all = true;
    let indexes = [empty(2_000_000), full(2)];
    for page in cache.pages.values() {
        assert!(check(&indexes[1], &site(), page, &page.url), "no entry covers it");
    }
    for among in [N_RESPONSES, 1_000] {
        // Slice by slice in turn: what else the machine does meets both, and the middle of many leaves it out.
        let mut seconds = [Vec::new(), Vec::new()];
        for slice in 0..ROUNDS * N_LOOKUPS / SLICE {
            for turn in [slice % 2, (slice + 1) % 2] {
                let began = Instant::now();
                black_box(cache.look_up(&indexes[turn], SLICE, among));
                seconds[turn].push(began.elapsed().as_secs_f64());
            }
        }
        let [empty, full] = seconds.map(|seconds| SLICE as f64 / middle(seconds));
        let text = format!("hits/s among {among}: {empty:.0} with an empty index, {full:.0} with a full one");
        all &= says(&text, "ratio", full / empty, Bound::Least(0.95));
    }
    all
}

/// A check that finds the as-of up to date, and one that must ask the index.
fn checks() -> bool {
    const AMONG: usize = 1_000;
    let site = site();
    let mut all = true;
    for (what, index, new, nanos_max) in [
        ("an empty index", empty(2), "/something/else", 100.0),
        ("a full index", full(2), "/something/else", 100.0),
        ("a full index by a prefix", full(2), "/something/else/*", 100.0),
        ("a full index with tags", full_with_tags(2), "#something-else", 200.0),
    ] {
        let ready = Cache::of(AMONG, 5_000_000);
        let pages: Vec<&Arc<Page>> = ready.pages.values().collect();
        let nanos_of_a_pass = |index: &Index, pages: &[&Arc<Page>]| {
            let began = Instant::now();
            for page in pages {
                black_box(check(index, &site, page, &page.url));
            }
            began.elapsed().as_secs_f64() * 1e9 / AMONG as f64
        };
        // Passes are short, and the middle one has nothing in it that the machine did besides.
        const N_PASSES: usize = ROUNDS * N_LOOKUPS / AMONG;
        let known = middle((0..N_PASSES).map(|_| nanos_of_a_pass(&index, &pages)).collect());
        let mut asked_index = index.clone();
        let mut revision = asked_index.applied().revision.0;
        let asked_pages = Cache::of(AMONG, revision);
        let pages: Vec<&Arc<Page>> = asked_pages.pages.values().collect();
        let asked = (0..N_PASSES).map(|_| {
            revision += 1;
            meet_new_entry(&mut asked_index, new, revision);
            nanos_of_a_pass(&asked_index, &pages)
        });
        let asked = middle(asked.collect());
        all &= says(&format!("check, up to date, {what}"), "ns", known, Bound::Most(100.0));
        all &= says(&format!("check, {what} asked"), "ns", asked, Bound::Most(nanos_max));
    }
    all
}

/// An entry that covers nothing, and that every response has yet to be compared with.
fn meet_new_entry(index: &mut Index, entry: &str, revision: u64) {
    let item = InvalidationItem::parse(entry).expect("an item");
    index.invalidate(&site(), &[item], Revision(revision));
    index.advance(Revision(revision));
}

/// Entries taken in by a node: each published alone, and in batches of 100.
fn intake() -> bool {
    let mut all = true;
    for batch in [1_u64, 100] {
        let rate = median(|| {
            const N: u64 = 200_000;
            let batches: Vec<Vec<InvalidationItem>> = (0..N / batch)
                .map(|number| (0..batch).map(|n| item(number * batch + n)).collect())
                .collect();
            let published = ArcSwap::from_pointee(empty(2));
            let began = Instant::now();
            for (items, revision) in batches.iter().zip(3..) {
                publish(&published, items, revision);
            }
            N as f64 / began.elapsed().as_secs_f64()
        });
        let text = format!("entries taken in, published {batch} at a time");
        all &= says(&text, "a second", rate, Bound::Least(100_000.0));
    }
    all
}

/// How long a node can take in nothing while the entries of a sweep are dropped.
fn forgetting() -> bool {
    let micros = median(|| {
        let published = ArcSwap::from_pointee(full(2));
        // Somebody keeps the entries for a while, as the sweeper does.
        let kept = published.load_full();
        let began = Instant::now();
        let mut next = Index::clone(&published.load());
        next.begin_sweep();
        next.end_sweep();
        published.store(Arc::new(next));
        let took = began.elapsed();
        drop(kept);
        took.as_secs_f64() * 1e6
    });
    says(
        "forgetting the entries of a full index",
        "us",
        micros,
        Bound::Most(100.0),
    )
}

/// Returns when the reader has gone through its pages `n` times more.
fn passes(n_passes: &AtomicU64, n: u64) {
    let until = n_passes.load(Ordering::Relaxed) + n;
    while n_passes.load(Ordering::Relaxed) < until {
        thread::yield_now();
    }
}

fn item(number: u64) -> InvalidationItem {
    let text = match number % 10 {
        0 => format!("/assets/{number}/*"),
        1 => format!("#product:{number}"),
        _ => format!("/assets/shop/products/{number:08}/overview.html"),
    };
    InvalidationItem::parse(&text).expect("an item")
}

/// What a node does with an invalidation: a changed copy takes the snapshot's place.
fn publish(published: &ArcSwap<Index>, items: &[InvalidationItem], revision: u64) {
    let mut next = Index::clone(&published.load());
    next.invalidate(&site(), items, Revision(revision));
    next.advance(Revision(revision));
    published.store(Arc::new(next));
}

/// `url` is what was asked for.
fn check(index: &Index, site: &DistributionId, page: &Arc<Page>, url: &str) -> bool {
    let names = || Names::new(url.as_bytes()).or_tags_in(Some("cache-tag"));
    index.check(site, Arc::clone(page), names).is_ok()
}

fn empty(revision: u64) -> Index {
    let mut index = Index::new(Incarnation(1));
    index.advance(Revision(revision));
    index
}

/// The entries cover nothing that is cached.
fn full(revision: u64) -> Index {
    let mut index = empty(revision);
    let site = site();
    let exact = (0..N_EXACT).map(|n| format!("/assets/shop/products/{:08}/reviews.html", n * 10));
    let prefixes = (0..N_PREFIXES).map(|n| format!("/assets/shop/categories/{n:04}/*"));
    for (path, revision) in exact.chain(prefixes).zip(revision + 1..) {
        let item = InvalidationItem::parse(&path).expect("a path");
        index.invalidate(&site, &[item], Revision(revision));
        index.advance(Revision(revision));
    }
    index
}

fn full_with_tags(revision: u64) -> Index {
    let mut index = full(revision);
    let revision = index.applied().revision.0 + 1;
    let tags: Vec<InvalidationItem> = (0..N_TAGS)
        .filter_map(|number| InvalidationItem::parse(&format!("#sku:{number}")).ok())
        .collect();
    index.invalidate(&site(), &tags, Revision(revision));
    index.advance(Revision(revision));
    index
}

fn url(number: usize) -> String {
    format!("/assets/shop/products/{number:08}/overview.html")
}

fn epoch(revision: u64) -> Epoch {
    Epoch {
        incarnation: Incarnation(1),
        revision: Revision(revision),
    }
}

fn site() -> DistributionId {
    DistributionId::parse("E1U5RQF7T870K0").expect("a distribution Id")
}

/// Source: Marsaglia, "Xorshift RNGs".
fn next(mut random: u64) -> u64 {
    random ^= random << 13;
    random ^= random >> 7;
    random ^ (random << 17)
}

enum Bound {
    Least(f64),
    Most(f64),
}

fn says(what: &str, unit: &str, figure: f64, bound: Bound) -> bool {
    let (reached, bound) = match bound {
        Bound::Least(least) => (figure >= least, format!("at least {least}")),
        Bound::Most(most) => (figure <= most, format!("at most {most}")),
    };
    let verdict = if reached { "ok" } else { "MISSED" };
    println!("{verdict:6} {what}: {figure:.2} {unit} ({bound})");
    reached
}

fn median(mut measure: impl FnMut() -> f64) -> f64 {
    middle((0..ROUNDS).map(|_| measure()).collect())
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
