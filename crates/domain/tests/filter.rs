//! Filters against records, and what a filter that does not parse is told.
#![allow(clippy::unwrap_used)]

use queqiao_domain::{
    AmountRange, Detail, Expert, ExpertKind, Facets, Field, Filter, Kind, Link, Need, Op,
    Organisation, Record, RecordId, Relation, Value,
};

fn expert() -> Facets {
    let mut r = Record::new(RecordId::new("E-7").unwrap(), Kind::Expert);
    r.title = "李四".into();
    r.region = "440305".parse().ok();
    r.industries = vec!["C3841".parse().unwrap()];
    r.disciplines = vec!["430.45".parse().unwrap()];
    r.keywords = vec!["锂电池".into(), "Solid State".into()];
    r.organisation = Some(Organisation {
        name: "岭南大学".into(),
        uscc: None,
    });
    r.links = vec![Link {
        relation: Relation::MemberOf,
        target: "中国化学会".into(),
    }];
    r.valid_until = queqiao_domain::parse_date("2026-12-31");
    r.attributes.insert("h指数".into(), "31".into());
    r.detail = Detail::Expert(Expert {
        expert_kind: Some(ExpertKind::Engineer),
        ..Expert::default()
    });
    Facets::of(&r)
}

fn need() -> Facets {
    let mut r = Record::new(RecordId::new("N-1").unwrap(), Kind::Need);
    r.detail = Detail::Need(Need {
        budget: Some(AmountRange {
            min: Some(100.0),
            max: Some(200.0),
        }),
        least_readiness: "TRL 6".parse().ok(),
        cooperation_modes: vec!["委托开发".parse().unwrap()],
        ..Need::default()
    });
    Facets::of(&r)
}

#[track_caller]
fn check(filter: &str, on: &Facets, expected: bool) {
    let f = Filter::parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}"));
    assert_eq!(f.matches(on), expected, "{filter}");
}

#[test]
fn compares_every_kind_of_field() {
    let e = expert();
    for yes in [
        "",
        "kind = expert",
        "region : 440000",
        "region : 广东",
        "region = 440305",
        "industry : C38",
        "industry = C3841",
        "discipline : 430",
        "keyword = 锂电池",
        "keyword : solid",
        "organisation = \"岭南大学\"",
        "society : 化学会",
        "expert_kind = engineer",
        "valid = 2026-11-23",
        "attributes.h指数 >= 30",
        "id = 'E-7'",
        "industry : *",
        "kind = expert region : 4403",
        "NOT kind = need",
        "-kind = need",
        "kind != need",
        "kind = need OR kind = expert",
        "(kind = need OR region : 44) AND (industry : C OR industry : A)",
    ] {
        check(yes, &e, true);
    }
    for no in [
        "kind = need",
        "region = 440000",
        "region : 11",
        "industry = C38",
        "discipline : 430.10",
        "organisation = 岭南",
        "valid = 2027-01-01",
        "attributes.h指数 > 31",
        "attributes.没有 : *",
        "readiness >= \"TRL 1\"",
        // OR binds tighter than AND.
        "kind = need AND kind = expert OR kind = expert",
    ] {
        check(no, &e, false);
    }
}

#[test]
fn amounts_and_readiness() {
    let n = need();
    for yes in [
        "budget >= 150",
        "budget <= 100",
        "budget = 150",
        "readiness >= TRL6",
        "cooperation_mode = 开发",
        "readiness : *",
    ] {
        check(yes, &n, true);
    }
    for no in [
        "budget > 200",
        "budget < 100",
        "readiness > \"TRL 6\"",
        "readiness = \"MRL 6\"",
        "price > 0",
    ] {
        check(no, &n, false);
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    let told = |f: &str| Filter::parse(f).expect_err(f).to_string();
    assert!(
        told("regoin = 44").contains("did you mean `region`"),
        "{}",
        told("regoin = 44")
    );
    assert!(told("kind = expert AND (region : 44").ends_with("position 30: a `)` is missing"));
    assert!(told("kind = expert)").contains("position 13: an unexpected `)`"));
    assert!(told("kind").contains("expected = !="));
    assert!(told("kind =").contains("expected a value"));
    assert!(told("kind = 'expert").contains("never closed"));
    assert!(told("region : 999999").contains("GB/T 2260"));
    assert!(told("kind > need").contains("no order"));
    assert!(told("budget > 很多").contains("万元"));
    assert!(told("((((kind = need))))").contains("deeper than 3"));
    assert!(told(&"kind = need ".repeat(101)).contains("more than 100"));
    assert!(told(&"x".repeat(10_001)).contains("too many"));
    assert!(told("AND").contains("unknown field"));
}

#[test]
fn hostile_text_never_panics() {
    for f in [
        "\\",
        "\"\\",
        "((((((",
        ":::",
        "- - -",
        "kind=-",
        "attributes.=1",
        "NOT",
        "\u{0}",
        "😀 = 1",
        "kind = need OR",
    ] {
        let _ = Filter::parse(f);
    }
}

#[test]
fn a_comparison_built_in_code_is_the_one_that_was_written() {
    let built = Filter::compare(Field::Id, Op::Eq, Value::Text("GBA-N01".into()));
    assert_eq!(built, Filter::parse("id = \"GBA-N01\"").unwrap());
}
