use std::sync::atomic::{AtomicU64, Ordering};

use warmfront_simulation::{Figures, Report, run};

/// How many schedules are run.
const N_SCHEDULES: u64 = 1_000;

/// Threads, each of which simulates worlds of its own.
const N_THREADS: usize = 2;

/// Runs this one seed instead, and prints everything that happens.
const SEED_VARIABLE: &str = "WARMFRONT_SIMULATION_SEED";

/// Runs so many schedules instead, for a night.
const COUNT_VARIABLE: &str = "WARMFRONT_SIMULATION_COUNT";

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} takes a number, not {text:?}")),
    )
}

/// Runs the schedules of these seeds; the first that breaks the sentence ends it.
fn search(seeds: std::ops::Range<u64>) -> Result<Figures, Box<Report>> {
    let next = AtomicU64::new(seeds.start);
    let workers: Vec<Result<Figures, Box<Report>>> = std::thread::scope(|scope| {
        let work = || {
            let mut total = Figures::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    return Ok(total);
                }
                let report = run(seed, false);
                if !report.violations.is_empty() {
                    next.store(seeds.end, Ordering::Relaxed);
                    return Err(Box::new(report));
                }
                total += report.figures;
            }
        };
        let workers: Vec<_> = (0..N_THREADS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    workers.into_iter().try_fold(Figures::default(), |mut total, figures| {
        total += figures?;
        Ok(total)
    })
}

#[test]
fn no_answer_breaks_the_sentence() {
    if let Some(seed) = number(SEED_VARIABLE) {
        let report = run(seed, true);
        println!("{report}\n{:#?}", report.figures);
        assert!(report.violations.is_empty());
        return;
    }
    let count = number(COUNT_VARIABLE).unwrap_or(N_SCHEDULES);
    match search(0..count) {
        Ok(figures) => {
            println!("{count} schedules: {figures:#?}");
            // Schedules in which nothing happens would prove nothing.
            assert!(figures.n_hits > count && figures.n_confirmed > count, "{figures:?}");
            assert!(figures.n_after_completed > 10 * count, "{figures:?}");
            assert!(
                figures.n_overtaken > count / 2 && figures.n_invalidations > count,
                "{figures:?}"
            );
            assert!(
                figures.n_crashes > count / 2 && figures.n_recovered > count / 2,
                "{figures:?}"
            );
            assert!(figures.n_gaps > count / 10 && figures.n_links > count, "{figures:?}");
            assert!(figures.n_by_token > count, "{figures:?}");
            assert!(
                figures.n_fenced > count && figures.n_dropped > count / 10,
                "{figures:?}"
            );
        }
        Err(report) => panic!(
            "{report}replay it: {SEED_VARIABLE}={} cargo test -p warmfront-simulation",
            report.seed
        ),
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in 0..60 {
        let (first, second) = (run(seed, true), run(seed, true));
        let differs = first
            .lines
            .iter()
            .zip(&second.lines)
            .find(|(first, second)| first != second);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(
            (first.trace_hash, first.figures),
            (second.trace_hash, second.figures),
            "seed {seed}"
        );
    }
    assert_ne!(run(1, false).trace_hash, run(2, false).trace_hash);
}
