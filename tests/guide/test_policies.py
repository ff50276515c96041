"""Custom policies of the three kinds, made with boto3 and seen by viewers and origins."""

import uuid

import pytest
from botocore.exceptions import ClientError

from clients import boto
from origins import origin
from website import custom_origin, make_custom_website, make_website, until

CORS_WITH_PREFLIGHT = "5cc3b908-e619-4b99-88e5-2cf7f45965bd"
ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\ngood"


def name():
    return f"policy-{uuid.uuid4().hex[:12]}"


def cache_policy_config(query_strings, default_ttl=60):
    return {
        "Name": name(),
        "MinTTL": 0,
        "DefaultTTL": default_ttl,
        "MaxTTL": 3600,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": True,
            "EnableAcceptEncodingBrotli": True,
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": query_strings,
        },
    }


def plain_behavior(origin_id, **policies):
    return {"TargetOriginId": origin_id, "ViewerProtocolPolicy": "allow-all", **policies}


def response_headers_config(frame_option):
    return {
        "Name": name(),
        "SecurityHeadersConfig": {"FrameOptions": {"Override": True, "FrameOption": frame_option}},
        "CustomHeadersConfig": {"Quantity": 1, "Items": [{"Header": "X-Team", "Value": "web", "Override": False}]},
    }


def test_a_cache_policy_changes_what_its_distribution_keys_by(machine):
    cloudfront = boto(machine, "cloudfront")
    created = cloudfront.create_cache_policy(CachePolicyConfig=cache_policy_config({"QueryStringBehavior": "none"}))
    policy = created["CachePolicy"]
    site = make_website(machine, default=lambda id: plain_behavior(id, CachePolicyId=policy["Id"]))
    site.put("a", "one")
    site.warm("/a?x=1")
    assert site.get("/a?x=2").hit
    config = cloudfront.get_cache_policy_config(Id=policy["Id"])
    changed = config["CachePolicyConfig"]
    changed["ParametersInCacheKeyAndForwardedToOrigin"]["QueryStringsConfig"] = {
        "QueryStringBehavior": "whitelist",
        "QueryStrings": {"Quantity": 1, "Items": ["x"]},
    }
    cloudfront.update_cache_policy(Id=policy["Id"], IfMatch=config["ETag"], CachePolicyConfig=changed)
    until(lambda: site.get(f"/a?x={uuid.uuid4()}").missed)
    users = cloudfront.list_distributions_by_cache_policy_id(CachePolicyId=policy["Id"])
    assert users["DistributionIdList"]["Items"] == [site.id]
    etag = cloudfront.get_cache_policy(Id=policy["Id"])["ETag"]
    with pytest.raises(ClientError, match="CachePolicyInUse"):
        cloudfront.delete_cache_policy(Id=policy["Id"], IfMatch=etag)


def test_an_origin_request_policy_sends_more_than_the_key(machine):
    cloudfront = boto(machine, "cloudfront")
    key = cloudfront.create_cache_policy(CachePolicyConfig=cache_policy_config({"QueryStringBehavior": "none"}))
    more = cloudfront.create_origin_request_policy(
        OriginRequestPolicyConfig={
            "Name": name(),
            "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Referer"]}},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "all"},
        }
    )
    with origin(lambda connection, _: connection.sendall(ANSWER)) as server:
        behavior = plain_behavior(
            "custom",
            CachePolicyId=key["CachePolicy"]["Id"],
            OriginRequestPolicyId=more["OriginRequestPolicy"]["Id"],
        )
        site = make_custom_website(machine, custom_origin(server.port), default=behavior)
        assert site.get("/a?x=1", headers={"Referer": "/b", "X-Other": "1"}).missed
        assert site.get("/a?x=2").hit
        (request,) = [request.decode().lower() for request in server.requests]
        assert request.startswith("get /a?x=1 ")
        assert "referer: /b" in request and "x-other" not in request


def test_a_response_headers_policy_shows_on_hits_as_it_is_now(machine):
    cloudfront = boto(machine, "cloudfront")
    created = cloudfront.create_response_headers_policy(ResponseHeadersPolicyConfig=response_headers_config("DENY"))
    policy = created["ResponseHeadersPolicy"]["Id"]
    site = make_website(
        machine,
        default=lambda id: plain_behavior(
            id, CachePolicyId="658327ea-f89d-4fab-a63d-7e88639e58f6", ResponseHeadersPolicyId=policy
        ),
    )
    site.put("a", "one")
    (hit,) = site.warm("/a")
    assert (hit.headers["x-frame-options"], hit.headers["x-team"]) == ("DENY", "web")
    cloudfront.update_response_headers_policy(
        Id=policy, IfMatch=created["ETag"], ResponseHeadersPolicyConfig=response_headers_config("SAMEORIGIN")
    )
    until(lambda: site.get("/a").headers["x-frame-options"] == "SAMEORIGIN")
    assert site.get("/a").hit


def test_a_managed_policy_answers_cors_requests(machine):
    site = make_website(
        machine,
        default=lambda id: plain_behavior(
            id,
            CachePolicyId="658327ea-f89d-4fab-a63d-7e88639e58f6",
            ResponseHeadersPolicyId=CORS_WITH_PREFLIGHT,
        ),
    )
    site.put("a", "one")
    site.warm("/a")
    assert "access-control-allow-origin" not in site.get("/a").headers
    answer = site.get("/a", headers={"Origin": "https://a.test"})
    assert answer.hit and answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("kind", ["cache_policies", "origin_request_policies", "response_headers_policies"])
def test_every_kind_is_listed_by_type(machine, kind):
    cloudfront = boto(machine, "cloudfront")
    (policies,) = [it for key, it in getattr(cloudfront, f"list_{kind}")(Type="managed").items() if key.endswith("List")]
    assert policies["Quantity"] == len(policies["Items"]) >= 5
    assert {item["Type"] for item in policies["Items"]} == {"managed"}
