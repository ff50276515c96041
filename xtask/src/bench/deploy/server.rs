use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::machine::{output, target};
use crate::test::install_venv;

/// CachingOptimized. Source: CloudFront Developer Guide, "Use managed cache policies".
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

/// `warmfront serve`, and the AWS CLI pointed at it.
pub struct Server {
    child: Child,
    folder: PathBuf,
    aws: PathBuf,
    environment: Vec<(&'static str, String)>,
}

/// A bucket behind a distribution.
pub struct Place {
    bucket: String,
    distribution: String,
}

impl Server {
    /// Starts it with its state in `folder`, on free ports.
    pub fn start(folder: &Path) -> Result<Server> {
        let clients = target().join("guide");
        fs::create_dir_all(&clients)?;
        let aws = install_venv(&clients)?.join("bin/aws");
        println!("{}", output(Command::new(&aws).arg("--version"))?.trim());
        let data = folder.join("data");
        let mut command = Command::new(program());
        command.args(["serve", "--data"]).arg(&data);
        for listener in ["--control", "--edge", "--edge-https", "--bucket"] {
            command.args([listener, "0"]);
        }
        command.stdout(Stdio::piped()).stderr(File::create(folder.join("log"))?);
        let mut child = command.spawn().context("cannot start warmfront serve")?;
        let stdout = child.stdout.take().context("warmfront has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).context("warmfront serve did not become ready")?;
        let identity: Value = serde_json::from_slice(&fs::read(data.join("identity.json"))?)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let root = &identity["root"];
        let environment = vec![
            ("AWS_ACCESS_KEY_ID", text(&root["access_key_id"])),
            ("AWS_SECRET_ACCESS_KEY", text(&root["secret_access_key"])),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ENDPOINT_URL_S3", text(&ready["bucket"])),
            ("AWS_ENDPOINT_URL_CLOUDFRONT", text(&ready["control"])),
            ("HOME", folder.display().to_string()),
        ];
        Ok(Server {
            child,
            folder: folder.to_owned(),
            aws,
            environment,
        })
    }

    /// A bucket, a distribution with an origin access control, and the policy between them.
    pub fn make_site(&self, name: &str) -> Result<Place> {
        self.aws(&["s3", "mb", &format!("s3://{name}")])?;
        let control =
            format!("Name={name},SigningProtocol=sigv4,SigningBehavior=always,OriginAccessControlOriginType=s3");
        let control = self.aws(&[
            "cloudfront",
            "create-origin-access-control",
            "--origin-access-control-config",
            &control,
            "--query",
            "OriginAccessControl.Id",
        ])?;
        let config = json!({
            "CallerReference": name, "Comment": "", "Enabled": true, "DefaultRootObject": "index.html",
            "Origins": {"Quantity": 1, "Items": [{
                "Id": "site", "DomainName": format!("{name}.s3.us-east-1.amazonaws.com"),
                "OriginAccessControlId": control, "S3OriginConfig": {"OriginAccessIdentity": ""},
            }]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "site", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": CACHING_OPTIMIZED,
            },
        });
        let create = ["cloudfront", "create-distribution", "--distribution-config"];
        let made = self.aws(&[&create[..], &[&config.to_string(), "--query", "Distribution.[Id,ARN]"]].concat())?;
        let (distribution, arn) = made.split_once('\t').context("no Id and ARN")?;
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{name}/*"), "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
        }]});
        self.aws(&[
            "s3api",
            "put-bucket-policy",
            "--bucket",
            name,
            "--policy",
            &policy.to_string(),
        ])?;
        Ok(Place {
            bucket: name.to_owned(),
            distribution: distribution.to_owned(),
        })
    }

    /// `warmfront deploy`, with all that it does by itself: it waits and verifies.
    pub fn deploy(&self, place: &Place, site: &Path) -> Result<()> {
        let mut command = self.command(place, "deploy");
        output(command.arg(site).arg("--yes")).map(drop)
    }

    /// `warmfront rollback`.
    pub fn rollback(&self, place: &Place) -> Result<()> {
        output(self.command(place, "rollback").arg("--yes")).map(drop)
    }

    /// What everyone does.
    pub fn sync(&self, place: &Place, site: &Path) -> Result<()> {
        let bucket = format!("s3://{}", place.bucket);
        let site = site.display().to_string();
        self.aws(&["s3", "sync", &site, &bucket, "--delete", "--only-show-errors"])?;
        let of_distribution = ["--distribution-id", &place.distribution];
        let create = [
            "cloudfront",
            "create-invalidation",
            "--paths",
            "/*",
            "--query",
            "Invalidation.Id",
        ];
        let id = self.aws(&[&create[..], &of_distribution].concat())?;
        let wait = ["cloudfront", "wait", "invalidation-completed", "--id", &id];
        self.aws(&[&wait[..], &of_distribution].concat()).map(drop)
    }

    fn command(&self, place: &Place, name: &str) -> Command {
        let mut command = Command::new(program());
        command.arg(name).current_dir(&self.folder);
        command.args(["--data", "data", "--state", "state", "--bucket", &place.bucket]);
        command.args(["--distribution", &place.distribution]);
        command.env("HOME", &self.folder);
        command
    }

    fn aws(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.aws);
        command.args(arguments).args(["--output", "text"]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(output(&mut command)?.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program of the environment variable `WARMFRONT`, else the one that is built for the measurement.
pub fn program() -> PathBuf {
    let given = std::env::var_os("WARMFRONT").map(PathBuf::from);
    // It is started in another folder.
    given.map_or_else(
        || target().join("release/warmfront"),
        |program| program.canonicalize().unwrap_or(program),
    )
}
