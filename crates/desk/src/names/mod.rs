//! By which names sheets, columns and rules are known.

mod columns;
mod rules;
mod sheets;

pub(crate) use columns::columns;
pub(crate) use rules::{RULES, rule};
pub(crate) use sheets::{Kind, SHEETS};
