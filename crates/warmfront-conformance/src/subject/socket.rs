use std::net::SocketAddr;
use std::time::Duration;

use warmfront_clock::Clock;
use warmfront_model::Timestamp;
use warmfront_testkit::{Answer, Origin, Viewer};

use super::Subject;
use super::edge::ask_of;
use crate::scenario::{Request, Scenario};
use crate::script::Script;

/// Any server that caches for an origin, in real time.
///
/// Many scenarios share both, each below a folder of its own.
pub(crate) struct AnyServer {
    server: SocketAddr,
    script: Script,
    folder: String,
    clock: Clock,
}

impl AnyServer {
    /// The server with this origin, for the scenario of this number.
    pub(crate) fn new(server: SocketAddr, origin: &Origin, number: usize, scenario: &Scenario) -> AnyServer {
        let subject = AnyServer {
            server,
            script: Script::default(),
            folder: format!("/s{number}"),
            clock: Clock::system(),
        };
        for exchange in scenario.exchanges() {
            let path = exchange.request.target.split('?').next().unwrap_or_default();
            let script = subject.script.clone();
            let folder = subject.folder.clone();
            let path = format!("{folder}{path}");
            origin.on(&path, move |request| script.speak(request).below(&folder).sent());
        }
        subject
    }
}

impl Subject for AnyServer {
    fn script(&self) -> &Script {
        &self.script
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn wait(&self, secs: u64) {
        let until = self.clock.now().plus(Duration::from_secs(secs));
        self.clock.sleep_until(until).await;
    }

    async fn ask(&self, request: &Request) -> Result<Answer, String> {
        let target = format!("{}{}", self.folder, request.target);
        let mut viewer = Viewer::connect(self.server).await;
        viewer.send(&ask_of(request, &target)).await;
        let head = viewer.head().await.map_err(|error| format!("no answer: {error}"))?;
        let (body, truncated) = viewer.body(&head).await;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
            truncated,
        })
    }

    async fn invalidate(&self, _path: &str) -> Result<(), String> {
        Err("this server takes no invalidations".to_owned())
    }

    fn slack_secs(&self) -> u64 {
        2
    }

    fn target_at_origin<'a>(&self, target: &'a str) -> &'a str {
        target.strip_prefix(&*self.folder).unwrap_or(target)
    }
}
