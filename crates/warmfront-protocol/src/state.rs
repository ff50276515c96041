use crate::bits::Bits;

/// The most nodes an instance has: POPs first, regionals after them.
pub const NODES_MAX: usize = 4;
/// Fetches in flight at one node.
pub const FETCHES_MAX: usize = 2;
/// Journal entries; an epoch fits three bits.
pub const ENTRIES_MAX: usize = 6;
/// The bit in [`Response::missed`] for Completed invalidations that a restored journal no longer has.
pub const LOST: u8 = 1 << 6;

/// What the journal holds at one revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// Nothing yet.
    #[default]
    None,
    /// An invalidation whose path covers the one URL of the model.
    Url,
    /// An invalidation of the tag that some responses carry.
    Tag,
    /// An invalidation of something else, or a configuration: it moves the epoch and covers nothing here.
    Other,
    /// A node's join record.
    Join(u8),
}

impl Entry {
    /// Whether it covers a response that carries the tag or not.
    pub fn covers(self, tagged: bool) -> bool {
        match self {
            Entry::Url => true,
            Entry::Tag => tagged,
            Entry::None | Entry::Other | Entry::Join(_) => false,
        }
    }
}

/// The one order of facts, and what control has made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Journal {
    /// The newest revision.
    pub head: u8,
    /// By revision, the first at 0.
    pub entries: [Entry; ENTRIES_MAX],
    /// The trim key: start-up takes it as floor.
    pub trim: u8,
    /// Entries at or below it are deleted.
    pub deleted: u8,
    /// The completion watermark.
    pub completed: u8,
    /// What control's view has taken in.
    pub view: u8,
    /// Whether this is the second incarnation.
    pub restored: bool,
}

/// A response with what the protocol knows of it, and the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Response {
    /// Its stamp.
    pub as_of: u8,
    /// Whether the stamp is of the second incarnation.
    pub restored: bool,
    /// Whether it carries the tag.
    pub tagged: bool,
    /// The truth: the invalidations that cover it and were created after its origin fetch began, one bit for each revision.
    pub missed: u8,
}

/// `required`, once for the URL (and the floor), once for the tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Required {
    /// The newest entry for the URL, or the floor.
    pub url: u8,
    /// The newest entry for the tag.
    pub tag: u8,
}

impl Required {
    /// What a response must have as its as-of.
    pub fn of(self, tagged: bool) -> u8 {
        if tagged { self.url.max(self.tag) } else { self.url }
    }
}

/// How far a fetch has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// There is no fetch.
    #[default]
    Free,
    /// Planned and stamped; nobody has been asked.
    Planned,
    /// The origin has been asked.
    Asked,
    /// The parent has been asked.
    AtParent,
    /// The parent has answered; the answer is on its way.
    Returning,
    /// The head is here; the body is streaming. Later requests may join.
    Streaming,
    /// As `Streaming`, but covered when the head arrived: for those who already waited, and not stored.
    Overtaken,
}

impl Phase {
    const ALL: [Phase; 7] = [
        Phase::Free,
        Phase::Planned,
        Phase::Asked,
        Phase::AtParent,
        Phase::Returning,
        Phase::Streaming,
        Phase::Overtaken,
    ];
}

/// A fetch in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fetch {
    /// How far it has come.
    pub phase: Phase,
    /// The epoch it was planned with.
    pub stamp: u8,
    /// Asked of whom: the origin, or the regional at this place.
    pub parent: Option<u8>,
    /// The min-epoch sent to the parent.
    pub min: u8,
    /// What the parent required when the request arrived there.
    pub at_parent: Required,
    /// The entries committed since the origin was asked, one bit for each revision.
    pub since: u8,
    /// The response that has come, or the copy that the condition is about.
    pub response: Option<Response>,
    /// Whether it is conditional.
    pub conditional: bool,
    /// Whether the answer confirms the copy.
    pub confirmed: bool,
    /// Whether the copy is still what the key holds.
    pub same: bool,
    /// Whether the parent has fallen short once.
    pub second: bool,
    /// Whether it began after the probe arrived.
    pub after_probe: bool,
}

/// A hit that has passed its check and has not raised the as-of yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Raise {
    /// The index epoch read before the check.
    pub to: u8,
    /// Whether the response is still what the key holds.
    pub same: bool,
}

/// A sweep under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sweep {
    /// Applied when it began.
    pub through: u8,
    /// Whether the stored response has been visited.
    pub visited: bool,
}

/// One cache process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Whether it has loaded the journal since it started.
    pub loaded: bool,
    /// Whether what it has loaded is the second incarnation.
    pub restored: bool,
    /// The epoch it has published.
    pub applied: u8,
    /// The index: one bit for each invalidation it holds.
    pub index: u8,
    /// The floor.
    pub floor: u8,
    /// What the key holds.
    pub store: Option<Response>,
    /// What of it is on disk.
    pub disk: Option<Response>,
    /// A hit that is about to raise.
    pub raise: Option<Raise>,
    /// A sweep under way.
    pub sweep: Option<Sweep>,
    /// Whether it believes in its lease (besides the clock).
    pub lease: bool,
    /// Whether control counts it.
    pub member: bool,
    /// The revision of its join record, while it waits for it.
    pub joining: u8,
    /// Ticks since the last renewal, on its own clock.
    pub age: u8,
    /// Ticks since the last renewal, on control's clock.
    pub age_at_control: u8,
    /// Whether its lease has ever been absent.
    pub was_absent: bool,
    /// The fetches in flight.
    pub fetches: [Fetch; FETCHES_MAX],
}

/// The one request that is watched; all others act only through fetches, hits and stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probe {
    /// Where it arrived.
    pub pop: u8,
    /// The epoch of its snapshot.
    pub applied: u8,
    /// What its snapshot requires.
    pub required: Required,
    /// The watermark when it arrived.
    pub completed: u8,
    /// Whether the node had its lease then.
    pub leased: bool,
    /// The fetch it waits for, and whether it began that itself.
    pub waits: Option<(u8, bool)>,
}

/// A state of the whole system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// The journal.
    pub journal: Journal,
    /// The nodes; those an instance does not have stay as they are.
    pub nodes: [Node; NODES_MAX],
    /// The watched request.
    pub probe: Option<Probe>,
    /// How many crashes may still happen.
    pub crashes: u8,
    /// How many leases may still lapse, watches break, controls restart.
    pub lapses: u8,
}

impl State {
    /// Reads or writes the state of an instance with `n_nodes` nodes.
    pub fn code(&mut self, bits: &mut Bits, n_nodes: usize) {
        self.journal.code(bits);
        for node in &mut self.nodes[..n_nodes] {
            node.code(bits);
        }
        bits.option(&mut self.probe, Probe::code);
        bits.number(&mut self.crashes, 2);
        bits.number(&mut self.lapses, 2);
    }
}

impl Journal {
    fn code(&mut self, bits: &mut Bits) {
        bits.number(&mut self.head, 3);
        for entry in &mut self.entries[..usize::from(self.head)] {
            let mut code = match *entry {
                Entry::None => 0,
                Entry::Url => 1,
                Entry::Tag => 2,
                Entry::Other => 3,
                Entry::Join(node) => 4 + node,
            };
            bits.number(&mut code, 3);
            *entry = match code {
                0 => Entry::None,
                1 => Entry::Url,
                2 => Entry::Tag,
                3 => Entry::Other,
                join => Entry::Join(join - 4),
            };
        }
        for number in [&mut self.trim, &mut self.deleted, &mut self.completed, &mut self.view] {
            bits.number(number, 3);
        }
        bits.flag(&mut self.restored);
    }
}

impl Response {
    fn code(&mut self, bits: &mut Bits) {
        bits.number(&mut self.as_of, 3);
        bits.flag(&mut self.restored);
        bits.flag(&mut self.tagged);
        bits.number(&mut self.missed, 7);
    }
}

impl Required {
    fn code(&mut self, bits: &mut Bits) {
        bits.number(&mut self.url, 3);
        bits.number(&mut self.tag, 3);
    }
}

impl Fetch {
    fn code(&mut self, bits: &mut Bits) {
        let mut phase = self.phase as u8;
        bits.number(&mut phase, 3);
        self.phase = Phase::ALL[usize::from(phase)];
        if self.phase == Phase::Free {
            return;
        }
        bits.number(&mut self.stamp, 3);
        bits.option(&mut self.parent, |parent, bits| bits.number(parent, 2));
        if self.parent.is_some() {
            bits.number(&mut self.min, 3);
        }
        match self.phase {
            Phase::AtParent => self.at_parent.code(bits),
            Phase::Asked => bits.number(&mut self.since, 7),
            _ => {}
        }
        bits.option(&mut self.response, Response::code);
        for flag in [
            &mut self.conditional,
            &mut self.confirmed,
            &mut self.same,
            &mut self.second,
            &mut self.after_probe,
        ] {
            bits.flag(flag);
        }
    }
}

impl Node {
    fn code(&mut self, bits: &mut Bits) {
        for flag in [
            &mut self.loaded,
            &mut self.restored,
            &mut self.lease,
            &mut self.member,
            &mut self.was_absent,
        ] {
            bits.flag(flag);
        }
        for number in [&mut self.applied, &mut self.floor, &mut self.joining] {
            bits.number(number, 3);
        }
        bits.number(&mut self.index, 6);
        bits.number(&mut self.age, 2);
        bits.number(&mut self.age_at_control, 2);
        bits.option(&mut self.store, Response::code);
        bits.option(&mut self.disk, Response::code);
        bits.option(&mut self.raise, |raise, bits| {
            bits.number(&mut raise.to, 3);
            bits.flag(&mut raise.same);
        });
        bits.option(&mut self.sweep, |sweep, bits| {
            bits.number(&mut sweep.through, 3);
            bits.flag(&mut sweep.visited);
        });
        for fetch in &mut self.fetches {
            fetch.code(bits);
        }
    }
}

impl Probe {
    fn code(&mut self, bits: &mut Bits) {
        bits.number(&mut self.pop, 2);
        bits.number(&mut self.applied, 3);
        self.required.code(bits);
        bits.number(&mut self.completed, 3);
        bits.flag(&mut self.leased);
        bits.option(&mut self.waits, |(slot, own), bits| {
            bits.number(slot, 1);
            bits.flag(own);
        });
    }
}
