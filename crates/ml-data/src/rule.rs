//! Rules: stated conditions on the fields of a normalised record.
//!
//! Only the rules on presence look at fields that are absent, `null` or blank; every other rule passes them over.
//! A rule that is broken says so in words, with the value and with what was expected.

mod age;
mod allowed;
mod arithmetic;
mod code;
mod compare;
mod conditional;
mod date;
mod declared;
mod dedup;
mod exists_in;
mod format;
mod items;
mod keys;
mod kind;
mod length;
mod names;
mod number;
mod patterns;
mod presence;
mod range;
mod regex;
mod required;
mod text;
mod unique;
mod written;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::field::{FieldPath, Fields};
use crate::reason::Reasons;

pub use self::age::{Age, NotFuture};
pub use self::allowed::Allowed;
pub use self::arithmetic::{Equals, Increasing, Ratio};
pub use self::code::{Country, CountryForm};
pub use self::compare::{Compare, Comparison};
pub use self::conditional::Conditional;
pub use self::date::DateRange;
pub use self::declared::{Declared, Severity};
pub use self::dedup::{Dedup, Keep, Rank};
pub use self::exists_in::ExistsIn;
pub use self::items::{ItemRule, Items};
pub use self::keys::Keys;
pub use self::kind::{Kind, ValueKind};
pub use self::length::Length;
pub use self::names::Names;
pub use self::number::{DecimalPlaces, MultipleOf};
pub use self::patterns::Patterns;
pub use self::range::Range;
pub use self::regex::Matches;
pub use self::text::{Affix, CharacterClass, Charset, Contains, Words};
pub use self::unique::{Claim, Unique};

pub(crate) use self::code::is_currency;
pub(crate) use self::exists_in::Reference;

/// One rule, written as `{ name: arguments }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Rule {
    /// Each of the fields holds something.
    Required(Names),
    /// At least one of the fields holds something.
    RequiredAny(Names),
    /// None of the fields holds anything.
    Absent(Names),
    /// At most one of the fields holds something.
    Exclusive(Names),
    /// All of the fields hold something, or none does.
    Together(Names),
    /// The values are of a kind.
    Type(Kind),
    /// The numbers lie in a range.
    Range(Range),
    /// The values are finite numbers, or text that reads as one.
    Finite(Names),
    /// The numbers are above 0.
    Positive(Names),
    /// The numbers have so many decimal places.
    DecimalPlaces(DecimalPlaces),
    /// The numbers are multiples of another.
    MultipleOf(MultipleOf),
    /// The numbers are latitudes in degrees.
    Latitude(Names),
    /// The numbers are longitudes in degrees.
    Longitude(Names),
    /// The texts are of some length.
    Length(Length),
    /// The texts have so many words.
    Words(Words),
    /// The texts match a pattern.
    Regex(Matches),
    /// The texts match one of several patterns, or none.
    Patterns(Patterns),
    /// The texts begin with one of several.
    StartsWith(Affix),
    /// The texts end with one of several.
    EndsWith(Affix),
    /// The texts contain others.
    Contains(Contains),
    /// The texts consist of characters of a class.
    Charset(Charset),
    /// The texts are email addresses.
    Email(Names),
    /// The texts are URLs.
    Url(Names),
    /// The texts are UUIDs.
    Uuid(Names),
    /// The texts are IP addresses.
    IpAddress(Names),
    /// The texts read as JSON.
    Json(Names),
    /// The texts are currency codes.
    Currency(Names),
    /// The texts are country codes.
    Country(Country),
    /// The values are of a set.
    Allowed(Allowed),
    /// The values are not of a set.
    NotIn(Allowed),
    /// The values are instants in a range.
    Date(DateRange),
    /// The values are instants some time before the ingest.
    Age(Age),
    /// The values are instants that are not after the ingest.
    NotFuture(NotFuture),
    /// Two fields stand in an order.
    Compare(Compare),
    /// Fields, or the items of an array, stand in order.
    Increasing(Increasing),
    /// A number is the sum of others.
    EqualsSum(Equals),
    /// A number is the product of others.
    EqualsProduct(Equals),
    /// One number divided by another lies in a range.
    Ratio(Ratio),
    /// The arrays have so many items, and each item meets rules.
    Items(Items),
    /// The objects have these fields.
    Keys(Keys),
    /// Other rules hold under a condition.
    Conditional(Conditional),
    /// The values are in a column of a SQL table.
    ExistsIn(ExistsIn),
    /// No other record has the same values in these fields together.
    Unique(Unique),
    /// Of records with the same values one is kept.
    Dedup(Dedup),
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What is derived is no trait method, for reading needs more than is derived.
        Rule::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rule, D::Error> {
        use serde::de::Error as _;
        let rule = written::named(Value::deserialize(deserializer)?).map_err(D::Error::custom)?;
        Rule::deserialize(rule).map_err(D::Error::custom)
    }
}

/// A normalised record, as rules see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Its fields.
    pub(crate) fields: &'a Fields,
    /// When it was ingested.
    pub(crate) known_at: DateTime<Utc>,
}

impl Rule {
    /// Returns the kind of the rule, as it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Rule::Required(_) => "required",
            Rule::RequiredAny(_) => "required_any",
            Rule::Absent(_) => "absent",
            Rule::Exclusive(_) => "exclusive",
            Rule::Together(_) => "together",
            Rule::Type(_) => "type",
            Rule::Range(_) => "range",
            Rule::Finite(_) => "finite",
            Rule::Positive(_) => "positive",
            Rule::DecimalPlaces(_) => "decimal_places",
            Rule::MultipleOf(_) => "multiple_of",
            Rule::Latitude(_) => "latitude",
            Rule::Longitude(_) => "longitude",
            Rule::Length(_) => "length",
            Rule::Words(_) => "words",
            Rule::Regex(_) => "regex",
            Rule::Patterns(_) => "patterns",
            Rule::StartsWith(_) => "starts_with",
            Rule::EndsWith(_) => "ends_with",
            Rule::Contains(_) => "contains",
            Rule::Charset(_) => "charset",
            Rule::Email(_) => "email",
            Rule::Url(_) => "url",
            Rule::Uuid(_) => "uuid",
            Rule::IpAddress(_) => "ip_address",
            Rule::Json(_) => "json",
            Rule::Currency(_) => "currency",
            Rule::Country(_) => "country",
            Rule::Allowed(_) => "allowed",
            Rule::NotIn(_) => "not_in",
            Rule::Date(_) => "date",
            Rule::Age(_) => "age",
            Rule::NotFuture(_) => "not_future",
            Rule::Compare(_) => "compare",
            Rule::Increasing(_) => "increasing",
            Rule::EqualsSum(_) => "equals_sum",
            Rule::EqualsProduct(_) => "equals_product",
            Rule::Ratio(_) => "ratio",
            Rule::Items(_) => "items",
            Rule::Keys(_) => "keys",
            Rule::Conditional(_) => "conditional",
            Rule::ExistsIn(_) => "exists_in",
            Rule::Unique(_) => "unique",
            Rule::Dedup(_) => "dedup",
        }
    }

    /// Returns the fields that the rule looks at; none for a rule under a condition.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &FieldPath> {
        let (list, pair): (Option<&_>, [Option<&FieldPath>; 2]) = match self {
            Rule::Required(names)
            | Rule::RequiredAny(names)
            | Rule::Absent(names)
            | Rule::Exclusive(names)
            | Rule::Together(names)
            | Rule::Finite(names)
            | Rule::Positive(names)
            | Rule::Latitude(names)
            | Rule::Longitude(names)
            | Rule::Email(names)
            | Rule::Url(names)
            | Rule::Uuid(names)
            | Rule::IpAddress(names)
            | Rule::Json(names)
            | Rule::Currency(names) => (Some(&**names), [None, None]),
            Rule::Type(rule) => (Some(&rule.fields), [None, None]),
            Rule::Range(rule) => (Some(&rule.fields), [None, None]),
            Rule::DecimalPlaces(rule) => (Some(&rule.fields), [None, None]),
            Rule::MultipleOf(rule) => (Some(&rule.fields), [None, None]),
            Rule::Length(rule) => (Some(&rule.fields), [None, None]),
            Rule::Words(rule) => (Some(&rule.fields), [None, None]),
            Rule::Regex(rule) => (Some(&rule.fields), [None, None]),
            Rule::Patterns(rule) => (Some(&rule.fields), [None, None]),
            Rule::StartsWith(rule) | Rule::EndsWith(rule) => (Some(&rule.fields), [None, None]),
            Rule::Contains(rule) => (Some(&rule.fields), [None, None]),
            Rule::Charset(rule) => (Some(&rule.fields), [None, None]),
            Rule::Country(rule) => (Some(&rule.fields), [None, None]),
            Rule::Allowed(rule) | Rule::NotIn(rule) => (Some(&rule.fields), [None, None]),
            Rule::Date(rule) => (Some(&rule.fields), [None, None]),
            Rule::Age(rule) => (Some(&rule.fields), [None, None]),
            Rule::NotFuture(rule) => (Some(&rule.fields), [None, None]),
            Rule::Increasing(rule) => (Some(&rule.fields), [None, None]),
            Rule::Items(rule) => (Some(&rule.fields), [None, None]),
            Rule::Keys(rule) => (Some(&rule.fields), [None, None]),
            Rule::ExistsIn(rule) => (Some(&rule.fields), [None, None]),
            Rule::Unique(rule) => (Some(&rule.fields), [None, None]),
            Rule::Dedup(rule) => (Some(&rule.by), [rule.time.as_ref(), None]),
            Rule::EqualsSum(rule) | Rule::EqualsProduct(rule) => (Some(&rule.of), [Some(&rule.field), None]),
            Rule::Compare(rule) => (None, [Some(&rule.left), Some(&rule.right)]),
            Rule::Ratio(rule) => (None, [Some(&rule.of), Some(&rule.to)]),
            Rule::Conditional(_) => (None, [None, None]),
        };
        list.into_iter().flatten().chain(pair.into_iter().flatten())
    }

    /// Returns whether the rule asks each value by itself, whatever else the record holds.
    pub(crate) fn is_on_values(&self) -> bool {
        !matches!(
            self,
            Rule::Required(_)
                | Rule::RequiredAny(_)
                | Rule::Absent(_)
                | Rule::Exclusive(_)
                | Rule::Together(_)
                | Rule::Compare(_)
                | Rule::Increasing(_)
                | Rule::EqualsSum(_)
                | Rule::EqualsProduct(_)
                | Rule::Ratio(_)
                | Rule::Keys(_)
                | Rule::Conditional(_)
                | Rule::ExistsIn(_)
                | Rule::Unique(_)
                | Rule::Dedup(_)
        )
    }

    /// Returns whether the rule is about which fields hold something; all others pass over those that hold nothing.
    pub(crate) fn is_on_presence(&self) -> bool {
        matches!(
            self,
            Rule::Required(_) | Rule::RequiredAny(_) | Rule::Absent(_) | Rule::Exclusive(_) | Rule::Together(_)
        )
    }

    /// Returns whether the rule is about which record owns a value.
    pub(crate) fn needs_owners(&self) -> bool {
        matches!(self, Rule::Unique(_) | Rule::Dedup(_))
    }

    /// Returns what is wrong with the arguments, beyond what their types can say.
    pub fn fault(&self) -> Option<String> {
        let is_fieldless = matches!(self, Rule::Conditional(_) | Rule::Keys(_));
        if !is_fieldless && self.fields().next().is_none() {
            return Some("no field is named".to_owned());
        }
        if !self.is_on_values()
            && !matches!(self, Rule::Increasing(_))
            && let Some(plural) = self.fields().find(|name| name.is_plural())
        {
            return Some(format!("`{plural}` may lead to several values, which `{}` cannot take", self.name()));
        }
        match self {
            Rule::Range(rule) => rule.fault(),
            Rule::DecimalPlaces(rule) => rule.fault(),
            Rule::MultipleOf(rule) => rule.fault(),
            Rule::Length(rule) => rule.fault(),
            Rule::Words(rule) => rule.fault(),
            Rule::Patterns(rule) => rule.fault(),
            Rule::StartsWith(rule) | Rule::EndsWith(rule) => rule.fault(),
            Rule::Contains(rule) => rule.fault(),
            Rule::Allowed(rule) | Rule::NotIn(rule) => rule.fault(),
            Rule::Date(rule) => rule.fault(),
            Rule::Age(rule) => rule.fault(),
            Rule::Compare(rule) => rule.fault(),
            Rule::Increasing(rule) => rule.fault(),
            Rule::EqualsSum(rule) | Rule::EqualsProduct(rule) => rule.fault(),
            Rule::Ratio(rule) => rule.fault(),
            Rule::Items(rule) => rule.fault(),
            Rule::Keys(rule) => rule.fault(),
            Rule::Conditional(rule) => rule.fault(),
            Rule::ExistsIn(rule) => rule.fault(),
            Rule::Dedup(rule) => rule.fault(),
            Rule::Exclusive(names) | Rule::Together(names) => {
                (names.iter().count() < 2).then(|| "fewer than two fields are named".to_owned())
            }
            _ => None,
        }
    }

    /// Adds to `reasons` whatever breaks this rule. What needs a store is judged elsewhere: uniqueness, see
    /// [`Unique::claim`], and what must be in a table.
    pub(crate) fn check(&self, subject: Subject<'_>, reasons: &mut Reasons) {
        match self {
            Rule::Required(names) => required::check(names, subject.fields, reasons),
            Rule::RequiredAny(names) => required::check_any(names, subject.fields, reasons),
            Rule::Absent(names) => presence::check_absent(names, subject, reasons),
            Rule::Exclusive(names) => presence::check_exclusive(names, subject, reasons),
            Rule::Together(names) => presence::check_together(names, subject, reasons),
            Rule::Compare(rule) => rule.check(subject.fields, reasons),
            Rule::Increasing(rule) => rule.check(subject, reasons),
            Rule::EqualsSum(rule) => rule.check("equals_sum", |one, other| one + other, subject, reasons),
            Rule::EqualsProduct(rule) => rule.check("equals_product", |one, other| one * other, subject, reasons),
            Rule::Ratio(rule) => rule.check(subject, reasons),
            Rule::Keys(rule) => rule.check(subject, reasons),
            Rule::Conditional(rule) => rule.check(subject, reasons),
            Rule::ExistsIn(_) | Rule::Unique(_) | Rule::Dedup(_) => {}
            _ => self.fields().for_each(|name| self.check_values(name, subject, reasons)),
        }
    }

    /// Asks about every value of `name` that holds something, unless it could not be normalised.
    fn check_values(&self, name: &FieldPath, subject: Subject<'_>, reasons: &mut Reasons) {
        if reasons.has_failed_step(name) {
            return;
        }
        let mut first = None;
        let mut n_more = 0;
        name.each_filled(subject.fields, &mut |value| match (&first, self.fault_of(value, subject)) {
            (_, None) => {}
            (None, fault) => first = fault,
            (Some(_), Some(_)) => n_more += 1,
        });
        let Some(mut message) = first else { return };
        if n_more > 0 {
            message = format!("{message}, and {n_more} more of this field");
        }
        reasons.add(name, self.name(), message);
    }

    /// Returns what is wrong with one value, for the rules on values.
    pub(crate) fn fault_of(&self, value: &Value, subject: Subject<'_>) -> Option<String> {
        match self {
            Rule::Type(rule) => rule.fault_of(value),
            Rule::Range(rule) => rule.fault_of(value),
            Rule::Finite(_) => range::fault_of_finite(value),
            Rule::Positive(_) => number::fault_of_positive(value),
            Rule::DecimalPlaces(rule) => rule.fault_of(value),
            Rule::MultipleOf(rule) => rule.fault_of(value),
            Rule::Latitude(_) => number::fault_of_latitude(value),
            Rule::Longitude(_) => number::fault_of_longitude(value),
            Rule::Length(rule) => rule.fault_of(value),
            Rule::Words(rule) => rule.fault_of(value),
            Rule::Regex(rule) => rule.fault_of(value),
            Rule::Patterns(rule) => rule.fault_of(value),
            Rule::StartsWith(rule) => rule.fault_of_start(value),
            Rule::EndsWith(rule) => rule.fault_of_end(value),
            Rule::Contains(rule) => rule.fault_of(value),
            Rule::Charset(rule) => rule.fault_of(value),
            Rule::Email(_) => format::fault_of_email(value),
            Rule::Url(_) => format::fault_of_url(value),
            Rule::Uuid(_) => format::fault_of_uuid(value),
            Rule::IpAddress(_) => format::fault_of_ip_address(value),
            Rule::Json(_) => format::fault_of_json(value),
            Rule::Currency(_) => code::fault_of_currency(value),
            Rule::Country(rule) => rule.fault_of(value),
            Rule::Allowed(rule) => rule.fault_of(value),
            Rule::NotIn(rule) => rule.fault_of_not_in(value),
            Rule::Date(rule) => rule.fault_of(value),
            Rule::Age(rule) => rule.fault_of(value, subject.known_at),
            Rule::NotFuture(rule) => rule.fault_of(value, subject.known_at),
            Rule::Items(rule) => rule.fault_of(value, subject),
            _ => None,
        }
    }
}

/// Returns what is wrong with a rule inside another.
fn fault_of_inner(rule: &Rule) -> Option<String> {
    let needs_store = rule.needs_owners() || matches!(rule, Rule::ExistsIn(_));
    let fault = needs_store.then(|| "it needs the store, and cannot stand inside another rule".to_owned());
    fault.or_else(|| rule.fault()).map(|fault| format!("{}: {fault}", rule.name()))
}

/// Returns the value of a field that holds something and was normalised.
fn usable<'a>(name: &FieldPath, fields: &'a Fields, reasons: &Reasons) -> Option<&'a Value> {
    name.get_filled(fields).filter(|_| !reasons.has_failed_step(name))
}

#[cfg(test)]
mod tests;
