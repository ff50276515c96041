use crate::state::{Entry, NODES_MAX, Node, State};

/// A small system: who is in it, and what can happen to it.
#[derive(Clone, Copy, Debug)]
pub struct Instance {
    /// Its name, for the command line.
    pub name: &'static str,
    /// POPs: 1 or 2.
    pub pops: u8,
    /// Regionals: 0 to 2; any of them may be asked by any POP.
    pub regionals: u8,
    /// Fetches in flight at each node: 1 or 2.
    pub fetches: u8,
    /// What may be created.
    pub kinds: &'static [Entry],
    /// How many entries are created, joins not counted.
    pub entries: u8,
    /// Whether responses may come without the tag.
    pub untagged: bool,
    /// Whether responses may come with the tag.
    pub tagged: bool,
    /// Whether something happens between planning and asking.
    pub slow_dial: bool,
    /// Whether a hit raises some time after its check.
    pub slow_raise: bool,
    /// Whether the entry and the epoch are published one after the other.
    pub slow_publish: bool,
    /// Whether expired and covered copies are revalidated.
    pub revalidate: bool,
    /// Whether the store evicts.
    pub evict: bool,
    /// Whether a second part may be added to what is stored.
    pub parts: bool,
    /// Whether sweeps happen.
    pub sweep: bool,
    /// Whether the store is kept on disk.
    pub disk: bool,
    /// Whether the journal is trimmed.
    pub trim: bool,
    /// How many crashes.
    pub crashes: u8,
    /// How many lapses: leases that run out, watches that break, control processes that are replaced.
    pub lapses: u8,
    /// Whether watches break.
    pub gaps: bool,
    /// Whether leases are judged on clocks; else a lease just runs out, and the node knows before control does.
    pub clocks: bool,
    /// How many join records fit.
    pub joins: u8,
    /// Whether control's view lags behind the journal.
    pub lagging_view: bool,
    /// Whether the journal may be restored from a backup, once.
    pub restore: bool,
    /// Whether the model watches for needless loss instead of stale answers: a stored response that no newer entry
    /// covers must survive a restart.
    pub watch_loss: bool,
    /// Whether states that differ only in the POPs' names count as one. Traces read better without.
    pub symmetry: bool,
}

impl Instance {
    /// One POP, one path invalidation, one fetch: nothing else happens.
    pub const SMALLEST: Instance = Instance {
        name: "smallest",
        pops: 1,
        regionals: 0,
        fetches: 1,
        kinds: &[Entry::Url],
        entries: 1,
        untagged: true,
        tagged: false,
        slow_dial: false,
        slow_raise: false,
        slow_publish: false,
        revalidate: false,
        evict: false,
        parts: false,
        sweep: false,
        disk: false,
        trim: false,
        crashes: 0,
        lapses: 0,
        gaps: false,
        clocks: false,
        joins: 0,
        lagging_view: false,
        restore: false,
        watch_loss: false,
        symmetry: true,
    };

    /// How many nodes it has.
    pub fn n_nodes(&self) -> usize {
        usize::from(self.pops + self.regionals)
    }

    /// Whether the node at `place` faces viewers.
    pub fn is_pop(&self, place: usize) -> bool {
        place < usize::from(self.pops)
    }

    /// Nothing stored, nothing invalidated; every POP is a member and has its lease.
    pub fn beginning(&self) -> State {
        let mut nodes = [Node::default(); NODES_MAX];
        for (place, node) in nodes[..self.n_nodes()].iter_mut().enumerate() {
            node.loaded = true;
            node.lease = true;
            node.member = self.is_pop(place);
        }
        State {
            nodes,
            crashes: self.crashes,
            lapses: self.lapses,
            ..State::default()
        }
    }
}
