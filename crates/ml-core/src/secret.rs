//! Texts that are masked wherever they are shown: passwords, and addresses of servers that may have one in them.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

const MASK: &str = "***";

/// A password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// Returns the password itself, for the driver alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

/// The address of a server, which may have a password in it; that part is masked when it is printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Wraps an address.
    pub fn new(url: impl Into<String>) -> SecretUrl {
        SecretUrl(url.into())
    }

    /// Returns the address with its password, for the driver alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns `text` with the password of the address masked, wherever it is in there.
    pub fn without_secrets(&self, text: &str) -> String {
        match self.password().filter(|password| !password.is_empty()) {
            Some(password) => text.replace(password, MASK),
            None => text.to_owned(),
        }
    }

    /// Returns what is between the first `:` and the last `@` of what stands before the hosts.
    fn password(&self) -> Option<&str> {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        let (user_and_password, _) = rest.rsplit_once('@')?;
        Some(user_and_password.split_once(':')?.1)
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(password) = self.password() else { return f.write_str(&self.0) };
        let start = password.as_ptr() as usize - self.0.as_ptr() as usize;
        write!(f, "{}{MASK}{}", &self.0[..start], &self.0[start + password.len()..])
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_without_their_passwords() {
        let check = |url: &str, expected: &str| assert_eq!(SecretUrl::new(url).to_string(), expected);
        check("mongodb://h:27017/db", "mongodb://h:27017/db");
        check("mongodb://ann@h", "mongodb://ann@h");
        check("mongodb://ann:pa:ss@h", "mongodb://ann:***@h");
        check("mongodb://ann:p@ss@h1,h2/?tls=true", "mongodb://ann:***@h1,h2/?tls=true");
        check("ann:secret@h", "ann:***@h");
    }

    #[test]
    fn a_repeated_password_is_masked() {
        let url = SecretUrl::new("mongodb://ann:p@ss@h");
        assert_eq!(url.without_secrets("`p@ss@h` is no host"), "`***@h` is no host");
    }
}
