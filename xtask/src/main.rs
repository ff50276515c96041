//! Chores with logic: `cargo xtask test | tidy | bench | race | soak | conformance | codegen`.

mod bench;
mod codegen;
mod conformance;
mod machine;
mod race;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

const CHORES: &str = "test, tidy, bench, race, soak, conformance, codegen";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((chore, rest)) => match chore.as_str() {
            "test" => test::run(rest),
            "tidy" => tidy::run(rest),
            "bench" => bench::run(rest),
            "race" => race::run(rest),
            "conformance" => conformance::run(rest),
            "soak" => soak::run(rest),
            "codegen" => codegen::run(rest),
            other => Err(anyhow::anyhow!("there is no chore {other:?}: {CHORES}")),
        },
        None => Err(anyhow::anyhow!("name a chore: {CHORES}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
