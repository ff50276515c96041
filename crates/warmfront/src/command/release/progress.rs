use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use warmfront_deploy::event::{Event, Reporter};

use crate::stdout;

/// Says what goes on: bars on a terminal, plain lines elsewhere, or JSON on standard output.
pub struct Printer {
    json: bool,
    bar: Option<Mutex<ProgressBar>>,
}

impl Printer {
    /// A printer of JSON or for people.
    pub fn new(json: bool) -> Printer {
        let on_terminal = !json && std::io::stderr().is_terminal();
        Printer {
            json,
            bar: on_terminal.then(|| Mutex::new(ProgressBar::hidden())),
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    fn begin(&self, name: &str, n_items: usize) {
        let Some(bar) = &self.bar else {
            eprintln!("  {name}: {n_items}");
            return;
        };
        let template = "  {prefix:<13} [{bar:30}] {pos}/{len}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let next = ProgressBar::new(n_items as u64)
            .with_style(style)
            .with_prefix(name.to_owned());
        let mut bar = bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bar.finish();
        *bar = next;
        bar.tick();
    }

    fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner).inc(1);
        }
    }
}

impl Reporter for Printer {
    fn report(&self, event: Event) {
        if self.json {
            let line = serde_json::to_string(&event).unwrap_or_default();
            // A reader that has gone away is told by the end of the run.
            let _ = stdout::print(&format!("{line}\n"));
            return;
        }
        match event {
            Event::Began {
                release,
                resumed: false,
            } => self.line(&format!("release {release}")),
            Event::Began { release, resumed: true } => self.line(&format!("release {release} goes on")),
            Event::Step { step, n_items } => self.begin(step.name(), n_items),
            Event::Object { .. } | Event::Checked { .. } => self.advance(),
            Event::Verified(report) => {
                self.line(&format!("  {}", super::show_report(&report)));
                for problem in &report.problems {
                    self.line(&format!("  {problem}"));
                }
            }
            Event::Invalidation { id, n_paths, .. } => self.line(&format!("  invalidation {id}: {n_paths} paths")),
            Event::Completed { id, waited_ms } => self.line(&format!("  {id} Completed after {}", secs(waited_ms))),
            Event::Waiting { reason, for_ms } => self.line(&format!("  waiting {}: {reason}", secs(for_ms))),
            Event::Retrying {
                reason,
                attempt,
                after_ms,
            } => {
                self.line(&format!(
                    "  try {attempt} failed, again in {}: {reason}",
                    secs(after_ms)
                ));
            }
            Event::Warning { message } => self.line(&format!("warning: {message}")),
            Event::Finished { took_ms, .. } => {
                if let Some(bar) = &self.bar {
                    bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner).finish();
                }
                self.line(&format!("  finished in {}", secs(took_ms)));
            }
        }
    }
}

fn secs(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}
