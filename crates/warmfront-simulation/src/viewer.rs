use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, split};
use tokio::time::{sleep, timeout};
use warmfront_journal::Journal;
use warmfront_model::{DistributionId, Epoch, Revision};
use warmfront_testkit::{BodyState, Framing, MessageReader, Site};

use crate::plan::{LENGTH, PATHS};
use crate::random::Random;
use crate::world::World;

/// Someone who asks, with at most one connection to each POP.
pub struct Viewer {
    world: Arc<World>,
    name: String,
    random: Random,
    connections: Vec<Option<Connection>>,
    /// The invalidation that nothing older will do for, and its token.
    purged: Option<(Revision, String)>,
}

struct Connection {
    incoming: MessageReader<ReadHalf<DuplexStream>>,
    outgoing: WriteHalf<DuplexStream>,
}

/// Longer than any origin takes.
const PATIENCE: Duration = Duration::from_secs(90);

impl Viewer {
    pub fn new(world: &Arc<World>, name: String) -> Viewer {
        Viewer {
            random: world.random(),
            connections: (0..world.plan.n_pops).map(|_| None).collect(),
            world: Arc::clone(world),
            name,
            purged: None,
        }
    }

    /// The same, with the token of the invalidation at `revision`.
    pub fn with_token(self, revision: Revision) -> Viewer {
        let epoch = Epoch {
            incarnation: self.world.journal.incarnation(),
            revision,
        };
        let token = DistributionId::parse(Site::ID).map(|id| self.world.tokens.issue(&id, epoch));
        Viewer {
            purged: token.ok().map(|token| (revision, token)),
            ..self
        }
    }

    /// Asks for anything, again and again.
    pub async fn wander(mut self) {
        while self.world.elapsed() < LENGTH {
            let thinks = self.random.millis(0, self.world.plan.think_ms_max);
            sleep(thinks).await;
            let pop = self.random.below(self.connections.len());
            // Two draws, the smaller counts: some objects are asked for more than others.
            let object = self.random.below(PATHS.len()).min(self.random.below(PATHS.len()));
            self.ask(pop, object).await;
        }
    }

    /// Asks every POP for `objects`, `n` times.
    pub async fn pursue(mut self, objects: &[usize], n: usize) {
        for _ in 0..n {
            for pop in 0..self.connections.len() {
                for object in objects {
                    self.ask(pop, *object).await;
                }
            }
        }
    }

    /// Asks a POP for an object, if it is up, and has the answer checked.
    pub async fn ask(&mut self, pop: usize, object: usize) {
        let new = self.connections[pop].is_none() || self.random.percent(30);
        if new {
            self.connections[pop] = self.world.pops[pop].connect().map(|stream| {
                let (incoming, outgoing) = split(stream);
                Connection {
                    incoming: MessageReader::new(incoming),
                    outgoing,
                }
            });
        }
        let Some(mut connection) = self.connections[pop].take() else {
            return;
        };
        let method = if self.random.percent(8) { "HEAD" } else { "GET" };
        let patience = if self.random.percent(8) {
            self.random.millis(1, 1_000)
        } else {
            PATIENCE
        };
        let answered = timeout(patience, self.exchange(&mut connection, pop, object, method)).await;
        if answered == Ok(true) {
            self.connections[pop] = Some(connection);
        }
    }

    /// True: the connection can be used again.
    async fn exchange(&mut self, connection: &mut Connection, pop: usize, object: usize, method: &str) -> bool {
        let path = PATHS[object];
        let first = format!("{method} {path} HTTP/1.1\r\n");
        if connection.outgoing.write_all(first.as_bytes()).await.is_err() {
            return false;
        }
        // A request arrives when its head is whole.
        if self.random.percent(10) {
            let dawdles = self.random.millis(1, 500);
            sleep(dawdles).await;
        }
        let completed = self.world.completed().await;
        let is_fenced = self.world.pops[pop].is_fenced();
        self.world.count(|figures| {
            figures.n_requests += 1;
            figures.n_fenced += u64::from(is_fenced);
        });
        self.world.note(format_args!(
            "{} asks pop {pop}: {method} {path}, {completed} Completed",
            self.name
        ));
        let (token, settled) = match &self.purged {
            Some((revision, token)) => (format!("x-warmfront-token: {token}\r\n"), completed.max(*revision)),
            None => (String::new(), completed),
        };
        let rest = format!("host: 127.0.0.1\r\n{token}\r\n");
        if connection.outgoing.write_all(rest.as_bytes()).await.is_err() {
            return false;
        }
        let is_ahead = settled > completed;
        self.world.count(|figures| figures.n_by_token += u64::from(is_ahead));
        self.take_answer(connection, path, method, settled).await
    }

    async fn take_answer(
        &mut self,
        connection: &mut Connection,
        path: &'static str,
        method: &str,
        settled: Revision,
    ) -> bool {
        let Ok(head) = connection.incoming.response_head().await else {
            self.world.note(format_args!("{} is cut off", self.name));
            return false;
        };
        let framing = if method == "HEAD" {
            Framing::Length(0)
        } else {
            Framing::of(&head.headers, Framing::UntilClose)
        };
        let mut state = BodyState::new(framing);
        let mut body = Vec::new();
        let whole = loop {
            match connection.incoming.body_piece(&mut state).await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        let field = |name: &str| {
            let value = head.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default()
        };
        let x_cache = field("x-cache").split(' ').next().unwrap_or_default();
        let fetch = field("x-fetch");
        let (world, name) = (&self.world, &self.name);
        world.note(format_args!(
            "{name} gets {} {x_cache} by fetch {fetch:?}, {} bytes",
            head.status,
            body.len()
        ));
        world.count(|figures| {
            figures.n_hits += u64::from(x_cache == "Hit");
            figures.n_confirmed += u64::from(x_cache == "RefreshHit");
        });
        if let Ok(fetch) = fetch.parse() {
            let body = String::from_utf8_lossy(&body);
            world.check(path, settled, fetch, &body, format_args!("{name}"));
        }
        whole
    }
}
