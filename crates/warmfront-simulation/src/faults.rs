use std::sync::Arc;

use tokio::time::sleep;

use crate::disk::Crash;
use crate::judge::is_member;
use crate::plan::LENGTH;
use crate::world::World;

/// Nodes crash, and come back after a while, on the disk they had.
pub async fn crash_nodes(world: Arc<World>) {
    let mut random = world.random();
    while world.elapsed() < LENGTH {
        let well = random.millis(300, 3_000);
        sleep(well).await;
        let n_slots = world.slots().count();
        let Some(slot) = world.slots().nth(random.below(n_slots)) else {
            return;
        };
        let crash = random.pick(&[Crash::Kill, Crash::PowerCut]);
        world.note(format_args!("{} crashes: {crash:?}", slot.name()));
        world.count(|figures| figures.n_crashes += 1);
        slot.crash(&world, crash, &mut random);
        let down = random.millis(0, 1_500);
        sleep(down).await;
        slot.start(&world).await;
    }
}

/// Watches stand still and go on, event by event or at once; the journal may have forgotten meanwhile what they missed.
pub async fn hold_watches(world: Arc<World>) {
    let mut random = world.random();
    while world.elapsed() < LENGTH {
        let well = random.millis(100, 3_000);
        sleep(well).await;
        let number = random.below(world.journal.n_watches());
        world.journal.hold_watch(number);
        world.note(format_args!("watch {number} stands still"));
        for _ in 0..random.below(4) {
            let pause = random.millis(10, 1_000);
            sleep(pause).await;
            world.journal.deliver_any();
        }
        let pause = random.millis(10, 2_000);
        sleep(pause).await;
        if random.percent(40) {
            let head = world.head().await;
            world.journal.trim(head);
            world.count(|figures| figures.n_gaps += 1);
            world.note(format_args!("the journal forgets what was before {head}"));
        }
        world.journal.release_watch(number);
        world.note(format_args!("watch {number} goes on"));
    }
    world.journal.release_watches();
}

/// The origin cannot be dialled for a while, or POPs and regional nodes hear nothing of each other.
pub async fn part(world: Arc<World>) {
    let mut random = world.random();
    while world.elapsed() < LENGTH {
        let well = random.millis(500, 5_000);
        sleep(well).await;
        let (cut, what) = random.pick(&[(&world.origin, "the origin"), (&world.tiers, "the other tier")]);
        cut.set(true);
        world.note(format_args!("{what} cannot be reached"));
        let apart = random.millis(100, 4_000);
        sleep(apart).await;
        cut.set(false);
        world.note(format_args!("{what} can be reached"));
    }
}

/// A POP hears nothing of the journal for a while, and the journal nothing of it.
pub async fn cut_off(world: Arc<World>) {
    let mut random = world.random();
    while world.elapsed() < LENGTH {
        let well = random.millis(300, 2_000);
        sleep(well).await;
        let pop = &world.pops[random.below(world.pops.len())];
        let was_member = is_member(&world.journal, &pop.name()).await;
        pop.journal.set(true);
        world.note(format_args!("{} is cut off from the journal", pop.name()));
        let apart = random.millis(50, 2_500);
        sleep(apart).await;
        let is_dropped = was_member && !is_member(&world.journal, &pop.name()).await;
        world.count(|figures| figures.n_dropped += u64::from(is_dropped));
        pop.journal.set(false);
        world.note(format_args!("{} hears of the journal again", pop.name()));
    }
}

/// The control process ends, and another takes its place.
pub async fn replace_control(world: Arc<World>) {
    let mut random = world.random();
    while world.elapsed() < LENGTH {
        let well = random.millis(300, 2_000);
        sleep(well).await;
        world.judge.replace(&world.journal, &world.clock).await;
        world.note(format_args!("another control process judges"));
    }
}

/// Disks write what waits for them, in their own time.
pub async fn write_disks(world: Arc<World>) {
    let mut random = world.random();
    while world.elapsed() < LENGTH {
        let pause = random.millis(1, 400);
        sleep(pause).await;
        for slot in world.slots() {
            if let Some(edge) = slot.edge().filter(|_| random.percent(70)) {
                edge.store().step();
            }
        }
    }
}
