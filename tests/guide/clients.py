"""The real clients: both versions of the AWS CLI, boto3, curl."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.config import Config

V1 = [str(Path(sys.executable).parent / "aws")]
V2 = [os.environ.get("AWS_CLI_V2", "/usr/bin/aws")]
ENDPOINTS = {"cloudfront": "AWS_ENDPOINT_URL_CLOUDFRONT", "s3": "AWS_ENDPOINT_URL_S3", "s3api": "AWS_ENDPOINT_URL_S3"}
CLI_SECS_MAX = 300


class Cli:
    """One version of the AWS CLI against one machine."""

    def __init__(self, version, machine):
        self.version = version
        self.machine = machine

    def command(self, service, *arguments):
        if self.version == "v1":
            return [*V1, service, *arguments]
        # Debian's 2.9 is older than the endpoint variables, which came with 2.13.
        return [*V2, "--endpoint-url", self.machine.environment[ENDPOINTS[service]], service, *arguments]

    def run(self, service, *arguments, environment=None, check=True):
        finished = subprocess.run(
            self.command(service, *map(str, arguments)),
            env=dict(self.machine.environment, **(environment or {})),
            capture_output=True,
            text=True,
            timeout=CLI_SECS_MAX,
        )
        if check and finished.returncode != 0:
            raise AssertionError(f"{finished.args} ended with {finished.returncode}: {finished.stderr}")
        return finished

    def text(self, service, *arguments, **options):
        return self.run(service, *arguments, "--output", "text", **options).stdout.strip()

    def json(self, service, *arguments, **options):
        return json.loads(self.run(service, *arguments, "--output", "json", **options).stdout)

    def refused(self, service, *arguments, **options):
        """The error text of a command that must fail."""
        finished = self.run(service, *arguments, check=False, **options)
        assert finished.returncode != 0, f"{finished.args} was accepted: {finished.stdout}"
        return finished.stderr

    def shell(self, script, *arguments, check=True):
        """Runs one of our shell scripts with `aws` meaning this version, as a user of it would have set it up."""
        preamble = 'aws() { if [ "$1" = cloudfront ]; then %s "$@"; else %s "$@"; fi; }; export -f aws; "$@"' % (
            " ".join(self.command("cloudfront")[:-1]),
            " ".join(self.command("s3")[:-1]),
        )
        return subprocess.run(
            ["bash", "-c", preamble, "bash", script, *arguments],
            env=self.machine.environment,
            capture_output=True,
            text=True,
            timeout=CLI_SECS_MAX,
            check=check,
        )


def boto(machine, service, **overrides):
    """A boto3 client that knows nothing but what `warmfront env` says."""
    environment = machine.environment
    settings = dict(
        region_name=environment["AWS_REGION"],
        endpoint_url=environment[ENDPOINTS[service]],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
    )
    return boto3.client(service, **dict(settings, **overrides))


def curl(machine, *arguments, check=True):
    """curl as installed, without the user's configuration."""
    finished = subprocess.run(
        ["curl", "-q", "-s", *arguments], env=machine.environment, capture_output=True, timeout=60
    )
    if check and finished.returncode != 0:
        raise AssertionError(f"{finished.args} ended with {finished.returncode}: {finished.stderr!r}")
    return finished
