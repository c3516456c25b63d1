//! Teams from the wire and to it.

mod input;
mod output;

pub(crate) use input::{ReadTeam, TeamSource, read_consortium, read_team};
pub(crate) use output::{write_consortium, write_team};
