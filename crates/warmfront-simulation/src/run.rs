use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::timeout;
use warmfront_testkit::{OriginSite, Site, commit_site};

use crate::checker::Violation;
use crate::plan::PATHS;
use crate::viewer::Viewer;
use crate::world::{Figures, World};
use crate::{faults, invalidations};

/// What a seed came to.
#[derive(Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Answers that should not have been; empty if all is well.
    pub violations: Vec<Violation>,
    /// What happened, counted.
    pub figures: Figures,
    /// What happened, as a hash: equal for equal runs.
    pub trace_hash: u64,
    /// What happened, line by line, if that was asked for.
    pub lines: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "seed {}:", self.seed)?;
        for violation in &self.violations {
            writeln!(formatter, "  {violation}")?;
        }
        for line in &self.lines {
            writeln!(formatter, "{line}")?;
        }
        Ok(())
    }
}

/// Runs the schedule of a seed, and keeps what happened as text if `keeps_lines`.
///
/// # Panics
/// If there is no runtime to be had.
pub fn run(seed: u64, keeps_lines: bool) -> Report {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let (violations, figures, trace_hash, lines) = runtime.block_on(async {
        let world = Arc::new(World::new(seed, keeps_lines));
        live(&world).await;
        world.end()
    });
    Report {
        seed,
        violations,
        figures,
        trace_hash,
        lines,
    }
}

async fn live(world: &Arc<World>) {
    /// Nothing takes as long: whatever waits for more is stuck.
    const END_MAX: Duration = Duration::from_secs(600);
    const ORIGIN_PORT: u16 = 80;
    let site = Site::with_origin(Site::ID, OriginSite::custom("web", ORIGIN_PORT)).cache_tag_header("x-tags");
    commit_site(&world.journal, &world.clock, &site).await;
    world.judge.replace(&world.journal, &world.clock).await;
    for slot in world.slots() {
        slot.start(world).await;
    }
    let mut tasks = JoinSet::new();
    for number in 0..world.plan.n_viewers {
        tasks.spawn(Viewer::new(world, format!("viewer {number}")).wander());
    }
    tasks.spawn(invalidations::invalidate_forever(Arc::clone(world)));
    if world.plan.has_crashes {
        tasks.spawn(faults::crash_nodes(Arc::clone(world)));
    }
    if world.plan.has_lag {
        tasks.spawn(faults::hold_watches(Arc::clone(world)));
    }
    if world.plan.has_partitions {
        tasks.spawn(faults::part(Arc::clone(world)));
    }
    if world.plan.has_cuts {
        tasks.spawn(faults::cut_off(Arc::clone(world)));
    }
    if world.plan.has_replacements {
        tasks.spawn(faults::replace_control(Arc::clone(world)));
    }
    if world.plan.has_disk {
        tasks.spawn(faults::write_disks(Arc::clone(world)));
    }
    let ended = timeout(END_MAX, async {
        while let Some(ended) = tasks.join_next().await {
            ended.expect("no part of the world panics");
        }
    });
    ended.await.expect("everything ends");
    // All is well again: whatever is asked for now must come, and be new enough.
    let last = Viewer::new(world, "the last viewer".to_owned());
    let everything: Vec<usize> = (0..PATHS.len()).collect();
    timeout(END_MAX, last.pursue(&everything, 1))
        .await
        .expect("everything is answered");
}
