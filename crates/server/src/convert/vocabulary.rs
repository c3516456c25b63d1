//! Closed vocabularies: a wire enum and a domain enum, word by word.

use queqiao_domain as domain;
use queqiao_domain::Bilingual;
use queqiao_engine::{
    Decline, DiversityMethod, Mode, Stage,
    events::{conflict::ConflictRule, event::Side},
};
use queqiao_proto::v1;

/// A word of a closed vocabulary. Adding a word to the domain alone does not compile.
pub(crate) trait Word: Sized {
    /// Reads the wire's number: `None` for UNSPECIFIED, an error for a number that is no word.
    fn read(number: i32) -> Result<Option<Self>, ()>;
    /// The wire's number.
    fn write(self) -> i32;
    /// What would be accepted.
    fn accepted() -> Bilingual;
}

macro_rules! words {
    ($($domain:ty, $wire:ty { $($word:ident),* })*) => {$(
        impl Word for $domain {
            fn read(number: i32) -> Result<Option<Self>, ()> {
                match <$wire>::try_from(number) {
                    Ok(<$wire>::Unspecified) => Ok(None),
                    $(Ok(<$wire>::$word) => Ok(Some(<$domain>::$word)),)*
                    Err(_) => Err(()),
                }
            }

            fn write(self) -> i32 {
                match self {
                    $(<$domain>::$word => <$wire>::$word as i32,)*
                }
            }

            fn accepted() -> Bilingual {
                let names = [$(<$wire>::$word.as_str_name()),*].join(", ");
                Bilingual::new(format!("expected one of {names}"), format!("应为：{names}"))
            }
        }
    )*};
}

words! {
    domain::Kind, v1::Kind { Need, Enterprise, Expert, Society, Achievement, Institution }
    domain::Language, v1::Language { Zh, En }
    domain::Visibility, v1::Visibility { Open, Platform, Sealed }
    domain::DisclosureStage, v1::DisclosureStage { Clauses, Text, Owner }
    domain::Relation, v1::Relation { MemberOf, WorksAt, MadeBy, OwnedBy, WorkedWith }
    domain::CooperationMode, v1::CooperationMode { Development, Transfer, License, Consulting, Service, Equity }
    domain::NeedStage, v1::NeedStage { Open, InTalks, Contracted, Closed }
    domain::ExpertKind, v1::ExpertKind { Scientist, Engineer, Communicator, Volunteer, ServiceProvider }
    domain::InstitutionKind, v1::InstitutionKind { University, Laboratory, Park, ServiceProvider }
    domain::IpForm, v1::IpForm { InventionPatent, UtilityModel, Design, Software, Secret, PlantVariety, Layout, Other }
    domain::ReadinessScale, v1::ReadinessScale { Trl, Mrl, Irl, Stage }
    Mode, v1::MatchMode { Hybrid, Dense, Lexical }
    DiversityMethod, v1::DiversityMethod { Mmr, Xquad }
    Stage, v1::OutcomeStage { Shown, Opened, Contacted, Met, Signed, Declined }
    Decline, v1::DeclineReason { TooVague, OutOfField, NotReady, FallsShort, Terms, Timing, Distance, NoCapacity, Conflict, AlreadySolved, NoReply, Other }
    Side, v1::EventSide { Asks, Answers, Hosts }
    ConflictRule, v1::ConflictRule { Declared, SameOrganisation, SameFamily, SamePost, WorkedTogether }
}

/// The kind a list asks for; UNSPECIFIED means every kind.
pub(crate) fn kind_filter(number: i32) -> Result<Option<domain::Kind>, super::Violations> {
    let mut r = super::reader::Reader::default();
    let kind = r.word("kind", number);
    r.finish(Some(kind))
}

pub(super) fn optional<T: Word>(word: Option<T>) -> i32 {
    word.map_or(0, Word::write)
}
