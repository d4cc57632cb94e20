//! One item a JSON value: the elements of one array, or values after one another.

use std::ops::Range;

use super::Cut;
use super::lines::trimmed;
use crate::ingest::report::RejectReason;

/// Ends an item after every value of the outermost array, or of none; what is between values is an item without content.
///
/// Only the structure is looked at; whether a value is sound JSON is seen when it is parsed.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Values {
    place: Place,
    /// The value at hand, if one has begun.
    value: Option<Value>,
    /// How many bytes between values the item at hand has.
    n_between: usize,
    /// Whether the item that ended last is a value.
    was_value: bool,
    /// Whether something follows the end of the array.
    has_surplus: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first value; an opening bracket here is that of the array.
    #[default]
    Start,
    /// Among values without an array around them.
    Bare,
    /// Inside the array.
    Array,
    /// After its end.
    AfterArray,
}

/// How far a value has been gone over.
#[derive(Debug, Clone, Copy)]
enum Value {
    /// A number, `true`, `null`, or something that is no JSON; ends before what cannot belong to it.
    Scalar,
    /// An object, a list or a text.
    Enclosed { depth: usize, text: Text },
}

#[derive(Debug, Clone, Copy)]
enum Text {
    Outside,
    Inside,
    /// After a backslash.
    Escape,
}

impl Value {
    fn begin(byte: u8) -> Value {
        match byte {
            b'{' | b'[' => Value::Enclosed { depth: 1, text: Text::Outside },
            b'"' => Value::Enclosed { depth: 0, text: Text::Inside },
            _ => Value::Scalar,
        }
    }
}

impl Place {
    /// Returns where `byte` leads, unless a value begins with it.
    fn after(self, byte: u8) -> Option<Place> {
        match (self, byte) {
            (place, byte) if byte.is_ascii_whitespace() => Some(place),
            (Place::Start, b'[') => Some(Place::Array),
            (Place::Array, b']') => Some(Place::AfterArray),
            (Place::Array | Place::Bare, b',') => Some(self),
            _ => None,
        }
    }
}

impl Cut for Values {
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.has_surplus {
            return None;
        }
        for (at, &byte) in bytes.iter().enumerate() {
            match self.value {
                None => {
                    if let Some(place) = self.place.after(byte) {
                        self.place = place;
                        self.n_between += 1;
                    } else if self.n_between > 0 {
                        self.n_between = 0;
                        self.was_value = false;
                        return Some(at);
                    } else if self.place == Place::AfterArray {
                        self.has_surplus = true;
                        return None;
                    } else {
                        self.begin_value(byte);
                    }
                }
                Some(Value::Scalar) => {
                    if byte == b',' || byte == b']' || byte.is_ascii_whitespace() {
                        self.end_value();
                        return Some(at);
                    }
                }
                Some(Value::Enclosed { depth, text }) => {
                    let (depth, text) = go_over(byte, depth, text);
                    self.value = Some(Value::Enclosed { depth, text });
                    if depth == 0 && matches!(text, Text::Outside) {
                        self.end_value();
                        return Some(at + 1);
                    }
                }
            }
        }
        None
    }

    fn content(&self, item: &[u8]) -> Option<Range<usize>> {
        let is_whole = self.was_value && self.n_between == 0;
        if is_whole || self.value.is_some() || self.has_surplus { trimmed(item) } else { None }
    }

    fn fault_at_end(&self) -> Option<RejectReason> {
        match self.place {
            Place::Array => Some(RejectReason::OpenArray),
            Place::AfterArray => self.has_surplus.then_some(RejectReason::AfterArray),
            Place::Start | Place::Bare => None,
        }
    }
}

impl Values {
    fn begin_value(&mut self, byte: u8) {
        if self.place == Place::Start {
            self.place = Place::Bare;
        }
        self.value = Some(Value::begin(byte));
        self.was_value = false;
    }

    fn end_value(&mut self) {
        self.value = None;
        self.was_value = true;
    }
}

fn go_over(byte: u8, depth: usize, text: Text) -> (usize, Text) {
    match (text, byte) {
        (Text::Outside, b'"') => (depth, Text::Inside),
        (Text::Outside, b'{' | b'[') => (depth + 1, text),
        (Text::Outside, b'}' | b']') => (depth.saturating_sub(1), text),
        (Text::Outside, _) => (depth, text),
        (Text::Inside, b'\\') => (depth, Text::Escape),
        (Text::Inside, b'"') => (depth, Text::Outside),
        (Text::Inside | Text::Escape, _) => (depth, Text::Inside),
    }
}
