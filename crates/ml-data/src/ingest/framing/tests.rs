//! Cutting inputs into items: lines, array elements and rows of cells, whatever the reads return.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// A reader that gives a few bytes at a time.
struct Trickle(Cursor<Vec<u8>>, usize);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = buffer.len().min(self.1);
        self.0.read(&mut buffer[..n_bytes])
    }
}

fn cut_all(cut: impl Cut, text: &str, max_item_bytes: usize, step: usize) -> Vec<(u64, Result<String, RejectReason>)> {
    let mut blocks = Blocks::new(Trickle(Cursor::new(text.as_bytes().to_vec()), step), cut, max_item_bytes);
    let mut found = Vec::new();
    let mut n_bytes = 0;
    while let Some(block) = blocks.next_block().unwrap() {
        n_bytes += block.n_bytes;
        for item in &block.items {
            found.push((item.line, block.content(item).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())));
        }
    }
    assert!(n_bytes <= text.len() as u64);
    found
}

/// Cuts `text` in steps of every size and compares the items with `expected`.
fn check<C: Cut>(cut: impl Fn() -> C, text: &str, expected: &[(u64, Result<&str, RejectReason>)]) {
    for step in [1, 2, 3, 7, 1000] {
        let found = cut_all(cut(), text, 20, step);
        let found: Vec<_> =
            found.iter().map(|(line, item)| (*line, item.as_ref().map(String::as_str).map_err(Clone::clone))).collect();
        assert_eq!(found, expected, "{text:?} in steps of {step}");
    }
}

#[test]
fn lines_are_trimmed_and_numbered() {
    check(|| Lines, "a\r\n\n b \nc", &[(1, Ok("a")), (3, Ok("b")), (4, Ok("c"))]);
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let long = "x".repeat(100);
    let too_long = Err(RejectReason::TooLong(20));
    check(|| Lines, &format!("a\n{long}\nb\n"), &[(1, Ok("a")), (2, too_long.clone()), (3, Ok("b"))]);
    check(|| Lines, &format!("a\n{long}"), &[(1, Ok("a")), (2, too_long)]);
}

#[test]
fn rows_may_hold_line_feeds_in_quotes() {
    let text = "a,\"x\ny\"\nb,\"q\"\"\n\",c\nd\"e,f\n";
    check(|| Rows::new(b','), text, &[(1, Ok("a,\"x\ny\"")), (3, Ok("b,\"q\"\"\n\",c")), (5, Ok("d\"e,f"))]);
}

#[test]
fn a_quote_that_is_not_closed_is_a_fault() {
    check(|| Rows::new(b','), "a\n\"b\nc\n", &[(1, Ok("a")), (2, Err(RejectReason::OpenQuote))]);
}

#[test]
fn after_a_quote_that_swallows_too_much_rows_go_on() {
    let text = format!("a\n\"{}\nb\n", "x".repeat(30));
    let found = cut_all(Rows::new(b','), &text, 20, 1);
    assert_eq!(found, [(1, Ok("a".to_owned())), (2, Err(RejectReason::TooLong(20))), (3, Ok("b".to_owned())),]);
}

#[test]
fn values_of_an_array_are_items() {
    let text = " [{\"a\": \"]}\\\"\"},\n [1, [2]],3 , \"x,\"\n]\n";
    let expected = [(1, Ok("{\"a\": \"]}\\\"\"}")), (2, Ok("[1, [2]]")), (2, Ok("3")), (2, Ok("\"x,\""))];
    check(Values::default, text, &expected);
    check(Values::default, "[]", &[]);
}

#[test]
fn values_after_one_another_are_items() {
    check(Values::default, "{\n\"a\": 1}\n{}", &[(1, Ok("{\n\"a\": 1}")), (3, Ok("{}"))]);
}

#[test]
fn an_array_that_does_not_end_or_goes_on_is_a_fault() {
    let open = || Err(RejectReason::OpenArray);
    check(Values::default, "[{},\n{\"a\"", &[(1, Ok("{}")), (2, open())]);
    check(Values::default, "[{},\n{}\n", &[(1, Ok("{}")), (2, Ok("{}")), (3, open())]);
    check(Values::default, "[{}]\n{}", &[(1, Ok("{}")), (2, Err(RejectReason::AfterArray))]);
}

#[test]
fn what_came_before_a_break_is_given_first() {
    struct Broken(Cursor<Vec<u8>>);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                n_bytes => Ok(n_bytes),
            }
        }
    }
    let mut blocks = Blocks::new(Broken(Cursor::new(b"a\nb\nhalf a l".to_vec())), Lines, 100);
    let block = blocks.next_block().unwrap().unwrap();
    assert_eq!(block.items.len(), 2);
    assert_eq!(blocks.next_block().unwrap_err().line, 3);
}

proptest! {
    #[test]
    fn lines_are_those_of_the_standard_library(text in "[ab \n\r]{0,60}", step in 1_usize..70) {
        let expected: Vec<(u64, Result<String, RejectReason>)> = text
            .split('\n')
            .zip(1..)
            .filter(|(line, _)| !line.trim().is_empty())
            .map(|(line, number)| (number, Ok(line.trim().to_owned())))
            .collect();
        prop_assert_eq!(cut_all(Lines, &text, 1000, step), expected);
    }
}
