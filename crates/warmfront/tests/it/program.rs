//! Runs the program and takes it apart again.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use serde_json::Value;

/// The program with `arguments`, and an environment in which nothing of the tester's own is set.
pub fn warmfront(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warmfront"));
    command.args(arguments).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("TMPDIR", std::env::temp_dir());
    command
}

/// Runs it to its end.
pub fn run(arguments: &[&str]) -> Output {
    warmfront(arguments).output().unwrap()
}

/// What it wrote to standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What it wrote to standard output.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Checks the exit status, that nothing was written to standard output, and that standard error has all of `words`.
pub fn check_refused(output: &Output, status: i32, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert_eq!(stdout(output), "");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

/// A running `warmfront serve`; killed when dropped.
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    ready_line: String,
}

impl Server {
    /// Starts it on free ports, with its state in `data`, and waits for the ready line.
    pub fn start(data: &Path, more: &[&str]) -> Server {
        let mut arguments = vec!["--data", data.to_str().unwrap()];
        arguments.extend_from_slice(more);
        Server::start_anywhere(&arguments)
    }

    /// As [`Server::start`], without naming a data folder.
    pub fn start_anywhere(more: &[&str]) -> Server {
        let mut arguments = vec!["serve"];
        for flag in ["--control", "--edge", "--edge-https", "--bucket"] {
            if !more.contains(&flag) {
                arguments.extend([flag, "0"]);
            }
        }
        arguments.extend_from_slice(more);
        let mut child = warmfront(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready_line = String::new();
        stdout.read_line(&mut ready_line).unwrap();
        if ready_line.is_empty() {
            let output = child.wait_with_output().unwrap();
            panic!("not ready: {}", stderr(&output));
        }
        Server {
            child,
            stdout,
            ready_line,
        }
    }

    /// The first line on standard output.
    pub fn ready_line(&self) -> &str {
        &self.ready_line
    }

    /// `HOST:PORT` of one listener.
    pub fn address(&self, listener: &str) -> String {
        let ready: Value = serde_json::from_str(&self.ready_line).unwrap();
        let url = ready[listener].as_str().unwrap();
        url.split_once("://").unwrap().1.to_owned()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name, waits for the end, and gives the status, the rest of standard output, and standard error.
    pub fn end(mut self, signal: &str) -> (ExitStatus, String, String) {
        let pid = self.pid().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let (mut rest, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap(), rest, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
