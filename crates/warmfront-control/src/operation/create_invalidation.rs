use warmfront_facts::{InProgress, InvalidationOrigin, InvalidationRecord, Key, View, invalidation_id};
use warmfront_invalidation::{InvalidationItem, InvalidationMode};
use warmfront_model::{DistributionId, Epoch, ResourceArn, Revision};
use warmfront_wire::types::InvalidationBatch;

use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::state::{Unless, Verdict};
use crate::{Quotas, document};

/// The most items in one batch.
///
/// Source: CloudFront Developer Guide, "Concurrent invalidation request maximum": one request may hold them all.
pub(crate) const ITEMS_MAX: usize = 3_000;

/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 1_024;

/// How covered responses are treated, and why it is done: what this service's own clients say beside the batch.
const MODE: &str = "x-warmfront-mode";
const REASON: &str = "x-warmfront-reason";

/// The tag of a distribution that says how covered responses are treated unless a request says otherwise.
const MODE_TAG: &str = "warmfront:invalidation";

/// A caller reference that was used with the same paths gives the invalidation that was created then.
///
/// Source: CloudFront API Reference, CreateInvalidation and InvalidationBatch.
pub(super) async fn create_invalidation(context: &Context<'_>) -> Result<Answer, ApiError> {
    let state = context.state;
    let quotas = &state.options.quotas;
    let id = context.distribution_id()?;
    let view = state.current().await?;
    if view.distribution(&id).is_none() {
        return Err(ApiError::NoSuchDistribution);
    }
    let mut record = new_record(context, &id, context.call.document()?)?;
    record.mode = mode(context, &view, &id)?;
    let key = Key::invalidation(&id, &record.caller_reference);
    let value = record.encode()?;
    let adds = count(&record.items);
    let unless_moved = if quotas.limit_invalidations() {
        Unless::AnyCommit
    } else {
        Unless::KeyPresent
    };
    let decided = state
        .decide(|view| {
            if view.distribution(&id).is_none() {
                return Err(ApiError::NoSuchDistribution);
            }
            if let Some(earlier) = view.invalidation_by_caller_reference(&id, &record.caller_reference) {
                let body = repeated(view, earlier, &record)?;
                return Ok(Verdict::Settled(Some((body, earlier.revision))));
            }
            check_quotas(quotas, view.in_progress(&id), adds)?;
            Ok(Verdict::put(key.clone(), value.clone(), unless_moved, None))
        })
        .await?;
    let (body, revision) = match decided.value {
        Some(repeated) => repeated,
        None => (
            document::invalidation(&record, document::IN_PROGRESS),
            decided.revision.unwrap_or_default(),
        ),
    };
    let answer = Answer::created(&body, &format!("distribution/{id}/invalidation/{}", body.id));
    let epoch = Epoch {
        incarnation: state.journal.incarnation(),
        revision,
    };
    Ok(match &state.options.tokens {
        Some(tokens) => answer.token(tokens.issue(&id, epoch)),
        None => answer,
    })
}

fn new_record(
    context: &Context<'_>,
    distribution: &DistributionId,
    batch: InvalidationBatch,
) -> Result<InvalidationRecord, ApiError> {
    let paths = batch.paths.items;
    if batch.caller_reference.is_empty() {
        return Err(ApiError::argument("The parameter CallerReference is required."));
    }
    if paths.is_empty() {
        return Err(ApiError::argument("The parameter Paths must have at least one path."));
    }
    if paths.len() > ITEMS_MAX {
        return Err(ApiError::BatchTooLarge(format!(
            "An invalidation has at most {ITEMS_MAX} paths, not {}.",
            paths.len()
        )));
    }
    let items = paths
        .iter()
        .map(|path| InvalidationItem::parse(path))
        .collect::<Result<_, _>>()?;
    Ok(InvalidationRecord {
        id: invalidation_id(distribution, &batch.caller_reference),
        distribution: distribution.clone(),
        created: context.state.options.clock.now(),
        revision: Revision::ZERO,
        caller_reference: batch.caller_reference,
        paths,
        items,
        mode: InvalidationMode::Refetch,
        origin: origin(context)?,
    })
}

/// As the request says, or else the distribution's tag.
fn mode(context: &Context<'_>, view: &View, distribution: &DistributionId) -> Result<InvalidationMode, ApiError> {
    let arn = ResourceArn::distribution(&context.state.options.account, distribution);
    let tags = view.tags(arn.as_str());
    let (place, text) = match (context.call.header(MODE), tags.and_then(|tags| tags.tags.get(MODE_TAG))) {
        (Some(header), _) => (format!("The header {MODE}"), header),
        (None, Some(tag)) => (format!("The distribution's tag {MODE_TAG}"), tag.into()),
        (None, None) => return Ok(InvalidationMode::Refetch),
    };
    let parsed = text.parse::<InvalidationMode>();
    parsed.map_err(|error| ApiError::argument(format!("{place} is wrong: {error}.")))
}

fn origin(context: &Context<'_>) -> Result<InvalidationOrigin, ApiError> {
    let reason = context.call.header(REASON).unwrap_or_default();
    if reason.len() > REASON_BYTES_MAX {
        return Err(ApiError::argument(format!(
            "The header {REASON} has at most {REASON_BYTES_MAX} bytes, not {}.",
            reason.len()
        )));
    }
    Ok(InvalidationOrigin {
        principal: context.caller.arn.clone(),
        address: context.call.peer.map(|peer| peer.to_string()).unwrap_or_default(),
        reason: reason.into_owned(),
    })
}

/// The answer to a request that was sent before: the same Id and CreateTime, and the status as it is now.
/// In which order the paths were sent does not matter.
fn repeated(
    view: &View,
    earlier: &InvalidationRecord,
    record: &InvalidationRecord,
) -> Result<warmfront_wire::types::Invalidation, ApiError> {
    let sorted = |record: &InvalidationRecord| {
        let mut paths = record.paths.clone();
        paths.sort_unstable();
        paths
    };
    if sorted(earlier) != sorted(record) {
        return Err(ApiError::argument(
            "Your request contains a caller reference that was used for a previous invalidation batch for the same \
             distribution.",
        ));
    }
    Ok(document::invalidation(
        earlier,
        document::invalidation_status(view, earlier.revision),
    ))
}

fn count(items: &[InvalidationItem]) -> InProgress {
    let wildcards = items.iter().filter(|item| item.is_wildcard()).count();
    InProgress {
        batches: 1,
        wildcards,
        files: items.len() - wildcards,
    }
}

/// Refuses a batch as a whole if any quota would be exceeded.
///
/// Source: CloudFront Developer Guide, "Concurrent invalidation request maximum".
fn check_quotas(quotas: &Quotas, there: InProgress, adds: InProgress) -> Result<(), ApiError> {
    let check = |quota, max: Option<usize>, there: usize, adds: usize, kind| match max {
        Some(max) if adds > 0 && there + adds > max => {
            Err(ApiError::TooManyInvalidationsInProgress { kind, quota, max })
        }
        _ => Ok(()),
    };
    let (all, wildcard) = ("invalidations", "wildcard invalidations");
    check(
        "files_in_progress_max",
        quotas.files_in_progress_max,
        there.files,
        adds.files,
        all,
    )?;
    check(
        "wildcards_in_progress_max",
        quotas.wildcards_in_progress_max,
        there.wildcards,
        adds.wildcards,
        wildcard,
    )?;
    check(
        "batches_in_progress_max",
        quotas.batches_in_progress_max,
        there.batches,
        adds.batches,
        all,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(there: (usize, usize, usize), adds: (usize, usize), expected: Option<&str>) {
        let there = InProgress {
            batches: there.0,
            wildcards: there.1,
            files: there.2,
        };
        let adds = InProgress {
            batches: 1,
            wildcards: adds.0,
            files: adds.1,
        };
        let message = check_quotas(&Quotas::aws(), there, adds)
            .err()
            .map(|error| error.to_string());
        assert_eq!(message.as_deref(), expected);
    }

    #[test]
    fn each_quota_is_full_when_it_is_full() {
        let files = "Processing your request will cause you to exceed the maximum number of in-progress invalidations. \
                     (files_in_progress_max 3000)";
        let wildcards = "Processing your request will cause you to exceed the maximum number of in-progress wildcard \
                         invalidations. (wildcards_in_progress_max 15)";
        let batches = "Processing your request will cause you to exceed the maximum number of in-progress invalidations. \
                       (batches_in_progress_max 15)";
        check((0, 0, 0), (15, 3_000), None);
        check((0, 0, 0), (16, 0), Some(wildcards));
        check((1, 0, 1), (0, 3_000), Some(files));
        check((14, 14, 2_999), (1, 1), None);
        check((14, 15, 0), (0, 1), None);
        check((14, 15, 0), (1, 0), Some(wildcards));
        check((15, 0, 15), (0, 1), Some(batches));
    }

    #[test]
    fn without_quotas_nothing_is_refused() {
        let there = InProgress {
            batches: 1_000,
            wildcards: 1_000,
            files: 1_000_000,
        };
        assert!(
            check_quotas(
                &Quotas::unlimited(),
                there,
                InProgress {
                    batches: 1,
                    wildcards: 99,
                    files: 99
                }
            )
            .is_ok()
        );
    }
}
