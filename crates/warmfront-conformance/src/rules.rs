use crate::run::run;
use crate::scenario::{Exchange, Expected, Scenario, Setting};
use crate::subject::RulesAlone;
use crate::suite::judge;
use crate::{Profile, Verdict};

/// What the edge does and no rule: what it writes itself, and what it asks of the store beyond one copy.
const NOT_RULES: [&str; 6] = ["x-cache", "via", "host", "content-length", "content-type", "connection"];

/// Runs a scenario against the caching rules alone; `None` where it is about more than them.
///
/// The rules are those of storing, freshness, keys, forwarding, conditions and freshening. Left out are scenarios with
/// other methods than GET, with variants, background fetches, invalidations, custom policies, and those about fields that
/// the edge writes.
pub async fn by_the_rules(scenario: &Scenario, profile: Profile) -> Option<Verdict> {
    if !applies(scenario) {
        return None;
    }
    Some(match outcomes(scenario, profile).await {
        Ok((as_written, own)) => judge(scenario.difference(profile), as_written, own),
        Err(problem) => Verdict::Failed(problem),
    })
}

type Outcome = Result<(), String>;

async fn outcomes(scenario: &Scenario, profile: Profile) -> Result<(Outcome, Option<Outcome>), String> {
    let as_written = run(scenario, None, &RulesAlone::new(scenario, profile)?).await;
    let own = match scenario.has_answers_of(profile) {
        true => Some(run(scenario, Some(profile), &RulesAlone::new(scenario, profile)?).await),
        false => None,
    };
    Ok((as_written, own))
}

fn applies(scenario: &Scenario) -> bool {
    let beyond = |(setting, value): &(Setting, String)| match setting {
        Setting::CachePolicy => value.starts_with("custom"),
        Setting::ResponseHeadersPolicy | Setting::ViewerProtocolPolicy | Setting::Compress => true,
        _ => false,
    };
    !scenario.invalidates() && !scenario.settings.iter().any(beyond) && scenario.exchanges().all(is_about_rules)
}

fn is_about_rules(exchange: &Exchange) -> bool {
    let has = |fields: &[(String, String)], names: &[&str]| {
        let is_one = |name: &String| names.iter().any(|one| name.eq_ignore_ascii_case(one));
        fields.iter().any(|(name, _)| is_one(name))
    };
    let request = &exchange.request;
    let plain = request.method == "GET" && request.body.is_none() && !has(&request.headers, &["host", "connection"]);
    let replies = exchange
        .replies
        .iter()
        .all(|reply| !has(&reply.headers, &["vary", "content-length"]));
    let asked = exchange.asked.iter().flat_map(|asked| &asked.headers);
    let own = exchange.answer_of.iter().flat_map(|(_, answer)| &answer.headers);
    let expected = asked.chain(own).chain(&exchange.answer.headers).all(|expected| {
        let (Expected::Is(name, _) | Expected::Has(name, _) | Expected::Without(name)) = expected;
        !NOT_RULES.iter().any(|other| name.eq_ignore_ascii_case(other))
    });
    plain && replies && expected && exchange.refresh.is_none()
}
