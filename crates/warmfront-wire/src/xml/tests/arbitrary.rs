use proptest::prelude::*;

use super::GUIDE;
use crate::types::{DistributionConfig, InvalidationBatch, Paths};
use crate::{from_xml, to_xml};

fn xml_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![any::<char>(), proptest::char::range('\0', '\u{7f}')], 0..40).prop_map(
        |letters| {
            let allowed = |letter: &char| matches!(letter, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
            letters.into_iter().filter(allowed).collect()
        },
    )
}

fn xml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<InvalidationBatch>"),
        Just("</InvalidationBatch>"),
        Just("<Paths>"),
        Just("</Paths>"),
        Just("<Items>"),
        Just("</Items>"),
        Just("<Path>"),
        Just("</Path>"),
        Just("<Quantity>"),
        Just("</Quantity>"),
        Just("1"),
        Just("-"),
        Just("<CallerReference/>"),
        Just("<![CDATA["),
        Just("]]>"),
        Just("<!--"),
        Just("-->"),
        Just("&"),
        Just("&#"),
        Just(";"),
        Just("<?"),
        Just("?>"),
        Just("<!DOCTYPE"),
        Just("<"),
        Just(">"),
        Just("'"),
        Just("\""),
        Just("é"),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = from_xml::<DistributionConfig>(&body);
    }

    #[test]
    fn nothing_like_xml_panics(body in xml_like()) {
        let _ = from_xml::<InvalidationBatch>(body.as_bytes());
    }

    #[test]
    fn any_change_of_a_real_body_is_read_or_refused(at in 0..GUIDE.len(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = GUIDE.to_vec();
        body[at] = byte;
        if cut {
            body.truncate(at);
        }
        if let Ok(config) = from_xml::<DistributionConfig>(&body) {
            prop_assert_eq!(from_xml::<DistributionConfig>(&to_xml(&config)).unwrap(), config);
        }
    }

    #[test]
    fn any_text_comes_back_as_it_was(paths in proptest::collection::vec(xml_text(), 0..5), reference in xml_text()) {
        let quantity = i32::try_from(paths.len()).unwrap();
        let batch = InvalidationBatch { paths: Paths { quantity, items: paths }, caller_reference: reference };
        prop_assert_eq!(from_xml::<InvalidationBatch>(&to_xml(&batch)).unwrap(), batch);
    }

    #[test]
    fn whatever_is_written_can_be_read(reference in any::<String>()) {
        let batch = InvalidationBatch { paths: Paths::default(), caller_reference: reference };
        prop_assert!(from_xml::<InvalidationBatch>(&to_xml(&batch)).is_ok());
    }
}
