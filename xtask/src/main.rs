//! Chores with logic: `cargo xtask test | bench | codegen | tidy`.

mod bench;
mod codegen;
mod test;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((chore, rest)) => match chore.as_str() {
            "test" => test::run(rest),
            "bench" => bench::run(rest),
            "codegen" => codegen::run(rest),
            other => Err(anyhow::anyhow!("there is no chore {other:?}: test, bench, codegen")),
        },
        None => Err(anyhow::anyhow!("name a chore: test, bench, codegen")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
