use crate::Instance;
use crate::state::Entry::{Other, Tag, Url};

const SMALL: Instance = Instance::SMALLEST;

/// A lease may lapse, and there is room to join again.
const REJOINING: Instance = Instance {
    lapses: 1,
    joins: 1,
    ..SMALL
};

impl Instance {
    /// Instances that the tests explore to their end.
    pub const CHECKED: &[Instance] = &[
        SMALL,
        Instance {
            name: "tags",
            kinds: &[Url, Tag, Other],
            entries: 2,
            tagged: true,
            fetches: 2,
            slow_dial: true,
            slow_raise: true,
            evict: true,
            ..SMALL
        },
        Instance {
            name: "publish",
            kinds: &[Url, Tag],
            entries: 2,
            tagged: true,
            slow_publish: true,
            slow_raise: true,
            ..SMALL
        },
        Instance {
            name: "parts",
            kinds: &[Url, Other],
            entries: 2,
            fetches: 2,
            parts: true,
            evict: true,
            ..SMALL
        },
        Instance {
            name: "revalidate",
            kinds: &[Url, Other],
            entries: 2,
            fetches: 2,
            revalidate: true,
            slow_dial: true,
            evict: true,
            ..SMALL
        },
        Instance {
            name: "sweep",
            kinds: &[Url, Tag],
            entries: 2,
            tagged: true,
            fetches: 2,
            sweep: true,
            ..SMALL
        },
        Instance {
            name: "disk",
            kinds: &[Url],
            entries: 2,
            disk: true,
            crashes: 1,
            joins: 1,
            ..SMALL
        },
        Instance {
            name: "trim",
            kinds: &[Url],
            entries: 1,
            disk: true,
            crashes: 1,
            joins: 1,
            trim: true,
            ..SMALL
        },
        Instance {
            name: "loss",
            kinds: &[Url, Other],
            entries: 2,
            disk: true,
            crashes: 1,
            joins: 0,
            trim: true,
            watch_loss: true,
            ..SMALL
        },
        Instance {
            name: "gaps",
            kinds: &[Url],
            entries: 2,
            gaps: true,
            ..REJOINING
        },
        Instance {
            name: "fenced",
            kinds: &[Url],
            entries: 1,
            fetches: 2,
            ..REJOINING
        },
        Instance {
            name: "view",
            kinds: &[Url],
            entries: 2,
            lagging_view: true,
            ..REJOINING
        },
        Instance {
            name: "clocks",
            kinds: &[Url],
            entries: 1,
            clocks: true,
            ..REJOINING
        },
        Instance {
            name: "restore",
            kinds: &[Url],
            entries: 2,
            restore: true,
            ..REJOINING
        },
        Instance {
            name: "two-pops",
            pops: 2,
            kinds: &[Url],
            entries: 1,
            lapses: 1,
            joins: 0,
            ..SMALL
        },
        Instance {
            name: "tier",
            regionals: 1,
            kinds: &[Url],
            entries: 2,
            ..SMALL
        },
        Instance {
            name: "tier-tags",
            regionals: 1,
            kinds: &[Tag, Other],
            entries: 2,
            tagged: true,
            untagged: false,
            ..SMALL
        },
        Instance {
            name: "tier-revalidate",
            regionals: 1,
            kinds: &[Url],
            entries: 1,
            revalidate: true,
            ..SMALL
        },
        Instance {
            name: "tier-fenced",
            regionals: 1,
            kinds: &[Url],
            entries: 1,
            lapses: 1,
            joins: 0,
            ..SMALL
        },
        Instance {
            name: "two-pops-rejoin",
            pops: 2,
            kinds: &[Url],
            entries: 1,
            ..REJOINING
        },
        Instance {
            name: "tier-rejoin",
            regionals: 1,
            kinds: &[Url],
            entries: 1,
            ..REJOINING
        },
    ];

    /// Larger ones, for minutes by hand.
    pub const LARGE: &[Instance] = &[
        Instance {
            name: "tier-restart-1",
            regionals: 1,
            kinds: &[Url],
            entries: 1,
            disk: true,
            crashes: 1,
            joins: 1,
            ..SMALL
        },
        Instance {
            name: "two-pops-one-regional-1",
            pops: 2,
            regionals: 1,
            kinds: &[Url],
            entries: 1,
            ..SMALL
        },
        Instance {
            name: "two-pops-one-regional-2",
            pops: 2,
            regionals: 1,
            kinds: &[Url],
            entries: 2,
            ..SMALL
        },
        Instance {
            name: "two-pops-one-regional-lapse",
            pops: 2,
            regionals: 1,
            kinds: &[Url],
            entries: 1,
            lapses: 1,
            joins: 0,
            ..SMALL
        },
        Instance {
            name: "two-regionals-1",
            regionals: 2,
            kinds: &[Url],
            entries: 1,
            ..SMALL
        },
        Instance {
            name: "two-regionals-2",
            regionals: 2,
            kinds: &[Url],
            entries: 2,
            ..SMALL
        },
        Instance {
            name: "two-regionals-tag",
            regionals: 2,
            kinds: &[Tag],
            entries: 1,
            tagged: true,
            untagged: false,
            ..SMALL
        },
        Instance {
            name: "restarts",
            kinds: &[Url, Other],
            entries: 2,
            disk: true,
            crashes: 2,
            lapses: 1,
            joins: 2,
            gaps: true,
            trim: true,
            ..SMALL
        },
        Instance {
            name: "lapses",
            kinds: &[Url, Tag],
            entries: 2,
            tagged: true,
            fetches: 2,
            lapses: 2,
            joins: 2,
            gaps: true,
            ..SMALL
        },
        Instance {
            name: "tier-3",
            regionals: 1,
            kinds: &[Url, Tag, Other],
            entries: 3,
            tagged: true,
            untagged: false,
            ..SMALL
        },
        Instance {
            name: "tier-joins",
            regionals: 1,
            fetches: 2,
            kinds: &[Url, Tag],
            entries: 2,
            tagged: true,
            untagged: false,
            ..SMALL
        },
        Instance {
            name: "tier-sweep",
            regionals: 1,
            kinds: &[Url],
            entries: 2,
            sweep: true,
            revalidate: true,
            ..SMALL
        },
        Instance {
            name: "tier-restart",
            regionals: 1,
            kinds: &[Url],
            entries: 2,
            disk: true,
            crashes: 1,
            joins: 1,
            ..SMALL
        },
        Instance {
            name: "two-pops-one-regional",
            pops: 2,
            regionals: 1,
            kinds: &[Url],
            entries: 1,
            ..REJOINING
        },
        Instance {
            name: "two-pops-one-regional-3",
            pops: 2,
            regionals: 1,
            kinds: &[Tag],
            entries: 3,
            tagged: true,
            untagged: false,
            ..SMALL
        },
        Instance {
            name: "two-regionals",
            regionals: 2,
            kinds: &[Url, Tag],
            entries: 2,
            tagged: true,
            untagged: false,
            ..SMALL
        },
    ];

    /// The instance of this name.
    pub fn named(name: &str) -> Option<&'static Instance> {
        Instance::CHECKED
            .iter()
            .chain(Instance::LARGE)
            .find(|instance| instance.name == name)
    }
}
