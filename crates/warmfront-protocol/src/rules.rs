/// Declares [`Rules`], its protocol and the list of rules.
macro_rules! rules {
    ($($(#[doc = $sentence:literal])+ $name:ident: $section:literal,)+) => {
        /// The protocol's rules, each of which can be left out or turned round. All true is the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Rules {
            $($(#[doc = $sentence])+ pub $name: bool,)+
        }

        impl Rules {
            /// The protocol as it is.
            pub const PROTOCOL: Rules = Rules { $($name: true,)+ };

            /// Every rule: its name, its number, and its words.
            pub const ALL: &[(&str, u8, &str)] = &[
                $((stringify!($name), $section, concat!($($sentence),+)),)+
            ];

            /// The protocol without the rule of this name; `None` if there is none.
            pub fn without(name: &str) -> Option<Rules> {
                let mut rules = Rules::PROTOCOL;
                match name {
                    $(stringify!($name) => rules.$name = false,)+
                    _ => return None,
                }
                Some(rules)
            }
        }
    };
}

rules! {
    /// A fetch is stamped before the origin is asked; without: when the answer is here.
    stamp_before_asking: 2,
    /// The stamp is the epoch of the plan's snapshot, never a newer one; without: the journal's head.
    stamp_of_own_snapshot: 2,
    /// A 304 raises the stamp of the response whose validator was sent; without: of whatever the key holds.
    confirm_only_what_was_asked: 2,
    /// A fill never replaces a response with a newer as-of.
    keep_newer: 2,
    /// A response held in parts has the smallest as-of of its parts; without: the largest.
    smallest_of_parts: 2,
    /// A stored response is used only if `required(url, tags) <= as_of`; without: whatever is stored.
    check_every_hit: 3,
    /// The check asks for the response's tags too; without: for the URL alone.
    check_tags: 3,
    /// Passing raises the as-of of that very response; without: of whatever the key holds by then.
    raise_only_what_was_checked: 3,
    /// Passing raises to the epoch read before the check; without: to the epoch at the time of raising.
    raise_to_epoch_read_before: 3,
    /// Raising never lowers an as-of.
    raise_never_lowers: 3,
    /// A writer publishes the entry before the epoch; without: after it.
    entry_before_epoch: 3,
    /// A request joins only a fetch whose as-of is not below what it requires for the URL.
    join_requires_url: 4,
    /// Once the head is here, a joiner requires the tags too.
    join_requires_tags: 4,
    /// The parent gives nothing older than the min-epoch.
    parent_keeps_min_epoch: 5,
    /// The parent gives nothing that does not pass its own check.
    parent_checks: 5,
    /// The parent never stamps beyond its own applied; without: with the min-epoch it was asked for.
    parent_stamps_within_applied: 5,
    /// The child stores the parent's as-of; without: its own epoch.
    child_keeps_parents_as_of: 5,
    /// The child checks `required(url, tags)` itself on arrival.
    child_checks_on_arrival: 5,
    /// The child's check on arrival asks for the tags too.
    child_checks_tags_on_arrival: 5,
    /// A stale answer carries its as-of like any other; without: it crosses the tier as if it were new.
    stale_is_marked: 6,
    /// A covered response is never served stale.
    covered_is_never_served_stale: 6,
    /// A fenced node serves nothing stale.
    fenced_serves_nothing_stale: 6,
    /// Control judges an epoch from a view that has taken it in.
    judge_from_view: 7,
    /// Completed needs every member; without: any one.
    every_member: 7,
    /// A member is dropped only after the lease time and the drift; without: after the lease time.
    drop_after_drift: 7,
    /// A member is dropped only after its lease; without: at any time.
    drop_after_lease: 7,
    /// A node fences itself earlier than control drops it; without: later.
    fence_early: 7,
    /// The node's clock counts suspended time.
    clock_counts_suspension: 7,
    /// The lease is judged after each request's head; without: from time to time.
    lease_is_never_cached: 7,
    /// A new control process waits a full lease first.
    new_control_waits: 7,
    /// Absence of a lease is read linearizably; without: it may be long past.
    absence_is_current: 7,
    /// A renewal finds its own last revision, or the node joins again; without: it takes the lease anew.
    renewal_is_conditional: 7,
    /// A lease belongs to one process life; without: a restarted node goes on with it.
    lease_of_one_life: 7,
    /// A node whose lease has run out joins again; without: it takes a lease and goes on.
    rejoin_after_lapse: 8,
    /// A node that starts writes a join record; without: it takes a lease and goes on.
    join_at_start: 8,
    /// A node answers from its cache only once it has applied its own join record.
    wait_for_own_join: 8,
    /// A lease is taken only while the join record stands; without: control may have dropped it meanwhile.
    lease_needs_join_record: 8,
    /// A gap in the watch makes the node load the journal and join again; without: it goes on behind the gap.
    gap_means_rejoin: 8,
    /// The as-of on disk is never torn from head and body.
    disk_is_whole: 8,
    /// A stamp of another incarnation counts as covered.
    incarnation_counts: 8,
    /// A journal that is set back begins a new incarnation; without: nodes pass over what is stamped beyond its head.
    set_back_is_new_incarnation: 8,
    /// A starting node loads every invalidation that the journal still has; without: none.
    load_invalidations: 8,
    /// A starting node takes the trim key as floor.
    load_trim_key: 8,
    /// Trimming writes the trim key before it deletes.
    trim_key_first: 8,
    /// Nothing is trimmed above the as-of that every node has made durable.
    trim_below_durable: 8,
    /// A fenced node does not answer from its cache.
    fenced_asks_origin: 8,
    /// A fenced node asks the origin itself, not its parent.
    fenced_asks_no_parent: 8,
    /// On a fenced node a request joins only a fetch that began after it arrived.
    fenced_joins_newer: 8,
    /// The sweeper raises only what passes the check.
    sweep_checks: 9,
    /// The sweeper removes what is covered.
    sweep_removes_covered: 9,
    /// What is forgotten is what was applied when the sweep began; without: when it ends.
    forget_what_was_swept: 9,
    /// Forgetting raises the floor.
    forget_raises_floor: 9,
}
