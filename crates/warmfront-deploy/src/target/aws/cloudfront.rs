#![allow(
    deprecated,
    reason = "older distributions still have ForwardedValues and TTLs of their own"
)]

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::types::{
    CachePolicyQueryStringBehavior, DistributionConfig, ForwardedValues, InvalidationBatch, Origin, Paths,
    ViewerProtocolPolicy,
};
use warmfront_model::{KeyPart, TtlBounds, managed_cache_policy, parse_s3_domain};

use super::explain;
use crate::site::{ErrorPage, Site, View};
use crate::target::{Cdn, Fault, Invalidation, PathCount, TargetError};

/// CloudFront.
#[derive(Clone, Debug)]
pub struct CloudFront {
    client: Client,
    /// The ARN of the distribution that was seen last: it names the account.
    seen: Arc<OnceLock<String>>,
}

/// A cache behavior's parts that matter, alike for the default one and the others.
struct Behavior<'a> {
    target_origin_id: &'a str,
    policy_id: Option<&'a str>,
    forwarded: Option<&'a ForwardedValues>,
    ttl: [Option<i64>; 3],
    runs_functions: bool,
    protocol: &'a ViewerProtocolPolicy,
}

impl CloudFront {
    pub(super) fn new(client: Client) -> CloudFront {
        CloudFront {
            client,
            seen: Arc::default(),
        }
    }

    async fn view(&self, config: &DistributionConfig, behavior: Behavior<'_>) -> Result<View, TargetError> {
        let target = primary_of(config, behavior.target_origin_id);
        let origin = origins_of(config).iter().find(|origin| origin.id == target);
        let (ttl, query_in_key) = match behavior.policy_id {
            Some(id) => self.policy(id).await?,
            None => {
                let whole = behavior.forwarded.is_some_and(|values| values.query_string);
                (ttl_bounds(behavior.ttl), whole)
            }
        };
        let (bucket, is_website) = origin.map(bucket_of).unwrap_or_default();
        Ok(View {
            bucket,
            is_website,
            origin_path: origin.and_then(|origin| origin.origin_path.clone()).unwrap_or_default(),
            runs_functions: behavior.runs_functions,
            ttl,
            query_in_key,
            https_only: *behavior.protocol != ViewerProtocolPolicy::AllowAll,
        })
    }

    /// The ARN of a distribution; until it has been seen, its account is anybody's.
    fn arn(&self, distribution: &str) -> String {
        let seen = self
            .seen
            .get()
            .filter(|arn| arn.rsplit('/').next() == Some(distribution));
        seen.cloned()
            .unwrap_or_else(|| format!("arn:aws:cloudfront::*:distribution/{distribution}"))
    }

    /// The TTL bounds of a cache policy, and whether query strings are in its key.
    async fn policy(&self, id: &str) -> Result<(TtlBounds, bool), TargetError> {
        if let Some(policy) = managed_cache_policy(id) {
            return Ok((policy.ttl, policy.query_strings != KeyPart::None));
        }
        let answer = self.client.get_cache_policy().id(id).send().await;
        let answer =
            answer.map_err(|error| explain("cloudfront:GetCachePolicy", format!("cache-policy/{id}"), error))?;
        let config = answer.cache_policy.and_then(|policy| policy.cache_policy_config);
        let Some(config) = config else {
            return Err(incomplete("cloudfront:GetCachePolicy", id));
        };
        let parameters = config.parameters_in_cache_key_and_forwarded_to_origin.as_ref();
        let query = parameters.and_then(|parameters| parameters.query_strings_config.as_ref());
        let in_key = query.is_some_and(|query| query.query_string_behavior != CachePolicyQueryStringBehavior::None);
        Ok((
            ttl_bounds([Some(config.min_ttl), config.default_ttl, config.max_ttl]),
            in_key,
        ))
    }
}

fn origins_of(config: &DistributionConfig) -> &[Origin] {
    let origins = config.origins.as_ref().map(|origins| origins.items());
    origins.unwrap_or_default()
}

/// The origin that a behavior's target means: itself, or the first of an origin group. Source: CloudFront API Reference, OriginGroup.
fn primary_of<'a>(config: &'a DistributionConfig, target: &'a str) -> &'a str {
    let groups = config.origin_groups.as_ref().map(|groups| groups.items());
    let group = groups.unwrap_or_default().iter().find(|group| group.id == target);
    let members = group.and_then(|group| group.members.as_ref());
    let first = members.and_then(|members| members.items().first());
    first.map_or(target, |first| &first.origin_id)
}

fn ttl_bounds([min, default, max]: [Option<i64>; 3]) -> TtlBounds {
    let secs = |value: i64| u64::try_from(value).unwrap_or(0);
    let min_secs = secs(min.unwrap_or(0));
    TtlBounds::complete(min_secs, default.map(secs), max.map(secs)).unwrap_or(TtlBounds {
        min_secs,
        default_secs: 86_400,
        max_secs: 31_536_000,
    })
}

/// The bucket that an origin is, and whether it is asked as a website.
fn bucket_of(origin: &Origin) -> (Option<String>, bool) {
    if let Some((bucket, rest)) = origin.domain_name.split_once(".s3-website")
        && rest.ends_with(".amazonaws.com")
    {
        return (Some(bucket.to_owned()), true);
    }
    let bucket = parse_s3_domain(&origin.domain_name).map(|origin| origin.bucket.to_string());
    (bucket, origin.custom_origin_config.is_some())
}

fn incomplete(action: &'static str, resource: &str) -> TargetError {
    TargetError {
        fault: Fault::Refused,
        action,
        resource: resource.into(),
        code: "IncompleteAnswer".into(),
        message: "the answer lacks what was asked for".into(),
    }
}

fn shown(invalidation: &aws_sdk_cloudfront::types::Invalidation) -> Invalidation {
    let paths = invalidation
        .invalidation_batch
        .as_ref()
        .and_then(|batch| batch.paths.as_ref());
    Invalidation {
        id: invalidation.id.clone(),
        is_completed: invalidation.status == "Completed",
        paths: paths.map(|paths| PathCount::of(paths.items())),
    }
}

#[async_trait]
impl Cdn for CloudFront {
    async fn site(&self, distribution: &str) -> Result<Site, TargetError> {
        const ACTION: &str = "cloudfront:GetDistribution";
        let answer = self.client.get_distribution().id(distribution).send().await;
        let answer = answer.map_err(|error| explain(ACTION, self.arn(distribution), error))?;
        let found = answer.distribution.ok_or_else(|| incomplete(ACTION, distribution))?;
        let _ = self.seen.set(found.arn.clone());
        let config = found
            .distribution_config
            .as_ref()
            .ok_or_else(|| incomplete(ACTION, distribution))?;
        let default = config
            .default_cache_behavior
            .as_ref()
            .ok_or_else(|| incomplete(ACTION, distribution))?;
        let default_view = Behavior {
            target_origin_id: &default.target_origin_id,
            policy_id: default.cache_policy_id.as_deref().filter(|id| !id.is_empty()),
            forwarded: default.forwarded_values.as_ref(),
            ttl: [default.min_ttl, default.default_ttl, default.max_ttl],
            runs_functions: default
                .function_associations
                .as_ref()
                .is_some_and(|list| list.quantity > 0)
                || default
                    .lambda_function_associations
                    .as_ref()
                    .is_some_and(|list| list.quantity > 0),
            protocol: &default.viewer_protocol_policy,
        };
        let default_view = self.view(config, default_view).await?;
        let mut views = Vec::new();
        for behavior in config
            .cache_behaviors
            .as_ref()
            .map(|list| list.items())
            .unwrap_or_default()
        {
            let parts = Behavior {
                target_origin_id: &behavior.target_origin_id,
                policy_id: behavior.cache_policy_id.as_deref().filter(|id| !id.is_empty()),
                forwarded: behavior.forwarded_values.as_ref(),
                ttl: [behavior.min_ttl, behavior.default_ttl, behavior.max_ttl],
                runs_functions: behavior
                    .function_associations
                    .as_ref()
                    .is_some_and(|list| list.quantity > 0)
                    || behavior
                        .lambda_function_associations
                        .as_ref()
                        .is_some_and(|list| list.quantity > 0),
                protocol: &behavior.viewer_protocol_policy,
            };
            views.push((behavior.path_pattern.clone(), self.view(config, parts).await?));
        }
        let pages = config
            .custom_error_responses
            .as_ref()
            .map(|list| list.items())
            .unwrap_or_default();
        let error_pages = pages.iter().map(|page| ErrorPage {
            status: u16::try_from(page.error_code).unwrap_or(0),
            page: page.response_page_path.clone().filter(|path| !path.is_empty()),
            min_ttl_secs: page
                .error_caching_min_ttl
                .map_or(10, |secs| u64::try_from(secs).unwrap_or(0)),
        });
        let buckets = origins_of(config).iter().filter_map(|origin| {
            let origin_path = origin.origin_path.clone().unwrap_or_default();
            Some((bucket_of(origin).0?, origin_path))
        });
        Ok(Site {
            distribution: found.id.clone(),
            arn: found.arn.clone(),
            domain_name: found.domain_name.clone(),
            is_deployed: found.status == "Deployed",
            is_enabled: config.enabled,
            default_root_object: config.default_root_object.clone().filter(|name| !name.is_empty()),
            views,
            default_view,
            buckets: buckets.collect(),
            error_pages: error_pages.collect(),
            tag_header: config
                .cache_tag_config
                .as_ref()
                .map(|tags| tags.header_name.to_ascii_lowercase()),
        })
    }

    async fn invalidate(
        &self,
        distribution: &str,
        caller_reference: &str,
        paths: &[String],
    ) -> Result<Invalidation, TargetError> {
        const ACTION: &str = "cloudfront:CreateInvalidation";
        let quantity = i32::try_from(paths.len()).unwrap_or(i32::MAX);
        let invalid = |_| incomplete(ACTION, distribution);
        let paths = Paths::builder()
            .quantity(quantity)
            .set_items(Some(paths.to_vec()))
            .build()
            .map_err(invalid)?;
        let batch = InvalidationBatch::builder()
            .paths(paths)
            .caller_reference(caller_reference)
            .build()
            .map_err(invalid)?;
        let request = self
            .client
            .create_invalidation()
            .distribution_id(distribution)
            .invalidation_batch(batch);
        let answer = request
            .send()
            .await
            .map_err(|error| explain(ACTION, self.arn(distribution), error))?;
        let created = answer.invalidation.ok_or_else(|| incomplete(ACTION, distribution))?;
        Ok(shown(&created))
    }

    async fn invalidation(&self, distribution: &str, id: &str) -> Result<Invalidation, TargetError> {
        const ACTION: &str = "cloudfront:GetInvalidation";
        let answer = self
            .client
            .get_invalidation()
            .distribution_id(distribution)
            .id(id)
            .send()
            .await;
        let answer = answer.map_err(|error| explain(ACTION, self.arn(distribution), error))?;
        Ok(shown(
            &answer.invalidation.ok_or_else(|| incomplete(ACTION, distribution))?,
        ))
    }

    async fn invalidations(
        &self,
        distribution: &str,
        since_unix_secs: i64,
        known: &BTreeSet<String>,
    ) -> Result<Vec<Invalidation>, TargetError> {
        const ACTION: &str = "cloudfront:ListInvalidations";
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let request = self
                .client
                .list_invalidations()
                .distribution_id(distribution)
                .set_marker(marker);
            let answer = request
                .send()
                .await
                .map_err(|error| explain(ACTION, self.arn(distribution), error))?;
            let list = answer
                .invalidation_list
                .ok_or_else(|| incomplete(ACTION, distribution))?;
            for summary in list.items() {
                // The newest come first.
                if summary.create_time.secs() < since_unix_secs {
                    return Ok(found);
                }
                found.push(Invalidation {
                    id: summary.id.clone(),
                    is_completed: summary.status == "Completed",
                    paths: None,
                });
            }
            let met_known = found
                .last()
                .is_some_and(|last| last.is_completed && known.contains(&last.id));
            marker = list.next_marker.filter(|next| list.is_truncated && !next.is_empty());
            if marker.is_none() || met_known {
                return Ok(found);
            }
        }
    }

    async fn distributions(&self) -> Result<Vec<String>, TargetError> {
        const ACTION: &str = "cloudfront:ListDistributions";
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let request = self.client.list_distributions().set_marker(marker);
            let answer = request
                .send()
                .await
                .map_err(|error| explain(ACTION, "*".into(), error))?;
            let list = answer.distribution_list.ok_or_else(|| incomplete(ACTION, "*"))?;
            found.extend(list.items().iter().map(|summary| summary.id.clone()));
            marker = list.next_marker.filter(|next| list.is_truncated && !next.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
    }
}
