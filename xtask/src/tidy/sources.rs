//! What a source file may contain, and what it begins with.

use crate::tidy::Fault;
use crate::tidy::tokens::{Token, tokens_of};
use crate::workspace::{Package, SourceFile};

/// The most lines of a file under `src/`.
const MAX_LINES: usize = 600;

/// Tokens that may stand nowhere, with the way out.
const FORBIDDEN: &[(&[&str], &str)] = &[
    (&["todo", "!", "("], "`todo!` is not finished; write it, or leave the feature out"),
    (&["unimplemented", "!", "("], "`unimplemented!` is not finished; write it, or leave the feature out"),
    (&["dbg", "!", "("], "`dbg!` is for the desk; remove it, or log with `tracing`"),
    (
        &["#", "[", "ignore"],
        "an ignored test proves nothing; mend it, remove it, or let it print `skipped: …` and return",
    ),
    (&["#", "[", "should_panic"], "`#[should_panic]` accepts any panic; return an error and assert on that"),
];

/// Tokens that may not stand in a test.
const SLEEPS: &[&[&str]] = &[&["thread", ":", ":", "sleep"], &["time", ":", ":", "sleep"]];

/// Returns what is wrong with the sources of `package`.
pub(crate) fn faults(package: &Package) -> Vec<Fault> {
    package.sources.iter().flat_map(|file| file_faults(file, file.is_in_src(package))).collect()
}

fn file_faults(file: &SourceFile, is_in_src: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    if file.path.ends_with("/mod.rs") {
        faults.push(Fault::new(&file.path, "there are no `mod.rs` files; move it to `thing.rs` beside `thing/`"));
    }
    if !file.text.starts_with("//!") {
        faults.push(Fault::new(&file.path, "the file says nothing about itself; begin with a `//!` line: what it is"));
    }
    let n_lines = file.text.lines().count();
    if is_in_src && n_lines > MAX_LINES {
        let message = format!("{n_lines} lines are more than {MAX_LINES}; look for the second noun hiding inside");
        faults.push(Fault::new(&file.path, message));
    }
    match tokens_of(&file.text, file.is_test()) {
        Ok(tokens) => faults.extend(token_faults(&file.path, &tokens)),
        Err(err) => faults.push(Fault::new(&file.path, err.to_string())),
    }
    faults
}

fn token_faults(path: &str, tokens: &[Token]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        let rest = &tokens[position..];
        let forbidden = FORBIDDEN.iter().find(|(pattern, _)| begins_with(rest, pattern)).map(|(_, message)| *message);
        let sleeps = token.in_test && !token.in_timekeeper && SLEEPS.iter().any(|pattern| begins_with(rest, pattern));
        let message =
            if sleeps { Some("a test does not sleep; poll for the condition in `wait_until`") } else { forbidden };
        faults.extend(message.map(|message| Fault::new(format!("{path}:{}", token.line), message)));
    }
    faults
}

fn begins_with(tokens: &[Token], pattern: &[&str]) -> bool {
    tokens.len() >= pattern.len() && tokens.iter().zip(pattern).all(|(token, text)| token.text == *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges a file of this path, with `code` on its third line.
    fn check(path: &str, code: &str, expected: Option<&str>) {
        let file = SourceFile { path: format!("crates/ml-data/{path}"), text: format!("//! About.\n\n{code}\n") };
        let faults = file_faults(&file, path.starts_with("src/"));
        match (expected, faults.as_slice()) {
            (None, []) => {}
            (Some(text), [fault]) if fault.to_string().contains(text) => {}
            _ => panic!("{path}, {code}: expected {expected:?}, found {faults:?}"),
        }
    }

    #[test]
    fn unfinished_code_is_found_by_line() {
        check("src/a.rs", "fn a() { todo!() }", Some("crates/ml-data/src/a.rs:3: `todo!`"));
        check("src/a.rs", "fn a() { unimplemented!(\"b\") }", Some("`unimplemented!`"));
        check("src/a.rs", "fn a() { dbg!(1); }", Some("`dbg!`"));
        check("src/a.rs", "// todo!()\nconst A: &str = \"todo!()\";", None);
        check("src/a.rs", "fn a(todo: u8) -> bool { todo != (1) }", None);
    }

    #[test]
    fn tests_are_neither_ignored_nor_expected_to_panic() {
        check("src/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}", Some("a.rs:4: an ignored test"));
        check("tests/it/main.rs", "#[test]\n#[should_panic]\nfn a() {}", Some("accepts any panic"));
    }

    #[test]
    fn tests_do_not_sleep_and_other_code_may() {
        check("tests/it/a.rs", "fn a() { std::thread::sleep(b); }", Some("a test does not sleep"));
        check(
            "src/a.rs",
            "#[cfg(test)]\nmod tests { async fn a() { tokio::time::sleep(b).await } }",
            Some("a.rs:4: a test"),
        );
        check("src/a.rs", "fn a() { std::thread::sleep(b); }", None);
        check("tests/it/a.rs", "fn wait_until(what: &str) { std::thread::sleep(b); }", None);
    }

    #[test]
    fn files_are_named_begun_and_ended_in_time() {
        check("src/a/mod.rs", "", Some("no `mod.rs` files"));
        check("src/a.rs", &"\n".repeat(MAX_LINES - 3), None);
        check("src/a.rs", &"\n".repeat(MAX_LINES - 2), Some("601 lines are more than 600"));
        check("tests/it/a.rs", &"\n".repeat(MAX_LINES), None);
        let silent = SourceFile { path: "crates/ml-data/src/a.rs".to_owned(), text: "mod a;\n".to_owned() };
        assert!(file_faults(&silent, true)[0].message.contains("begin with a `//!` line"));
    }

    #[test]
    fn a_file_that_cannot_be_read_as_rust_is_a_fault() {
        check("src/a.rs", "fn a( {", Some("is not Rust"));
    }
}
