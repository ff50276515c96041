use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::report::{Report, pytest_counts, run_counting};
use crate::machine::{cargo, need_packages, output, repository, run, succeeds, target, update_package_lists};

/// Debian's names of what the guide's commands need: version 2 of the AWS CLI, curl, Python for version 1 and boto3.
const PACKAGES: &[&str] = &["awscli", "ca-certificates", "curl", "python3", "python3-venv"];

/// Debian's Python, whatever else may stand first in the path.
const PYTHON: &str = "/usr/bin/python3";

/// The released program, then the guide's commands against it.
pub fn steps(report: &mut Report, filter: Option<&str>) {
    let built = report.check("cargo build --release", || {
        run(&mut cargo(["build", "--release", "--quiet", "-p", "warmfront"]))
    });
    let mut clients = None;
    report.check("clients for the guide", || {
        clients = Some(Clients::install()?);
        Ok(())
    });
    if let (true, Some(clients)) = (built, clients) {
        report.step("the guide", || run_counting(&mut clients.pytest(filter), pytest_counts));
    }
}

struct Clients {
    venv: PathBuf,
    python_docs: PathBuf,
    folder: PathBuf,
}

impl Clients {
    /// Below the target folder: a virtual environment with exactly the pinned packages, and a real site to serve.
    fn install() -> Result<Clients> {
        need_packages(PACKAGES)?;
        let folder = target().join("guide");
        fs::create_dir_all(&folder)?;
        let clients = Clients {
            venv: install_venv(&folder)?,
            python_docs: install_python_docs(&folder)?,
            folder: folder.clone(),
        };
        for client in [clients.venv.join("bin/aws"), PathBuf::from("/usr/bin/aws")] {
            println!(
                "{}: {}",
                client.display(),
                output(Command::new(&client).arg("--version"))?.trim()
            );
        }
        Ok(clients)
    }

    fn pytest(&self, filter: Option<&str>) -> Command {
        let mut command = Command::new(self.venv.join("bin/python"));
        command
            .current_dir(repository().join("tests/guide"))
            .env("WARMFRONT", target().join("release/warmfront"))
            .env("GUIDE_PYTHON_DOCS", &self.python_docs)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args(["-m", "pytest", "--durations=10", "--basetemp"])
            .arg(self.folder.join("run"));
        if let Some(filter) = filter {
            command.args(["-k", filter]);
        }
        command
    }
}

/// A virtual environment with the packages of `requirements.txt`, made anew whenever that file changes.
pub fn install_venv(folder: &Path) -> Result<PathBuf> {
    let requirements = repository().join("tests/guide/requirements.txt");
    let wanted = fs::read_to_string(&requirements)?;
    let venv = folder.join("venv");
    let installed = folder.join("venv-requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|there| there == wanted)
        && succeeds(Command::new(venv.join("bin/aws")).arg("--version"))
    {
        return Ok(venv);
    }
    run(Command::new(PYTHON).args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "-r",
    ])
    .arg(&requirements);
    run(&mut pip)?;
    run(Command::new(venv.join("bin/python")).args(["-m", "pip", "check", "--disable-pip-version-check"]))?;
    fs::write(installed, wanted)?;
    Ok(venv)
}

/// The HTML documentation of Debian's Python, unpacked without installing it: a thousand files in folders.
pub fn install_python_docs(folder: &Path) -> Result<PathBuf> {
    let version = output(Command::new(PYTHON).args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]))?;
    let name = format!("python{}", version.trim());
    let unpacked = folder.join("python-docs");
    let html = unpacked.join(format!("usr/share/doc/{name}/html"));
    if html.join("index.html").is_file() {
        return Ok(html);
    }
    let download = || {
        run(Command::new("apt-get")
            .current_dir(folder)
            .args(["download", "-qq", &format!("{name}-doc")]))
    };
    // A bare machine has no package lists.
    if download().is_err() {
        update_package_lists()?;
        download()?;
    }
    let package = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get download left no package")?;
    run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked))?;
    fs::remove_file(&package)?;
    if !html.join("index.html").is_file() {
        bail!("{name}-doc has no {}", html.display());
    }
    Ok(html)
}
