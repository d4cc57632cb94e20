//! The file format: what it keeps, and what it notices.

use ml_core::artifact::ArtifactRef;
use ml_core::testkit::build::a_model_version;
use ml_registry::bundle::{Bundle, BundleError, Part};
use proptest::prelude::*;

fn a_bundle(parts: Vec<(Part, Vec<u8>)>) -> Bundle {
    let mut content = a_model_version().build();
    let stored = |wanted| parts.iter().find(|(part, _)| *part == wanted).map(|(_, bytes)| ArtifactRef::of(bytes));
    content.artifact = stored(Part::Model);
    content.reference_profile = stored(Part::ReferenceProfile);
    content.lineage.pipeline = stored(Part::Pipeline);
    Bundle { version: 7, content, parts }
}

fn written(bundle: &Bundle) -> Vec<u8> {
    let mut bytes = Vec::new();
    bundle.write_to(&mut bytes).unwrap();
    bytes
}

fn read(mut bytes: &[u8]) -> Result<Bundle, BundleError> {
    Bundle::read_from(&mut bytes)
}

fn parts() -> impl Strategy<Value = Vec<(Part, Vec<u8>)>> {
    let part = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
    (part(), part(), part()).prop_map(|(model, profile, pipeline)| {
        Part::ALL.into_iter().zip([model, profile, pipeline]).filter_map(|(part, bytes)| Some((part, bytes?))).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reading_gives_what_was_written(parts in parts()) {
        let bundle = a_bundle(parts);
        prop_assert_eq!(read(&written(&bundle)).unwrap(), bundle);
    }

    #[test]
    fn a_changed_byte_is_noticed(parts in parts(), position in any::<prop::sample::Index>(), change in 1u8..) {
        let mut bytes = written(&a_bundle(parts));
        let position = position.index(bytes.len());
        bytes[position] ^= change;
        prop_assert!(read(&bytes).is_err(), "byte {}", position);
    }

    #[test]
    fn a_file_cut_short_is_noticed(parts in parts(), length in any::<prop::sample::Index>()) {
        let bytes = written(&a_bundle(parts));
        prop_assert!(read(&bytes[..length.index(bytes.len())]).is_err());
    }
}

#[test]
fn each_fault_has_its_message() {
    let bytes = written(&a_bundle(vec![(Part::Model, b"the model".to_vec())]));
    let check = |bytes: &[u8], expected: &str| {
        let err = read(bytes).unwrap_err().to_string();
        assert!(err.contains(expected), "{err}");
    };
    check(b"", "not an exported model");
    check(b"PK\x03\x04", "not an exported model");
    check(b"ml-app-bundle 1 99999999999999 x\n", "damaged in its first line");
    check(&bytes[..40], "cut short in its first line");
    check(&bytes[..300], "cut short in its manifest");
    check(&bytes[..bytes.len() - 1], "cut short in its model");
    check(&[&bytes[..bytes.len() - 1], b"?"].concat(), "damaged in its model");
    check(&[&bytes[..], b"?"].concat(), "bytes after its end");
    check(&[&bytes[..16].to_ascii_uppercase(), &bytes[16..]].concat(), "not an exported model");
    let header_end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    check(
        &[&bytes[..20], &bytes[20..header_end].to_ascii_uppercase(), &bytes[header_end..]].concat(),
        "in its manifest",
    );
}

/// The sample is of format 1; a later format keeps it, and adds its own beside it.
#[test]
fn the_stored_sample_of_format_1_is_read() {
    let sample = include_bytes!("../samples/bundle-v1.mlmodel");
    let bundle = read(sample).unwrap();
    assert_eq!((bundle.version, bundle.content.name.as_str(), bundle.parts.len()), (7, "news", 3));
    assert_eq!(bundle.parts[0], (Part::Model, b"the model".to_vec()));
    assert_eq!(written(&bundle), sample);
}
