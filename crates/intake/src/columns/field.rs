//! The fields a column can fill.

/// One place in a record that a column fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Field {
    Id,
    /// A column that is meant to tell the kind.
    KindName,
    /// A column that may tell the kind, or something else (类型).
    WeakKind,
    Title,
    Passages,
    Keywords,
    Industries,
    Disciplines,
    Region,
    Province,
    City,
    District,
    LanguageName,
    OrganisationName,
    UsccCode,
    Links,
    MemberOf,
    WorksAt,
    MadeBy,
    OwnedBy,
    WorkedWith,
    Conflicts,
    VisibilityName,
    Released,
    ValidFrom,
    ValidUntil,
    Attributes,
    ContactJson,
    ContactName,
    ContactPhone,
    ContactEmail,
    ContactAddress,
    /// 序号: counts the rows of the sheet and means nothing outside it.
    RowNumber,
    /// The last column of a bad-rows file.
    ErrorColumn,
    // Needs.
    Background,
    Problem,
    Targets,
    Budget,
    BudgetMin,
    BudgetMax,
    Deadline,
    Modes,
    LeastReadiness,
    Stage,
    // Enterprises.
    Business,
    Products,
    Scale,
    // Experts.
    Research,
    Profile,
    ProfessionalTitle,
    Honours,
    ExpertKindName,
    Services,
    CapacityJson,
    Meetings,
    Engagements,
    TravelRegions,
    TravelKm,
    AvailabilityDays,
    OptOut,
    ConsentPurpose,
    ConsentGiven,
    ConsentUntil,
    // Societies.
    Scope,
    Group,
    // Achievements.
    Abstract,
    Holder,
    ReadinessLevel,
    Indices,
    Application,
    IpFormName,
    Price,
    PriceMin,
    PriceMax,
    // Institutions.
    InstitutionKindName,
}

use Field::*;

impl Field {
    /// The path in the record's JSON form.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Id => "id",
            KindName | WeakKind => "kind",
            Title => "title",
            Passages => "passages",
            Keywords => "keywords",
            Industries => "industries",
            Disciplines => "disciplines",
            Region | Province | City | District => "region",
            LanguageName => "language",
            OrganisationName => "organisation",
            UsccCode => "organisation.uscc",
            Links | MemberOf | WorksAt | MadeBy | OwnedBy | WorkedWith => "links",
            Conflicts => "conflicts",
            VisibilityName => "visibility",
            Released => "released",
            ValidFrom => "valid_from",
            ValidUntil => "valid_until",
            Attributes => "attributes",
            ContactJson => "contact",
            ContactName => "contact.name",
            ContactPhone => "contact.phone",
            ContactEmail => "contact.email",
            ContactAddress => "contact.address",
            RowNumber => "row_number",
            ErrorColumn => "error",
            Background => "background",
            Problem => "problem",
            Targets => "targets",
            Budget | BudgetMin | BudgetMax => "budget",
            Deadline => "deadline",
            Modes => "cooperation_modes",
            LeastReadiness => "least_readiness",
            Stage => "stage",
            Business => "business",
            Products => "products",
            Scale => "scale",
            Research => "research",
            Profile => "profile",
            ProfessionalTitle => "professional_title",
            Honours => "honours",
            ExpertKindName => "expert_kind",
            Services => "services",
            CapacityJson | Meetings | Engagements => "capacity",
            TravelRegions | TravelKm => "travel",
            AvailabilityDays => "availability",
            OptOut => "opt_out",
            ConsentPurpose => "consent.purpose",
            ConsentGiven => "consent.given",
            ConsentUntil => "consent.until",
            Scope => "scope",
            Group => "group",
            Abstract => "abstract",
            Holder => "holder",
            ReadinessLevel => "readiness",
            Indices => "indices",
            Application => "application",
            IpFormName => "ip_form",
            Price | PriceMin | PriceMax => "price",
            InstitutionKindName => "institution_kind",
        }
    }

    /// True for what may be shown to no one but those with the right: never in a message.
    pub(crate) fn is_sealed(self) -> bool {
        matches!(
            self,
            ContactJson | ContactName | ContactPhone | ContactEmail | ContactAddress
        )
    }

    /// True for what gives a record something to be matched by.
    pub(crate) fn carries_text(self) -> bool {
        matches!(
            self,
            Title
                | Passages
                | Keywords
                | Targets
                | Products
                | Indices
                | Background
                | Problem
                | Business
                | Research
                | Profile
                | Scope
                | Services
                | Abstract
                | Application
        )
    }

    /// True when the values of several columns come together in the field (texts are joined, lists
    /// appended). Of other fields the first filled column counts, and the rest become attributes.
    pub(crate) fn takes_several(self) -> bool {
        !matches!(
            self,
            Id | KindName
                | WeakKind
                | Title
                | LanguageName
                | OrganisationName
                | UsccCode
                | VisibilityName
                | ValidFrom
                | ValidUntil
                | Budget
                | BudgetMin
                | BudgetMax
                | Deadline
                | LeastReadiness
                | Stage
                | Scale
                | ProfessionalTitle
                | ExpertKindName
                | CapacityJson
                | Meetings
                | Engagements
                | TravelKm
                | OptOut
                | ConsentPurpose
                | ConsentGiven
                | ConsentUntil
                | Group
                | Holder
                | ReadinessLevel
                | IpFormName
                | Price
                | PriceMin
                | PriceMax
                | InstitutionKindName
        )
    }

    /// True for columns that are read for other purposes than to fill a field.
    pub(crate) fn is_aside(self) -> bool {
        matches!(self, RowNumber | ErrorColumn)
    }
}
