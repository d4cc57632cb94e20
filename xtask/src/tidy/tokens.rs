//! A source file as a flat list of tokens, so that rules see code and never comments or strings.

use std::str::FromStr;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, LineColumn, TokenStream, TokenTree};

/// Functions that are about time itself, and may therefore let it pass in a test.
const TIMEKEEPERS: [&str; 2] = ["wait_until", "killed_after"];

/// One token: a word, a literal, or a single sign; brackets are signs too.
pub(crate) struct Token {
    /// How it is written.
    pub(crate) text: String,
    /// The line it is on, from 1.
    pub(crate) line: usize,
    /// Whether it belongs to a test.
    pub(crate) in_test: bool,
    /// Whether it belongs to a function that is about time itself.
    pub(crate) in_timekeeper: bool,
}

#[derive(Clone, Copy)]
struct Scope {
    in_test: bool,
    in_timekeeper: bool,
}

/// Returns the tokens of `text`; `is_test` when the whole file is one of tests.
///
/// Doc comments come as the attributes that they are, with their text as one literal.
pub(crate) fn tokens_of(text: &str, is_test: bool) -> Result<Vec<Token>> {
    let stream = TokenStream::from_str(text).map_err(|err| {
        let LineColumn { line, .. } = err.span().start();
        anyhow!("line {line} is not Rust: {err}")
    })?;
    let mut tokens = Vec::new();
    flatten(stream, Scope { in_test: is_test, in_timekeeper: false }, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, scope: Scope, tokens: &mut Vec<Token>) {
    // The scope of the next `{ … }`: what an attribute or a function head before it has said.
    let mut inner = scope;
    for tree in stream {
        let mut push = |text: String, line: usize| {
            tokens.push(Token { text, line, in_test: scope.in_test, in_timekeeper: scope.in_timekeeper });
        };
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                push(open.to_owned(), line);
                let end_line = group.span_close().start().line;
                let is_body = group.delimiter() == Delimiter::Brace;
                inner.in_test |= is_test_attribute(&group.stream());
                flatten(group.stream(), if is_body { inner } else { scope }, tokens);
                if is_body {
                    inner = scope;
                }
                let (in_test, in_timekeeper) = (scope.in_test, scope.in_timekeeper);
                tokens.push(Token { text: close.to_owned(), line: end_line, in_test, in_timekeeper });
            }
            TokenTree::Ident(ident) => {
                let text = ident.to_string();
                inner.in_timekeeper |= TIMEKEEPERS.contains(&text.as_str()) && follows_fn(tokens);
                tokens.push(Token { text, line, in_test: scope.in_test, in_timekeeper: scope.in_timekeeper });
            }
            TokenTree::Punct(punct) => {
                if punct.as_char() == ';' {
                    inner = scope;
                }
                push(punct.to_string(), line);
            }
            TokenTree::Literal(literal) => push(literal.to_string(), line),
        }
    }
}

fn follows_fn(tokens: &[Token]) -> bool {
    tokens.last().is_some_and(|token| token.text == "fn")
}

/// Returns whether the inside of `#[…]` is `cfg(test)`, or `test` with or without a path before it.
fn is_test_attribute(inside: &TokenStream) -> bool {
    let text: String = inside.to_string().split_whitespace().collect();
    text == "cfg(test)" || text == "test" || text.ends_with("::test")
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, keep: impl Fn(&Token) -> bool) -> String {
        let tokens = tokens_of(text, false).unwrap();
        tokens.iter().filter(|token| keep(token)).map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_vanish_and_strings_stay_whole() {
        let text = "// todo!()\nfn a() { /* b */ let x = \"todo!()\"; 'c' }";
        assert_eq!(texts(text, |_| true), "fn a ( ) { let x = \"todo!()\" ; 'c' }");
    }

    #[test]
    fn lines_are_counted_from_one() {
        let tokens = tokens_of("a\n\nb {\n}\n", false).unwrap();
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 3, 3, 4]);
    }

    #[test]
    fn code_of_tests_is_known_as_such() {
        let text = "fn a() { one }\n#[cfg(test)]\nuse b;\nfn c() { two }\n#[cfg(test)]\nmod tests { fn d() { three } }";
        let words = ["one", "two", "three"];
        assert_eq!(texts(text, |token| token.in_test && words.contains(&token.text.as_str())), "three");
        assert_eq!(texts("#[tokio::test] async fn a(b: C) { one }", |token| token.in_test), "one");
    }

    #[test]
    fn timekeepers_are_known_by_their_names() {
        let text = "fn wait_until(what: &str) { one } fn other() { wait_until(two) }";
        assert_eq!(texts(text, |token| token.in_timekeeper), "one");
    }

    #[test]
    fn what_is_not_rust_says_where() {
        let err = tokens_of("fn a() {\n)", false).err().unwrap().to_string();
        assert!(err.starts_with("line 2 is not Rust"), "{err}");
    }
}
