//! The bucket over loopback, as clients see it: signed requests, policies, names, races, uploads.

mod access;
mod listing;
mod multipart;
mod names;
mod objects;
mod server;
mod trailers;
