//! The table: every method, and what it needs. A method that is not in it is not served.

use super::Role;

/// What a method needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: health, which load balancers ask.
    Nothing,
    /// Any valid key.
    Known,
    /// The role, in the tenant that the request names.
    InTenant(Role),
    /// The role, in all tenants: what concerns the server as a whole.
    InAll(Role),
}

impl Need {
    /// Whether what needs this changes something, or concerns the server as a whole: the audit trail
    /// holds all of it.
    pub(crate) fn is_of_note(self) -> bool {
        match self {
            Need::Nothing | Need::Known => false,
            Need::InTenant(role) => matches!(role, Role::Writer | Role::Admin),
            Need::InAll(_) => true,
        }
    }
}

use Need::{InAll, InTenant, Known, Nothing};

/// Service, method, need.
pub(crate) const METHODS: &[(&str, &str, Need)] = &[
    (
        "queqiao.v1.RecordService",
        "UpsertRecord",
        InTenant(Role::Writer),
    ),
    (
        "queqiao.v1.RecordService",
        "BatchUpsertRecords",
        InTenant(Role::Writer),
    ),
    (
        "queqiao.v1.RecordService",
        "GetRecord",
        InTenant(Role::Reader),
    ),
    (
        "queqiao.v1.RecordService",
        "GetContact",
        InTenant(Role::ContactReader),
    ),
    (
        "queqiao.v1.RecordService",
        "ListRecords",
        InTenant(Role::Reader),
    ),
    (
        "queqiao.v1.RecordService",
        "DiscloseRecord",
        InTenant(Role::Writer),
    ),
    (
        "queqiao.v1.RecordService",
        "ListDisclosures",
        InTenant(Role::Writer),
    ),
    (
        "queqiao.v1.RecordService",
        "DeleteRecord",
        InTenant(Role::Writer),
    ),
    (
        "queqiao.v1.RecordService",
        "UndeleteRecord",
        InTenant(Role::Writer),
    ),
    // Whoever writes can put an empty record in the place of any: erasing takes no more trust.
    (
        "queqiao.v1.RecordService",
        "EraseRecord",
        InTenant(Role::Writer),
    ),
    (
        "queqiao.v1.RecordService",
        "CheckErasure",
        InTenant(Role::Reader),
    ),
    (
        "queqiao.v1.RecordService",
        "ExportRecord",
        InTenant(Role::ContactReader),
    ),
    (
        "queqiao.v1.RecordService",
        "BatchDeleteRecords",
        InTenant(Role::Writer),
    ),
    ("queqiao.v1.MatchService", "Match", InTenant(Role::Reader)),
    (
        "queqiao.v1.MatchService",
        "MatchBatch",
        InTenant(Role::Reader),
    ),
    ("queqiao.v1.MatchService", "Explain", InTenant(Role::Reader)),
    ("queqiao.v1.MatchService", "Clarify", InTenant(Role::Reader)),
    (
        "queqiao.v1.InsightService",
        "FindDuplicates",
        InTenant(Role::Reader),
    ),
    (
        "queqiao.v1.InsightService",
        "MapChain",
        InTenant(Role::Reader),
    ),
    (
        "queqiao.v1.OutcomeService",
        "ReportOutcomes",
        InTenant(Role::Writer),
    ),
    (
        "queqiao.v1.OutcomeService",
        "GetFunnel",
        InTenant(Role::Reader),
    ),
    // It holds what sealed records were like: for those who may read them.
    (
        "queqiao.v1.OutcomeService",
        "GetKeptAnswer",
        InTenant(Role::Writer),
    ),
    (
        "queqiao.v1.TeamService",
        "ComposeTeam",
        InTenant(Role::Organiser),
    ),
    (
        "queqiao.v1.TeamService",
        "ComposeConsortium",
        InTenant(Role::Organiser),
    ),
    (
        "queqiao.v1.EventService",
        "PlanEvent",
        InTenant(Role::Organiser),
    ),
    (
        "queqiao.v1.EventService",
        "ReplanEvent",
        InTenant(Role::Organiser),
    ),
    (
        "queqiao.v1.EventService",
        "ExplainMeeting",
        InTenant(Role::Organiser),
    ),
    (
        "queqiao.v1.EventService",
        "FormPanels",
        InTenant(Role::Organiser),
    ),
    (
        "queqiao.v1.EventService",
        "SeatRoundtables",
        InTenant(Role::Organiser),
    ),
    (
        "queqiao.v1.EventService",
        "FillTracks",
        InTenant(Role::Organiser),
    ),
    (
        "queqiao.v1.AdminService",
        "GetStatistics",
        InTenant(Role::Reader),
    ),
    (
        "queqiao.v1.AdminService",
        "RebuildIndex",
        InTenant(Role::Admin),
    ),
    ("queqiao.v1.AdminService", "ListModels", Known),
    ("queqiao.v1.AdminService", "GetServerInfo", Known),
    ("queqiao.v1.AdminService", "ChangeModel", InAll(Role::Admin)),
    ("queqiao.v1.AdminService", "Backup", InAll(Role::Admin)),
    ("queqiao.v1.AdminService", "SetLogLevel", InAll(Role::Admin)),
    ("grpc.health.v1.Health", "Check", Nothing),
    ("grpc.health.v1.Health", "Watch", Nothing),
    (
        "grpc.reflection.v1.ServerReflection",
        "ServerReflectionInfo",
        Known,
    ),
    (
        "grpc.reflection.v1alpha.ServerReflection",
        "ServerReflectionInfo",
        Known,
    ),
];

/// What the method of a path (`/service/method`) needs; nothing when there is no such method.
pub(crate) fn need(path: &str) -> Option<Need> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    METHODS
        .iter()
        .find(|(s, m, _)| *s == service && *m == method)
        .map(|(_, _, need)| *need)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;
    use prost_types::FileDescriptorSet;
    use std::collections::BTreeSet;

    /// Every method that the descriptors of the served interfaces name.
    fn served() -> BTreeSet<(String, String)> {
        let sets = [
            queqiao_proto::FILE_DESCRIPTOR_SET,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        let files = sets
            .into_iter()
            .flat_map(|bytes| FileDescriptorSet::decode(bytes).unwrap().file);
        files
            .flat_map(|f| {
                let package = f.package().to_owned();
                f.service.into_iter().flat_map(move |s| {
                    let service = format!("{package}.{}", s.name());
                    s.method
                        .into_iter()
                        .map(move |m| (service.clone(), m.name().to_owned()))
                        .collect::<Vec<_>>()
                })
            })
            .collect()
    }

    #[test]
    fn every_method_has_its_need_and_no_other_is_in_the_table() {
        let table: BTreeSet<(String, String)> = METHODS
            .iter()
            .map(|(s, m, _)| ((*s).to_owned(), (*m).to_owned()))
            .collect();
        assert_eq!(table, served());
        assert_eq!(table.len(), METHODS.len(), "no method stands there twice");
    }

    #[test]
    fn only_health_is_open_to_strangers() {
        for (service, method, need) in METHODS {
            let open = *need == Nothing;
            assert_eq!(
                open,
                service.starts_with("grpc.health."),
                "{service}/{method}"
            );
        }
    }

    #[test]
    fn other_paths_need_nothing_because_nothing_is_there() {
        assert_eq!(
            need("/queqiao.v1.MatchService/Match"),
            Some(InTenant(Role::Reader))
        );
        for path in [
            "",
            "/",
            "/queqiao.v1.MatchService",
            "/queqiao.v1.MatchService/match",
            "//",
        ] {
            assert_eq!(need(path), None, "{path}");
        }
    }
}
