"""Two real sites, uploaded with `aws s3 sync`, compared byte by byte at the edge."""

import mimetypes
import os
from pathlib import Path

import pytest
import swagger_ui_bundle

from clients import Cli
from website import make_website

SITES = {
    "swagger-ui": Path(swagger_ui_bundle.swagger_ui_path),
    "python-docs": Path(os.environ["GUIDE_PYTHON_DOCS"]),
}


def files_of(folder):
    """Path below the folder to content. Links that lead out of the package are left out, as `aws s3 sync` does."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.is_symlink()
    }


def sync(cli, folder, bucket):
    cli.run("s3", "sync", folder, f"s3://{bucket}", "--no-follow-symlinks", "--only-show-errors", "--delete")


def fetch_all(website, files, outcome):
    for name, content in files.items():
        answer = website.get(f"/{name}")
        assert answer.status == 200, f"{name}: {answer.status}"
        assert answer.body == content, f"{name}: {len(answer.body)} bytes that differ from the file's {len(content)}"
        assert answer.x_cache == f"{outcome} from cloudfront", name


@pytest.mark.parametrize("site", SITES)
def test_a_real_site_is_served_changed_and_served_again(version, machine, tmp_path, site):
    cli = Cli(version, machine)
    website = make_website(machine, DefaultRootObject="index.html")
    folder = tmp_path / "site"
    for name, content in files_of(SITES[site]).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    files = files_of(folder)
    assert "index.html" in files

    sync(cli, folder, website.bucket)
    fetch_all(website, files, "Miss")
    fetch_all(website, files, "Hit")
    assert website.get("/").body == files["index.html"]

    removed = sorted(files)[-1]
    (folder / removed).unlink()
    changed = {name: content + b"\n<!-- next release -->\n" for name, content in files.items() if name != removed}
    for name, content in changed.items():
        (folder / name).write_bytes(content)
    sync(cli, folder, website.bucket)
    fetch_all(website, files, "Hit")

    created = cli.json("cloudfront", "create-invalidation", "--distribution-id", website.id, "--paths", "/*")
    cli.run("cloudfront", "wait", "invalidation-completed", "--distribution-id", website.id,
            "--id", created["Invalidation"]["Id"])  # fmt: skip
    fetch_all(website, changed, "Miss")
    fetch_all(website, changed, "Hit")
    assert website.get(f"/{removed}").status == 404


def test_types_arrive_as_the_cli_guessed_them(machine, version, tmp_path):
    website = make_website(machine)
    for name in ("a.html", "b.css", "c.js", "d.png", "e.json", "f.svg"):
        (tmp_path / name).write_text(name)
    sync(Cli(version, machine), tmp_path, website.bucket)
    for name in ("a.html", "b.css", "d.png", "e.json", "f.svg"):
        assert website.get(f"/{name}").headers["content-type"] == mimetypes.guess_type(name)[0], name


def test_a_large_file_in_parts(machine, version, tmp_path):
    """20 MB goes up as a multipart upload and comes back unchanged, from the origin and from the cache."""
    website = make_website(machine)
    content = os.urandom(20 * 1024 * 1024 + 1)
    (tmp_path / "video.mp4").write_bytes(content)
    Cli(version, machine).run("s3", "cp", tmp_path / "video.mp4", f"s3://{website.bucket}/video.mp4", "--quiet")
    for _ in range(2):
        answer = website.get("/video.mp4")
        assert answer.status == 200 and answer.body == content


def test_headers_given_to_cp_arrive_at_the_viewer(machine, version, tmp_path):
    website = make_website(machine)
    (tmp_path / "index.html").write_text("page")
    Cli(version, machine).run(
        "s3", "cp", tmp_path / "index.html", f"s3://{website.bucket}/index.html", "--quiet",
        "--cache-control", "max-age=60", "--content-type", "text/html; charset=utf-8", "--metadata", "built=today",
    )  # fmt: skip
    headers = website.get("/index.html").headers
    assert headers["cache-control"] == "max-age=60"
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-amz-meta-built"] == "today"


def test_keys_that_would_leave_a_folder_are_only_names(machine, website):
    keys = ["a", "a/b", "../up", "a/../b", "k" * 1024]
    for key in keys:
        website.put(key, f"body of {key}")
    listed = website.s3.list_objects_v2(Bucket=website.bucket)["Contents"]
    assert sorted(item["Key"] for item in listed) == sorted(keys)
    for key in keys:
        body = website.s3.get_object(Bucket=website.bucket, Key=key)["Body"].read()
        assert body == f"body of {key}".encode()
