//! Roles, and the tenants they hold in.

use queqiao_domain::{Bilingual, TenantId, did_you_mean};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// What a caller may do. A key has any number of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Read records without contacts, and match.
    Reader,
    /// Write, delete and erase records; reads too.
    Writer,
    /// Plan events and compose teams; reads too.
    Organiser,
    /// See contacts, each time with a purpose that is kept. No other role includes it.
    ContactReader,
    /// See metrics of the whole service.
    Monitor,
    /// Everything but contacts: the repair of indexes, models, backups.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 6] = [
        Role::Reader,
        Role::Writer,
        Role::Organiser,
        Role::ContactReader,
        Role::Monitor,
        Role::Admin,
    ];

    /// The name, as keys and configuration have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Writer => "writer",
            Role::Organiser => "organiser",
            Role::ContactReader => "contact-reader",
            Role::Monitor => "monitor",
            Role::Admin => "admin",
        }
    }

    /// Whether whoever has this role has `other` with it.
    fn includes(self, other: Role) -> bool {
        self == other
            || match self {
                Role::Admin => other != Role::ContactReader,
                Role::Writer | Role::Organiser => other == Role::Reader,
                Role::Reader | Role::ContactReader | Role::Monitor => false,
            }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Bilingual;

    fn from_str(s: &str) -> Result<Self, Bilingual> {
        Role::ALL
            .into_iter()
            .find(|r| r.as_str() == s)
            .ok_or_else(|| {
                let names = Role::ALL.map(Role::as_str);
                let near = did_you_mean(s, names);
                Bilingual::new(
                    format!("`{s}` is no role: expected {}{}", names.join(", "), near.en),
                    format!("没有角色“{s}”：应为 {}{}", names.join("、"), near.zh),
                )
            })
    }
}

/// A set of roles.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether one of them is or includes `role`.
    pub fn allow(&self, role: Role) -> bool {
        self.0.iter().any(|r| r.includes(role))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Roles(roles.into_iter().collect())
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|r| r.as_str()).collect();
        f.write_str(&names.join(", "))
    }
}

/// The tenants in which roles hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tenants {
    /// Every tenant, also those that are yet to come, and the server as a whole.
    All,
    /// These.
    Only(BTreeSet<TenantId>),
}

impl Tenants {
    /// Whether a tenant is one of them.
    pub fn contain(&self, tenant: &TenantId) -> bool {
        match self {
            Tenants::All => true,
            Tenants::Only(some) => some.contains(tenant),
        }
    }

    /// For people, in both languages.
    pub fn describe(&self) -> Bilingual {
        match self {
            Tenants::All => Bilingual::new("all", "全部"),
            Tenants::Only(some) => {
                let names: Vec<&str> = some.iter().map(TenantId::as_str).collect();
                Bilingual::new(names.join(", "), names.join("、"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_what_with_which_role() {
        let with = |role: Role| -> String {
            let roles: Roles = [role].into_iter().collect();
            let have: Vec<&str> = Role::ALL
                .into_iter()
                .filter(|r| roles.allow(*r))
                .map(Role::as_str)
                .collect();
            have.join(" ")
        };
        assert_eq!(with(Role::Reader), "reader");
        assert_eq!(with(Role::Writer), "reader writer");
        assert_eq!(with(Role::Organiser), "reader organiser");
        assert_eq!(with(Role::ContactReader), "contact-reader");
        assert_eq!(with(Role::Monitor), "monitor");
        assert_eq!(with(Role::Admin), "reader writer organiser monitor admin");
        assert!(!Roles::default().allow(Role::Reader));
    }

    #[test]
    fn a_slip_is_met_with_the_nearest_name() {
        let e = "organizer".parse::<Role>().unwrap_err();
        assert!(e.en.contains("did you mean `organiser`?"), "{e:?}");
    }
}
