use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use warmfront_invalidation::InvalidationMode;
use warmfront_model::Revision;
use warmfront_testkit::commit_invalidation;

use crate::checker::Invalidation;
use crate::plan::{LENGTH, PATHS};
use crate::random::Random;
use crate::viewer::Viewer;
use crate::world::World;

/// Changes objects and invalidates them, again and again. Now and then it looks at once with the token, and now and then it
/// waits for Completed and looks then.
pub async fn invalidate_forever(world: Arc<World>) {
    let mut random = world.random();
    let mut n_pursuits = 0;
    while world.elapsed() < LENGTH {
        let quiet = random.millis(1, world.plan.quiet_ms_max);
        sleep(quiet).await;
        let item = draw_item(&mut random);
        let probe = Invalidation {
            revision: Revision::ZERO,
            item: item.clone(),
        };
        let covered = |object: &usize| probe.covers(PATHS[*object], world.tags(*object));
        let covered: Vec<usize> = (0..PATHS.len()).filter(covered).collect();
        for object in &covered {
            if random.percent(80) {
                world.change(*object);
            }
        }
        let mode = if random.percent(30) {
            InvalidationMode::Revalidate
        } else {
            InvalidationMode::Refetch
        };
        let revision = commit_invalidation(&world.journal, &world.clock, &world.n_references, &[&item], mode).await;
        world.note(format_args!("{item} is invalidated at {revision}, to {mode}"));
        world.created(Invalidation { revision, item });
        if random.percent(15) && !covered.is_empty() {
            n_pursuits += 1;
            let viewer = Viewer::new(&world, format!("pursuer {n_pursuits}")).with_token(revision);
            let covered = covered.clone();
            tokio::spawn(async move { viewer.pursue(&covered, 1).await });
        }
        if random.percent(40) && !covered.is_empty() {
            n_pursuits += 1;
            let viewer = Viewer::new(&world, format!("pursuer {n_pursuits}"));
            tokio::spawn(pursue(Arc::clone(&world), revision, viewer, covered));
        }
    }
}

fn draw_item(random: &mut Random) -> String {
    let exact = random.pick(&PATHS).to_owned();
    match random.below(10) {
        0..4 => exact,
        4..7 => random.pick(&["#red", "#Blue"]).to_owned(),
        7 => random.pick(&["/dir/*", "/dir/sub/*", "/a*", "/d*"]).to_owned(),
        8 => "/*".to_owned(),
        _ => "/something/else".to_owned(),
    }
}

/// Looks as soon as the invalidation reads Completed.
async fn pursue(world: Arc<World>, revision: Revision, viewer: Viewer, covered: Vec<usize>) {
    const LOOK_EVERY: Duration = Duration::from_millis(20);
    while world.completed().await < revision {
        if world.elapsed() > LENGTH {
            return;
        }
        sleep(LOOK_EVERY).await;
    }
    viewer.pursue(&covered, 1).await;
}
