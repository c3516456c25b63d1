//! The fast tokenizer gives the ids of the `tokenizers` crate, on every text.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use queqiao_embed::{Embedder, Role, StaticModel};
use std::{path::PathBuf, sync::OnceLock};
use tokenizers::Tokenizer;

struct Pair {
    fast: StaticModel,
    oracle: Tokenizer,
}

/// The shipped model, read by both.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/queqiao-zh-en-384");
        Pair {
            fast: StaticModel::load(&dir).unwrap(),
            oracle: Tokenizer::from_file(dir.join("tokenizer.json")).unwrap(),
        }
    })
}

fn check(text: &str) {
    let p = pair();
    let normal = queqiao_text::normalise(text);
    let expected: Vec<u32> = p
        .oracle
        .encode_fast(normal, false)
        .unwrap()
        .get_ids()
        .iter()
        .copied()
        .filter(|&id| id != 0)
        .collect();
    let got = p.fast.tokenise(text).unwrap();
    if got != expected {
        let start: String = text.chars().take(200).collect();
        let show = |ids: &[u32]| {
            ids.iter()
                .map(|&i| p.oracle.id_to_token(i))
                .collect::<Vec<_>>()
        };
        panic!(
            "{:?}\n{:?}\n{:?}",
            start.escape_unicode().to_string(),
            show(&got),
            show(&expected)
        );
    }
}

#[test]
fn real_wording() {
    for text in [
        "",
        " ",
        "高韧性立方氮化硼CBN单晶的研制及其产业化",
        "高韌性立方氮化硼ＣＢＮ單晶，乾燥劑",
        "基于YOLOv5的光伏组件热斑检测与PVDF膜污染机理研究2019",
        "Perovskite solar cells with photoelectrochemical water splitting",
        "asamodelandepitomeofcoastalzonedevelopment",
        "厚度≥50㎡，温度≤-40℃，①②③ Ⅳ型 5μm ½ ㎏ ℡",
        "naïve Café résumé e\u{301}tude ﬁne ﬂow",
        "ﾊﾟﾋﾞ한국어 กข русский 日本語の𠮷野家😀",
        "İstanbul K Å ǅ ß ſ",
        "𝐀𝐁𝟗 🄰 \u{1f130} \u{2f800}",
        "\0\u{1}\u{7f}\u{ad}\u{200b}\u{feff}a\u{300}\u{301}b",
        "C++ cr-39 PM2.5 x86_64 0x1f",
    ] {
        check(text);
    }
}

#[test]
fn every_character_of_the_plane() {
    // Between letters, where a wrong join or split would show.
    for block in (0u32..0x1_0000).collect::<Vec<_>>().chunks(8) {
        let text: String = block
            .iter()
            .filter_map(|&u| char::from_u32(u))
            .flat_map(|c| ['电', c, 'a', c, '池', ' '])
            .collect();
        check(&text);
    }
}

#[test]
fn a_megabyte() {
    let words = [
        "锂离子电池热管理",
        "graph",
        "的",
        "network ",
        "，",
        "x1",
        "鹊桥",
    ];
    let mut text = String::new();
    for i in 0.. {
        text.push_str(words[(i * i + i / 3) % words.len()]);
        if text.len() >= 1 << 20 {
            break;
        }
    }
    check(&text);
    // One run without any break.
    check(&"深度学习".repeat(20_000));
    let rows = pair().fast.embed(&[text.as_str()], Role::Passage).unwrap();
    assert!((rows.row(0).dot(&rows.row(0)) - 1.0).abs() < 1e-4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_mixture(parts in proptest::collection::vec(
        prop_oneof![
            "[a-zA-Z0-9]{1,12}",
            "[\u{4e00}-\u{9fff}]{1,8}",
            "[\u{3000}-\u{30ff}\u{ff00}-\u{ffef}]{1,4}",
            "[\u{300}-\u{36f}\u{1100}-\u{11ff}]{1,2}",
            Just("电池 battery".to_owned()),
        ],
        0..12,
    )) {
        check(&parts.concat());
    }
}
