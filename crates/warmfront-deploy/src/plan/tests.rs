use super::*;
use crate::headers::Rules;
use crate::manifest::Entry;
use crate::settings::SettingsFile;
use crate::site::tests::site;

fn manifest(files: &[(&str, &str)]) -> Manifest {
    let entry = |path: &str, content: &str| {
        let decision = Rules::default().decide(path, false);
        Entry {
            digest: Digest::of(content.as_bytes()),
            size: content.len() as u64,
            class: decision.class,
            headers: decision.headers,
            etag: None,
            distrusted: false,
        }
    };
    Manifest {
        files: files
            .iter()
            .map(|(path, content)| ((*path).to_owned(), entry(path, content)))
            .collect(),
    }
}

fn plan(old: &Manifest, new: Manifest) -> Plan {
    let live = |entry: &Entry| Live {
        digest: Some(entry.digest),
        headers: entry.headers.clone(),
    };
    let settings = SettingsFile::default().resolve().unwrap();
    let input = Input {
        month: None,
        release: "r2".into(),
        now_ms: 0,
        bucket: "site",
        prefix: "",
        site: &site(),
        settings: &settings,
        target: new,
        listing: &[],
        live: old
            .files
            .iter()
            .map(|(key, entry)| (key.clone(), live(entry)))
            .collect(),
        finished: Some(("r1", old)),
        unfinished: &[],
        tag_metadata: "cache-tag",
        warnings: Vec::new(),
    };
    Plan::new(input, |change| Source::File(change.key.clone().into()))
}

#[test]
fn one_changed_page_is_one_upload_and_no_path() {
    let old = manifest(&[("index.html", "1"), ("a.8f3a21bc.js", "1")]);
    let plan = plan(&old, manifest(&[("index.html", "2"), ("a.8f3a21bc.js", "1")]));
    assert_eq!(plan.uploads.len(), 1);
    assert_eq!(plan.uploads[0].replaces, Some(Digest::of(b"1")));
    assert_eq!((plan.n_unchanged, plan.bytes_sent(), plan.paths.len()), (1, 1, 0));
    assert!(plan.spared.contains_key("index.html"));
}

#[test]
fn the_least_policy_names_the_account_of_the_distribution() {
    let old = manifest(&[("index.html", "1")]);
    let mut plan = plan(&old, old.clone());
    let resource = |plan: &Plan| crate::iam::policy(plan, "./state")["Statement"][2]["Resource"].clone();
    assert_eq!(
        resource(&plan),
        "arn:aws:cloudfront::123456789012:distribution/E2QWRUHAPOMQZL"
    );
    plan.distribution_arn.clear();
    assert_eq!(resource(&plan), "arn:aws:cloudfront::*:distribution/E2QWRUHAPOMQZL");
}

#[test]
fn the_least_policy_has_what_the_plan_does_and_no_more() {
    let actions = |plan: &Plan, state: &str| {
        let policy = crate::iam::policy(plan, state);
        let statements = policy["Statement"].as_array().unwrap().iter();
        let pairs = statements.flat_map(|statement| {
            let resource = statement["Resource"].as_str().unwrap().to_owned();
            let actions = statement["Action"].as_array().unwrap().clone().into_iter();
            actions.map(move |action| format!("{} {resource}", action.as_str().unwrap()))
        });
        pairs.collect::<BTreeSet<String>>()
    };
    let distribution = "arn:aws:cloudfront::123456789012:distribution/E2QWRUHAPOMQZL";
    let old = manifest(&[("index.html", "1"), ("logo.png", "1")]);
    let idle = actions(&plan(&old, old.clone()), "./state");
    let write = "s3:PutObject arn:aws:s3:::site/*".to_owned();
    let invalidate = format!("cloudfront:CreateInvalidation {distribution}");
    assert!(!idle.contains(&write) && !idle.contains(&invalidate), "{idle:?}");
    let changed = plan(&old, manifest(&[("index.html", "1"), ("logo.png", "2")]));
    let busy = actions(&changed, "s3://releases/site/");
    assert!(busy.contains(&write) && busy.contains(&invalidate), "{busy:?}");
    assert!(
        busy.contains("s3:DeleteObject arn:aws:s3:::releases/site/*"),
        "{busy:?}"
    );
    assert!(!busy.iter().any(|action| action.contains("Multipart")), "{busy:?}");
    let large = "x".repeat(crate::target::MULTIPART_BYTES_MIN as usize);
    let large = plan(&old, manifest(&[("index.html", "1"), ("logo.png", &large)]));
    assert!(actions(&large, "./state").contains("s3:AbortMultipartUpload arn:aws:s3:::site/*"));
}

#[test]
fn the_same_site_is_an_empty_plan_and_a_plan_reads_back() {
    let old = manifest(&[("index.html", "1"), ("logo.png", "1")]);
    assert!(plan(&old, old.clone()).is_empty());
    let plan = plan(&old, manifest(&[("index.html", "1"), ("logo.png", "2")]));
    assert_eq!(plan.paths, ["/logo.png"]);
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn what_is_removed_goes_now_or_stays_for_open_tabs() {
    let old = manifest(&[
        ("a.html", "1"),
        ("b.html", "1"),
        ("c.html", "1"),
        ("a.8f3a21bc.js", "1"),
        ("logo.png", "1"),
    ]);
    let plan = plan(&old, manifest(&[("b.html", "1"), ("c.html", "1")]));
    assert_eq!(plan.removals, ["a.html"]);
    assert_eq!(plan.staying, ["a.8f3a21bc.js", "logo.png"]);
}

/// A tool that compares two listings, each in an order of its own, may delete what it has just uploaded.
#[test]
fn nothing_that_is_uploaded_is_removed_whatever_the_order_of_keys() {
    let odd = [
        "a b.html",
        "a-b.html",
        "a.html",
        "a/b.html",
        "a/index.html",
        "B.html",
        "\u{e9}.html",
        "e\u{301}.html",
    ];
    let files = |names: &[&str], content| manifest(&names.iter().map(|name| (*name, content)).collect::<Vec<_>>());
    for n in 0..odd.len() {
        let plan = plan(&files(&odd[n..], "1"), files(&odd[..=n], "2"));
        let keys: BTreeSet<&String> = plan.manifest.files.keys().collect();
        assert!(
            plan.removals.iter().all(|key| !keys.contains(key)),
            "{:?}",
            plan.removals
        );
        assert_eq!(plan.removals.len(), odd.len() - n - 1);
    }
}

#[test]
fn a_build_that_went_wrong_does_not_empty_the_site() {
    let names: Vec<String> = (0..300).map(|number| format!("p{number:03}.html")).collect();
    let files = |names: &[String]| manifest(&names.iter().map(|name| (&**name, "1")).collect::<Vec<_>>());
    let settings = SettingsFile::default().resolve().unwrap();
    let guard = |n_left: usize, n_before: usize| {
        let plan = plan(&files(&names[..n_before]), files(&names[..n_left]));
        plan.guard_deletions(&settings).map_err(|error| error.limit)
    };
    assert_eq!(guard(10, 20), Ok(()));
    assert_eq!(guard(9, 20), Err("delete_ratio_max = 0.5".into()));
    assert_eq!(guard(40, 300), Err("delete_max = 256".into()));
    // A site of one page may lose it: that is no accident of scale.
    assert_eq!(guard(1, 2), Ok(()));
}

#[test]
fn the_listing_digest_sees_every_write() {
    let listed = |key: &str, size, etag: &str| Listed {
        key: key.into(),
        size,
        etag: etag.into(),
    };
    let base = listing_digest(&[listed("a", 1, "x")]);
    for other in [
        vec![],
        vec![listed("b", 1, "x")],
        vec![listed("a", 2, "x")],
        vec![listed("a", 1, "y")],
    ] {
        assert_ne!(listing_digest(&other), base);
    }
}

fn first_plan(site: &Site, listing: &[Listed]) -> Plan {
    let settings = SettingsFile::default().resolve().unwrap();
    let input = Input {
        release: "r1".into(),
        now_ms: 0,
        bucket: "site",
        prefix: "",
        site,
        settings: &settings,
        target: manifest(&[("index.html", "1"), ("logo.png", "1")]),
        listing,
        live: BTreeMap::new(),
        finished: None,
        unfinished: &[],
        tag_metadata: "cache-tag",
        month: None,
        warnings: Vec::new(),
    };
    Plan::new(input, |change| Source::File(change.key.clone().into()))
}

#[test]
fn the_first_release_of_a_site_of_its_own_costs_one_path() {
    assert_eq!(first_plan(&site(), &[]).paths, ["/*"]);
    let stranger = Listed {
        key: "theirs.html".into(),
        size: 1,
        etag: "e".into(),
    };
    assert_eq!(
        first_plan(&site(), &[stranger]).paths,
        ["/", "/index.html", "/logo.png"]
    );
    let mut shared = site();
    shared.views = vec![(
        "/api/*".into(),
        crate::site::View {
            bucket: None,
            ..crate::site::tests::view()
        },
    )];
    assert_eq!(first_plan(&shared, &[]).paths, ["/", "/index.html", "/logo.png"]);
}

#[test]
fn what_stays_keeps_the_etag_that_the_bucket_lists() {
    let old = manifest(&[("index.html", "1"), ("logo.png", "1")]);
    let listed = |key: &str| Listed {
        key: key.into(),
        size: 1,
        etag: format!("etag of {key}"),
    };
    let listing = [listed("index.html"), listed("logo.png")];
    let uploads = plan(&old, manifest(&[("index.html", "2"), ("logo.png", "1")])).uploads;
    let files = with_etags(old, &uploads, &listing).files;
    assert_eq!(files["logo.png"].etag.as_deref(), Some("etag of logo.png"));
    assert_eq!(files["index.html"].etag, None);
}

#[test]
fn others_in_progress_are_counted_against_the_quotas() {
    let month = crate::month::tests::busy_month;
    let paths = ["/a".to_owned(), "/b/*".to_owned()];
    assert_eq!(crowded(&paths, Some(&month(2_999, 14))), None);
    for full in [month(3_000, 0), month(0, 15)] {
        assert!(crowded(&paths, Some(&full)).unwrap().contains("waits"));
        assert_eq!(crowded(&[], Some(&full)), None);
    }
    assert_eq!(crowded(&paths, None), None);
}
