use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use warmfront_model::Timestamp;

use super::*;
use crate::event::Event;
use crate::plan::{Plan, Source};
use crate::record::Step;
use crate::scan::DigestCache;
use crate::settings::SettingsFile;
use crate::site::Site;
use crate::site::tests::site;
use crate::target::memory::{Memory, StoredObject, Stroke};
use crate::target::{Fault, StoredHeaders};

mod crash;
mod faults;
mod flow;

/// Remembers what was said.
#[derive(Default)]
struct Log(Mutex<Vec<Event>>);

impl Reporter for Log {
    fn report(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// A bucket, a distribution whose files are cached for a day, a state, and a folder to publish.
struct Bench {
    memory: Memory,
    folder: tempfile::TempDir,
    clock: Clock,
    log: Arc<Log>,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            memory: Memory::new("site", site()),
            folder: tempfile::tempdir().unwrap(),
            clock: Clock::manual(Timestamp(1_700_000_000_000)),
            log: Arc::default(),
        }
    }

    fn session(&self) -> Session {
        self.session_for(Duration::from_secs(600))
    }

    fn session_for(&self, timeout: Duration) -> Session {
        let patience = Patience::new(timeout, self.log.clone());
        // Pages are cached here, so that each change of one needs an invalidation.
        let settings = "expiry_wait_secs = 0\nkeep_releases = 1\nkeep_days = 0\n[[rule]]\nmatch = '*.html'\ncache_control = 's-maxage=60'\n";
        let settings: SettingsFile = toml::from_str(settings).unwrap();
        Session {
            bucket: Arc::new(self.memory.clone()),
            bucket_name: "site".into(),
            cdn: Arc::new(self.memory.clone()),
            distribution: "E2QWRUHAPOMQZL".into(),
            state: State::new(Arc::new(self.memory.bucket("state")), "s/", patience.clone()),
            settings: settings.resolve().unwrap(),
            patience,
            options: Options {
                n_parallel: 1,
                wait: true,
                allow_deletions: false,
                host: "here".into(),
            },
            clock: self.clock.clone(),
            reporter: self.log.clone(),
            verifier: None,
            memo: Memo::default(),
        }
    }

    /// Makes the folder hold exactly these files.
    fn build(&self, files: &[(&str, &str)]) {
        std::fs::remove_dir_all(self.folder.path()).unwrap();
        for (path, text) in files {
            let path = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    async fn plan(&self) -> Result<Plan, DeployError> {
        self.session()
            .plan_folder(self.folder.path(), &mut DigestCache::default())
            .await
    }

    /// Plans and applies; each run is a second after the last.
    async fn deploy(&self) -> Result<Outcome, DeployError> {
        self.clock.advance(Duration::from_secs(1)).unwrap();
        let plan = self.plan().await?;
        self.session().apply(&plan, Made::Earlier, |_| true).await
    }

    /// The site as it lies in the bucket.
    fn contents(&self) -> Vec<(String, String)> {
        let text = |object: StoredObject| String::from_utf8(object.bytes.to_vec()).unwrap();
        self.memory
            .objects()
            .into_iter()
            .map(|(key, object)| (key, text(object)))
            .collect()
    }

    fn check_contents(&self, expected: &[(&str, &str)]) {
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(key, text)| ((*key).into(), (*text).into()))
            .collect();
        assert_eq!(self.contents(), expected);
    }

    fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.log.0.lock().unwrap())
    }

    fn steps(&self) -> Vec<Step> {
        let step = |event: &Event| match event {
            Event::Step { step, .. } => Some(*step),
            _ => None,
        };
        self.events().iter().filter_map(step).collect()
    }
}

/// References of the pages of a bucket to keys that are not there.
fn missing_references(objects: &BTreeMap<String, StoredObject>) -> BTreeSet<String> {
    let mut missing = BTreeSet::new();
    for (key, object) in objects.iter().filter(|(key, _)| key.ends_with(".html")) {
        let references = crate::references::references(&format!("/{key}"), &object.bytes);
        missing.extend(
            references
                .into_iter()
                .filter(|path| !objects.contains_key(path.trim_start_matches('/'))),
        );
    }
    missing
}

const FIRST: &[(&str, &str)] = &[
    ("a.11111111aa.js", "one"),
    ("about.html", "<p>about"),
    ("index.html", "<script src=a.11111111aa.js></script><img src=logo.png>"),
    ("logo.png", "logo"),
    ("old.html", "<script src=a.11111111aa.js></script>"),
];

const SECOND: &[(&str, &str)] = &[
    ("a.22222222bb.js", "two"),
    ("about.html", "<p>about"),
    ("index.html", "<script src=a.22222222bb.js></script><img src=logo.png>"),
    ("logo.png", "logo, redrawn"),
    ("new.html", "<script src=a.22222222bb.js></script>"),
];

/// What the second release leaves in the bucket: its files, and the first one's asset for tabs that are open.
const AFTER_SECOND: &[(&str, &str)] = &[
    ("a.11111111aa.js", "one"),
    ("a.22222222bb.js", "two"),
    ("about.html", "<p>about"),
    ("index.html", "<script src=a.22222222bb.js></script><img src=logo.png>"),
    ("logo.png", "logo, redrawn"),
    ("new.html", "<script src=a.22222222bb.js></script>"),
];
