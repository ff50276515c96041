use crate::program::{check_refused, run, stdout};

#[test]
fn wrong_arguments_end_with_2_and_name_what_is_wrong() {
    for (arguments, words) in [
        (
            &["serve", "--clock", "sundial"][..],
            &["--clock", "sundial", "manual"][..],
        ),
        (
            &["serve", "--propagation-delay", "soon"],
            &["--propagation-delay", "soon", "60s"],
        ),
        (&["serve", "--profile", "fast"], &["--profile", "fast", "aws", "edge"]),
        (&["serve", "--memory", "12"], &["--memory", "12", "MiB"]),
        (&["serve", "--memory", "12B"], &["--memory", "hint:", "16MiB"]),
        (&["serve", "--memory", "0B"], &["--memory", "hint:", "16MiB"]),
        (
            &["serve", "--memory", "9999999GiB"],
            &["--memory", "may have", "hint:", "quarter"],
        ),
        (&["serve", "--disk", ":1GiB"], &["--disk", "folder"]),
        (&["serve", "--disk", "/tmp/cache:0B"], &["--disk", "64 MiB"]),
        (
            &["serve", "--disk", "/tmp/cache:9999999GiB"],
            &["--disk", "/tmp/cache", "free", "hint:"],
        ),
        (&["serve", "--account", "7"], &["--account", "twelve"]),
        (
            &["serve", "--control", "example.com:80"],
            &["--control", "example.com:80", "IP:PORT"],
        ),
        (&["serve", "--origin", "localhost:3000"], &["--origin", "http://"]),
        (
            &["serve", "--origin", "ftp://localhost"],
            &["--origin", "ftp://localhost", "http://"],
        ),
        (&["serve", "--pop", "a b"], &["--pop", "IAD89-P3"]),
        (
            &["serve", "--config", "/nonexistent.toml"],
            &["--config", "/nonexistent.toml"],
        ),
        (&["clock", "advance", "60"], &["DURATION", "60s"]),
        (&["invalidate", "--distribution", "E1U5RQF7T870K0"], &["PATH"]),
        (
            &["invalidate", "--distribution", "E1U5RQF7T870K0", "index.html"],
            &["index.html", "/"],
        ),
        (
            &["invalidate", "--distribution", "mine", "/a"],
            &["--distribution", "mine"],
        ),
        (&["nonsense"], &["nonsense"]),
    ] {
        check_refused(&run(arguments), 2, words);
    }
}

#[test]
fn an_unknown_key_of_the_configuration_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warmfront.toml");
    std::fs::write(&path, "[listen]\ncolour = 1\n").unwrap();
    let path = path.to_str().unwrap();
    let data = folder.path().join("data");
    check_refused(
        &run(&["serve", "--data", data.to_str().unwrap(), "--config", path]),
        2,
        &["--config", path, "colour"],
    );
    assert!(!data.exists());
}

#[test]
fn the_version_is_data() {
    let version = run(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(stdout(&version), format!("warmfront {}\n", env!("CARGO_PKG_VERSION")));
}
