"""Finding the distribution, and what the API says about it."""

import json
import re

from website import access_control_config, behavior, bucket_origin, distribution_config, until

LIST_QUERY = "DistributionList.Items[*].{ID:Id,Domain:DomainName,Status:Status}"


def test_the_list_query_shows_id_domain_and_status(cli, website):
    rows = cli.json("cloudfront", "list-distributions", "--query", LIST_QUERY)
    mine = [row for row in rows if row["ID"] == website.id]
    assert len(mine) == 1
    assert re.fullmatch(r"E[0-9A-Z]{12,13}", mine[0]["ID"])
    assert re.fullmatch(r"d[0-9a-z]{13}\.cloudfront\.net", mine[0]["Domain"])
    assert mine[0]["Status"] == "Deployed"


def test_the_list_query_prints_a_table(cli, website):
    table = cli.run("cloudfront", "list-distributions", "--query", LIST_QUERY, "--output", "table").stdout
    assert "ListDistributions" in table
    assert re.search(r"\|\s+Domain\s+\|\s+ID\s+\|\s+Status\s+\|", table)
    assert website.id in table


def test_a_distribution_is_created_and_deleted_with_the_cli(cli, machine, tmp_path):
    origin = bucket_origin("created-with-the-cli")
    file = tmp_path / "distribution.json"
    file.write_text(json.dumps(distribution_config(origin)))
    created = cli.json("cloudfront", "create-distribution", "--distribution-config", f"file://{file}")
    distribution, etag = created["Distribution"], created["ETag"]
    assert distribution["ARN"].endswith(f":distribution/{distribution['Id']}")
    assert created["Location"].endswith(f"/2020-05-31/distribution/{distribution['Id']}")
    assert distribution["DistributionConfig"]["DefaultCacheBehavior"]["TargetOriginId"] == origin["Id"]

    refused = cli.refused("cloudfront", "delete-distribution", "--id", distribution["Id"], "--if-match", etag)
    assert "DistributionNotDisabled" in refused

    config = dict(distribution["DistributionConfig"], Enabled=False)
    file.write_text(json.dumps(config))
    update = ["cloudfront", "update-distribution", "--id", distribution["Id"], "--distribution-config", f"file://{file}"]
    disabled = cli.json(*update, "--if-match", etag)
    assert disabled["ETag"] != etag
    assert "PreconditionFailed" in cli.refused(*update, "--if-match", etag)
    assert "InvalidIfMatchVersion" in cli.refused(*update)

    status = ["cloudfront", "get-distribution", "--id", distribution["Id"], "--query", "Distribution.Status"]
    until(lambda: cli.text(*status) == "Deployed")
    cli.run("cloudfront", "delete-distribution", "--id", distribution["Id"], "--if-match", disabled["ETag"])
    assert "NoSuchDistribution" in cli.refused("cloudfront", "get-distribution", "--id", distribution["Id"])


def test_the_deployed_waiter_ends(cli, website):
    cli.run("cloudfront", "wait", "distribution-deployed", "--id", website.id)


def test_an_update_changes_what_the_edge_does(machine, website):
    website.put("a.html", "a")
    website.put("b.html", "b")

    def serve_b_at_the_root(config):
        config["DefaultRootObject"] = "b.html"

    website.update(serve_b_at_the_root)
    assert website.get("/").body == b"b"


def test_the_configuration_reads_back_as_it_was_sent(website):
    """A cache policy and TTL members in one behavior, as the guide writes it."""
    config = website.cloudfront.get_distribution_config(Id=website.id)["DistributionConfig"]
    sent = behavior(f"S3-{website.bucket}")
    assert {name: config["DefaultCacheBehavior"][name] for name in sent} == sent


def test_every_managed_cache_policy_is_listed(cli):
    items = cli.json("cloudfront", "list-cache-policies", "--type", "managed")["CachePolicyList"]["Items"]
    names = {item["CachePolicy"]["CachePolicyConfig"]["Name"]: item["CachePolicy"]["Id"] for item in items}
    assert names["Managed-CachingOptimized"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"
    assert names["Managed-CachingDisabled"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    policy = cli.json("cloudfront", "get-cache-policy", "--id", "658327ea-f89d-4fab-a63d-7e88639e58f6")
    config = policy["CachePolicy"]["CachePolicyConfig"]
    assert (config["MinTTL"], config["DefaultTTL"], config["MaxTTL"]) == (1, 86400, 31536000)


def test_an_access_control_is_created_read_listed_and_deleted(cli, machine, tmp_path):
    config = access_control_config(f"control-of-{cli.version}")
    created = cli.json(
        "cloudfront", "create-origin-access-control", "--origin-access-control-config", json.dumps(config)
    )
    identifier = created["OriginAccessControl"]["Id"]
    read = cli.json("cloudfront", "get-origin-access-control", "--id", identifier)
    assert read["OriginAccessControl"]["OriginAccessControlConfig"] == config
    listed = cli.json("cloudfront", "list-origin-access-controls")["OriginAccessControlList"]["Items"]
    assert identifier in [item["Id"] for item in listed]
    cli.run("cloudfront", "delete-origin-access-control", "--id", identifier, "--if-match", read["ETag"])
    refused = cli.refused("cloudfront", "get-origin-access-control", "--id", identifier)
    assert "NoSuchOriginAccessControl" in refused


def test_tags_of_a_distribution(cli, website):
    tags = "Items=[{Key=stage,Value=test}]"
    cli.run("cloudfront", "tag-resource", "--resource", website.arn, "--tags", tags)
    listed = cli.json("cloudfront", "list-tags-for-resource", "--resource", website.arn)
    assert listed["Tags"]["Items"] == [{"Key": "stage", "Value": "test"}]
    cli.run("cloudfront", "untag-resource", "--resource", website.arn, "--tag-keys", "Items=stage")
    assert cli.json("cloudfront", "list-tags-for-resource", "--resource", website.arn)["Tags"]["Items"] == []
