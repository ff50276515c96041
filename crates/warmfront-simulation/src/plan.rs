use std::time::Duration;

use crate::random::Random;

/// What a seed decides before anything happens.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Nodes that face viewers.
    pub n_pops: usize,
    /// Regional nodes that they ask before they ask the origin.
    pub n_regionals: usize,
    /// Viewers that ask again and again.
    pub n_viewers: usize,
    /// Whether caches are on disk too.
    pub has_disk: bool,
    /// How long a viewer thinks, at the most.
    pub think_ms_max: u64,
    /// How long there is nothing to invalidate, at the most.
    pub quiet_ms_max: u64,
    /// In how many of 100 cases an origin is slow.
    pub slow_percent: usize,
    /// For how long an answer may be cached, in seconds; one of these.
    pub max_ages: &'static [u64],
    /// Whether nodes crash.
    pub has_crashes: bool,
    /// Whether watches lag and break.
    pub has_lag: bool,
    /// Whether origins, or regional nodes, cannot be reached at times.
    pub has_partitions: bool,
    /// How long the leases of POPs are; `None`: each counts as long as it is up, or down.
    pub lease: Option<Duration>,
    /// Whether POPs are cut off from the journal at times.
    pub has_cuts: bool,
    /// Whether the control process is replaced at times.
    pub has_replacements: bool,
    /// How long an invalidation is held back at a node.
    pub propagation_delay: Duration,
}

/// How long viewers ask and things go wrong.
pub const LENGTH: Duration = Duration::from_secs(4);

/// What is asked for. Few, so that requests meet.
pub const PATHS: [&str; 5] = ["/", "/a", "/dir/a", "/dir/b", "/dir/sub/c"];

/// Among what lifetimes an origin chooses, in seconds.
const MAX_AGES: &[&[u64]] = &[&[1, 2], &[1, 60], &[3_600], &[0, 1, 3, 3_600]];

/// Among what leases are chosen.
const LEASES: &[Option<Duration>] = &[
    None,
    Some(Duration::from_millis(500)),
    Some(Duration::from_millis(900)),
    Some(Duration::from_millis(2_000)),
];

impl Plan {
    pub fn draw(random: &mut Random) -> Plan {
        Plan {
            n_pops: 1 + random.below(2),
            n_regionals: random.pick(&[0, 0, 1, 1, 2]),
            n_viewers: 2 + random.below(3),
            has_disk: random.percent(50),
            think_ms_max: random.pick(&[200, 500, 1_000]),
            quiet_ms_max: random.pick(&[500, 1_000, 2_000]),
            slow_percent: random.pick(&[10, 40, 80]),
            max_ages: random.pick(MAX_AGES),
            has_crashes: random.percent(40),
            has_lag: random.percent(40),
            has_partitions: random.percent(25),
            lease: random.pick(LEASES),
            has_cuts: random.percent(50),
            has_replacements: random.percent(20),
            propagation_delay: random.pick(&[Duration::ZERO, Duration::ZERO, Duration::from_millis(1_500)]),
        }
    }
}
