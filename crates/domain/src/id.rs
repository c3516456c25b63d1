//! Ids and resource names.

use crate::{Bilingual, Kind};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("the {what} is empty: give 1 to {max} ASCII characters")]
    Empty {
        /// What was being read.
        what: &'static str,
        /// The greatest length.
        max: usize,
    },
    /// The text is too long.
    #[error("the {what} has {len} bytes: at most {max} are allowed")]
    TooLong {
        /// What was being read.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The greatest length.
        max: usize,
    },
    /// A character that cannot stand in an id.
    #[error(
        "the {what} `{shown}` holds {found:?} at position {at}: letters, digits and . _ ~ : + @ % = , ( ) - are allowed"
    )]
    Character {
        /// What was being read.
        what: &'static str,
        /// The beginning of the text.
        shown: String,
        /// The character.
        found: char,
        /// Its index, in characters.
        at: usize,
    },
    /// A resource name of the wrong shape.
    #[error(
        "`{shown}` is no resource name: expected tenants/TENANT/{{needs|enterprises|experts|societies|achievements|institutions}}/ID"
    )]
    Shape {
        /// The beginning of the text.
        shown: String,
    },
}

impl IdError {
    /// What is wrong and what would do, for people.
    pub fn message(&self) -> Bilingual {
        let named = |what: &str| match what {
            "tenant" => "租户",
            _ => "编号",
        };
        let zh = match self {
            IdError::Empty { what, max } => {
                format!("{}为空：应为 1 至 {max} 个 ASCII 字符", named(what))
            }
            IdError::TooLong { what, len, max } => {
                format!("{}长 {len} 字节：至多 {max} 字节", named(what))
            }
            IdError::Character {
                what,
                shown,
                found,
                at,
            } => format!(
                "{}“{shown}”的第 {} 个字符 {found:?} 不可用：只能用字母、数字和 . _ ~ : + @ % = , ( ) -",
                named(what),
                at + 1
            ),
            IdError::Shape { shown } => format!(
                "“{shown}”不是资源名：应为 tenants/租户/{{needs|enterprises|experts|societies|achievements|institutions}}/编号"
            ),
        };
        Bilingual::new(self.to_string(), zh)
    }
}

fn check(what: &'static str, s: &str, max: usize) -> Result<(), IdError> {
    if s.is_empty() {
        return Err(IdError::Empty { what, max });
    }
    if s.len() > max {
        return Err(IdError::TooLong {
            what,
            len: s.len(),
            max,
        });
    }
    match s.chars().enumerate().find(|(_, c)| !allowed(*c)) {
        Some((at, found)) => Err(IdError::Character {
            what,
            shown: s.chars().take(40).collect(),
            found,
            at,
        }),
        None => Ok(()),
    }
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._~:+@%=,()-".contains(c)
}

/// The caller's own id of a record, kept as given: 1 to 256 ASCII characters (AIP-122).
/// Unique within a tenant, across kinds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RecordId(String);

impl RecordId {
    /// The greatest length in bytes.
    pub const MAX: usize = 256;

    /// Checks and takes an id.
    ///
    /// # Errors
    /// An empty or too long text, or one with a character that cannot stand in an id.
    pub fn new(s: impl Into<String>) -> Result<Self, IdError> {
        let s = s.into();
        check("id", &s, Self::MAX)?;
        Ok(Self(s))
    }

    /// True when `c` may stand in an id.
    pub fn allows(c: char) -> bool {
        allowed(c)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        RecordId::new(String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// Whose records these are. Tenants never see each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TenantId(String);

impl TenantId {
    /// The greatest length in bytes.
    pub const MAX: usize = 64;

    /// Checks and takes a tenant id.
    ///
    /// # Errors
    /// An empty or too long text, or one with a character that cannot stand in an id.
    pub fn new(s: impl Into<String>) -> Result<Self, IdError> {
        let s = s.into();
        check("tenant", &s, Self::MAX)?;
        Ok(Self(s))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    /// The tenant of a single-tenant installation.
    fn default() -> Self {
        TenantId("default".to_owned())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        TenantId::new(String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// `tenants/{tenant}/experts/{id}`: the name of a record on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceName {
    /// Whose record.
    pub tenant: TenantId,
    /// Its kind.
    pub kind: Kind,
    /// The caller's id.
    pub id: RecordId,
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tenants/{}/{}/{}",
            self.tenant,
            self.kind.collection(),
            self.id
        )
    }
}

impl FromStr for ResourceName {
    type Err = IdError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let shape = || IdError::Shape {
            shown: s.chars().take(80).collect(),
        };
        let parts: Vec<&str> = s.split('/').collect();
        let ["tenants", tenant, collection, id] = parts[..] else {
            return Err(shape());
        };
        let kind = Kind::ALL
            .into_iter()
            .find(|k| k.collection() == collection)
            .ok_or_else(shape)?;
        Ok(ResourceName {
            tenant: TenantId::new(tenant)?,
            kind,
            id: RecordId::new(id)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_what_the_caller_gave() {
        for ok in [
            "88a9c7ce-ad30-4c44",
            "ChinaXiv-201601.00052V2",
            "津".to_owned().as_str(),
        ] {
            let made = RecordId::new(ok);
            assert_eq!(made.is_ok(), ok.is_ascii(), "{ok}");
        }
        assert!(RecordId::new("").is_err());
        assert!(RecordId::new("a/b").is_err());
        assert!(RecordId::new("x".repeat(257)).is_err());
    }

    #[test]
    fn names_round_trip() {
        let n: ResourceName = "tenants/default/experts/E-1".parse().unwrap();
        assert_eq!(n.kind, Kind::Expert);
        assert_eq!(n.to_string(), "tenants/default/experts/E-1");
        for bad in [
            "experts/E-1",
            "tenants/a/persons/x",
            "tenants//experts/x",
            "",
        ] {
            assert!(bad.parse::<ResourceName>().is_err(), "{bad}");
        }
    }
}
