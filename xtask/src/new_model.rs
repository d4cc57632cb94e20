//! `cargo xtask new-model NAME`: an estimator with settings, tests and a line of documentation, that passes at once.
//!
//! What it writes is a whole model to begin from. The conformance suite of ml-train has it from the first moment on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::cargo::{cargo, root, run};

const TEMPLATE: &str = include_str!("../templates/new-model/estimator.rs.txt");

const ESTIMATORS: &str = "crates/ml-train/src/estimator.rs";
const SPEC: &str = "crates/ml-train/src/estimator/spec.rs";
const CONFORMANCE: &str = "crates/ml-train/tests/it/conformance.rs";
const SAMPLES: &str = "crates/ml-train/tests/it/samples.rs";
const DOCS: &str = "docs/pipelines.md";

/// Words that cannot name a module.
const KEYWORDS: [&str; 38] = [
    "as", "async", "await", "box", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "gen", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return",
    "self", "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "while",
];

/// The name of a model in its two spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ModelName {
    /// As in pipeline files and of its file, such as `nearest_mean`.
    kind: String,
    /// As a type, such as `NearestMean`.
    type_name: String,
}

/// Makes the model called `name`, formats it and says how to go on.
pub(crate) fn run_and_print(name: &str) -> Result<()> {
    let name = ModelName::parse(name)?;
    let changed = make(root(), &name)?;
    run(&mut cargo(&["fmt", "-p", "ml-train"]))?;
    for path in &changed {
        println!("{path}");
    }
    println!(
        "\n`{}` is a model now, and passes:  cargo test -p ml-train\nMake it your own in the first file; docs/extending.md says how.",
        name.kind
    );
    Ok(())
}

impl ModelName {
    fn parse(name: &str) -> Result<ModelName> {
        let is_snake_case = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !name.ends_with('_')
            && !name.contains("__");
        ensure!(is_snake_case, "`{name}` is no name for a model: write it like `nearest_mean`");
        ensure!(!KEYWORDS.contains(&name), "`{name}` is a word of Rust: choose another name");
        let capitalised = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
        Ok(ModelName { kind: name.to_owned(), type_name: name.split('_').map(capitalised).collect() })
    }
}

/// Writes the model into the workspace at `root`; returns the paths that changed. Nothing is written unless all of it can be.
fn make(root: &Path, name: &ModelName) -> Result<Vec<String>> {
    let ModelName { kind, type_name } = name;
    let file = format!("crates/ml-train/src/estimator/{kind}.rs");
    ensure!(!root.join(&file).exists(), "{file} is there already: choose another name");
    let spec = read(root, SPEC)?;
    ensure!(!spec.contains(&format!("=> \"{kind}\"")), "there is a model `{kind}` already: choose another name");

    let estimators = Edit::of(root, ESTIMATORS)?
        .before("mod settings;\n", &format!("mod {kind};\n"))?
        .before("pub use spec::EstimatorSpec;\n", &format!("pub use {kind}::{{{type_name}, {type_name}Predictor}};\n"))?
        .at_end_of(
            "pub enum FittedPredictor {",
            &format!("    /// What `{kind}` fits.\n    {type_name}({type_name}Predictor),\n"),
        )?
        .at_start_of_match_in(
            "pub fn as_predictor(",
            &format!("            FittedPredictor::{type_name}(predictor) => predictor,\n"),
        )?
        .at_start_of_match_in(
            "pub(crate) fn inconsistency(",
            &format!("            FittedPredictor::{type_name}(predictor) => predictor.inconsistency(n_classes),\n"),
        )?;
    let spec = Edit { path: SPEC, text: spec }.after("use super::{\n", &format!("    {type_name}, "))?.at_end_of(
        "estimators! {",
        &format!("    /// The class whose mean is nearest.\n    {type_name} => \"{kind}\",\n"),
    )?;
    let conformance = one_more_estimator(Edit::of(root, CONFORMANCE)?)?
        .before_end_of_list("const ESTIMATORS:", &format!("    (\"classification\", \"{{kind: {kind}}}\"),\n"))?;
    let samples =
        Edit::of(root, SAMPLES)?.before_end_of_list("const WITHOUT_SAMPLE:", &format!("    \"{kind}\",\n"))?;
    let docs = Edit::of(root, DOCS)?.before(
        "| `majority_class`",
        &format!("| `{kind}` | classification, sparse or dense | `shrinkage` (0.0) |\n"),
    )?;

    let source = TEMPLATE.replace("__KIND__", kind).replace("__NAME__", type_name);
    write(root, &file, &source)?;
    let mut changed = vec![file];
    for Edit { path, text } in [estimators, spec, conformance, samples, docs] {
        write(root, path, &text)?;
        changed.push(path.to_owned());
    }
    Ok(changed)
}

/// A file that is being changed.
struct Edit {
    path: &'static str,
    text: String,
}

impl Edit {
    fn of(root: &Path, path: &'static str) -> Result<Edit> {
        Ok(Edit { path, text: read(root, path)? })
    }

    fn position(&self, after: usize, anchor: &str) -> Result<usize> {
        let found = self.text[after..].find(anchor).map(|at| after + at);
        found.with_context(|| format!("{} has no `{}`, which `new-model` goes by", self.path, anchor.trim()))
    }

    fn insert(mut self, at: usize, text: &str) -> Edit {
        self.text.insert_str(at, text);
        self
    }

    fn before(self, anchor: &str, text: &str) -> Result<Edit> {
        let at = self.position(0, anchor)?;
        Ok(self.insert(at, text))
    }

    fn after(self, anchor: &str, text: &str) -> Result<Edit> {
        let at = self.position(0, anchor)? + anchor.len();
        Ok(self.insert(at, text))
    }

    /// Adds `text` before the brace that ends what begins with `anchor`.
    fn at_end_of(self, anchor: &str, text: &str) -> Result<Edit> {
        let begin = self.position(0, anchor)?;
        let at = self.position(begin, "\n}")? + 1;
        Ok(self.insert(at, text))
    }

    /// Adds an arm to the first `match` of the function that begins with `anchor`.
    fn at_start_of_match_in(self, anchor: &str, text: &str) -> Result<Edit> {
        let begin = self.position(0, anchor)?;
        let at = self.position(begin, "match self {\n")? + "match self {\n".len();
        Ok(self.insert(at, text))
    }

    /// Adds `text` before the bracket that ends the list that begins with `anchor`.
    fn before_end_of_list(self, anchor: &str, text: &str) -> Result<Edit> {
        let begin = self.position(0, anchor)?;
        let at = self.position(begin, "\n];")? + 1;
        Ok(self.insert(at, text))
    }
}

/// Counts one more in the length of the list of the conformance suite.
fn one_more_estimator(mut edit: Edit) -> Result<Edit> {
    let begin = edit.position(0, "const ESTIMATORS:")?;
    let (from, to) = (edit.position(begin, "; ")? + 2, edit.position(begin, "] = [")?);
    let Ok(length) = edit.text[from..to].parse::<usize>() else {
        bail!("{} does not say how long ESTIMATORS is, which `new-model` goes by", edit.path)
    };
    edit.text.replace_range(from..to, &(length + 1).to_string());
    Ok(edit)
}

fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
}

fn write(root: &Path, path: &str, text: &str) -> Result<()> {
    let path: PathBuf = root.join(path);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_before_anything_is_written() {
        let parsed = ModelName::parse("nearest_mean_2").unwrap();
        assert_eq!(parsed.type_name, "NearestMean2");
        for name in ["", "NearestMean", "nearest-mean", "2means", "match", "a__b", "a_"] {
            assert!(ModelName::parse(name).is_err(), "{name:?}");
        }
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            let is_left_out = name == "target" || name.to_string_lossy().starts_with('.');
            if entry.file_type().unwrap().is_dir() {
                if !is_left_out {
                    copy(&entry.path(), &to.join(&name));
                }
            } else if !is_left_out {
                fs::copy(entry.path(), to.join(&name)).unwrap();
            }
        }
    }

    /// Compiling is the better part of it: the suite that the model is then in runs with the tests of ml-train.
    #[test]
    fn a_new_model_compiles_with_its_tests_in_a_copy_of_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        copy(root(), folder.path());
        let name = ModelName::parse("nearest_mean").unwrap();
        let changed = make(folder.path(), &name).unwrap();
        assert_eq!(changed.len(), 6);
        let err = make(folder.path(), &name).unwrap_err().to_string();
        assert!(err.contains("is there already"), "{err}");

        let mut check = cargo(&["check", "-p", "ml-train", "--tests", "--offline", "--quiet"]);
        // The libraries underneath are those of the workspace, and need not be built again.
        check.current_dir(folder.path()).env("CARGO_TARGET_DIR", root().join("target"));
        let output = check.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
