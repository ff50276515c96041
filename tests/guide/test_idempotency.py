"""A retry with the same caller reference."""

import pytest
from botocore.exceptions import ClientError

from website import make_website


def test_a_retry_gives_the_first_invalidation(website):
    first = website.create_invalidation("/index.html", reference="release-1")
    retried = website.create_invalidation("/index.html", reference="release-1")
    assert retried["Id"] == first["Id"]
    assert retried["CreateTime"] == first["CreateTime"]
    assert len(website.invalidations()) == 1


def test_a_retry_after_completion_gives_the_first_invalidation_and_clears_nothing(website):
    website.put("index.html", "first")
    first = website.invalidate("/index.html", reference="release-1")
    website.warm("/index.html")
    retried = website.create_invalidation("/index.html", reference="release-1")
    assert retried["Id"] == first["Id"]
    assert website.status(retried["Id"]) == "Completed"
    assert len(website.invalidations()) == 1
    assert website.get("/index.html").hit


def test_the_same_reference_for_other_paths_is_refused(website):
    website.create_invalidation("/index.html", reference="release-1")
    with pytest.raises(ClientError) as refused:
        website.create_invalidation("/other.html", reference="release-1")
    error = refused.value.response
    assert error["Error"]["Code"] == "InvalidArgument"
    assert "caller reference" in error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert len(website.invalidations()) == 1


def test_a_new_reference_is_a_new_invalidation(website):
    first = website.invalidate("/index.html", reference="release-1")
    second = website.invalidate("/index.html", reference="release-2")
    assert second["Id"] != first["Id"]
    assert len(website.invalidations()) == 2


def test_another_distribution_may_use_the_same_reference(machine, website):
    other = make_website(machine)
    assert website.invalidate("/a", reference="release-1")["Id"] != other.invalidate("/a", reference="release-1")["Id"]
    assert len(other.invalidations()) == 1


def test_the_cli_retries_too(cli, website):
    batch = '{"Paths":{"Quantity":1,"Items":["/index.html"]},"CallerReference":"release-1"}'
    command = ["cloudfront", "create-invalidation", "--distribution-id", website.id, "--invalidation-batch", batch]
    first = cli.json(*command)["Invalidation"]["Id"]
    website.cloudfront.get_waiter("invalidation_completed").wait(DistributionId=website.id, Id=first)
    assert cli.json(*command)["Invalidation"]["Id"] == first
