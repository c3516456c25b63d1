//! Who may do what.
//!
//! A caller shows a key, or a token of an identity provider; it carries roles and tenants; every method needs one of them, by the
//! table in [`methods`]. What a caller may not do is refused before anything is looked for, so that a
//! refusal tells nothing of what there is. Of a key only its hash is kept.

mod caller;
mod error;
mod gate;
mod jwt;
mod key_file;
pub(crate) mod methods;
mod ring;
mod role;

pub(crate) use caller::{Caller, Context, context};
pub use error::AccessError;
pub(crate) use gate::{API_KEY, Gate, Refused, holds};
pub use jwt::{JwksSource, JwtConfig};
pub use key_file::{KeyFile, KeyInfo, NewKey};
pub use role::{Role, Roles, Tenants};
