use std::mem;
use std::sync::Arc;

use warmfront_model::Revision;

use crate::covering::Covering;

/// Prefixes of URLs, each with the newest revisions that cover it.
///
/// A radix tree whose clones share their nodes; adding copies the nodes on the way to the prefix and no others.
/// Adding and looking up take time in the length of the prefix or URL, whatever the tree holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrefixTree {
    root: Arc<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    label: Box<[u8]>,
    covers: Covering,
    /// In the order of their labels' first bytes, which stand here so that finding one looks into no other.
    children: Vec<(u8, Arc<Node>)>,
}

impl PrefixTree {
    /// How many prefixes there are.
    pub(crate) fn n_prefixes(&self) -> usize {
        let mut n_prefixes = 0;
        let mut rest = vec![&self.root];
        while let Some(node) = rest.pop() {
            n_prefixes += usize::from(node.covers.newest > Revision::ZERO);
            rest.extend(node.children.iter().map(|(_, child)| child));
        }
        n_prefixes
    }

    /// Covers everything that begins with `prefix`.
    pub(crate) fn insert(&mut self, prefix: &[u8], covering: Covering) {
        let mut node = Arc::make_mut(&mut self.root);
        let mut rest = prefix;
        loop {
            if rest.is_empty() {
                node.covers = node.covers.max(covering);
                return;
            }
            let at = match node.child_position(rest[0]) {
                Ok(at) => at,
                Err(at) => {
                    let child = Node {
                        label: rest.into(),
                        covers: covering,
                        children: Vec::new(),
                    };
                    node.children.insert(at, (rest[0], Arc::new(child)));
                    return;
                }
            };
            let child = Arc::make_mut(&mut node.children[at].1);
            let n_common = child
                .label
                .iter()
                .zip(rest)
                .take_while(|(left, right)| left == right)
                .count();
            if n_common < child.label.len() {
                child.split(n_common);
            }
            rest = &rest[n_common..];
            node = child;
        }
    }

    /// The newest revisions that cover `url`.
    pub(crate) fn newest(&self, url: &[u8]) -> Covering {
        let mut node = &*self.root;
        let mut rest = url;
        let mut newest = node.covers;
        while let Some(&first) = rest.first() {
            let Ok(at) = node.child_position(first) else { break };
            node = &node.children[at].1;
            let Some(after) = rest.strip_prefix(&*node.label) else {
                break;
            };
            rest = after;
            newest = newest.max(node.covers);
        }
        newest
    }
}

impl Node {
    fn child_position(&self, first: u8) -> Result<usize, usize> {
        self.children.binary_search_by_key(&first, |(first, _)| *first)
    }

    fn split(&mut self, at: usize) {
        let tail = Node {
            label: self.label[at..].into(),
            covers: mem::take(&mut self.covers),
            children: mem::take(&mut self.children),
        };
        self.label = self.label[..at].into();
        self.children = vec![(tail.label[0], Arc::new(tail))];
    }
}

/// A chain of prefixes can be as deep as a path is long, deeper than a thread's stack would bear in recursive drops.
impl Drop for Node {
    fn drop(&mut self) {
        let mut pending = mem::take(&mut self.children);
        while let Some((_, child)) = pending.pop() {
            if let Some(mut child) = Arc::into_inner(child) {
                pending.append(&mut child.children);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::InvalidationMode;

    fn at(revision: u64) -> Covering {
        Covering::new(InvalidationMode::Refetch, Revision(revision))
    }

    proptest! {
        #[test]
        fn the_tree_agrees_with_a_plain_list(
            prefixes in proptest::collection::vec(("[ab/]{0,6}", 1_u64..50), 0..40),
            urls in proptest::collection::vec("[ab/]{0,8}", 1..20),
        ) {
            let mut tree = PrefixTree::default();
            let mut model: BTreeMap<String, u64> = BTreeMap::new();
            let before = tree.clone();
            for (prefix, revision) in &prefixes {
                tree.insert(prefix.as_bytes(), at(*revision));
                let known = model.entry(prefix.clone()).or_default();
                *known = (*known).max(*revision);
            }
            for url in &urls {
                let expected = model.iter().filter(|(prefix, _)| url.starts_with(*prefix)).map(|(_, r)| *r).max().unwrap_or(0);
                prop_assert_eq!(tree.newest(url.as_bytes()), at(expected));
                prop_assert_eq!(before.newest(url.as_bytes()), Covering::NEVER, "a clone made earlier stays as it was");
            }
        }
    }

    #[test]
    fn a_chain_as_deep_as_the_longest_path_is_dropped_without_recursion() {
        let mut tree = PrefixTree::default();
        for length in 1..=100_000 {
            if length % 25 == 0 {
                tree.insert(&vec![b'a'; length], at(1));
            }
        }
        assert_eq!(tree.newest(&[b'a'; 24]), Covering::NEVER);
        assert_eq!(tree.newest(&[b'a'; 26]), at(1));
        std::thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(move || drop(tree))
            .unwrap()
            .join()
            .unwrap();
    }
}
