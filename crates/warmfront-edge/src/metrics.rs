//! What Prometheus reads of the edge.

mod families;

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::metrics::families::FAMILIES;
use crate::node::Node;

/// The metrics of one or more edges of this process, each with its POP's code as a label. Reading them takes nothing from
/// the cores that serve: each counts for itself, and reading adds up.
#[derive(Clone, Default)]
pub struct EdgeMetrics {
    nodes: Vec<Arc<Node>>,
}

/// What there is to know of a metric without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name as Prometheus shows it.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Its labels besides `pop`.
    pub labels: &'static [&'static str],
    /// Whether it only grows; otherwise it goes up and down.
    pub is_counter: bool,
}

/// One metric, and how it is read: `give` gets each of its values with the values of its labels.
struct Family {
    metric: Metric,
    read: fn(node: &Node, give: &mut Give<'_>) -> fmt::Result,
}

type Give<'a> = dyn FnMut(&[&str], u64) -> fmt::Result + 'a;

impl EdgeMetrics {
    pub(crate) fn new(nodes: Vec<Arc<Node>>) -> EdgeMetrics {
        EdgeMetrics { nodes }
    }

    /// Together with those of `other`, which is another edge in this process.
    pub fn and(mut self, other: EdgeMetrics) -> EdgeMetrics {
        self.nodes.extend(other.nodes);
        self
    }

    /// Every metric there is.
    pub fn all() -> impl Iterator<Item = Metric> {
        FAMILIES.iter().map(|family| family.metric)
    }
}

impl fmt::Debug for EdgeMetrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EdgeMetrics").finish_non_exhaustive()
    }
}

impl Collector for EdgeMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for Family { metric, read } in FAMILIES {
            // The format adds the ending itself.
            let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
            let kind = if metric.is_counter {
                MetricType::Counter
            } else {
                MetricType::Gauge
            };
            let mut values = encoder.encode_descriptor(name, metric.help, None, kind)?;
            for node in &self.nodes {
                let pop = node.pop.to_str().unwrap_or_default();
                read(node, &mut |label_values, value| {
                    let mut labels = vec![("pop", pop)];
                    labels.extend(metric.labels.iter().copied().zip(label_values.iter().copied()));
                    let mut one = values.encode_family(&labels)?;
                    if metric.is_counter {
                        one.encode_counter::<NoLabelSet, u64, u64>(&value, None)
                    } else {
                        one.encode_gauge(&value)
                    }
                })?;
            }
        }
        Ok(())
    }
}
