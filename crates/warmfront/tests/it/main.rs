//! The program as its users meet it: run, looked at, stopped and killed.

mod access_log;
mod addresses;
mod admin;
mod arguments;
mod audit;
mod client_commands;
mod data_folder;
mod demo;
#[cfg(feature = "deploy")]
mod deploy;
#[cfg(feature = "deploy")]
mod faults;
#[cfg(feature = "deploy")]
mod gate;
#[cfg(feature = "deploy")]
mod kills;
mod origin;
mod program;
#[cfg(feature = "deploy")]
mod signed;
mod site;
mod tls;
mod topology;
#[cfg(feature = "deploy")]
mod watch;
