"""At most 15 invalidations in progress, and what viewers see meanwhile."""

import pytest
from botocore.exceptions import ClientError

from clients import Cli
from test_invalidations import IN_PROGRESS
from website import make_website, until


@pytest.fixture(scope="module")
def slow_machine(start):
    return start("--clock", "manual", "--propagation-delay", "20s")


@pytest.fixture
def slow(slow_machine):
    """A machine where an invalidation takes 20 s to arrive at the edge, by a clock that stands still."""
    yield slow_machine
    slow_machine.advance("60s")


@pytest.fixture
def other(slow):
    """Another distribution, there before any invalidation is under way."""
    return make_website(slow)


@pytest.fixture
def full(slow):
    """A website with a warm cache, a changed page, and 15 invalidations in progress."""
    website = make_website(slow)
    website.put("index.html", "first", CacheControl="max-age=86400")
    website.warm("/index.html")
    website.put("index.html", "second", CacheControl="max-age=86400")
    website.first = website.create_invalidation("/index.html")
    for number in range(14):
        website.create_invalidation(f"/{number}.html")
    return website


def pass_the_delay(website):
    website.machine.advance("60s")
    until(lambda: website.status(website.first["Id"]) == "Completed")


def count(cli, website):
    return cli.text(
        "cloudfront", "list-invalidations", "--distribution-id", website.id, "--query", IN_PROGRESS
    )


def test_the_sixteenth_is_refused_until_the_others_are_completed(version, full):
    cli = Cli(version, full.machine)
    assert count(cli, full) == "15"
    create = ["cloudfront", "create-invalidation", "--distribution-id", full.id, "--paths", "/sixteenth.html"]
    assert "TooManyInvalidationsInProgress" in cli.refused(*create)
    assert count(cli, full) == "15"
    pass_the_delay(full)
    until(lambda: count(cli, full) == "0")
    cli.run(*create)
    assert count(cli, full) == "1"


def test_a_program_sees_the_error_code(full):
    with pytest.raises(ClientError) as refused:
        full.create_invalidation("/sixteenth.html")
    answer = refused.value.response
    assert answer["Error"]["Code"] == "TooManyInvalidationsInProgress"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "15" in answer["Error"]["Message"], "the message says which limit it is"


def test_other_distributions_have_a_limit_of_their_own(other, full):
    assert other.create_invalidation("/index.html")["Status"] == "InProgress"


def test_a_distribution_counts_its_batches_in_progress(full):
    distribution = full.cloudfront.get_distribution(Id=full.id)["Distribution"]
    assert distribution["InProgressInvalidationBatches"] == 15
    pass_the_delay(full)
    until(lambda: full.cloudfront.get_distribution(Id=full.id)["Distribution"]["InProgressInvalidationBatches"] == 0)


def test_one_batch_instead_of_many_calls(slow):
    """Fifteen calls fill the quota; one call with all the paths leaves room for fourteen more."""
    website = make_website(slow)
    website.create_invalidation(*[f"/{number}.html" for number in range(100)])
    assert website.create_invalidation("/another.html")["Status"] == "InProgress"


def test_viewers_meet_the_old_page_until_the_delay_has_passed(full):
    assert full.status(full.first["Id"]) == "InProgress"
    answer = full.get("/index.html")
    assert answer.hit and answer.body == b"first"
    pass_the_delay(full)
    answer = full.get("/index.html")
    assert answer.missed and answer.body == b"second"


def test_a_retry_is_answered_even_when_the_quota_is_full(full):
    batch = full.invalidations()
    again = full.cloudfront.get_invalidation(DistributionId=full.id, Id=full.first["Id"])["Invalidation"]
    reference = again["InvalidationBatch"]["CallerReference"]
    assert full.create_invalidation("/index.html", reference=reference)["Id"] == full.first["Id"]
    assert len(full.invalidations()) == len(batch)
