use warmfront_model::{KeyPart, MethodSet, OriginKind, TtlBounds, ViewerProtocolPolicy};

use super::*;
use crate::convert::{samples, with_defaults};
use crate::types::{Aliases, CacheBehavior, DistributionConfig, Origin};

fn convert(config: &DistributionConfig) -> Result<Distribution, ConfigError> {
    distribution(
        config,
        DistributionId::parse("E1U5RQF7T870K0").unwrap(),
        "d111111abcdef8.cloudfront.net",
    )
}

/// Changes the guide's configuration, which is valid, and expects this code.
fn check(change: impl FnOnce(&mut DistributionConfig), code: ErrorCode) {
    let mut config = samples::config();
    change(&mut config);
    assert_eq!(convert(&config).map(|_| ()).map_err(|error| error.code), Err(code));
    assert_eq!(convert(&with_defaults(config)).unwrap_err().code, code);
}

fn set_aliases(config: &mut DistributionConfig, aliases: &[&str]) {
    let items: Vec<String> = aliases.iter().map(|alias| (*alias).to_owned()).collect();
    config.aliases = Some(Aliases {
        quantity: i32::try_from(items.len()).unwrap(),
        items,
    });
}

#[test]
fn the_guides_distribution_is_accepted() {
    let found = convert(&samples::config()).unwrap();
    assert_eq!(found.default_root_object.as_deref(), Some("index.html"));
    assert!(found.enabled);
    assert!(matches!(&found.origins[0].kind, OriginKind::S3(s3) if &*s3.bucket == "my-site"));
    assert_eq!(found.origins[0].access_control_id.as_deref(), Some("E327GJI25M56DG"));
    let ttl = |behavior: &Behavior| (behavior.ttl.min_secs, behavior.ttl.default_secs, behavior.ttl.max_secs);
    let behaviors: Vec<_> = found
        .behaviors
        .iter()
        .map(|behavior| (&*behavior.path_pattern, ttl(behavior)))
        .collect();
    assert_eq!(
        behaviors,
        [
            ("/assets/*", (0, 31_536_000, 31_536_000)),
            ("/index.html", (0, 60, 300)),
            ("*", (0, 86_400, 31_536_000)),
        ]
    );
    for behavior in &found.behaviors {
        assert_eq!(behavior.viewer_protocol_policy, ViewerProtocolPolicy::RedirectToHttps);
        assert_eq!(
            (behavior.allowed_methods, behavior.cached_methods),
            (MethodSet::GetHead, MethodSet::GetHead)
        );
        assert!(behavior.compress && behavior.accept_encoding.gzip && behavior.accept_encoding.brotli);
        assert_eq!(behavior.headers, KeyPart::None);
    }
}

#[test]
fn filled_in_defaults_mean_the_same_as_left_out_members() {
    for config in [samples::config(), samples::custom_config()] {
        assert_eq!(convert(&with_defaults(config.clone())), convert(&config));
    }
}

#[test]
fn a_cache_policy_alone_gives_its_own_ttls() {
    let mut config = samples::config();
    config.default_cache_behavior.min_ttl = None;
    config.default_cache_behavior.default_ttl = None;
    config.default_cache_behavior.max_ttl = None;
    let behaviors = convert(&config).unwrap().behaviors;
    let expected = TtlBounds {
        min_secs: 1,
        default_secs: 86_400,
        max_secs: 31_536_000,
    };
    assert_eq!(behaviors.last().unwrap().ttl, expected);
}

#[test]
fn aliases_are_accepted_without_a_certificate_and_kept_in_lower_case() {
    let mut config = samples::config();
    set_aliases(&mut config, &["WWW.Example.com", "*.example.org"]);
    assert_eq!(
        convert(&config).unwrap().aliases,
        ["www.example.com".into(), "*.example.org".into()]
    );
}

#[test]
fn aliases_must_be_domain_names() {
    for wrong in [
        "",
        "localhost",
        "*.com",
        "*",
        "a.*.example.com",
        "https://a.example",
        "a.example/",
        "a.example:80",
    ] {
        check(|config| set_aliases(config, &[wrong]), ErrorCode::InvalidArgument);
    }
    check(
        |config| set_aliases(config, &["a.example", "A.example"]),
        ErrorCode::InvalidArgument,
    );
    check(
        |config| set_aliases(config, &[&format!("{}.example", "a".repeat(64))]),
        ErrorCode::InvalidArgument,
    );
}

#[test]
fn counts_are_those_of_the_quotas() {
    let aliases = |number: usize| {
        (0..number)
            .map(|number| format!("a{number}.example"))
            .collect::<Vec<_>>()
    };
    let set = |config: &mut DistributionConfig, number: usize| {
        let aliases = aliases(number);
        set_aliases(config, &aliases.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let mut config = samples::config();
    set(&mut config, 100);
    set_origins(&mut config, 100);
    set_behaviors(&mut config, 75);
    assert!(convert(&config).is_ok());
    check(|config| set(config, 101), ErrorCode::TooManyDistributionCNAMEs);
    check(|config| set_origins(config, 101), ErrorCode::TooManyOrigins);
    check(|config| set_behaviors(config, 76), ErrorCode::TooManyCacheBehaviors);
    check(|config| set_origins(config, 0), ErrorCode::InvalidArgument);
}

fn set_origins(config: &mut DistributionConfig, number: usize) {
    let first = config.origins.items[0].clone();
    let more = (1..number).map(|number| Origin {
        id: format!("origin{number}"),
        ..first.clone()
    });
    config.origins.items = [first.clone()].into_iter().take(number).chain(more).collect();
}

fn set_behaviors(config: &mut DistributionConfig, number: usize) {
    let behaviors = config.cache_behaviors.as_mut().unwrap();
    let first = behaviors.items[0].clone();
    behaviors.items = (0..number)
        .map(|number| CacheBehavior {
            path_pattern: format!("/{number}"),
            ..first.clone()
        })
        .collect();
}

#[test]
fn general_members_keep_to_their_rules() {
    check(|config| config.caller_reference.clear(), ErrorCode::InvalidArgument);
    check(|config| config.comment = "c".repeat(129), ErrorCode::InvalidArgument);
    check(
        |config| config.default_root_object = Some("/index.html".to_owned()),
        ErrorCode::InvalidDefaultRootObject,
    );
    check(
        |config| config.default_root_object = Some("i".repeat(256)),
        ErrorCode::InvalidDefaultRootObject,
    );
    let mut config = samples::config();
    config.comment = "é".repeat(128);
    config.default_root_object = Some("i".repeat(255));
    assert!(convert(&config).is_ok());
    config.default_root_object = Some(String::new());
    assert_eq!(convert(&config).unwrap().default_root_object, None);
}

#[test]
fn two_behaviors_with_one_pattern_are_refused() {
    check(
        |config| {
            let behaviors = config.cache_behaviors.as_mut().unwrap();
            behaviors.items[1].path_pattern = behaviors.items[0].path_pattern.clone();
        },
        ErrorCode::InvalidArgument,
    );
}
