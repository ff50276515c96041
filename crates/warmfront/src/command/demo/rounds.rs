//! Change, invalidate, look, again and again: how long it takes, and what it would cost.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::Instant;

use crate::client::{InvalidationState, Wishes};
use crate::command::invalidate::new_caller_reference;

use super::site::{FRONT_PAGE, edition_of};
use super::story::{Stage, put_edition, say};

/// How long an invalidation may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Paths that AWS invalidates for nothing in each month.
///
/// Source: Amazon CloudFront pricing, "Invalidation requests".
const FREE_PATHS: u32 = 1_000;

/// What each further path costs, in thousandths of a US dollar.
const PATH_MILLI_USD: u32 = 5;

/// Runs `n_rounds` rounds, publishing editions from `first_edition` on, and says what they took; gives the number of
/// paths invalidated.
pub async fn run(stage: &Stage, first_edition: u32, n_rounds: u32) -> anyhow::Result<u32> {
    let mut completed = Vec::new();
    let mut visible = Vec::new();
    for number in first_edition..first_edition + n_rounds {
        put_edition(&stage.s3, number).await?;
        let path = format!("/{FRONT_PAGE}");
        let before = stage.viewer.get(&path).await?;
        ensure!(
            before.is_hit(),
            "before the invalidation of edition {number}: {:?}",
            before.x_cache
        );
        let began = Instant::now();
        invalidate(stage).await?;
        completed.push(began.elapsed());
        let after = stage.viewer.get(&path).await?;
        visible.push(began.elapsed());
        let edition = edition_of(&after.body);
        ensure!(
            after.is_miss() && edition == Some(number),
            "Completed, but edition {edition:?} instead of {number}"
        );
    }
    say(&format!(
        "\nThe same {n_rounds} times, each a new edition, each checked:"
    ))?;
    for (what, times) in [("Completed", &mut completed), ("new bytes at the reader", &mut visible)] {
        let (median, p99) = (percentile(times, 50), percentile(times, 99));
        say(&format!(
            "  CreateInvalidation until {what:<24} median {} ms, p99 {} ms",
            ms(median),
            ms(p99)
        ))?;
    }
    Ok(n_rounds)
}

/// Invalidates the front page and waits until that is Completed.
pub async fn invalidate(stage: &Stage) -> anyhow::Result<InvalidationState> {
    let began = Instant::now();
    let paths = [format!("/{FRONT_PAGE}")];
    let mut state = stage
        .cloudfront
        .create_invalidation(&stage.distribution, &paths, &new_caller_reference(), &Wishes::default())
        .await?;
    ensure!(
        !state.is_completed(),
        "CreateInvalidation answers InProgress, not {}",
        state.status
    );
    while !state.is_completed() {
        ensure!(
            began.elapsed() < PATIENCE,
            "{} is still {} after {PATIENCE:?}",
            state.id,
            state.status
        );
        tokio::task::yield_now().await;
        state = stage
            .cloudfront
            .get_invalidation(&stage.distribution, &state.id)
            .await?;
    }
    Ok(state)
}

/// What `n_paths` paths cost in one month on AWS.
pub fn price(n_paths: u32) -> String {
    let milli_usd = u64::from(n_paths.saturating_sub(FREE_PATHS)) * u64::from(PATH_MILLI_USD);
    format!(
        "Price on AWS: {n_paths} paths, {}.{:03} USD ({FREE_PATHS} paths a month are free, then 0.005 USD each); here: none.",
        milli_usd / 1_000,
        milli_usd % 1_000
    )
}

/// The smallest of `times` that `percent` percent of them do not exceed (nearest rank). Zero for none.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100);
    times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_go_by_nearest_rank() {
        let mut times: Vec<Duration> = (1..=20).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 50), Duration::from_millis(10));
        assert_eq!(percentile(&mut times, 99), Duration::from_millis(20));
        assert_eq!(
            percentile(&mut [Duration::from_millis(7)], 50),
            Duration::from_millis(7)
        );
        assert_eq!(percentile(&mut [], 99), Duration::ZERO);
    }

    #[test]
    fn a_thousand_paths_are_free() {
        assert!(price(21).contains("21 paths, 0.000 USD"));
        assert!(price(1_000).contains("0.000 USD"));
        assert!(price(1_001).contains("0.005 USD ("));
        assert!(price(5_000).contains("20.000 USD"));
    }
}
