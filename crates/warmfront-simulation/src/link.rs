use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::time::sleep;

use crate::random::Random;
use crate::slot::PIPE_BYTES;
use crate::world::World;

/// A connection between two nodes, over which everything takes its time, and nothing moves while they are apart.
/// Gives both ends.
pub fn link(world: &Arc<World>) -> (DuplexStream, DuplexStream) {
    let (near, near_inside) = duplex(PIPE_BYTES);
    let (far, far_inside) = duplex(PIPE_BYTES);
    let (near_read, near_write) = split(near_inside);
    let (far_read, far_write) = split(far_inside);
    tokio::spawn(carry(Arc::clone(world), world.random(), near_read, far_write));
    tokio::spawn(carry(Arc::clone(world), world.random(), far_read, near_write));
    (near, far)
}

async fn carry(
    world: Arc<World>,
    mut random: Random,
    mut from: ReadHalf<DuplexStream>,
    mut to: WriteHalf<DuplexStream>,
) {
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let takes = if random.percent(80) {
            random.millis(0, 5)
        } else {
            random.millis(20, 900)
        };
        sleep(takes).await;
        world.tiers.wait_until_whole().await;
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
    // The other end learns that this one is gone.
    let _ = to.shutdown().await;
}
