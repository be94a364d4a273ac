//! A real server, run as users run it: as a process, over HTTP, on a directory of its own.
//!
//! For trials that only the whole program can pass: killed at random moments, filled by real
//! clients, measured. It knows the server from outside alone, by its command line and its HTTP
//! interface, and shares no code with it.

mod api;
mod server;

pub use api::{Acknowledgement, Api, Sending, Source};
pub use server::{Server, ServerOptions};
