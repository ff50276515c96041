"""The program itself: what it prints, what it keeps to itself, how it ends."""

import subprocess

from clients import boto, curl
from machine import PROGRAM, clean_environment
from origins import origin
from viewer import Viewer
from website import make_website

PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n"
    b"Connection: close\r\n\r\nhello"
)


def test_env_removes_what_would_mislead_a_client(machine):
    """The shell that read it had a profile, a session token and ignored endpoints set."""
    names = machine.environment.keys()
    assert not names & {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"}
    assert machine.environment["AWS_ENDPOINT_URL_CLOUDFRONT"] == machine.ready["control"]
    assert machine.environment["AWS_ENDPOINT_URL_S3"] == machine.ready["bucket"]
    assert machine.environment["AWS_REGION"] == machine.environment["AWS_DEFAULT_REGION"]


def test_env_warns_about_clients_that_ignore_it(machine):
    warned = machine.warmfront("env", "--data", str(machine.data)).stderr
    assert "--endpoint-url" in warned and "1.29" in warned and "2.13" in warned


def test_the_ready_line_is_all_there_is_on_stdout(start):
    machine = start()
    make_website(machine)
    assert machine.stop() == 0, "SIGTERM is a proper end"
    assert machine.process.stdout.read() == b""


def test_secrets_stay_out_of_the_log(machine, website):
    website.put("index.html", "page")
    website.get("/index.html")
    assert machine.environment["AWS_SECRET_ACCESS_KEY"] not in machine.log()


def test_the_data_folder_is_its_owners_alone(machine):
    assert machine.data.stat().st_mode & 0o077 == 0


def test_a_web_server_without_any_json(start):
    with origin(lambda connection, _: connection.sendall(PAGE)) as server:
        machine = start("--origin", f"http://localhost:{server.port}")
        listed = boto(machine, "cloudfront").list_distributions()["DistributionList"]["Items"]
        assert len(listed) == 1
        for host in (f"{listed[0]['Id'].lower()}.cloudfront.localhost", f"localhost:{machine.port('edge')}"):
            assert Viewer(machine, host).get("/").body == b"hello"
        assert curl(machine, machine.ready["edge"] + "/").stdout == b"hello"
        assert len(server.requests) == 1
        machine.stop()
        again = start("--origin", f"http://localhost:{server.port}", data=machine.data)
        assert len(boto(again, "cloudfront").list_distributions()["DistributionList"]["Items"]) == 1


def test_an_alias_answers(machine):
    website = make_website(machine, Aliases={"Quantity": 1, "Items": ["www.guide.test"]})
    website.put("index.html", "page")
    assert Viewer(machine, "www.guide.test").get("/index.html").body == b"page"
    website.warm("/index.html")
    assert Viewer(machine, "WWW.guide.test").get("/index.html").hit


def test_the_demo_shows_hit_invalidation_miss(tmp_path):
    demo = subprocess.run(
        [PROGRAM, "demo", "--exit"],
        env=clean_environment(tmp_path / "data"), cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert demo.returncode == 0, demo.stderr
    printed = demo.stdout + demo.stderr
    hit = printed.index("Hit from cloudfront")
    assert hit < printed.index("Miss from cloudfront", hit), printed


def test_wrong_arguments_name_the_flag_and_end_with_2(tmp_path):
    for arguments in (["serve", "--clock", "sundial"], ["serve", "--propagation-delay", "soon"], ["nonsense"]):
        wrong = subprocess.run(
            [PROGRAM, *arguments], env=clean_environment(tmp_path / "data"), capture_output=True, text=True, timeout=30
        )
        assert wrong.returncode == 2, wrong.stderr
        assert arguments[-1] in wrong.stderr and wrong.stdout == ""


def test_the_systems_clock_cannot_be_turned(machine):
    refused = machine.warmfront("clock", "advance", "60s", "--data", str(machine.data), check=False)
    assert refused.returncode == 1
    assert "--clock manual" in refused.stderr
