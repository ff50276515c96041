use super::*;

fn check(request: &str, expected: Operation, labels: &[(&str, &str)]) {
    let (method, target) = request.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Routed::Implemented {
        operation,
        labels: found,
    } = route(method, path, query)
    else {
        panic!("{request} is no operation that exists");
    };
    assert_eq!(operation, expected, "{request}");
    let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(found, labels, "{request}");
}

#[test]
fn every_operation_that_exists_is_reached_by_its_documented_request_line() {
    use Operation::*;
    let id = &[("Id", "E1")];
    for (request, operation, labels) in [
        ("POST /2020-05-31/distribution", CreateDistribution, &[][..]),
        (
            "POST /2020-05-31/distribution?WithTags",
            CreateDistributionWithTags,
            &[],
        ),
        ("GET /2020-05-31/distribution/E1", GetDistribution, id),
        ("GET /2020-05-31/distribution/E1/config", GetDistributionConfig, id),
        ("PUT /2020-05-31/distribution/E1/config", UpdateDistribution, id),
        ("DELETE /2020-05-31/distribution/E1", DeleteDistribution, id),
        ("GET /2020-05-31/distribution?MaxItems=1", ListDistributions, &[]),
        (
            "POST /2020-05-31/distribution/E1/invalidation",
            CreateInvalidation,
            &[("DistributionId", "E1")],
        ),
        (
            "GET /2020-05-31/distribution/E1/invalidation/I2",
            GetInvalidation,
            &[("DistributionId", "E1"), ("Id", "I2")],
        ),
        (
            "GET /2020-05-31/distribution/E1/invalidation",
            ListInvalidations,
            &[("DistributionId", "E1")],
        ),
        ("POST /2020-05-31/origin-access-control", CreateOriginAccessControl, &[]),
        ("GET /2020-05-31/origin-access-control/E1", GetOriginAccessControl, id),
        (
            "GET /2020-05-31/origin-access-control/E1/config",
            GetOriginAccessControlConfig,
            id,
        ),
        (
            "PUT /2020-05-31/origin-access-control/E1/config",
            UpdateOriginAccessControl,
            id,
        ),
        (
            "DELETE /2020-05-31/origin-access-control/E1",
            DeleteOriginAccessControl,
            id,
        ),
        ("GET /2020-05-31/origin-access-control", ListOriginAccessControls, &[]),
        ("GET /2020-05-31/cache-policy/E1", GetCachePolicy, id),
        ("GET /2020-05-31/cache-policy/E1/config", GetCachePolicyConfig, id),
        ("GET /2020-05-31/cache-policy?Type=managed", ListCachePolicies, &[]),
        ("POST /2020-05-31/cache-policy", CreateCachePolicy, &[]),
        ("PUT /2020-05-31/cache-policy/E1", UpdateCachePolicy, id),
        ("DELETE /2020-05-31/cache-policy/E1", DeleteCachePolicy, id),
        (
            "GET /2020-05-31/distributionsByCachePolicyId/E1?MaxItems=1",
            ListDistributionsByCachePolicyId,
            &[("CachePolicyId", "E1")],
        ),
        ("POST /2020-05-31/origin-request-policy", CreateOriginRequestPolicy, &[]),
        ("GET /2020-05-31/origin-request-policy/E1", GetOriginRequestPolicy, id),
        (
            "GET /2020-05-31/origin-request-policy/E1/config",
            GetOriginRequestPolicyConfig,
            id,
        ),
        (
            "PUT /2020-05-31/origin-request-policy/E1",
            UpdateOriginRequestPolicy,
            id,
        ),
        (
            "DELETE /2020-05-31/origin-request-policy/E1",
            DeleteOriginRequestPolicy,
            id,
        ),
        (
            "GET /2020-05-31/origin-request-policy?Type=custom",
            ListOriginRequestPolicies,
            &[],
        ),
        (
            "GET /2020-05-31/distributionsByOriginRequestPolicyId/E1",
            ListDistributionsByOriginRequestPolicyId,
            &[("OriginRequestPolicyId", "E1")],
        ),
        (
            "POST /2020-05-31/response-headers-policy",
            CreateResponseHeadersPolicy,
            &[],
        ),
        (
            "GET /2020-05-31/response-headers-policy/E1",
            GetResponseHeadersPolicy,
            id,
        ),
        (
            "GET /2020-05-31/response-headers-policy/E1/config",
            GetResponseHeadersPolicyConfig,
            id,
        ),
        (
            "PUT /2020-05-31/response-headers-policy/E1",
            UpdateResponseHeadersPolicy,
            id,
        ),
        (
            "DELETE /2020-05-31/response-headers-policy/E1",
            DeleteResponseHeadersPolicy,
            id,
        ),
        (
            "GET /2020-05-31/response-headers-policy",
            ListResponseHeadersPolicies,
            &[],
        ),
        (
            "GET /2020-05-31/distributionsByResponseHeadersPolicyId/E1",
            ListDistributionsByResponseHeadersPolicyId,
            &[("ResponseHeadersPolicyId", "E1")],
        ),
        ("POST /2020-05-31/tagging?Operation=Tag&Resource=arn", TagResource, &[]),
        (
            "POST /2020-05-31/tagging?Resource=arn&Operation=Untag",
            UntagResource,
            &[],
        ),
        ("GET /2020-05-31/tagging?Resource=arn", ListTagsForResource, &[]),
    ] {
        check(request, operation, labels);
    }
}

#[test]
fn a_query_parameter_distinguishes_operations_however_it_is_written() {
    check(
        "POST /2020-05-31/distribution?WithTags=",
        Operation::CreateDistributionWithTags,
        &[],
    );
    check(
        "POST /2020-05-31/distribution?a=b&WithTags=true",
        Operation::CreateDistributionWithTags,
        &[],
    );
    check(
        "POST /2020-05-31/distribution?withtags",
        Operation::CreateDistribution,
        &[],
    );
    assert_eq!(route("POST", "/2020-05-31/tagging", ""), Routed::Unknown);
    assert_eq!(route("POST", "/2020-05-31/tagging", "Operation=Paint"), Routed::Unknown);
}

#[test]
fn labels_are_decoded_after_the_path_is_split() {
    check(
        "GET /2020-05-31/distribution/a%2Fb%20c/config",
        Operation::GetDistributionConfig,
        &[("Id", "a/b c")],
    );
    check(
        "GET /2020-05-31/distribution/E1/",
        Operation::GetDistribution,
        &[("Id", "E1")],
    );
    check("GET /2020-05-31/distribution/", Operation::ListDistributions, &[]);
    check(
        "GET /2020-05-31/distribution/%ff",
        Operation::GetDistribution,
        &[("Id", "\u{fffd}")],
    );
}

#[test]
fn operations_that_do_not_exist_are_named() {
    for (method, path, name) in [
        ("POST", "/2020-05-31/function", "CreateFunction"),
        ("POST", "/2020-05-31/key-group", "CreateKeyGroup"),
        ("POST", "/2020-05-31/distribution/E1/copy", "CopyDistribution"),
        ("PUT", "/2020-05-31/distribution/E1/associate-alias", "AssociateAlias"),
        (
            "POST",
            "/2020-05-31/distribution-tenant/dt_1/invalidation",
            "CreateInvalidationForDistributionTenant",
        ),
        (
            "GET",
            "/2020-05-31/origin-access-identity/cloudfront",
            "ListCloudFrontOriginAccessIdentities",
        ),
    ] {
        assert_eq!(
            route(method, path, ""),
            Routed::NotImplemented { name },
            "{method} {path}"
        );
    }
}

#[test]
fn anything_else_is_no_operation() {
    for (method, path) in [
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/2020-05-31"),
        ("PATCH", "/2020-05-31/distribution"),
        ("get", "/2020-05-31/distribution"),
        ("GET", "/2019-03-26/distribution"),
        ("GET", "/2020-05-31/distribution//config"),
        ("GET", "/2020-05-31/distribution/E1//"),
        ("GET", "//2020-05-31/distribution"),
        ("GET", "/2020-05-31/distribution/E1/invalidation/I1/more"),
    ] {
        assert_eq!(route(method, path, ""), Routed::Unknown, "{method} {path}");
    }
}

#[test]
fn query_parameters_are_decoded() {
    assert_eq!(
        query_parameter("Marker=a%20b+c&MaxItems=1", "Marker").as_deref(),
        Some("a b c")
    );
    assert_eq!(query_parameter("Marker=a&MaxItems=1", "MaxItems").as_deref(), Some("1"));
    assert_eq!(query_parameter("WithTags", "WithTags").as_deref(), Some(""));
    assert_eq!(
        query_parameter("Resource=arn:aws:cloudfront::1:a%2fb=c", "Resource").as_deref(),
        Some("arn:aws:cloudfront::1:a/b=c")
    );
    assert_eq!(query_parameter("Marker=a", "marker"), None);
    assert_eq!(query_parameter("", "Marker"), None);
}

#[test]
fn operations_have_awss_names_and_statuses() {
    for (operation, name, status) in [
        (Operation::CreateInvalidation, "CreateInvalidation", 201),
        (Operation::UpdateDistribution, "UpdateDistribution", 200),
        (Operation::DeleteDistribution, "DeleteDistribution", 204),
        (Operation::TagResource, "TagResource", 204),
    ] {
        assert_eq!((operation.name(), operation.success_status()), (name, status));
    }
    assert_eq!(Operation::ALL.len(), 40);
}
