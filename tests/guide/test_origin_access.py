"""A bucket that only its distribution may read: access control, bucket policy, and what a viewer meets without them."""

import json
import uuid

import pytest

from clients import Cli, boto, curl
from website import (
    Website,
    access_control_config,
    bucket_origin,
    distribution_config,
    make_website,
    read_policy,
    until,
)


def new_bucket(machine):
    name = f"site-{uuid.uuid4().hex[:12]}"
    boto(machine, "s3").create_bucket(Bucket=name)
    return name


def test_the_access_control_is_attached_with_update_distribution(cli, machine, tmp_path):
    """From a distribution that the bucket keeps out, by the CLI alone, to one that it lets in."""
    bucket = new_bucket(machine)
    config = distribution_config(bucket_origin(bucket))
    created = boto(machine, "cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    website = Website(machine, created, bucket)
    website.put("index.html", "hello")
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(read_policy(bucket, website.arn)))
    cli.run("s3api", "put-bucket-policy", "--bucket", bucket, "--policy", f"file://{policy}")
    assert website.get("/index.html").status == 403, "requests that nobody signed are not the distribution's"

    identifier = cli.text(
        "cloudfront", "create-origin-access-control",
        "--origin-access-control-config", json.dumps(access_control_config(bucket)),
        "--query", "OriginAccessControl.Id",
    )  # fmt: skip
    answer = cli.json("cloudfront", "get-distribution-config", "--id", website.id)
    answer["DistributionConfig"]["Origins"]["Items"][0]["OriginAccessControlId"] = identifier
    edited = tmp_path / "distribution.json"
    edited.write_text(json.dumps(answer["DistributionConfig"]))
    updated = cli.json(
        "cloudfront", "update-distribution", "--id", website.id, "--if-match", answer["ETag"],
        "--distribution-config", f"file://{edited}",
    )  # fmt: skip
    origin = updated["Distribution"]["DistributionConfig"]["Origins"]["Items"][0]
    assert origin["OriginAccessControlId"] == identifier
    cli.run("cloudfront", "wait", "distribution-deployed", "--id", website.id)
    website.invalidate("/*")
    answer = website.get("/index.html")
    assert (answer.status, answer.body) == (200, b"hello")


def test_without_the_policy_the_viewer_meets_403(machine):
    website = make_website(machine, policy=False)
    website.put("index.html", "hello")
    answer = website.get("/index.html")
    assert answer.status == 403
    assert answer.x_cache == "Error from cloudfront"
    assert b"hello" not in answer.body


def test_the_policy_names_one_distribution(machine):
    website = make_website(machine)
    website.put("index.html", "hello")
    control = website.cloudfront.get_distribution_config(Id=website.id)["DistributionConfig"]["Origins"]["Items"][0]
    config = distribution_config(bucket_origin(website.bucket, control["OriginAccessControlId"]))
    other = Website(machine, website.cloudfront.create_distribution(DistributionConfig=config)["Distribution"])
    assert website.get("/index.html").status == 200
    assert other.get("/index.html").status == 403


@pytest.mark.parametrize(("list_too", "status"), [(False, 403), (True, 404)])
def test_a_missing_object_shows_only_to_who_may_list(machine, list_too, status):
    website = make_website(machine, list_too=list_too)
    assert website.get("/missing.html").status == status


def test_a_403_is_cached_briefly(manual):
    website = make_website(manual, policy=False)
    website.put("index.html", "hello")
    assert website.get("/index.html").status == 403
    website.s3.put_bucket_policy(Bucket=website.bucket, Policy=json.dumps(read_policy(website.bucket, website.arn)))
    assert website.get("/index.html").status == 403, "still the cached error"
    manual.advance("11s")
    assert website.get("/index.html").status == 200


def test_an_invalidation_clears_a_cached_error(manual):
    website = make_website(manual, policy=False)
    website.put("index.html", "hello")
    assert website.get("/index.html").status == 403
    website.s3.put_bucket_policy(Bucket=website.bucket, Policy=json.dumps(read_policy(website.bucket, website.arn)))
    website.invalidate("/index.html")
    assert website.get("/index.html").status == 200


def test_the_bucket_itself_stays_closed(machine, website):
    """Whoever goes past the distribution is turned away, with or without a claim to be CloudFront."""
    website.put("index.html", "hello")
    url = f"{machine.ready['bucket']}/{website.bucket}/index.html"
    forged = ["-H", f"x-amz-source-arn: {website.arn}", "-H", f"aws-sourcearn: {website.arn}"]
    for headers in ([], forged):
        printed = curl(machine, "-o", "/dev/null", "-w", "%{http_code}", *headers, url)
        assert printed.stdout == b"403"


def test_block_public_access_refuses_a_policy_for_everyone(cli, machine, tmp_path):
    bucket = new_bucket(machine)
    block = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
    cli.run("s3api", "put-public-access-block", "--bucket", bucket, "--public-access-block-configuration", block)
    everyone = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
        ],
    }
    refused = cli.refused("s3api", "put-bucket-policy", "--bucket", bucket, "--policy", json.dumps(everyone))
    assert "AccessDenied" in refused
    arn = "arn:aws:cloudfront::123456789012:distribution/E1ABCDEF2GHIJK"
    ours = tmp_path / "policy.json"
    ours.write_text(json.dumps(read_policy(bucket, arn)))
    cli.run("s3api", "put-bucket-policy", "--bucket", bucket, "--policy", f"file://{ours}")
    read = cli.json("s3api", "get-bucket-policy", "--bucket", bucket)
    assert json.loads(read["Policy"]) == read_policy(bucket, arn)


def test_a_bucket_that_blocks_public_access_lets_its_distribution_in(version, machine):
    website = make_website(machine)
    website.put("index.html", "hello")
    block = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
    Cli(version, machine).run(
        "s3api", "put-public-access-block", "--bucket", website.bucket, "--public-access-block-configuration", block
    )
    assert website.get("/index.html").status == 200


def test_signing_never_asks_without_signature(machine):
    website = make_website(machine)
    website.put("index.html", "hello")
    origin = website.cloudfront.get_distribution_config(Id=website.id)["DistributionConfig"]["Origins"]["Items"][0]
    identifier = origin["OriginAccessControlId"]
    read = website.cloudfront.get_origin_access_control_config(Id=identifier)
    website.cloudfront.update_origin_access_control(
        Id=identifier,
        IfMatch=read["ETag"],
        OriginAccessControlConfig=dict(read["OriginAccessControlConfig"], SigningBehavior="never"),
    )

    def unsigned():
        website.invalidate("/*")
        return website.get("/index.html").status == 403

    until(unsigned)
