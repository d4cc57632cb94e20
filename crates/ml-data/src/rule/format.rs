//! Rules that texts have a well-known form.

use std::net::IpAddr;

use serde_json::Value;

use super::text::not_text;
use crate::shown::shown;

/// Nothing longer is an address, by RFC 5321.
const MAX_EMAIL_BYTES: usize = 254;
/// Nothing longer stands before the `@`, by RFC 5321.
const MAX_LOCAL_BYTES: usize = 64;

/// An address such as `ada@example.org`; comments and quoted names, which hardly anyone has, are not accepted.
pub(super) fn fault_of_email(value: &Value) -> Option<String> {
    fault_of(value, is_email, "an email address")
}

/// An absolute address with a host, such as `https://example.org/a?b=c`.
pub(super) fn fault_of_url(value: &Value) -> Option<String> {
    fault_of(value, is_url, "a URL with scheme and host, such as https://example.org/a")
}

/// 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
pub(super) fn fault_of_uuid(value: &Value) -> Option<String> {
    fault_of(value, is_uuid, "a UUID")
}

/// An address of IP version 4 or 6.
pub(super) fn fault_of_ip_address(value: &Value) -> Option<String> {
    fault_of(value, |text| text.parse::<IpAddr>().is_ok(), "an IP address")
}

/// Text that reads as JSON.
pub(super) fn fault_of_json(value: &Value) -> Option<String> {
    fault_of(value, |text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(), "JSON")
}

fn fault_of(value: &Value, is_met: impl Fn(&str) -> bool, name: &str) -> Option<String> {
    let Value::String(text) = value else { return Some(not_text(value)) };
    (!is_met(text)).then(|| format!("{} is not {name}", shown(value)))
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    text.len() <= MAX_EMAIL_BYTES
        && (1..=MAX_LOCAL_BYTES).contains(&local.len())
        && local.chars().all(is_local)
        && !local.split('.').any(str::is_empty)
        && domain.contains('.')
        && is_host_name(domain)
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c))
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
        && (is_host_name(host) || host.parse::<IpAddr>().is_ok())
}

fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    host.split('.').all(is_label)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is_met: impl Fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(is_met(text), "{text}");
        }
        for text in bad {
            assert!(!is_met(text), "{text}");
        }
    }

    #[test]
    fn forms_are_told() {
        check(
            is_email,
            &["a@b.co", "ada.king+tag@mail.example.org", "jörg@bücher.example"],
            &["", "a", "a@b", "@b.co", "a@b..co", "a b@c.de", "a@-b.co", ".a@b.co", "a@@b.co", "a@b.co "],
        );
        check(
            is_url,
            &["http://a", "https://a.b/c?d=e#f", "ftp://u:p@h:21/x", "https://[::1]:80/", "http://127.0.0.1/"],
            &["", "a.b", "http://", "http:///a", "://a", "1http://a", "http://a b", "http://a:99999", "mailto:a@b.co"],
        );
        check(
            is_uuid,
            &["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
            &["", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"],
        );
        assert_eq!(fault_of_json(&Value::from("{\"a\": [1]}")), None);
        assert!(fault_of_json(&Value::from("{a}")).is_some() && fault_of_json(&Value::from(1)).is_some());
        assert_eq!(fault_of_ip_address(&Value::from("::1")), None);
        assert!(fault_of_ip_address(&Value::from("1.2.3")).is_some());
    }
}
