//! The one program: a server of control plane, edge and bucket, and the commands that use it.

mod admin;
mod allow;
mod certificates;
mod client;
mod command;
mod config;
mod data_folder;
mod disk;
mod duration;
mod endpoints;
mod faults;
mod identity;
mod listen;
mod logging;
mod memory;
mod outcome;
mod private_file;
mod profile;
mod quotas;
mod server;
mod shell;
mod size;
mod stdout;
mod stop_signal;
mod topology;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    command::run()
}
