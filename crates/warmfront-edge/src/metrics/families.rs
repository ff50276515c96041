use std::fmt;

use crate::counters::{CLASSES, Counter, Counters, N_KEPT_MAX};
use crate::metrics::{Family, Give, Metric};
use crate::node::Node;
use crate::outcome::{FetchReason, Kept, Reason};

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric {
        name,
        help,
        labels,
        is_counter: true,
    }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric {
        name,
        help,
        labels,
        is_counter: false,
    }
}

/// In the order in which they are shown.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        metric: counter(
            "warmfront_requests_total",
            &["reason", "result", "status"],
            "Requests answered, by why, by CloudFront's result type and by status class",
        ),
        read: requests,
    },
    Family {
        metric: counter(
            "warmfront_fetched_requests_total",
            &["fetch", "kept"],
            "Requests answered by an origin, by why it was asked and why the response is kept or not",
        ),
        read: fetched,
    },
    Family {
        metric: counter(
            "warmfront_received_bytes_total",
            &[],
            "Bytes from viewers, header fields included",
        ),
        read: |node, give| sum(node, give, |counters| &counters.received_bytes),
    },
    Family {
        metric: counter(
            "warmfront_sent_bytes_total",
            &[],
            "Bytes to viewers, header fields included",
        ),
        read: |node, give| sum(node, give, |counters| &counters.sent_bytes),
    },
    Family {
        metric: counter(
            "warmfront_direct_hits_total",
            &[],
            "Hits that were written straight from memory, below the HTTP library",
        ),
        read: |node, give| sum(node, give, |counters| &counters.direct_hits),
    },
    Family {
        metric: gauge("warmfront_connections", &[], "Connections of viewers that are open"),
        read: |node, give| {
            let opened = total(node, |counters| &counters.connections_opened);
            let closed = total(node, |counters| &counters.connections_closed);
            give(&[], opened.saturating_sub(closed))
        },
    },
    Family {
        metric: counter(
            "warmfront_origin_fetches_total",
            &["result"],
            "Requests to origins, by status class or by why there was no answer",
        ),
        read: origin_fetches,
    },
    Family {
        metric: counter(
            "warmfront_fills_total",
            &["result"],
            "Responses that were to be stored: stored, or lost as they broke off or were covered meanwhile",
        ),
        read: |node, give| {
            give(&["stored"], total(node, |counters| &counters.fills_stored))?;
            give(&["lost"], total(node, |counters| &counters.fills_lost))
        },
    },
    Family {
        metric: gauge("warmfront_fetches_in_flight", &[], "Fetches that are under way"),
        read: |node, give| give(&[], node.n_fetches() as u64),
    },
    Family {
        metric: gauge(
            "warmfront_refills_waiting",
            &[],
            "Fetches that wait for their turn at an origin",
        ),
        read: |node, give| give(&[], node.turns.n_waiting() as u64),
    },
    Family {
        metric: gauge(
            "warmfront_fetch_waiters",
            &[],
            "Requests that wait for the answer to a fetch, their own or that of another",
        ),
        read: |node, give| give(&[], node.flights.n_waiting() as u64),
    },
    Family {
        metric: gauge(
            "warmfront_stored_responses",
            &["tier"],
            "Responses in the cache, in memory and on disk",
        ),
        read: |node, give| {
            let figures = node.store.figures();
            give(&["memory"], figures.n_in_memory as u64)?;
            give(&["disk"], figures.disk.map_or(0, |disk| disk.n_responses))
        },
    },
    Family {
        metric: gauge(
            "warmfront_stored_bytes",
            &["tier"],
            "Bytes that the cache takes, in memory and on disk",
        ),
        read: |node, give| {
            let figures = node.store.figures();
            give(&["memory"], figures.memory_bytes)?;
            give(&["disk"], figures.disk.map_or(0, |disk| disk.disk_bytes))
        },
    },
    Family {
        metric: counter(
            "warmfront_memory_evicted_total",
            &[],
            "Responses that left memory as others needed the room",
        ),
        read: |node, give| give(&[], node.store.figures().n_evicted),
    },
    Family {
        metric: counter(
            "warmfront_disk_reads_total",
            &["result"],
            "Responses read from disk, and those that could not be read, or not in time: each of these was a miss",
        ),
        read: |node, give| match node.store.figures().disk {
            None => Ok(()),
            Some(disk) => {
                give(&["read"], disk.n_hits)?;
                give(&["failed"], disk.n_read_failures)?;
                give(&["busy"], disk.n_busy)
            }
        },
    },
    Family {
        metric: counter(
            "warmfront_disk_unwritten_total",
            &["why"],
            "Responses that are not on disk although they should be, or no longer: too many waited, the disk failed, room was needed",
        ),
        read: |node, give| match node.store.figures().disk {
            None => Ok(()),
            Some(disk) => {
                give(&["dropped"], disk.n_dropped)?;
                give(&["failed"], disk.n_failed)?;
                give(&["evicted"], disk.n_evicted)
            }
        },
    },
    Family {
        metric: counter(
            "warmfront_disk_written_bytes_total",
            &[],
            "Bytes written to disk by the cache",
        ),
        read: |node, give| match node.store.figures().disk {
            None => Ok(()),
            Some(disk) => give(&[], disk.written_bytes),
        },
    },
    Family {
        metric: gauge(
            "warmfront_applied_revision",
            &[],
            "The revision of the journal up to which this node has applied it",
        ),
        read: |node, give| give(&[], node.snapshot().index.applied().revision.0),
    },
    Family {
        metric: gauge(
            "warmfront_fenced",
            &[],
            "1 while this node has no lease and asks origins for everything, else 0",
        ),
        read: |node, give| give(&[], u64::from(!node.lease.holds())),
    },
    Family {
        metric: gauge(
            "warmfront_floor_revision",
            &[],
            "The revision up to which the index has forgotten its entries",
        ),
        read: |node, give| give(&[], node.snapshot().index.floor().0),
    },
    Family {
        metric: gauge(
            "warmfront_index_entries",
            &[],
            "Paths, prefixes and tags in the index of invalidations",
        ),
        read: |node, give| give(&[], node.snapshot().index.n_entries() as u64),
    },
    Family {
        metric: gauge("warmfront_distributions", &[], "Distributions that this node serves"),
        read: |node, give| give(&[], node.snapshot().sites.by_id.len() as u64),
    },
    Family {
        metric: counter(
            "warmfront_invalidations_applied_total",
            &[],
            "Invalidations that this node has applied since its start",
        ),
        read: |node, give| give(&[], node.progress.invalidations.get()),
    },
    Family {
        metric: counter("warmfront_sweeps_total", &[], "Sweeps over the cache"),
        read: |node, give| give(&[], node.progress.sweeps.get()),
    },
    Family {
        metric: counter(
            "warmfront_swept_responses_total",
            &["result"],
            "Responses that sweeps visited and removed",
        ),
        read: |node, give| {
            give(&["visited"], node.progress.swept.get())?;
            give(&["removed"], node.progress.swept_removed.get())
        },
    },
    Family {
        metric: counter(
            "warmfront_swept_bytes_total",
            &[],
            "Bytes of bodies that sweeps removed",
        ),
        read: |node, give| give(&[], node.progress.swept_bytes.get()),
    },
    Family {
        metric: counter(
            "warmfront_access_log_lines_dropped_total",
            &[],
            "Lines of the access log that were dropped, as the writer was behind or the disk failed",
        ),
        read: |node, give| {
            let behind = total(node, |counters| &counters.log_lines_dropped);
            give(&[], behind + node.progress.log_lines_lost.get())
        },
    },
];

fn total(node: &Node, of: impl Fn(&Counters) -> &Counter) -> u64 {
    node.counters.iter().map(|counters| of(counters).get()).sum()
}

fn sum(node: &Node, give: &mut Give<'_>, of: impl Fn(&Counters) -> &Counter) -> fmt::Result {
    give(&[], total(node, of))
}

/// Combinations that have not occurred are left out.
fn unless_zero(give: &mut Give<'_>, labels: &[&str], value: u64) -> fmt::Result {
    if value == 0 { Ok(()) } else { give(labels, value) }
}

fn requests(node: &Node, give: &mut Give<'_>) -> fmt::Result {
    for &reason in Reason::ALL {
        for (class, name) in CLASSES.iter().enumerate() {
            let value = node
                .counters
                .iter()
                .map(|counters| counters.requests(reason, class))
                .sum();
            let result = reason.result_type_of_class(class).as_str();
            unless_zero(give, &[reason.as_str(), result, name], value)?;
        }
    }
    Ok(())
}

fn fetched(node: &Node, give: &mut Give<'_>) -> fmt::Result {
    let others = [(N_KEPT_MAX - 1, "-")];
    for &fetch in FetchReason::ALL {
        for (at, kept) in Kept::all().map(Kept::as_str).enumerate().chain(others) {
            let value = node.counters.iter().map(|counters| counters.fetched(fetch, at)).sum();
            unless_zero(give, &[fetch.as_str(), kept], value)?;
        }
    }
    Ok(())
}

fn origin_fetches(node: &Node, give: &mut Give<'_>) -> fmt::Result {
    for (class, name) in CLASSES.iter().enumerate() {
        let value = node
            .counters
            .iter()
            .map(|counters| counters.origin_answers(class))
            .sum();
        unless_zero(give, &[name], value)?;
    }
    for &reason in Reason::ALL {
        let value = node
            .counters
            .iter()
            .map(|counters| counters.origin_failures(reason))
            .sum();
        unless_zero(give, &[reason.as_str()], value)?;
    }
    Ok(())
}
