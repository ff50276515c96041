use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_group_that_fails_stops_everything_after_it() {
    let bench = Bench::new();
    bench.build(FIRST);
    bench.deploy().await.unwrap();
    let n_invalidated = bench.memory.invalidated().len();
    bench.build(SECOND);
    bench.clock.advance(Duration::from_secs(1)).unwrap();
    let plan = bench.plan().await.unwrap();
    // Every call works but the first upload into the site that replaces something: the asset is new, the logo is not.
    let failing = Arc::new(AtomicUsize::new(0));
    let seen = failing.clone();
    let memory = bench.memory.clone();
    memory.set_script(move |_, action| {
        // Writes: lock, plan, head, kept bytes (3), asset, record, logo.
        if action == "s3:PutObject" && seen.fetch_add(1, Ordering::Relaxed) == 8 {
            Stroke::Fail(Fault::Denied)
        } else {
            Stroke::Work
        }
    });
    let error = bench.session().apply(&plan, Made::Earlier, |_| true).await.unwrap_err();
    assert!(
        matches!(&error, DeployError::Target(error) if error.fault == Fault::Denied),
        "{error}"
    );
    let contents = bench.contents();
    assert!(contents.contains(&("a.22222222bb.js".into(), "two".into())));
    assert!(contents.contains(&("logo.png".into(), "logo".into())));
    assert!(
        contents
            .iter()
            .any(|(key, text)| key == "index.html" && text.contains("11111111aa")),
        "no page went live"
    );
    assert!(contents.iter().any(|(key, _)| key == "old.html"), "nothing was deleted");
    assert_eq!(
        bench.memory.invalidated().len(),
        n_invalidated,
        "nothing was invalidated"
    );
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_survives_bad_hours() {
    let bench = Bench::new();
    bench.build(FIRST);
    let n_creates = Arc::new(AtomicUsize::new(0));
    let seen = n_creates.clone();
    bench.memory.set_script(move |_, action| {
        if action != "cloudfront:CreateInvalidation" {
            return Stroke::Work;
        }
        match seen.fetch_add(1, Ordering::Relaxed) {
            0..=2 => Stroke::Fail(Fault::Unavailable),
            3 => Stroke::Fail(Fault::Throttled),
            4..=6 => Stroke::Fail(Fault::QuotaFull),
            7 => Stroke::LoseAnswer,
            _ => Stroke::Work,
        }
    });
    bench.deploy().await.unwrap();
    assert_eq!(n_creates.load(Ordering::Relaxed), 9);
    assert_eq!(
        bench.memory.invalidated().len(),
        1,
        "the lost answer's invalidation and its retry are one"
    );
    let events = bench.events();
    let n_retries = events
        .iter()
        .filter(|event| matches!(event, Event::Retrying { .. }))
        .count();
    let explained =
        |event: &&Event| matches!(event, Event::Waiting { reason, .. } if reason.contains("must complete first"));
    assert_eq!((n_retries, events.iter().filter(explained).count()), (5, 3));
}

#[tokio::test(start_paused = true)]
async fn every_call_is_tried_again() {
    let bench = Bench::new();
    bench.build(FIRST);
    let mut odd = false;
    bench.memory.set_script(move |_, _| {
        odd = !odd;
        if odd {
            Stroke::Fail(Fault::Unavailable)
        } else {
            Stroke::Work
        }
    });
    assert!(bench.deploy().await.unwrap().is_finished);
    bench.check_contents(FIRST);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_at_the_deadline_and_goes_on_by_resume() {
    let bench = Bench::new();
    bench.build(FIRST);
    bench.memory.set_auto_complete(false);
    let error = bench.deploy().await.unwrap_err();
    assert!(
        matches!(&error, DeployError::TimedOut(reason) if reason.contains("I0")),
        "{error}"
    );
    let status = bench.session().status().await.unwrap();
    assert_eq!(
        status.unfinished.iter().map(|(_, step)| *step).collect::<Vec<_>>(),
        [Step::Wait]
    );
    assert_eq!(status.in_progress, ["I0"]);
    bench.memory.set_auto_complete(true);
    assert!(bench.session().resume(|_| true).await.unwrap().unwrap().is_finished);
    assert_eq!(bench.memory.invalidated().len(), 1);
    assert!(bench.session().resume(|_| true).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn without_waiting_the_rest_is_left_to_resume() {
    let bench = Bench::new();
    bench.build(FIRST);
    bench.memory.set_auto_complete(false);
    let mut session = bench.session();
    session.options.wait = false;
    let plan = bench.plan().await.unwrap();
    let outcome = session.apply(&plan, Made::Earlier, |_| true).await.unwrap();
    assert_eq!((outcome.is_finished, outcome.invalidations.len()), (false, 1));
    bench.memory.set_auto_complete(true);
    assert!(bench.session().resume(|_| true).await.unwrap().unwrap().is_finished);
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_waits_for_a_distribution_that_is_being_deployed() {
    let bench = Bench::new();
    bench.build(FIRST);
    bench.memory.set_site(Site {
        is_deployed: false,
        ..site()
    });
    let memory = bench.memory.clone();
    let deployed = async {
        tokio::time::sleep(Duration::from_secs(12)).await;
        assert!(memory.invalidated().is_empty(), "too early");
        memory.set_site(site());
    };
    let (outcome, ()) = tokio::join!(bench.deploy(), deployed);
    assert!(outcome.unwrap().is_finished);
}

#[tokio::test(start_paused = true)]
async fn two_runs_do_not_mix() {
    let bench = Bench::new();
    bench.build(FIRST);
    let session = bench.session();
    let _lock = crate::state::Lock::take(&session.state, &bench.clock, "elsewhere", |_| true)
        .await
        .unwrap();
    let error = bench.deploy().await.unwrap_err();
    assert!(
        matches!(&error, DeployError::Lock(_)) && error.to_string().contains("elsewhere"),
        "{error}"
    );
    assert!(bench.contents().is_empty());
}
