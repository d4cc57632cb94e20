//! The suites are whole: a case that is written is a case that is run.

use std::fs;
use std::path::Path;

#[test]
fn every_case_is_in_the_list_of_its_suite() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/testkit/conformance");
    let mut n_cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        let Some((cases, list)) = source.split_once("#[macro_export]") else { continue };
        for definition in cases.split("\npub async fn ").skip(1) {
            let name = definition.split('(').next().unwrap();
            let is_listed = list.lines().any(|line| line.trim() == format!("{name},"));
            assert!(is_listed, "`{name}` is missing in the list at the end of {}", path.display());
            n_cases += 1;
        }
    }
    assert!(n_cases > 200, "only {n_cases} cases were found");
}
