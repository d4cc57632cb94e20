//! The account that a server runs under which refuses to be run by the administrator.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Engine;

const ACCOUNTS_FILE: &str = "/etc/passwd";

/// Accounts without any rights, best first.
const UNPRIVILEGED: [&str; 3] = ["postgres", "nobody", "daemon"];

/// A user and its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    user_id: u32,
    group_id: u32,
}

impl Account {
    /// Returns the account to run the server under; `None` for the one of this process.
    pub(super) fn for_server(engine: Engine) -> Result<Option<Account>> {
        if engine != Engine::Postgres || !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string(ACCOUNTS_FILE).with_context(|| format!("cannot read {ACCOUNTS_FILE}"))?;
        let account = UNPRIVILEGED.iter().find_map(|name| Account::parse(&accounts, name)).with_context(|| {
            format!("PostgreSQL does not run as root, and there is none of the accounts {}", UNPRIVILEGED.join(", "))
        })?;
        Ok(Some(account))
    }

    /// Finds `name` in the text of the file of accounts.
    fn parse(accounts: &str, name: &str) -> Option<Account> {
        let fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|line| line[0] == name)?;
        let (user_id, group_id) = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
        Some(Account { user_id, group_id })
    }

    /// Makes `path` the account's own.
    pub(super) fn give(self, path: &Path) -> Result<()> {
        chown(path, Some(self.user_id), Some(self.group_id))
            .with_context(|| format!("cannot give {} to another account", path.display()))
    }

    /// Lets `command` run under the account, without the groups of this process.
    pub(super) fn run(self, command: &mut Command) {
        command.uid(self.user_id).gid(self.group_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\n\
                        postgres2:x:8:9::/:/bin/sh\n\
                        postgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash\n\
                        nobody:*:-2:-2::/:/usr/bin/false\n";
        let account = |user_id, group_id| Some(Account { user_id, group_id });
        assert_eq!(Account::parse(accounts, "postgres"), account(101, 104));
        assert_eq!(Account::parse(accounts, "root"), account(0, 0));
        assert_eq!(Account::parse(accounts, "nobody"), None);
        assert_eq!(Account::parse(accounts, "daemon"), None);
        assert_eq!(Account::parse("", "daemon"), None);
    }
}
