//! The machine dies at the n-th call, for every n: before the call has an effect, or after it had one but before the answer came.

use super::*;

/// How a run is cut off.
#[derive(Clone, Copy, Debug)]
enum Death {
    BeforeTheCall,
    AfterTheCall,
}

/// Deploys `FIRST`, then `SECOND` with a death at call `n`; gives whether the death came before the end.
async fn die_at(bench: &Bench, death: Death, n: usize) -> bool {
    bench.build(FIRST);
    bench.deploy().await.unwrap();
    bench.build(SECOND);
    bench.clock.advance(Duration::from_secs(1)).unwrap();
    let plan = bench.plan().await.unwrap();
    bench.memory.set_script(move |call, _| match death {
        Death::AfterTheCall if call == n => Stroke::LoseAnswer,
        _ if call >= n => Stroke::Fail(Fault::Refused),
        _ => Stroke::Work,
    });
    // Whoever is dead does not try again.
    let session = bench.session_for(Duration::ZERO);
    let died = session.apply(&plan, Made::Earlier, |_| true).await.is_err();
    bench.memory.set_script(|_, _| Stroke::Work);
    died
}

/// From now on no page of the bucket may refer to an object that is not there, after any call whatsoever.
fn watch(bench: &Bench) -> Arc<Mutex<Vec<String>>> {
    let broken: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = broken.clone();
    bench.memory.set_watcher(move |objects, action| {
        // The watcher sees whichever bucket was called; the state has no pages.
        let missing = missing_references(objects);
        // `old.html` is planted broken in no release: every reference counts.
        if !missing.is_empty() {
            seen.lock().unwrap().push(format!("after {action}: {missing:?}"));
        }
    });
    broken
}

async fn check_every_death(recover: impl AsyncFn(&Bench)) {
    for death in [Death::BeforeTheCall, Death::AfterTheCall] {
        let mut n = 0;
        loop {
            let bench = Bench::new();
            let broken = watch(&bench);
            let died = die_at(&bench, death, n).await;
            recover(&bench).await;
            assert_eq!(*broken.lock().unwrap(), [""; 0], "{death:?} at call {n}");
            bench.check_contents(AFTER_SECOND);
            let references: Vec<String> = bench
                .memory
                .invalidated()
                .into_iter()
                .map(|(reference, _)| reference)
                .collect();
            let distinct: BTreeSet<&String> = references.iter().collect();
            assert_eq!(distinct.len(), references.len(), "{death:?} at call {n}: paid twice");
            let paths: BTreeSet<String> = bench
                .memory
                .invalidated()
                .into_iter()
                .skip(1)
                .flat_map(|(_, paths)| paths)
                .collect();
            for path in ["/", "/index.html", "/logo.png", "/old.html", "/new.html"] {
                assert!(
                    paths.contains(path),
                    "{death:?} at call {n}: {path} was never invalidated, but {paths:?}"
                );
            }
            let status = bench.session().status().await.unwrap();
            assert_eq!(
                (status.unfinished, status.in_progress),
                (vec![], vec![]),
                "{death:?} at call {n}"
            );
            assert!(bench.plan().await.unwrap().is_empty(), "{death:?} at call {n}");
            if !died {
                assert!(n > 25, "the script must have bitten: {n}");
                break;
            }
            n += 1;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_deploy_finishes_what_any_death_left() {
    check_every_death(async |bench| {
        bench.deploy().await.unwrap();
        // A release that had not begun yet is begun by the next run: at most two invalidations, the first release's and one more.
        assert_eq!(bench.memory.invalidated().len(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn resume_finishes_what_any_death_left() {
    check_every_death(async |bench| {
        if bench.session().resume(|_| true).await.unwrap().is_none() {
            // Death came before the release existed.
            bench.deploy().await.unwrap();
        }
        assert_eq!(bench.memory.invalidated().len(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_after_any_death_brings_the_first_release_back() {
    let mut n = 0;
    loop {
        let bench = Bench::new();
        let broken = watch(&bench);
        let died = die_at(&bench, Death::BeforeTheCall, n).await;
        bench.clock.advance(Duration::from_secs(1)).unwrap();
        let first = bench.session().releases().await.unwrap().finished[0].id.clone();
        let plan = bench.session().plan_rollback(Some(&first)).await.unwrap();
        bench.session().apply(&plan, Made::Earlier, |_| true).await.unwrap();
        assert_eq!(*broken.lock().unwrap(), [""; 0], "death at call {n}");
        let contents = bench.contents();
        for (key, text) in FIRST {
            assert!(
                contents.contains(&((*key).into(), (*text).into())),
                "death at call {n}: {key} in {contents:?}"
            );
        }
        assert!(
            !contents.iter().any(|(key, _)| key == "new.html"),
            "death at call {n}: {contents:?}"
        );
        if !died {
            break;
        }
        n += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn another_build_after_a_death_forgets_nothing_that_was_owed() {
    let third: &[(&str, &str)] = &[
        ("a.11111111aa.js", "one"),
        ("about.html", "<p>about"),
        ("index.html", "<script src=a.11111111aa.js></script><img src=logo.png>"),
        ("logo.png", "logo"),
        ("old.html", "<script src=a.11111111aa.js></script>"),
        ("third.html", "<p>third"),
    ];
    let mut n = 0;
    loop {
        let bench = Bench::new();
        let broken = watch(&bench);
        let died = die_at(&bench, Death::BeforeTheCall, n).await;
        let shown: BTreeMap<String, StoredObject> = bench.memory.objects();
        bench.build(third);
        bench.deploy().await.unwrap();
        assert_eq!(*broken.lock().unwrap(), [""; 0], "death at call {n}");
        let contents = bench.contents();
        for (key, text) in third {
            assert!(
                contents.contains(&((*key).into(), (*text).into())),
                "death at call {n}: {key}"
            );
        }
        // Whatever the dead release may have shown to a viewer is invalidated afterwards.
        let last = bench.memory.invalidated().pop().unwrap().1;
        for (key, text) in third.iter().filter(|(key, _)| !key.contains("11111111aa")) {
            let was_shown = shown
                .get(*key)
                .is_some_and(|object| object.bytes != Bytes::from_static(text.as_bytes()));
            assert!(
                !was_shown || last.contains(&format!("/{key}")),
                "death at call {n}: {key} in {last:?}"
            );
        }
        if !died {
            break;
        }
        n += 1;
    }
}
