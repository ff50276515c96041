//! The machine the chores run on: where the repository lies, running programs, installing Debian packages.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The folder that holds the workspace's `Cargo.toml`.
pub fn repository() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from)
}

/// The cargo that runs this chore, in the repository.
pub fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository()).args(arguments);
    // What `cargo xtask` says of xtask is not for others' build scripts: ring's would have ring, and all that needs it, built
    // again whenever cargo is called from here and from a shell in turns.
    let of_xtask = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| of_xtask(name)) {
        command.env_remove(name);
    }
    command
}

/// The bench `name` of a package of ours, with `arguments` of its own.
pub fn cargo_bench(package: &str, name: &str, arguments: &[&str]) -> Command {
    let mut command = cargo(["bench", "-q", "-p", package, "--bench", name, "--"]);
    command.args(arguments);
    command
}

/// Runs a command to its end with our own streams.
///
/// # Errors
/// When it cannot be started or does not end with 0.
pub fn run(command: &mut Command) -> Result<()> {
    let name = describe(command);
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}

/// Runs a command and gives what it printed.
///
/// # Errors
/// As [`run`]; the message carries what the command wrote to stderr.
pub fn output(command: &mut Command) -> Result<String> {
    let name = describe(command);
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!(
            "{name} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command can be started and ends with 0.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Installs those of the Debian packages that are missing.
///
/// Debian pins their versions by release; the versions that answer are printed by who uses them.
///
/// # Errors
/// When packages are missing and this is neither Debian nor an account that may install them.
pub fn need_packages(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted = missing.join(" ");
    if !succeeds(Command::new("apt-get").arg("--version")) {
        bail!("this is not Debian: install what Debian calls {wanted} by hand, then run this again");
    }
    eprintln!("installing {wanted}");
    update_package_lists()?;
    run(apt_get()?
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(&missing))
    .with_context(|| format!("cannot install {wanted}"))
}

/// Fetches Debian's current package lists.
pub fn update_package_lists() -> Result<()> {
    run(apt_get()?.args(["update", "-qq"]))
}

fn installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["-W", "-f=${Status}", package]))
        .is_ok_and(|status| status.ends_with(" installed"))
}

/// `apt-get` as root.
fn apt_get() -> Result<Command> {
    let root = output(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if root {
        Command::new("apt-get")
    } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        sudo
    } else {
        bail!("installing packages takes root, or sudo without a password");
    };
    command.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
    Ok(command)
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    if line.chars().count() > 160 {
        line.chars().take(160).chain("…".chars()).collect()
    } else {
        line
    }
}
