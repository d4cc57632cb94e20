//! How the program was started, so that the commands it proposes can be pasted as they stand.

use std::ffi::OsString;
use std::path::Path;

use crate::config::ConfigArgs;

/// The data folder of a program that was told nothing.
const DEFAULT_DATA_DIR: &str = "./ml-data";

/// The program as it was named, and the options that every further command needs again.
#[derive(Debug)]
pub(crate) struct Invocation {
    program: String,
    options: ConfigArgs,
}

impl Invocation {
    /// Takes the name that the program was started by, its argument 0, and the options that choose the configuration.
    pub(crate) fn new(argument_0: Option<OsString>, options: ConfigArgs) -> Invocation {
        let program = argument_0.filter(|name| !name.is_empty()).unwrap_or_else(|| OsString::from("ml-app"));
        Invocation { program: program.to_string_lossy().into_owned(), options }
    }

    /// Returns a line of shell that runs `rest` on the same configuration and on the data in `data_dir`.
    pub(crate) fn command(&self, data_dir: &Path, rest: &str) -> String {
        let ConfigArgs { folder, profile, data_dir: given_data_dir } = &self.options;
        let mut words = vec![quoted(&self.program)];
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), quoted(value)]);
        if let Some(folder) = folder {
            option("--config", &folder.to_string_lossy());
        }
        if let Some(profile) = profile {
            option("--profile", profile);
        }
        if given_data_dir.is_some() || data_dir != Path::new(DEFAULT_DATA_DIR) {
            option("--data-dir", &data_dir.to_string_lossy());
        }
        words.push(rest.to_owned());
        words.join(" ")
    }
}

/// Returns `word` so that a POSIX shell reads it as one word and as it is.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+:,@%=".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(argument_0: &str, options: ConfigArgs, data_dir: &str, expected: &str) {
        let invocation = Invocation::new(Some(argument_0.into()), options);
        assert_eq!(invocation.command(Path::new(data_dir), "sync"), expected);
    }

    #[test]
    fn commands_repeat_how_the_program_was_started() {
        check("ml-app", ConfigArgs::default(), "./ml-data", "ml-app sync");
        check("target/debug/ml-app", ConfigArgs::default(), "/srv/ml", "target/debug/ml-app --data-dir /srv/ml sync");
        let given = |data_dir: &str| ConfigArgs { data_dir: Some(data_dir.into()), ..ConfigArgs::default() };
        check("ml-app", given("./ml-data"), "./ml-data", "ml-app --data-dir ./ml-data sync");
        check("./my app", given("it's"), "it's", r"'./my app' --data-dir 'it'\''s' sync");
        let profile = ConfigArgs { folder: Some("conf".into()), profile: Some("prod".into()), data_dir: None };
        check("ml-app", profile, "./ml-data", "ml-app --config conf --profile prod sync");
    }
}
