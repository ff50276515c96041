//! Someone who reads the site through the edge all the while, and knows nothing of releases: whatever page is live, what it refers to
//! must be there.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use crate::origin::{Answer, get};

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Pages that were read.
    pub n_pages: usize,
    /// Assets that pages referred to and that were read.
    pub n_assets: usize,
    /// References of live pages to what is not there.
    pub broken: Vec<String>,
}

/// The reader, on a thread of its own.
pub struct Watch {
    shared: Arc<Shared>,
    reader: JoinHandle<Seen>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    n_rounds: AtomicUsize,
    round: (Mutex<()>, Condvar),
}

impl Watch {
    /// Reads these pages of the site at `edge`, round after round.
    pub fn start(edge: String, pages: &[&str]) -> Watch {
        let shared = Arc::new(Shared::default());
        let pages: Vec<String> = pages.iter().map(|page| (*page).to_owned()).collect();
        let seen_by = shared.clone();
        let reader = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !seen_by.over.load(Ordering::Relaxed) {
                pages.iter().for_each(|page| look(&edge, page, &mut seen));
                let _held = seen_by.round.0.lock().unwrap();
                seen_by.n_rounds.fetch_add(1, Ordering::Relaxed);
                seen_by.round.1.notify_all();
            }
            seen
        });
        Watch { shared, reader }
    }

    /// Returns when a round that began after this call is over.
    pub fn look_once_more(&self) {
        let held = self.shared.round.0.lock().unwrap();
        let enough = self.shared.n_rounds.load(Ordering::Relaxed) + 2;
        let waits = |_: &mut ()| self.shared.n_rounds.load(Ordering::Relaxed) < enough && !self.reader.is_finished();
        drop(self.shared.round.1.wait_while(held, waits).unwrap());
    }

    /// Stops, and says what was seen.
    pub fn end(self) -> Seen {
        self.shared.over.store(true, Ordering::Relaxed);
        self.reader.join().unwrap()
    }
}

fn look(edge: &str, page: &str, seen: &mut Seen) {
    let html = get(edge, page);
    if !is_there(&html) {
        return;
    }
    seen.n_pages += 1;
    // The pages of the tests write their references so, and no other way.
    for reference in html.body.split("src=").skip(1) {
        let end = reference.find('>').unwrap_or(reference.len());
        let asset = get(edge, &reference[..end]);
        seen.n_assets += 1;
        if !is_there(&asset) {
            seen.broken
                .push(format!("{page} refers to {}: {}", &reference[..end], asset.head));
        }
    }
}

fn is_there(answer: &Answer) -> bool {
    answer.head.starts_with("http/1.1 200")
}
