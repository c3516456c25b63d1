//! The gRPC service over the engine: `queqiao.v1`, health and reflection.
//!
//! Purpose: to let any client, however it behaves, ask the engine over the network. Invariant: wire
//! types stop in `convert`; no request of any size or shape panics the process, holds memory
//! without bound or is left without an answer that says what was wrong and where; a contact comes out of
//! `GetContact` and `ExportRecord` alone, for a role of its own and after it is written down. It knows the
//! engine and the generated wire code, and what the engine hands on of the store; it keeps no state that would
//! be missed.

// A Status is what every handler returns; boxing it would only move the copy.
#![allow(clippy::result_large_err)]

mod access;
mod app;
mod audit;
mod config;
mod connection;
mod convert;
mod front;
mod gateway;
mod guards;
mod keeper;
mod memory;
mod metrics;
mod quota;
mod request_id;
mod server;
mod services;
mod status;
mod tls;
mod trace_context;

pub use access::{
    AccessError, JwksSource, JwtConfig, KeyFile, KeyInfo, NewKey, Role, Roles, Tenants,
};
pub use audit::{
    AuditConfig, AuditError, AuditReport, Event as AuditEvent, Trail, verify as verify_audit,
};
pub use config::{ConfigError, LogLevels, ServerConfig};
#[doc(hidden)]
pub use convert::try_request;
pub use server::{BoundServer, Drained, Server, ServerError};
pub use tls::{TlsConfig, TlsError};
