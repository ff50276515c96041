"""What is acknowledged outlives the process."""

import subprocess

import pytest

from clients import boto
from machine import PROGRAM, clean_environment
from viewer import Viewer
from website import make_website, until


def test_everything_survives_kill_9(start):
    machine = start()
    website = make_website(machine)
    website.put("index.html", "hello", ContentType="text/html", CacheControl="max-age=60", Metadata={"built": "today"})
    completed = website.invalidate("/index.html")
    last = website.create_invalidation("/last.html", reference="release-1")
    machine.kill()

    again = start(data=machine.data)
    cloudfront, s3 = boto(again, "cloudfront"), boto(again, "s3")
    listed = cloudfront.list_distributions()["DistributionList"]["Items"]
    assert [item["Id"] for item in listed] == [website.id]
    head = s3.head_object(Bucket=website.bucket, Key="index.html")
    assert (head["ContentType"], head["CacheControl"], head["Metadata"]) == (
        "text/html", "max-age=60", {"built": "today"},
    )  # fmt: skip
    invalidations = cloudfront.list_invalidations(DistributionId=website.id)["InvalidationList"]["Items"]
    assert [item["Id"] for item in invalidations] == [last["Id"], completed["Id"]]

    def statuses():
        answer = cloudfront.list_invalidations(DistributionId=website.id)
        return {item["Status"] for item in answer["InvalidationList"]["Items"]}

    until(lambda: statuses() == {"Completed"})
    retried = cloudfront.create_invalidation(
        DistributionId=website.id,
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/last.html"]}, "CallerReference": "release-1"},
    )
    assert retried["Invalidation"]["Id"] == last["Id"]
    viewer = Viewer(again, website.host)
    assert viewer.get("/index.html").body == b"hello"
    assert viewer.get("/index.html").hit


def test_killed_in_the_middle_of_many_writes_nothing_acknowledged_is_lost(start):
    machine = start()
    website = make_website(machine)
    acknowledged = []
    for number in range(40):
        website.put(f"{number}", f"body {number}")
        acknowledged.append(website.create_invalidation(f"/{number}", reference=f"{number}")["Id"])
        until(lambda: website.status(acknowledged[-1]) == "Completed")
    machine.kill()
    again = start(data=machine.data)
    website.cloudfront = boto(again, "cloudfront")
    assert [item["Id"] for item in website.invalidations()] == acknowledged[::-1]
    s3 = boto(again, "s3")
    for number in range(40):
        body = s3.get_object(Bucket=website.bucket, Key=f"{number}")["Body"].read()
        assert body == f"body {number}".encode()


def serve_again(data, *options):
    return subprocess.run(
        [PROGRAM, "serve", "--data", data, *options],
        env=clean_environment(data), capture_output=True, text=True, timeout=30,
    )  # fmt: skip


def test_a_second_process_on_the_same_folder_is_refused(machine):
    free = [word for name in ("control", "edge", "edge-https", "bucket") for word in (f"--{name}", "127.0.0.1:0")]
    second = serve_again(machine.data, *free)
    assert second.returncode == 1
    assert second.stdout == ""
    assert str(machine.data) in second.stderr and "another warmfront process" in second.stderr
    assert boto(machine, "cloudfront").list_distributions(), "and the first one goes on"


def test_a_port_in_use_is_named(machine, tmp_path):
    taken = machine.ready["control"].removeprefix("http://")
    second = serve_again(tmp_path / "data", "--control", taken)
    assert second.returncode == 1
    assert taken in second.stderr and "--control" in second.stderr


def test_ready_within_a_second(start):
    assert start().ready_secs < 1


def test_ephemeral_keeps_nothing(start):
    machine = start("--ephemeral")
    make_website(machine)
    assert machine.stop() == 0
    again = start("--ephemeral", data=machine.data)
    assert boto(again, "cloudfront").list_distributions()["DistributionList"]["Quantity"] == 0


@pytest.mark.parametrize("listener", ["control", "edge", "edge_https", "bucket"])
def test_the_ready_line_gives_ip_literals(machine, listener):
    scheme = "https" if listener == "edge_https" else "http"
    assert machine.ready[listener].startswith(f"{scheme}://127.0.0.1:")
    assert machine.port(listener) > 0
