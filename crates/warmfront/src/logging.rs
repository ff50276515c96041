use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::outcome::Complaint;

/// Sends the log to standard error: what `RUST_LOG` asks for, `default` without it.
pub fn start(default: &str) -> Result<(), Complaint> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => EnvFilter::try_new(&directives).map_err(|error| {
            Complaint::usage(format!("RUST_LOG={directives}: {error}"))
                .hint("write a level or crate=level, like RUST_LOG=debug")
        })?,
        _ => EnvFilter::new(default),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .finish();
    // A second call keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}
