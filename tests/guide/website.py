"""A bucket behind a distribution with an origin access control, set up as the guide recommends."""

import json
import time
import uuid

from clients import boto
from viewer import Viewer

CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
WAIT_SECS_MAX = 20


def behavior(origin, policy="allow-all", ttl=(0, 86400, 31536000), **members):
    """The guide's shape of a cache behavior: a managed cache policy and TTL members side by side."""
    least, default, most = ttl
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": policy,
        "CachePolicyId": CACHING_OPTIMIZED,
        "Compress": True,
        "MinTTL": least,
        "DefaultTTL": default,
        "MaxTTL": most,
        **members,
    }


def query_string_behavior(origin):
    """A behavior whose cache key has the whole query string."""
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "allow-all",
        "ForwardedValues": {"QueryString": True, "Cookies": {"Forward": "none"}},
        "MinTTL": 0,
        "DefaultTTL": 86400,
        "MaxTTL": 31536000,
    }


def bucket_origin(bucket, access_control=None):
    origin = {
        "Id": f"S3-{bucket}",
        "DomainName": f"{bucket}.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    return dict(origin, OriginAccessControlId=access_control) if access_control else origin


def custom_origin(port, domain="localhost", **settings):
    return {
        "Id": "custom",
        "DomainName": domain,
        "ConnectionAttempts": 1,
        "ConnectionTimeout": 1,
        "CustomOriginConfig": {
            "HTTPPort": port,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
            **settings,
        },
    }


def distribution_config(origin, default=None, behaviors=(), **members):
    return {
        "CallerReference": str(uuid.uuid4()),
        "Comment": "guide",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": default or behavior(origin["Id"]),
        "CacheBehaviors": {"Quantity": len(behaviors), "Items": list(behaviors)},
        **members,
    }


def access_control_config(name):
    return {
        "Name": name,
        "Description": "the distribution alone reads the bucket",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }


def read_policy(bucket, distribution_arn, list_too=False):
    """Lets one distribution read the objects of a bucket; with `list_too`, also learn which are missing."""
    condition = {"StringEquals": {"AWS:SourceArn": distribution_arn}}
    principal = {"Service": "cloudfront.amazonaws.com"}

    def allow(sid, action, resource):
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": principal,
            "Action": [action],
            "Resource": resource,
            "Condition": condition,
        }

    statements = [allow("ReadObjects", "s3:GetObject", f"arn:aws:s3:::{bucket}/*")]
    if list_too:
        statements.append(allow("SeeWhatIsMissing", "s3:ListBucket", f"arn:aws:s3:::{bucket}"))
    return {"Version": "2012-10-17", "Statement": statements}


class Website:
    """One distribution on one machine, and its bucket if it has one."""

    def __init__(self, machine, distribution, bucket=None):
        self.machine = machine
        self.bucket = bucket
        self.id = distribution["Id"]
        self.arn = distribution["ARN"]
        self.host = f"{self.id.lower()}.cloudfront.localhost"
        self.cloudfront = boto(machine, "cloudfront")
        self.s3 = boto(machine, "s3")
        self.viewer = Viewer(machine, self.host)
        until(lambda: self.cloudfront.get_distribution(Id=self.id)["Distribution"]["Status"] == "Deployed")

    def put(self, key, body, **headers):
        body = body.encode() if isinstance(body, str) else body
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **headers)

    def get(self, path, **options):
        return self.viewer.get(path, **options)

    def warm(self, *paths):
        """Asks until the edge answers from its cache, and gives the last answers."""
        for path in paths:
            self.get(path)
        answers = [self.get(path) for path in paths]
        for path, answer in zip(paths, answers):
            assert answer.hit, f"{path}: {answer.status} {answer.x_cache}"
        return answers

    def create_invalidation(self, *paths, reference=None):
        batch = {
            "Paths": {"Quantity": len(paths), "Items": list(paths)},
            "CallerReference": reference or str(uuid.uuid4()),
        }
        return self.cloudfront.create_invalidation(DistributionId=self.id, InvalidationBatch=batch)["Invalidation"]

    def status(self, invalidation):
        answer = self.cloudfront.get_invalidation(DistributionId=self.id, Id=invalidation)
        return answer["Invalidation"]["Status"]

    def invalidate(self, *paths, reference=None):
        """Creates an invalidation and returns when it reads Completed."""
        created = self.create_invalidation(*paths, reference=reference)
        until(lambda: self.status(created["Id"]) == "Completed")
        return created

    def invalidations(self):
        pages = self.cloudfront.get_paginator("list_invalidations").paginate(DistributionId=self.id)
        return [item for page in pages for item in page["InvalidationList"].get("Items", [])]

    def update(self, edit):
        """get-distribution-config, `edit` it in place, update-distribution with its ETag."""
        answer = self.cloudfront.get_distribution_config(Id=self.id)
        edit(answer["DistributionConfig"])
        self.cloudfront.update_distribution(
            Id=self.id, IfMatch=answer["ETag"], DistributionConfig=answer["DistributionConfig"]
        )
        until(lambda: self.cloudfront.get_distribution(Id=self.id)["Distribution"]["Status"] == "Deployed")


def make_website(machine, default=None, behaviors=(), policy=True, list_too=True, **members):
    """A bucket, an origin access control, a distribution and the bucket policy that lets it in.

    `default` and `behaviors` are functions from the origin's id to a cache behavior.
    """
    name = f"site-{uuid.uuid4().hex[:12]}"
    cloudfront, s3 = boto(machine, "cloudfront"), boto(machine, "s3")
    s3.create_bucket(Bucket=name)
    control = cloudfront.create_origin_access_control(OriginAccessControlConfig=access_control_config(name))
    origin = bucket_origin(name, control["OriginAccessControl"]["Id"])
    config = distribution_config(
        origin,
        default=default(origin["Id"]) if default else None,
        behaviors=[make(origin["Id"]) for make in behaviors],
        **members,
    )
    website = Website(machine, cloudfront.create_distribution(DistributionConfig=config)["Distribution"], name)
    if policy:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(read_policy(name, website.arn, list_too)))
    return website


def make_custom_website(machine, origin, default=None, **members):
    """A distribution in front of a web server of the test's own."""
    config = distribution_config(origin, default=default, **members)
    created = boto(machine, "cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    return Website(machine, created)


def until(condition):
    """Returns when `condition` holds; fails after a while."""
    deadline = time.monotonic() + WAIT_SECS_MAX
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {WAIT_SECS_MAX} s"
        time.sleep(0.01)
