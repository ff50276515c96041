//! The story of one page: cached, changed, invalidated, fresh. Every promise on the way is checked.

use std::time::Duration;

use anyhow::ensure;
use http::StatusCode;
use tokio::time::Instant;

use crate::client::{CloudFront, Http, Page, S3, SiteSpec, Viewer};
use crate::command::invalidate::new_caller_reference;
use crate::server::Server;
use crate::stdout;

use super::rounds;
use super::site::{BUCKET, FILES, FRONT_PAGE, FRONT_PAGE_HEADERS, edition, edition_of};

/// How long a status may take to become the awaited one.
const PATIENCE: Duration = Duration::from_secs(30);

/// The clients of everyone in the story, and the distribution it is about.
pub struct Stage {
    /// The CloudFront API.
    pub cloudfront: CloudFront,
    /// The S3 API.
    pub s3: S3,
    /// A reader.
    pub viewer: Viewer,
    /// The distribution's Id.
    pub distribution: String,
}

/// Tells the story with so many rounds of timing; gives the distribution's Id.
///
/// # Errors
/// When something failed, or an answer was not the promised one.
pub async fn tell(server: &Server, n_rounds: u32) -> anyhow::Result<String> {
    let endpoints = server.endpoints();
    say(&format!(
        "Warmfront runs on this machine: CloudFront API {}, S3 API {}",
        endpoints.control, endpoints.bucket
    ))?;
    let stage = set_up(server).await?;
    warm(&stage).await?;
    change(&stage).await?;
    let n_paths = invalidate(&stage).await? + rounds::run(&stage, 3, n_rounds).await?;
    say(&format!("\n{}", rounds::price(n_paths)))?;
    Ok(stage.distribution)
}

async fn set_up(server: &Server) -> anyhow::Result<Stage> {
    let (endpoints, root) = (server.endpoints(), &server.identity().root);
    let http = Http::new();
    let s3 = S3::new(http.clone(), &endpoints.bucket, root);
    let cloudfront = CloudFront::new(http.clone(), &endpoints.control, root);

    s3.create_bucket(BUCKET).await?;
    for file in FILES {
        s3.put_object(BUCKET, file.key, file.bytes, file.content_type, file.cache_control)
            .await?;
    }
    put_edition(&s3, 1).await?;
    say(&format!(
        "Bucket {BUCKET} holds the site, {} objects; nobody may read it.",
        FILES.len() + 1
    ))?;

    let origin_access_control_id = cloudfront.create_origin_access_control("harbour-light").await?;
    let created = cloudfront
        .create_site(&SiteSpec {
            bucket: BUCKET.to_owned(),
            origin_access_control_id,
            caller_reference: new_caller_reference(),
        })
        .await?;
    s3.put_bucket_policy(BUCKET, bucket_policy(&created.arn)).await?;
    deployed(&cloudfront, &created.id).await?;
    let viewer = Viewer::new(http, &endpoints.edge, &created.id);
    say(&format!(
        "Distribution {} is Deployed at {}; its origin access control is the one reader the bucket policy lets in.",
        created.id,
        viewer.host()
    ))?;
    Ok(Stage {
        cloudfront,
        s3,
        viewer,
        distribution: created.id,
    })
}

/// Lets this distribution read, and nobody else.
///
/// Source: CloudFront Developer Guide, "Restrict access to an Amazon S3 origin", the policy for read-only access.
fn bucket_policy(distribution_arn: &str) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "AllowCloudFrontOACReadAccess",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": ["s3:GetObject"],
            "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
            "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
        }],
    })
    .to_string()
}

async fn deployed(cloudfront: &CloudFront, id: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while cloudfront.distribution_status(id).await? != "Deployed" {
        ensure!(
            Instant::now() < deadline,
            "distribution {id} is not Deployed after {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn warm(stage: &Stage) -> anyhow::Result<()> {
    say("\nThe first reader of each page fills the cache, the second is served from it:")?;
    for key in FILES.iter().map(|file| file.key).chain([FRONT_PAGE]) {
        let path = format!("/{key}");
        let (first, second) = (stage.viewer.get(&path).await?, stage.viewer.get(&path).await?);
        ensure!(first.status == StatusCode::OK, "GET {path}: {}", first.status);
        ensure!(
            first.is_miss() && second.is_hit(),
            "GET {path}: {:?}, then {:?}",
            first.x_cache,
            second.x_cache
        );
        ensure!(
            first.body == second.body,
            "GET {path}: the cache has other bytes than the origin"
        );
        say(&format!("  {path:<30} {}, then {}", first.x_cache, second.x_cache))?;
    }
    Ok(())
}

async fn change(stage: &Stage) -> anyhow::Result<()> {
    put_edition(&stage.s3, 2).await?;
    say("\nEdition 2 of the front page is in the bucket; readers still get what is cached:")?;
    let page = look(stage).await?;
    ensure!(
        page.is_hit() && edition_of(&page.body) == Some(1),
        "expected edition 1 from the cache, got {page:?}"
    );
    Ok(())
}

async fn invalidate(stage: &Stage) -> anyhow::Result<u32> {
    let completed = rounds::invalidate(stage).await?;
    say(&format!(
        "\nInvalidation {} of /{FRONT_PAGE} is Completed. From now on nobody gets edition 1:",
        completed.id
    ))?;
    let page = look(stage).await?;
    ensure!(
        page.is_miss() && edition_of(&page.body) == Some(2),
        "expected edition 2 from the origin, got {page:?}"
    );
    let page = look(stage).await?;
    ensure!(
        page.is_hit() && edition_of(&page.body) == Some(2),
        "expected edition 2 from the cache, got {page:?}"
    );
    let other = stage.viewer.get("/tides.html").await?;
    ensure!(
        other.is_hit(),
        "/tides.html was not invalidated, yet it is {:?}",
        other.x_cache
    );
    say(&format!("  {:<30} {}  (not invalidated)", "/tides.html", other.x_cache))?;
    Ok(1)
}

async fn look(stage: &Stage) -> anyhow::Result<Page> {
    let path = format!("/{FRONT_PAGE}");
    let page = stage.viewer.get(&path).await?;
    let edition = edition_of(&page.body).map_or_else(|| page.status.to_string(), |number| format!("Edition {number}"));
    say(&format!("  {path:<30} {}, age {}: {edition}", page.x_cache, page.age))?;
    Ok(page)
}

/// Puts one edition of the front page into the bucket.
pub async fn put_edition(s3: &S3, number: u32) -> anyhow::Result<()> {
    let (content_type, cache_control) = FRONT_PAGE_HEADERS;
    s3.put_object(BUCKET, FRONT_PAGE, edition(number), content_type, cache_control)
        .await
}

/// One line of the story.
pub fn say(line: &str) -> std::io::Result<()> {
    stdout::print(&format!("{line}\n"))
}
