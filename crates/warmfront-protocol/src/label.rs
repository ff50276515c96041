use std::fmt;

use crate::state::Entry;

/// What happened in one step. Nodes are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Control commits an invalidation.
    Create(Entry),
    /// A node takes in the next entry, and publishes the epoch with it.
    Apply(usize),
    /// A node publishes the first half of an entry, or the second.
    Publish(usize, &'static str),
    /// A fetch is planned; asked of the origin or of a parent; conditional or not.
    Plan(usize, Option<u8>, bool),
    /// The request leaves.
    Ask(usize),
    /// The origin's head arrives, with the tag or without.
    Head(usize, bool),
    /// The origin says 304.
    NotModified(usize),
    /// A regional answers from its store, from a fetch, or says 304.
    ParentAnswers(usize, &'static str),
    /// The regional's answer arrives.
    Arrive(usize),
    /// A body is whole and is stored.
    Store(usize),
    /// A body is stored as a further part of what is there.
    AddPart(usize),
    /// A fetch fails, or is not stored.
    Drop(usize),
    /// A body that is not to be stored has reached everyone who waited.
    End(usize),
    /// The store evicts.
    Evict(usize),
    /// Another request hits.
    Hit(usize),
    /// An earlier hit raises the as-of.
    Raise(usize),
    /// A sweep begins, visits the response, ends.
    Sweep(usize, &'static str),
    /// What is stored is written to disk.
    Flush(usize, &'static str),
    /// A node's process ends and another starts.
    Crash(usize),
    /// A starting node loads the journal.
    Load(usize),
    /// A node's watch has a gap.
    Gap(usize),
    /// A lease runs out.
    Lapse(usize),
    /// A node writes its join record.
    Join(usize),
    /// A node takes a lease.
    TakeLease(usize),
    /// A node renews its lease.
    Renew(usize),
    /// Time passes, on all clocks or not quite.
    Tick(&'static str),
    /// Control drops a member.
    DropMember(usize),
    /// A new control process takes over.
    NewControl,
    /// Control's view takes in an entry.
    View,
    /// The trim key is written, or entries are deleted.
    Trim(u8, &'static str),
    /// The journal is restored from a backup that ends at this revision.
    Restore(u8),
    /// The watched request arrives.
    Arrives(usize),
    /// The watched request joins a fetch.
    Joins(usize),
    /// The watched request is answered.
    Answered(usize, &'static str),
    /// A response that nothing covers counts as covered after a restart.
    Lost(usize),
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Create(entry) => write!(f, "an invalidation is created: {entry:?}"),
            Label::Apply(n) => write!(f, "node {n} applies the next entry"),
            Label::Publish(n, what) => write!(f, "node {n} publishes {what}"),
            Label::Plan(n, None, conditional) => write!(
                f,
                "node {n} plans a {}fetch from the origin",
                if_none_match(*conditional)
            ),
            Label::Plan(n, Some(parent), conditional) => {
                write!(
                    f,
                    "node {n} plans a {}fetch from node {parent}",
                    if_none_match(*conditional)
                )
            }
            Label::Ask(n) => write!(f, "node {n}'s request leaves"),
            Label::Head(n, tagged) => {
                write!(
                    f,
                    "the origin's head arrives at node {n}, {} the tag",
                    if *tagged { "with" } else { "without" }
                )
            }
            Label::NotModified(n) => write!(f, "the origin tells node {n}: 304"),
            Label::ParentAnswers(n, from) => write!(f, "node {n} is answered by its parent, {from}"),
            Label::Arrive(n) => write!(f, "the parent's answer arrives at node {n}"),
            Label::Store(n) => write!(f, "node {n} stores the response"),
            Label::AddPart(n) => write!(f, "node {n} adds the response to what it has, as a part"),
            Label::Drop(n) => write!(f, "a fetch of node {n} ends without being stored"),
            Label::End(n) => write!(f, "an overtaken fetch of node {n} ends"),
            Label::Evict(n) => write!(f, "node {n} evicts its response"),
            Label::Hit(n) => write!(f, "another request hits at node {n}"),
            Label::Raise(n) => write!(f, "node {n} raises an as-of after an earlier hit"),
            Label::Sweep(n, what) => write!(f, "node {n}'s sweep {what}"),
            Label::Flush(n, what) => write!(f, "node {n} writes {what} to disk"),
            Label::Crash(n) => write!(f, "node {n} crashes and starts again"),
            Label::Load(n) => write!(f, "node {n} loads the journal"),
            Label::Gap(n) => write!(f, "node {n}'s watch has a gap"),
            Label::Lapse(n) => write!(f, "node {n}'s lease runs out"),
            Label::Join(n) => write!(f, "node {n} writes its join record"),
            Label::TakeLease(n) => write!(f, "node {n} takes a lease"),
            Label::Renew(n) => write!(f, "node {n} renews its lease"),
            Label::Tick(which) => write!(f, "time passes {which}"),
            Label::DropMember(n) => write!(f, "control drops member {n}"),
            Label::NewControl => write!(f, "a new control process takes over"),
            Label::View => write!(f, "control's view takes in the next entry"),
            Label::Trim(to, what) => write!(f, "trimming: {what} {to}"),
            Label::Restore(to) => write!(f, "the journal is restored from a backup that ends at {to}"),
            Label::Arrives(n) => write!(f, "the watched request arrives at node {n}"),
            Label::Joins(n) => write!(f, "the watched request joins a fetch of node {n}"),
            Label::Answered(n, how) => write!(f, "node {n} answers the watched request {how}: a covered response"),
            Label::Lost(n) => write!(f, "node {n} counts a response as covered that nothing covers"),
        }
    }
}

fn if_none_match(conditional: bool) -> &'static str {
    if conditional { "conditional " } else { "" }
}
