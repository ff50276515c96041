//! Explores one instance to its end: `explore --instance NAME [--without RULE] [--states-max N]`.
//! Without an instance, lists them and the rules.

use std::process::ExitCode;

use warmfront_protocol::{Instance, Outcome, Rules, explore};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1)
    };
    let Some(instance) = value("--instance").and_then(|name| Instance::named(name)) else {
        list();
        return ExitCode::from(2);
    };
    let rules = match value("--without") {
        None => Some(Rules::PROTOCOL),
        Some(name) => Rules::without(name),
    };
    let Some(rules) = rules else {
        list();
        return ExitCode::from(2);
    };
    let states_max = value("--states-max")
        .and_then(|number| number.parse().ok())
        .unwrap_or(200_000_000);
    match explore(instance, &rules, states_max) {
        Outcome::Holds { states, depth } => {
            println!("{}: holds in all of {states} states, {depth} steps deep", instance.name);
            ExitCode::SUCCESS
        }
        Outcome::Broken(trace) => {
            println!(
                "{}: broken in {} steps, after {} states",
                instance.name,
                trace.steps.len(),
                trace.states
            );
            print!("{trace}");
            ExitCode::FAILURE
        }
        Outcome::TooMany { states, depth } => {
            println!(
                "{}: more than {states} states; nothing shorter than {depth} steps",
                instance.name
            );
            ExitCode::FAILURE
        }
    }
}

fn list() {
    eprintln!("usage: explore --instance NAME [--without RULE] [--states-max N]");
    for instance in Instance::CHECKED.iter().chain(Instance::LARGE) {
        eprintln!("  instance {}", instance.name);
    }
    for (name, section, words) in Rules::ALL {
        eprintln!("  rule {section} {name}:{words}");
    }
}
