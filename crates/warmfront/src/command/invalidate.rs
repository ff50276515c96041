use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use warmfront_model::DistributionId;

use crate::client::{ApiError, Audit, CloudFront, Http, InvalidationState, Wishes};
use crate::command::TargetArg;
use crate::outcome::Complaint;
use crate::{duration, stdout};

mod coverage;

/// The first pause between two looks at the status; each is half as long again as the one before.
const PAUSE_FIRST: Duration = Duration::from_millis(50);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The distribution's Id
    #[arg(long, value_name = "ID", value_parser = distribution_id)]
    distribution: String,
    /// Wait until the invalidation is Completed, and tell how much of the cache it covered
    #[arg(long)]
    wait: bool,
    /// With --wait: return as soon as it is Completed, and do not tell how much it covered
    #[arg(long, requires = "wait")]
    no_count: bool,
    /// Count what the paths would cover, and invalidate nothing
    #[arg(long, conflicts_with_all = ["wait", "timeout", "caller_reference", "revalidate", "reason"])]
    dry_run: bool,
    /// Give up waiting after this long
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration::parse)]
    timeout: Duration,
    /// The caller reference, for retries that must not invalidate twice [default: a new one]
    #[arg(long, value_name = "TEXT")]
    caller_reference: Option<String>,
    /// Let the origin confirm what is covered, so that what has not changed is not sent again
    #[arg(long)]
    revalidate: bool,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Paths like /index.html or /assets/*, and cache tags like #product-7
    #[arg(value_name = "PATH", required = true, value_parser = path_or_tag)]
    paths: Vec<String>,
    #[command(flatten)]
    target: TargetArg,
}

fn distribution_id(text: &str) -> Result<String, warmfront_model::InvalidDistributionId> {
    DistributionId::parse(text).map(|id| id.as_str().to_owned())
}

/// The server judges the rest; this catches what a shell does to a word.
fn path_or_tag(text: &str) -> Result<String, &'static str> {
    if text.starts_with(['/', '#']) {
        Ok(text.to_owned())
    } else {
        Err("a path begins with / and a tag with # (quote both, so that the shell leaves them alone)")
    }
}

/// Creates the invalidation, waits for it if asked, and prints its Id and status.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let target = args.target.discover()?;
    let cloudfront = CloudFront::new(Http::new(), &target.control, &target.credentials);
    if args.dry_run {
        return dry_run(&cloudfront, args);
    }
    let (state, audit) = super::block_on(async {
        let caller_reference = args.caller_reference.clone().unwrap_or_else(new_caller_reference);
        let created = cloudfront
            .create_invalidation(&args.distribution, &args.paths, &caller_reference, &wishes(args))
            .await
            .map_err(|error| explain(error, args))?;
        if !args.wait {
            return Ok((created, None));
        }
        let completed = completed(&cloudfront, &args.distribution, created, args.timeout).await?;
        let audit = if args.no_count {
            None
        } else {
            coverage::audited(&cloudfront, &args.distribution, &completed.id).await?
        };
        anyhow::Ok((completed, audit))
    })?;
    stdout::print(&if args.json {
        format!("{}\n", in_json(&state, audit.as_ref(), args))
    } else {
        format!("{} {}\n", state.id, state.status)
    })?;
    match &audit {
        Some(audit) => eprint!("{}", coverage::report(audit, &args.paths)),
        None if args.wait && !args.no_count => eprintln!("warmfront: how much it covered is not counted yet"),
        None => {}
    }
    Ok(())
}

fn in_json(state: &InvalidationState, audit: Option<&Audit>, args: &Args) -> serde_json::Value {
    let mut value = json!({"Id": state.id, "Status": state.status, "Distribution": args.distribution});
    if let Some(token) = &state.token {
        value["Token"] = json!(token);
    }
    if let Some(audit) = audit {
        value["Responses"] = json!(audit.coverage.map(|coverage| coverage.responses));
        value["Bytes"] = json!(audit.coverage.map(|coverage| coverage.bytes));
        value["Nodes"] = json!(audit.nodes);
    }
    value
}

fn dry_run(cloudfront: &CloudFront, args: &Args) -> anyhow::Result<()> {
    let counted = super::block_on(async { cloudfront.dry_run(&args.distribution, &args.paths).await });
    let counted = counted.map_err(|error| explain(error, args))?;
    stdout::print(&if args.json {
        format!("{}\n", coverage::dry_run_json(&counted, &args.distribution))
    } else {
        coverage::print_dry_run(&counted)
    })?;
    eprint!("{}", coverage::warning(counted.coverage, &args.paths));
    Ok(())
}

fn wishes(args: &Args) -> Wishes {
    Wishes {
        mode: args.revalidate.then(|| "revalidate".to_owned()),
        reason: args.reason.clone(),
    }
}

/// A caller reference that was never used.
pub fn new_caller_reference() -> String {
    format!("warmfront-{:032x}", rand::random::<u128>())
}

/// Looks at the status until it is Completed.
///
/// # Errors
/// When it is not Completed within `timeout`; the invalidation goes on.
pub async fn completed(
    cloudfront: &CloudFront,
    distribution: &str,
    mut state: InvalidationState,
    timeout: Duration,
) -> anyhow::Result<InvalidationState> {
    let deadline = Instant::now() + timeout;
    let mut pause = PAUSE_FIRST;
    loop {
        let token = state.token.take();
        state = cloudfront.get_invalidation(distribution, &state.id).await?;
        state.token = token;
        if state.is_completed() {
            return Ok(state);
        }
        if Instant::now() + pause > deadline {
            let message = format!("--timeout {timeout:?}: {} is still {}", state.id, state.status);
            return Err(Complaint::failed(message)
                .hint("it goes on; wait longer with --timeout")
                .into());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(PAUSE_MAX);
    }
}

fn explain(error: anyhow::Error, args: &Args) -> anyhow::Error {
    let Some(api) = error.downcast_ref::<ApiError>() else {
        return error;
    };
    match api.code.as_str() {
        "NoSuchDistribution" => Complaint::failed(format!("--distribution {}: {}", args.distribution, api.message))
            .hint("list them: aws cloudfront list-distributions --query 'DistributionList.Items[].Id'")
            .into(),
        "TooManyInvalidationsInProgress" => Complaint::failed(api.to_string())
            .hint("wait for some to complete (--wait), or invalidate several paths in one call")
            .into(),
        _ => error,
    }
}
