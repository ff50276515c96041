"""What real clients get when they ask for something wrong."""

import uuid

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from clients import Cli, boto, curl
from viewer import Viewer


def code_and_status(refused):
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_a_host_nobody_serves_is_403(machine, website):
    answer = Viewer(machine, "e1abcdef2ghijk.cloudfront.localhost").get("/")
    assert answer.status == 403
    assert Viewer(machine, "example.com").get("/").status == 403


def test_a_wrong_secret_is_refused(cli):
    wrong = {"AWS_SECRET_ACCESS_KEY": "wrong" * 8}
    assert "SignatureDoesNotMatch" in cli.refused("cloudfront", "list-distributions", environment=wrong)
    assert "SignatureDoesNotMatch" in cli.refused("s3api", "list-buckets", environment=wrong)


def test_an_unknown_key_is_refused(cli):
    unknown = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}
    assert "InvalidClientTokenId" in cli.refused("cloudfront", "list-distributions", environment=unknown)
    assert "InvalidAccessKeyId" in cli.refused("s3api", "list-buckets", environment=unknown)


def test_an_unsigned_call_is_refused(machine):
    client = boto(machine, "cloudfront", config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError) as refused:
        client.list_distributions()
    assert code_and_status(refused)[1] == 403
    printed = curl(machine, "-w", "\n%{http_code}", f"{machine.ready['control']}/2020-05-31/distribution")
    assert b"<ErrorResponse" in printed.stdout and printed.stdout.endswith(b"\n403")


def test_an_unknown_distribution_is_named_so(cli):
    for operation in ("get-distribution", "get-distribution-config"):
        assert "NoSuchDistribution" in cli.refused("cloudfront", operation, "--id", "E1ABCDEF2GHIJK")
    refused = cli.refused("cloudfront", "create-invalidation", "--distribution-id", "E1ABCDEF2GHIJK", "--paths", "/*")
    assert "NoSuchDistribution" in refused
    assert "NoSuchDistribution" in cli.refused("cloudfront", "list-invalidations", "--distribution-id", "../../etc")


def test_an_unknown_invalidation_is_named_so(cli, website):
    refused = cli.refused(
        "cloudfront", "get-invalidation", "--distribution-id", website.id, "--id", "I1ABCDEFGHIJKL"
    )
    assert "NoSuchInvalidation" in refused


def test_an_operation_that_is_not_there_says_its_name(version, machine):
    assert "ListFunctions" in Cli(version, machine).refused("cloudfront", "list-functions")
    with pytest.raises(ClientError) as refused:
        boto(machine, "cloudfront").list_functions()
    assert code_and_status(refused)[1] == 501
    assert "ListFunctions" in refused.value.response["Error"]["Message"]


def test_too_many_paths_in_one_batch(website):
    with pytest.raises(ClientError) as refused:
        website.create_invalidation(*[f"/{number}" for number in range(3001)])
    assert code_and_status(refused) == ("BatchTooLarge", 413)
    assert website.invalidations() == []


def test_as_many_paths_as_allowed(website):
    website.put("2999", "first")
    website.warm("/2999")
    website.put("2999", "second")
    website.invalidate(*[f"/{number}" for number in range(3000)])
    assert website.get("/2999").body == b"second"


def test_no_paths_at_all(website):
    with pytest.raises(ClientError) as refused:
        website.create_invalidation()
    assert code_and_status(refused)[1] == 400


def test_a_path_of_4000_characters_is_the_longest(website):
    website.invalidate("/" + "x" * 3999)
    with pytest.raises(ClientError) as refused:
        website.create_invalidation("/" + "x" * 4000)
    assert code_and_status(refused) == ("InvalidArgument", 400)


def test_a_quantity_that_does_not_fit(website):
    batch = {"Paths": {"Quantity": 2, "Items": ["/a"]}, "CallerReference": str(uuid.uuid4())}
    with pytest.raises(ClientError) as refused:
        website.cloudfront.create_invalidation(DistributionId=website.id, InvalidationBatch=batch)
    assert code_and_status(refused) == ("InconsistentQuantities", 400)


def test_s3_errors_have_s3s_names(cli, website):
    assert "NoSuchBucket" in cli.refused("s3api", "list-objects-v2", "--bucket", "no-such-bucket-here")
    assert "NoSuchKey" in cli.refused("s3api", "get-object", "--bucket", website.bucket, "--key", "none", "/dev/null")
    assert "NoSuchBucketPolicy" in cli.refused("s3api", "get-bucket-policy", "--bucket", new_bucket(cli))
    website.put("a", "x")
    assert "BucketNotEmpty" in cli.refused("s3api", "delete-bucket", "--bucket", website.bucket)


def new_bucket(cli):
    name = f"empty-{uuid.uuid4().hex[:12]}"
    cli.run("s3api", "create-bucket", "--bucket", name)
    return name
