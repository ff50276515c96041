//! The API over real HTTP, signed, with nodes whose progress the test commands.

mod access_controls;
mod audit;
mod authentication;
mod client;
mod completion;
mod distributions;
mod gentle;
mod invalidations;
mod own_api;
mod policies;
mod restart;
mod tagging;
mod xml;
