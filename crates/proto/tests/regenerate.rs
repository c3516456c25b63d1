//! The committed wire code is what the committed `.proto` files make.

#[path = "support/generator.rs"]
mod generator;

#[test]
fn committed_code_is_current() {
    for file in generator::generate().unwrap() {
        let path = generator::committed().join(file.name);
        let committed = std::fs::read(&path).unwrap_or_default();
        assert!(
            committed == file.bytes,
            "src/gen/{} is not what proto/ makes: run `cargo run -p queqiao-proto --example generate`",
            file.name
        );
    }
}

#[test]
fn a_printed_request_shows_no_contact() {
    let contact = queqiao_proto::v1::Contact {
        phone: "13800000000".into(),
        ..Default::default()
    };
    let expert = queqiao_proto::v1::Expert {
        contact: Some(contact),
        ..Default::default()
    };
    assert!(!format!("{expert:?}").contains("138"));
}
