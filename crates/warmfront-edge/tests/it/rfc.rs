//! The profile `edge`: RFC 9110 and 9111 where CloudFront does otherwise.

mod directives;
mod head;
mod unsafe_methods;
mod variants;

use warmfront_caching::Switches;
use warmfront_edge::EdgeOptions;
use warmfront_testkit::{Behavior, Origin, Site, Testbed, edge_options};

/// An edge of that profile in front of `origin`, where all methods are allowed and headers that no list names go along.
async fn bed(origin: &Origin) -> Testbed {
    let behavior = Behavior::to("web").forwards(true, &[], &[]).all_methods();
    bed_with(&Site::new(origin).default_behavior(behavior)).await
}

async fn bed_with(site: &Site) -> Testbed {
    let bed = Testbed::start(EdgeOptions {
        switches: Switches::EDGE,
        ..edge_options()
    })
    .await;
    bed.write(site).await;
    bed
}
