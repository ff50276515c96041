use super::*;

#[tokio::test(start_paused = true)]
async fn a_release_goes_live_and_the_next_finds_nothing_to_do() {
    let bench = Bench::new();
    bench.build(FIRST);
    let outcome = bench.deploy().await.unwrap();
    assert!(outcome.is_finished);
    bench.check_contents(FIRST);
    let object = &bench.memory.objects()["a.11111111aa.js"];
    assert_eq!(
        object.headers.cache_control.as_deref(),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(
        object.headers.content_type.as_deref(),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(object.headers.digest(), Some(crate::Digest::of(b"one")));
    assert!(bench.plan().await.unwrap().is_empty());
    let status = bench.session().status().await.unwrap();
    assert_eq!((status.current, status.unfinished), (Some(outcome.release), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_changed_release_uploads_removes_and_invalidates_what_differs() {
    let bench = Bench::new();
    bench.build(FIRST);
    bench.deploy().await.unwrap();
    bench.events();
    let n_before = bench.memory.invalidated().len();
    bench.build(SECOND);
    bench.deploy().await.unwrap();
    bench.check_contents(AFTER_SECOND);
    let expected = [
        Step::Keep,
        Step::Assets,
        Step::CheckAssets,
        Step::Others,
        Step::Pages,
        Step::Remove,
        Step::Invalidate,
    ];
    assert_eq!(bench.steps(), expected);
    let sent = &bench.memory.invalidated()[n_before..];
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].1, ["/", "/index.html", "/logo.png", "/new.html", "/old.html"]);
}

#[tokio::test(start_paused = true)]
async fn header_changes_keep_what_others_have_set() {
    let bench = Bench::new();
    bench.build(FIRST);
    bench.deploy().await.unwrap();
    let mut headers = bench.memory.objects()["about.html"].headers.clone();
    headers.content_disposition = Some("inline".into());
    headers.metadata.insert("owner".into(), "docs".into());
    bench.memory.plant("about.html", b"<p>about", headers);
    bench.clock.advance(Duration::from_secs(1)).unwrap();
    let mut session = bench.session();
    let rule = "[[rule]]\nmatch = 'about.html'\ncache_control = 'max-age=1'\ntags = ['team', 'docs']\n";
    let settings: SettingsFile = toml::from_str(rule).unwrap();
    session.settings.rules = settings.resolve().unwrap().rules;
    let plan = session
        .plan_folder(bench.folder.path(), &mut DigestCache::default())
        .await
        .unwrap();
    let about = plan.uploads.iter().find(|upload| upload.key == "about.html").unwrap();
    assert_eq!(about.source, Source::InPlace);
    session.apply(&plan, Made::Earlier, |_| true).await.unwrap();
    let after = &bench.memory.objects()["about.html"].headers;
    assert_eq!(after.cache_control.as_deref(), Some("max-age=1"));
    assert_eq!(after.content_type.as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(after.content_disposition.as_deref(), Some("inline"));
    assert_eq!(
        (after.metadata["owner"].as_str(), after.metadata["cache-tag"].as_str()),
        ("docs", "team,docs")
    );
}

#[tokio::test(start_paused = true)]
async fn a_rollback_brings_every_byte_back_without_the_build() {
    let bench = Bench::new();
    bench.build(FIRST);
    let first = bench.deploy().await.unwrap().release;
    bench.build(SECOND);
    let second = bench.deploy().await.unwrap().release;
    bench.build(&[("nothing", "left")]);
    bench.clock.advance(Duration::from_secs(1)).unwrap();
    let session = bench.session();
    let plan = session.plan_rollback(None).await.unwrap();
    assert_eq!(plan.rollback_to.as_deref(), Some(&*first));
    assert!(
        plan.uploads
            .iter()
            .all(|upload| !matches!(upload.source, Source::File(_))),
        "{:?}",
        plan.uploads
    );
    session.apply(&plan, Made::Earlier, |_| true).await.unwrap();
    let mut expected = FIRST.to_vec();
    expected.insert(1, ("a.22222222bb.js", "two"));
    bench.check_contents(&expected);
    // And forward again, by name.
    bench.clock.advance(Duration::from_secs(1)).unwrap();
    let forward = session.plan_rollback(Some(&second)).await.unwrap();
    session.apply(&forward, Made::Earlier, |_| true).await.unwrap();
    bench.check_contents(AFTER_SECOND);
    assert!(matches!(
        session.plan_rollback(Some("none")).await,
        Err(DeployError::NoSuchRelease(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn old_assets_are_collected_when_both_terms_are_over() {
    let bench = Bench::new();
    bench.build(FIRST);
    bench.deploy().await.unwrap();
    bench.build(SECOND);
    bench.deploy().await.unwrap();
    assert!(bench.memory.objects().contains_key("a.11111111aa.js"));
    bench.memory.plant("stranger.txt", b"mine", StoredHeaders::default());
    let mut third = SECOND.to_vec();
    third[1] = ("about.html", "<p>about us");
    bench.build(&third);
    bench.deploy().await.unwrap();
    let keys: Vec<String> = bench.memory.objects().into_keys().collect();
    assert!(!keys.contains(&"a.11111111aa.js".to_owned()), "{keys:?}");
    assert!(
        keys.contains(&"a.22222222bb.js".to_owned()) && keys.contains(&"stranger.txt".to_owned()),
        "{keys:?}"
    );
    let head = bench.session().releases().await.unwrap();
    assert_eq!(head.finished.len(), 2);
    // The bytes of the first release's index went with it; those of the second's about page stay.
    let kept = bench.session().state.kept().await.unwrap();
    assert!(
        kept.contains(&crate::Digest::of(b"<p>about")) && !kept.contains(&crate::Digest::of(b"logo")),
        "{kept:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_refused_once_the_world_has_moved() {
    let bench = Bench::new();
    bench.build(FIRST);
    let plan = bench.plan().await.unwrap();
    bench
        .memory
        .plant("about.html", b"somebody else's", StoredHeaders::default());
    assert!(matches!(
        bench.session().apply(&plan, Made::Earlier, |_| true).await,
        Err(DeployError::BucketChanged)
    ));
    bench.deploy().await.unwrap();
    assert!(matches!(
        bench.session().apply(&plan, Made::Earlier, |_| true).await,
        Err(DeployError::PlanIsOld)
    ));
    bench.check_contents(FIRST);
}

#[tokio::test(start_paused = true)]
async fn a_public_state_and_a_foreign_bucket_are_refused() {
    let bench = Bench::new();
    bench.build(FIRST);
    let mut session = bench.session();
    session.state = State::new(Arc::new(bench.memory.clone()), "state/", session.patience.clone());
    let refused = session
        .plan_folder(bench.folder.path(), &mut DigestCache::default())
        .await;
    assert!(matches!(refused, Err(DeployError::StateIsPublic(name)) if name == "s3://site/state/"));
    let mut session = bench.session();
    session.bucket_name = "another".into();
    let refused = session
        .plan_folder(bench.folder.path(), &mut DigestCache::default())
        .await;
    assert!(matches!(refused, Err(DeployError::NotItsBucket { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_fingerprinted_name_with_other_bytes_raises_the_alarm() {
    let bench = Bench::new();
    bench.build(FIRST);
    bench.deploy().await.unwrap();
    let mut lying = FIRST.to_vec();
    lying[0].1 = "other bytes, same name";
    bench.build(&lying);
    for _ in 0..2 {
        let plan = bench.plan().await.unwrap();
        assert!(
            plan.warnings.iter().any(|warning| warning.contains("a.11111111aa.js")),
            "{:?}",
            plan.warnings
        );
        bench.deploy().await.unwrap();
        let headers = &bench.memory.objects()["a.11111111aa.js"].headers;
        assert!(!headers.cache_control.as_ref().unwrap().contains("immutable"));
    }
}

#[tokio::test(start_paused = true)]
async fn planning_only_reads() {
    let bench = Bench::new();
    bench.build(FIRST);
    bench.deploy().await.unwrap();
    bench.build(SECOND);
    bench.deploy().await.unwrap();
    bench.build(FIRST);
    let called: Arc<Mutex<BTreeSet<&'static str>>> = Arc::default();
    let seen = called.clone();
    bench.memory.set_script(move |_, action| {
        seen.lock().unwrap().insert(action);
        Stroke::Work
    });
    assert!(!bench.plan().await.unwrap().paths.is_empty());
    assert!(!bench.session().plan_rollback(None).await.unwrap().paths.is_empty());
    bench.session().cost().await.unwrap();
    bench.session().status().await.unwrap();
    let writes = ["s3:PutObject", "s3:DeleteObject", "cloudfront:CreateInvalidation"];
    let called = called.lock().unwrap();
    assert!(writes.iter().all(|action| !called.contains(action)), "{called:?}");
    assert!(called.contains("s3:ListBucket"), "{called:?}");
}
