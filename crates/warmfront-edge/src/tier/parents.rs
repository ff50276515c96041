use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, VIA};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::{Either, Empty};
use sha2::{Digest, Sha256};
use warmfront_caching::revalidation_headers;
use warmfront_http::{connection_options, is_hop_by_hop};
use warmfront_model::{Epoch, Revision};
use warmfront_store::StoredResponse;

use crate::mutants::{Mutant, is_planted};
use crate::node::Node;
use crate::origin::{ConnectSettings, FetchFailure, OriginBody, OriginRequest, Origins, Target};
use crate::request::{Keyed, rules};
use crate::snapshot::Ticket;
use crate::tier::message::{self, KeyHash, Verdict, copy_status};
use crate::tier::{Tier, TierSecret};

/// The regional nodes that a POP asks.
#[derive(Clone, Debug)]
pub struct Parents {
    /// What they know their children by.
    pub secret: TierSecret,
    /// They share the keys among them, so each key has one that is asked first.
    pub nodes: Vec<Parent>,
}

/// One regional node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its name, unique in its region. It decides which keys it has.
    pub name: String,
    /// Where it listens for POPs.
    pub address: SocketAddr,
}

impl Parents {
    /// No regional nodes.
    pub fn none() -> Parents {
        Parents {
            secret: TierSecret::random(),
            nodes: Vec::new(),
        }
    }

    /// All of them, the one that has `key` first. A node that comes or goes changes the order for its own keys alone.
    ///
    /// Source: Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (highest random weight).
    fn ranked(&self, key: &KeyHash) -> Vec<&Parent> {
        let weight = |parent: &&Parent| {
            let hash = Sha256::new()
                .chain_update(key.as_str())
                .chain_update(&parent.name)
                .finalize();
            std::cmp::Reverse(<[u8; 32]>::from(hash))
        };
        let mut ranked: Vec<&Parent> = self.nodes.iter().collect();
        ranked.sort_by_cached_key(weight);
        ranked
    }
}

/// How often a fetch asks regional nodes before it goes to the origin itself.
const ASKS_MAX: u32 = 2;

/// What a fetch asks of its region, decided.
pub(crate) struct ParentAsk {
    secret: TierSecret,
    /// The viewer's request, as a child sends it on.
    head: http::request::Parts,
    /// Where, best first.
    addresses: Vec<SocketAddr>,
    /// What will do: `required(url)` of the plan's snapshot.
    min_epoch: Epoch,
    /// The copy that a 304 may confirm, with the conditions that ask for that.
    copy: Option<(Arc<StoredResponse>, HeaderMap)>,
    patience: Duration,
    asks_left: u32,
}

/// What a regional node said.
pub(crate) enum Told {
    /// A response, or a 304 for this copy.
    Response(Box<Response<OriginBody>>, Verdict, Option<Arc<StoredResponse>>),
    /// The origin gave it no answer.
    Failed(FetchFailure),
    /// Nothing of use; the origin is asked directly.
    Nothing,
}

impl ParentAsk {
    /// What to ask for a request that fills the cache. `None`: there is no regional node, or it is bypassed.
    ///
    /// Source: CloudFront Developer Guide, "How CloudFront delivers content", regional edge caches (PUT, POST, PATCH,
    /// OPTIONS and DELETE go to the origin directly).
    pub(crate) fn plan(node: &Node, keyed: &Keyed<'_>, to_confirm: Option<&Arc<StoredResponse>>) -> Option<ParentAsk> {
        let Tier::Pop(parents) = &node.tier else { return None };
        let accepted = keyed.routed.accepted;
        let reads = matches!(accepted.head.method, Method::GET | Method::HEAD);
        let is_bypassed = keyed.changed_here || accepted.fenced;
        if parents.nodes.is_empty() || !reads || is_bypassed {
            return None;
        }
        let key = KeyHash::of(keyed.primary());
        let index = &accepted.snapshot.index;
        let required = index.required(&keyed.routed.site.distribution.id, &keyed.names());
        let min_epoch = Epoch {
            revision: if is_planted(Mutant::ParentTrusted) {
                Revision::ZERO
            } else {
                required
            },
            ..index.applied()
        };
        let conditions = to_confirm.and_then(|copy| {
            let conditions = revalidation_headers(&copy.head().headers(), &rules(&keyed.routed, 0))?;
            Some((Arc::clone(copy), conditions))
        });
        let (origin, _) = keyed.routed.site.origin(keyed.routed.behavior)?;
        // A regional node may take as long as the origin, asked as often as it is to be asked, and wait for its turn there.
        let secs = origin.connection_attempts * (origin.connection_timeout_secs + origin.read_timeout_secs);
        Some(ParentAsk {
            head: child_head(node, keyed, &key)?,
            addresses: parents.ranked(&key).into_iter().map(|parent| parent.address).collect(),
            secret: parents.secret.clone(),
            min_epoch,
            copy: conditions,
            patience: Duration::from_secs(u64::from(secs) + 5) + node.limits.refills.wait_max,
            asks_left: ASKS_MAX,
        })
    }

    /// Asks. `None`: it has been asked often enough.
    pub(crate) async fn ask(&mut self, origins: &Origins, ticket: &Ticket) -> Option<Told> {
        self.asks_left = self.asks_left.checked_sub(1)?;
        let address = *self.addresses.first()?;
        let Some(request) = self.request(address) else {
            return Some(Told::Nothing);
        };
        let seal = message::text(&request.head.headers, &message::SEAL)?.to_owned();
        match origins.ask(ticket, &request, Either::Left(Empty::new())).await {
            Ok(response) => {
                let told = self.told(response, seal.as_bytes());
                if matches!(told, Told::Nothing) {
                    self.addresses.remove(0);
                }
                Some(told)
            }
            Err(failure) => {
                tracing::warn!(%address, %failure, "a regional node gave no answer");
                self.addresses.remove(0);
                Some(Told::Nothing)
            }
        }
    }

    /// What was given is too old by what is known now: nothing older than `min_epoch` will do, and only as a whole.
    pub(crate) fn demand(&mut self, min_epoch: Epoch) {
        self.min_epoch = min_epoch;
        self.copy = None;
    }

    fn told(&self, response: Response<OriginBody>, seal: &[u8]) -> Told {
        let (status, headers) = (response.status(), response.headers());
        if !message::is_from_parent(&self.secret, seal, status, headers) {
            tracing::error!("an answer from a regional node's address is not its own");
            return Told::Nothing;
        }
        if let Some(verdict) = Verdict::read(headers) {
            let copy = self.copy.as_ref().map(|(copy, _)| copy.clone());
            return match (status, copy) {
                (StatusCode::NOT_MODIFIED, None) => Told::Nothing,
                (StatusCode::NOT_MODIFIED, copy) => Told::Response(Box::new(response), verdict, copy),
                (_, _) => Told::Response(Box::new(response), verdict, None),
            };
        }
        let refusal = message::text(headers, &message::REFUSAL).unwrap_or_default();
        match FetchFailure::at_parent(refusal, status) {
            Some(failure) => Told::Failed(failure),
            None => Told::Nothing,
        }
    }

    fn request(&self, address: SocketAddr) -> Option<OriginRequest> {
        const CONNECT: ConnectSettings = ConnectSettings {
            attempts: 1,
            timeout_secs: 1,
            keepalive_secs: 60,
            trusted: true,
        };
        let path_and_query = self.head.uri.path_and_query()?.clone();
        let target = Target {
            scheme: "http",
            authority: address.to_string(),
            path: path_and_query.path().to_owned(),
            bucket_region: None,
            connect: CONNECT,
            read_timeout: self.patience,
        };
        let mut head = self.head.clone();
        let uri = Uri::builder().scheme("http").authority(target.authority.as_str());
        head.uri = uri.path_and_query(path_and_query).build().ok()?;
        head.headers
            .insert(message::MIN_EPOCH, message::write_epoch(self.min_epoch)?);
        if let Some((copy, conditions)) = &self.copy {
            head.headers.extend(conditions.clone());
            let status = HeaderValue::from_str(copy_status(copy)).ok()?;
            head.headers.insert(message::COPY, status);
        }
        let seal = message::seal_request(&self.secret, &head);
        head.headers.insert(message::SEAL, HeaderValue::from_str(&seal).ok()?);
        Some(OriginRequest {
            target,
            head,
            signer: None,
            interim: None,
        })
    }
}

/// The viewer's request as it goes to a regional node, which makes the same key of it and asks the origin as this node
/// would. Conditions and ranges stay here: they are answered from what comes back.
fn child_head(node: &Node, keyed: &Keyed<'_>, key: &KeyHash) -> Option<http::request::Parts> {
    let accepted = keyed.routed.accepted;
    let viewers = &accepted.head.headers;
    let mut headers = HeaderMap::with_capacity(viewers.len() + 8);
    for (name, value) in viewers {
        let is_ours = name.as_str().starts_with("x-warmfront-");
        if !is_ours && !is_hop_by_hop(name) && !is_condition(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers.append(VIA, node.via.clone());
    let options: Vec<String> = connection_options(viewers).map(|name| name.to_string()).collect();
    if viewers.contains_key(CONNECTION) {
        headers.insert(
            message::CONNECTION_OPTIONS,
            HeaderValue::from_str(&options.join(",")).ok()?,
        );
    }
    headers.insert(message::KEY, HeaderValue::from_str(key.as_str()).ok()?);
    headers.insert(
        message::VIEWER,
        message::write_viewer(accepted.viewer, accepted.head.version)?,
    );
    headers.get(HOST)?;
    let mut head = http::Request::new(()).into_parts().0;
    head.uri = accepted.head.uri.clone();
    head.headers = headers;
    Some(head)
}

fn is_condition(name: &http::HeaderName) -> bool {
    use http::header::{CONTENT_LENGTH, IF_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
    const KEPT_HERE: [http::HeaderName; 7] = [
        IF_MATCH,
        IF_NONE_MATCH,
        IF_MODIFIED_SINCE,
        IF_UNMODIFIED_SINCE,
        IF_RANGE,
        RANGE,
        CONTENT_LENGTH,
    ];
    KEPT_HERE.contains(name) || name.as_str() == "request-range"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parents(names: &[&str]) -> Parents {
        let node = |name: &&str| Parent {
            name: (*name).to_owned(),
            address: ([127, 0, 0, 1], 1).into(),
        };
        Parents {
            nodes: names.iter().map(node).collect(),
            ..Parents::none()
        }
    }

    fn first(parents: &Parents, key: u32) -> String {
        parents.ranked(&KeyHash::of(&key.to_be_bytes()))[0].name.clone()
    }

    #[test]
    fn keys_are_shared_evenly_and_stay_where_they_are_when_a_node_goes() {
        let (three, two) = (parents(&["a", "b", "c"]), parents(&["c", "a"]));
        let mut n_at_b = 0;
        for key in 0..3_000 {
            match first(&three, key).as_str() {
                "b" => n_at_b += 1,
                other => assert_eq!(first(&two, key), other),
            }
        }
        // A third, give or take five standard deviations.
        assert!((870..=1_130).contains(&n_at_b), "{n_at_b}");
    }
}
