"""Waiting until an invalidation is Completed, in a script, with the CLI's waiter, and in a program."""

import time
import uuid
from pathlib import Path

from clients import boto

SCRIPT = Path(__file__).parent / "scripts/invalidate-and-wait.sh"


def change(website):
    website.put("index.html", "first")
    website.warm("/index.html")
    website.put("index.html", "second")


def test_a_script_that_polls(cli, website):
    change(website)
    printed = cli.shell(SCRIPT, website.id, "/index.html", "/manifest.json").stdout.splitlines()
    assert printed[0].startswith("id I")
    assert printed[-1] == "status Completed"
    assert website.get("/index.html").body == b"second"


def test_the_clis_waiter(cli, website):
    change(website)
    identifier = cli.text(
        "cloudfront", "create-invalidation", "--distribution-id", website.id, "--paths", "/index.html",
        "--query", "Invalidation.Id",
    )  # fmt: skip
    began = time.monotonic()
    cli.run("cloudfront", "wait", "invalidation-completed", "--distribution-id", website.id, "--id", identifier)
    assert time.monotonic() - began < 15, "the waiter asks again after 20 s, so the first answer was not Completed"
    assert website.get("/index.html").body == b"second"


def test_a_program(website):
    change(website)
    client = boto(website.machine, "cloudfront")
    reference = str(uuid.uuid4())
    created = client.create_invalidation(
        DistributionId=website.id,
        InvalidationBatch={
            "Paths": {"Quantity": 2, "Items": ["/index.html", "/manifest.json"]},
            "CallerReference": reference,
        },
    )
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    invalidation = created["Invalidation"]
    assert invalidation["Status"] == "InProgress"
    assert invalidation["InvalidationBatch"]["CallerReference"] == reference
    waiter = client.get_waiter("invalidation_completed")
    waiter.wait(DistributionId=website.id, Id=invalidation["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert website.get("/index.html").body == b"second"


def test_our_own_command_waits_too(website):
    change(website)
    website.machine.warmfront(
        "invalidate", "--data", str(website.machine.data), "--distribution", website.id, "--wait", "/index.html"
    )
    assert website.get("/index.html").body == b"second"


def test_completed_means_that_nothing_stale_is_left(website):
    """Many rounds: the answer that follows Completed is never the old one."""
    for round_number in range(50):
        website.put("index.html", f"version {round_number}")
        website.invalidate("/index.html")
        assert website.get("/index.html").body == f"version {round_number}".encode()
        assert website.get("/index.html").hit
