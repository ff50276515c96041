use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, split};
use tokio::time::sleep;
use warmfront_testkit::{MessageReader, RequestHead};

use crate::checker::tags_of;
use crate::plan::PATHS;
use crate::random::Random;
use crate::world::World;

/// What the origin does with a request, decided when it arrives.
struct Script {
    status: u16,
    headers: String,
    body: String,
    framing: Framing,
    before_head: Duration,
    /// Between the pieces of the body.
    between: Duration,
    n_pieces: usize,
    breaks_off: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length,
    Chunked,
    UntilClose,
}

/// Serves one connection of a node.
pub async fn serve(world: Arc<World>, stream: DuplexStream) {
    let mut random = world.random();
    let (incoming, mut outgoing): (ReadHalf<_>, WriteHalf<_>) = split(stream);
    let mut incoming = MessageReader::new(incoming);
    while let Ok(request) = incoming.request_head().await {
        let path = request.target.split('?').next().unwrap_or_default();
        let Some(object) = PATHS.iter().position(|known| *known == path) else {
            return;
        };
        let head = world.head().await;
        let (number, version) = world.begin_fetch(object, head);
        let script = Script::draw(&mut random, &world, &request, number, object, version);
        world.note(format_args!(
            "origin gets fetch {number} of {path} at {head}: {} v{version}",
            script.status
        ));
        if !script.send(&mut outgoing).await {
            return;
        }
        world.end_fetch(number);
        world.note(format_args!("origin has answered fetch {number}"));
    }
}

impl Script {
    fn draw(
        random: &mut Random,
        world: &World,
        request: &RequestHead,
        number: usize,
        object: usize,
        version: u64,
    ) -> Script {
        let path = PATHS[object];
        let etag = format!("\"{path}v{version}\"");
        let tags = tags_of(object, version);
        let condition = request
            .headers
            .get("if-none-match")
            .and_then(|value| value.to_str().ok());
        let status = if condition == Some(&etag) && random.percent(90) {
            304
        } else {
            match random.below(30) {
                0 => 404,
                1 => 500,
                2 => 503,
                _ => 200,
            }
        };
        let before_head = if random.percent(world.plan.slow_percent) {
            random.pick(&[(1, 30), (100, 800), (500, 4_000)])
        } else {
            (0, 0)
        };
        let n_pieces = 1 + random.below(3);
        let between = if random.percent(world.plan.slow_percent) {
            random.millis(1, 1_500)
        } else {
            Duration::ZERO
        };
        Script {
            status,
            headers: format!(
                "x-fetch: {number}\r\nx-tags: {}\r\netag: {etag}\r\n{}",
                tags.join(","),
                cache_control(random, world)
            ),
            body: format!("{path} v{version} {:>1$}", ".", random.pick(&[1, 100, 5_000])),
            framing: random.pick(&[Framing::Length, Framing::Length, Framing::Chunked, Framing::UntilClose]),
            before_head: random.millis(before_head.0, before_head.1),
            between,
            n_pieces,
            breaks_off: random.percent(4),
        }
    }

    /// False: the connection ends here.
    async fn send(&self, outgoing: &mut WriteHalf<DuplexStream>) -> bool {
        if !self.before_head.is_zero() {
            sleep(self.before_head).await;
        }
        let has_body = self.status != 304;
        let framing = match self.framing {
            _ if !has_body => String::new(),
            Framing::Length => format!("content-length: {}\r\n", self.body.len()),
            Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
            Framing::UntilClose => "connection: close\r\n".to_owned(),
        };
        let head = format!("HTTP/1.1 {} Simulated\r\n{}{framing}\r\n", self.status, self.headers);
        if outgoing.write_all(head.as_bytes()).await.is_err() {
            return false;
        }
        if !has_body {
            return true;
        }
        let piece_bytes = self.body.len().div_ceil(self.n_pieces);
        for (number, piece) in self.body.as_bytes().chunks(piece_bytes).enumerate() {
            if number > 0 {
                if self.breaks_off {
                    return false;
                }
                if !self.between.is_zero() {
                    sleep(self.between).await;
                }
            }
            let sent = if self.framing == Framing::Chunked {
                let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
                chunk.extend_from_slice(piece);
                chunk.extend_from_slice(b"\r\n");
                outgoing.write_all(&chunk).await
            } else {
                outgoing.write_all(piece).await
            };
            if sent.is_err() {
                return false;
            }
        }
        match self.framing {
            Framing::Length => true,
            Framing::Chunked => outgoing.write_all(b"0\r\n\r\n").await.is_ok(),
            Framing::UntilClose => {
                let _ = outgoing.shutdown().await;
                true
            }
        }
    }
}

fn cache_control(random: &mut Random, world: &World) -> String {
    if random.percent(4) {
        return format!(
            "cache-control: {}\r\n",
            random.pick(&["no-cache", "no-store", "private"])
        );
    }
    let mut line = format!("cache-control: max-age={}", random.pick(world.plan.max_ages));
    if random.percent(30) {
        line.push_str(", stale-while-revalidate=5");
    }
    if random.percent(20) {
        line.push_str(", stale-if-error=5");
    }
    line + "\r\n"
}
