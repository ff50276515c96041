use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use warmfront_facts::{Key, MemberRecord, Membership, RecordError};
use warmfront_journal::{CommitError, Expected, Journal, Write};
use warmfront_model::Revision;

use crate::lease::LeaseOptions;
use crate::mutants::{Mutant, is_planted};
use crate::node::Node;

/// A node's way to a lease, and what it does to keep it.
pub(crate) struct Member {
    node: Arc<Node>,
    journal: Arc<dyn Journal>,
    options: LeaseOptions,
    key: String,
    life: u64,
}

/// How long the node waits before it tries again after the journal failed it.
const RETRY: Duration = Duration::from_millis(200);

/// What ended a lease, or kept it from being taken.
#[derive(Debug, Error)]
enum Lapse {
    /// The record is not as this node left it: control has dropped it, or another process has its name.
    #[error("the member record was changed by another")]
    Superseded,
    /// The lease was over before it was renewed.
    #[error("the lease was not renewed in time")]
    Late,
    /// The node missed something of the journal.
    #[error("the node missed a part of the journal")]
    Gap,
    /// The journal failed.
    #[error(transparent)]
    Commit(CommitError),
    /// The record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<CommitError> for Lapse {
    fn from(error: CommitError) -> Lapse {
        match error {
            CommitError::Conflict { .. } => Lapse::Superseded,
            other => Lapse::Commit(other),
        }
    }
}

impl Member {
    pub(crate) fn new(node: Arc<Node>, journal: Arc<dyn Journal>, name: &str, options: LeaseOptions) -> Member {
        Member {
            node,
            journal,
            options,
            key: Key::Member(name.to_owned()).to_string(),
            life: rand::random(),
        }
    }

    /// Joins, takes a lease, renews it, and joins anew whenever it was lost, until `leaving` says so; then takes the
    /// record back. By then nobody is answered any more.
    pub(crate) async fn keep(self, mut leaving: watch::Receiver<bool>) {
        let mut written = None;
        loop {
            let ended = self.lease_until_lapse(&mut written, &mut leaving).await;
            self.node.lease.fence();
            let Err(lapse) = ended else { break };
            match lapse {
                Lapse::Superseded | Lapse::Late | Lapse::Gap => {
                    tracing::warn!(member = self.key, %lapse, "fenced: the node joins anew");
                }
                Lapse::Commit(_) | Lapse::Record(_) => {
                    tracing::error!(member = self.key, %lapse, "fenced: no lease can be had");
                    tokio::select! {
                        () = tokio::time::sleep(RETRY) => {}
                        () = said(&mut leaving) => break,
                    }
                }
            }
        }
        if let Some(written) = written {
            let _ = self
                .journal
                .commit(&self.key, Write::Delete, Expected::Revision(written))
                .await;
        }
    }

    /// From the join record to the end of the lease. `written` is where this node last wrote its record.
    ///
    /// # Errors
    /// What ended the lease, unless the node is to leave.
    async fn lease_until_lapse(
        &self,
        written: &mut Option<Revision>,
        leaving: &mut watch::Receiver<bool>,
    ) -> Result<(), Lapse> {
        let lease = self.options.lease;
        let joined = self.write(Membership::Joined { lease }, Expected::Any).await?;
        *written = Some(joined);
        // Either it has taken in an earlier invalidation by then, or control, judging a later one, sees it as a member.
        if !is_planted(Mutant::JoinUnawaited) {
            tokio::select! {
                biased;
                () = self.node.lease.lost() => return Err(Lapse::Gap),
                () = said(leaving) => return Ok(()),
                () = self.node.reaches(joined) => {}
            }
        }
        let mut deadline = self.renewed(written, joined).await?;
        loop {
            self.node.lease.extend(deadline);
            tokio::select! {
                biased;
                () = self.node.lease.lost() => return Err(Lapse::Gap),
                () = said(leaving) => return Ok(()),
                () = self.options.clock.sleep(lease / 3) => {}
            }
            if self.options.clock.uptime() >= deadline {
                return Err(Lapse::Late);
            }
            let last = written.unwrap_or_default();
            let renewed = self.renewed(written, last).await?;
            if self.options.clock.uptime() >= deadline {
                return Err(Lapse::Late);
            }
            deadline = renewed;
        }
    }

    /// Writes the lease in the place of what this node wrote at `last`. Gives until when it holds: it counts from before
    /// it was asked for.
    async fn renewed(&self, written: &mut Option<Revision>, last: Revision) -> Result<Duration, Lapse> {
        let lease = self.options.lease;
        let asked = self.options.clock.uptime();
        let expected = Expected::Revision(last);
        *written = Some(self.write(Membership::Leased { lease }, expected).await?);
        if is_planted(Mutant::LeaseFromAnswer) {
            return Ok(self.options.clock.uptime() + lease);
        }
        Ok(asked + lease)
    }

    async fn write(&self, membership: Membership, expected: Expected) -> Result<Revision, Lapse> {
        let record = MemberRecord {
            life: self.life,
            membership,
            revision: Revision::ZERO,
        };
        let value = record.encode()?;
        Ok(self.journal.commit(&self.key, Write::Put(value), expected).await?)
    }
}

/// Returns once `leaving` says so.
async fn said(leaving: &mut watch::Receiver<bool>) {
    // A sender that is gone says nothing more.
    if leaving.wait_for(|leaving| *leaving).await.is_err() {
        std::future::pending::<()>().await;
    }
}
