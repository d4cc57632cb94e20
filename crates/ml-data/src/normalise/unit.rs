//! The step that brings quantities into one unit.
//!
//! Factors are those of NIST Special Publication 811 (2008), appendix B; the foot is the international one.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::Conversion;
use super::number::{OVERFLOW, fault_of_decimal, hint_of_decimal, point, read_number};
use crate::field::{FieldList, FieldPath, Fields};
use crate::reason::Reasons;
use crate::shown::{shown, shown_text};

/// Arguments of [`crate::normalise::Step::Unit`].
///
/// A value is a number, or text with a number that may be followed by its unit, such as `850 sq ft`. The unit of a value is the one
/// that its text has, else the one in `from_field`, else `from`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitStep {
    /// The fields to convert.
    pub fields: FieldList,
    /// The unit of values that do not say theirs.
    #[serde(default)]
    pub from: Option<Unit>,
    /// The field with the unit.
    #[serde(default)]
    pub from_field: Option<FieldPath>,
    /// The unit that they get.
    pub to: Unit,
    /// What stands before the fraction in text: `.` or `,`; the other one groups digits.
    #[serde(default = "point")]
    pub decimal: char,
    /// Where the result goes, if not in place.
    #[serde(default)]
    pub into: Option<FieldPath>,
}

/// A unit of measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit(&'static Known);

#[derive(Debug, PartialEq)]
struct Known {
    dimension: &'static str,
    /// How many of the unit of reference one is.
    factor: f64,
    /// What is added after multiplying, for scales that do not begin at nothing.
    offset: f64,
    /// The name first, then how else it is written.
    names: &'static [&'static str],
}

const fn known(dimension: &'static str, factor: f64, names: &'static [&'static str]) -> Known {
    Known { dimension, factor, offset: 0.0, names }
}

/// Every unit, with its factor to the unit of reference of its dimension.
static UNITS: &[Known] = &[
    known("length", 1.0, &["m", "metre", "meter", "metres", "meters"]),
    known("length", 0.001, &["mm"]),
    known("length", 0.01, &["cm"]),
    known("length", 1_000.0, &["km"]),
    known("length", 0.0254, &["in", "inch", "inches"]),
    known("length", 0.3048, &["ft", "foot", "feet"]),
    known("length", 0.9144, &["yd", "yard", "yards"]),
    known("length", 1_609.344, &["mi", "mile", "miles"]),
    known("length", 1_852.0, &["nmi"]),
    known("area", 1.0, &["m2", "m²", "m^2", "sqm", "qm", "kvm"]),
    known("area", 0.0001, &["cm2", "cm²"]),
    known("area", 1_000_000.0, &["km2", "km²", "sqkm"]),
    known("area", 10_000.0, &["ha", "hectare", "hectares"]),
    known("area", 0.092_903_04, &["sqft", "ft2", "ft²", "ft^2", "squarefeet", "sf"]),
    known("area", 0.836_127_36, &["sqyd", "yd2", "yd²"]),
    known("area", 4_046.856_422_4, &["acre", "acres", "ac"]),
    known("area", 2_589_988.110_336, &["sqmi", "mi2", "mi²"]),
    known("volume", 1.0, &["l", "litre", "liter", "litres", "liters"]),
    known("volume", 0.001, &["ml"]),
    known("volume", 1_000.0, &["m3", "m³"]),
    known("volume", 28.316_846_592, &["ft3", "ft³", "cuft"]),
    known("volume", 3.785_411_784, &["gal", "gallon", "gallons"]),
    known("volume", 4.546_09, &["gal_uk"]),
    known("volume", 158.987_294_928, &["bbl", "barrel", "barrels"]),
    known("mass", 1.0, &["kg", "kilogram", "kilograms"]),
    known("mass", 0.001, &["g", "gram", "grams"]),
    known("mass", 0.000_001, &["mg"]),
    known("mass", 1_000.0, &["t", "tonne", "tonnes"]),
    known("mass", 0.453_592_37, &["lb", "lbs", "pound", "pounds"]),
    known("mass", 0.028_349_523_125, &["oz", "ounce", "ounces"]),
    known("mass", 0.031_103_476_8, &["ozt"]),
    known("time", 1.0, &["s", "sec", "second", "seconds"]),
    known("time", 0.001, &["ms"]),
    known("time", 60.0, &["min", "minute", "minutes"]),
    known("time", 3_600.0, &["h", "hr", "hour", "hours"]),
    known("time", 86_400.0, &["d", "day", "days"]),
    known("time", 604_800.0, &["wk", "week", "weeks"]),
    known("speed", 1.0, &["m/s"]),
    known("speed", 1_000.0 / 3_600.0, &["km/h", "kmh", "kph"]),
    known("speed", 0.447_04, &["mph", "mi/h"]),
    known("speed", 1_852.0 / 3_600.0, &["kn", "knot", "knots"]),
    Known { dimension: "temperature", factor: 1.0, offset: 0.0, names: &["k", "kelvin"] },
    Known { dimension: "temperature", factor: 1.0, offset: 273.15, names: &["c", "°c", "celsius"] },
    Known {
        dimension: "temperature",
        factor: 5.0 / 9.0,
        offset: 459.67 * 5.0 / 9.0,
        names: &["f", "°f", "fahrenheit"],
    },
    known("energy", 1.0, &["j", "joule"]),
    known("energy", 1_000.0, &["kj"]),
    known("energy", 3_600_000.0, &["kwh"]),
    known("energy", 3_600_000_000.0, &["mwh"]),
    known("energy", 4_186.8, &["kcal"]),
    known("energy", 1_055.055_852_62, &["btu"]),
    known("power", 1.0, &["w", "watt"]),
    known("power", 1_000.0, &["kw"]),
    known("power", 1_000_000.0, &["mw"]),
    known("power", 745.699_871_582_270_2, &["hp"]),
    known("pressure", 1.0, &["pa"]),
    known("pressure", 100.0, &["hpa", "mbar"]),
    known("pressure", 1_000.0, &["kpa"]),
    known("pressure", 100_000.0, &["bar"]),
    known("pressure", 101_325.0, &["atm"]),
    known("pressure", 6_894.757_293_168_361, &["psi"]),
    known("data", 1.0, &["byte", "bytes"]),
    known("data", 1e3, &["kb"]),
    known("data", 1e6, &["mb"]),
    known("data", 1e9, &["gb"]),
    known("data", 1_024.0, &["kib"]),
    known("data", 1_048_576.0, &["mib"]),
    known("data", 1_073_741_824.0, &["gib"]),
    known("share", 1.0, &["fraction"]),
    known("share", 0.01, &["percent", "%", "pct"]),
    known("share", 0.001, &["permille", "‰"]),
    known("share", 0.0001, &["bps", "bp"]),
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Known>> =
    LazyLock::new(|| UNITS.iter().flat_map(|unit| unit.names.iter().map(move |name| (*name, unit))).collect());

impl Unit {
    /// Returns the unit that is written like this, whatever the case and the spaces and full stops in it.
    pub fn find(text: &str) -> Option<Unit> {
        if let Some(known) = BY_NAME.get(text) {
            return Some(Unit(known));
        }
        let plain: String =
            text.chars().filter(|c| !c.is_whitespace() && *c != '.').flat_map(char::to_lowercase).collect();
        BY_NAME.get(plain.as_str()).copied().map(Unit)
    }

    /// Returns the usual name.
    pub fn name(self) -> &'static str {
        self.0.names[0]
    }

    /// Returns what the unit measures.
    pub fn dimension(self) -> &'static str {
        self.0.dimension
    }

    /// Converts a quantity; absent where the other unit measures something else.
    pub fn convert(self, quantity: f64, to: Unit) -> Option<f64> {
        if self.0.dimension != to.0.dimension {
            return None;
        }
        if self.0 == to.0 {
            return Some(quantity);
        }
        Some((quantity * self.0.factor + self.0.offset - to.0.offset) / to.0.factor)
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unit, D::Error> {
        let text = String::deserialize(deserializer)?;
        Unit::find(&text).ok_or_else(|| {
            let names: Vec<&str> = UNITS.iter().map(|unit| unit.names[0]).collect();
            serde::de::Error::custom(format!("`{text}` is not a unit that is known: {}", names.join(", ")))
        })
    }
}

impl UnitStep {
    pub(super) fn fault(&self) -> Option<String> {
        if let Some(from) = self.from.filter(|from| from.dimension() != self.to.dimension()) {
            return Some(format!(
                "`{}` measures {}, and `{}` {}",
                from.name(),
                from.dimension(),
                self.to.name(),
                self.to.dimension()
            ));
        }
        let fault = fault_of_decimal(self.decimal).or_else(|| super::fault_of_into(&self.fields, self.into.as_ref()));
        fault.or_else(|| self.fields.fault_beside(&self.from_field))
    }

    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        let beside = [self.from_field.as_ref()];
        let conversion = Conversion { step: "unit", fields: &self.fields, into: self.into.as_ref(), beside };
        super::convert_each(conversion, fields, reasons, |value, [given]| self.convert(value, given.as_ref()));
    }

    fn convert(&self, value: &Value, given: Option<&Value>) -> Result<Value, String> {
        let (number, digits, written) = match value {
            Value::Number(number) => (number.as_f64(), "", ""),
            Value::String(text) => {
                let text = text.trim();
                let end = text.find(|c: char| c.is_alphabetic() || "%‰°".contains(c)).unwrap_or(text.len());
                (read_number(&text[..end], self.decimal), &text[..end], &text[end..])
            }
            _ => (None, "", ""),
        };
        let hint = || hint_of_decimal(digits, self.decimal);
        let number = number.ok_or_else(|| format!("{} is not a quantity{}", shown(value), hint()))?;
        let find =
            |name: &str| Unit::find(name).ok_or_else(|| format!("{} is not a unit that is known", shown_text(name)));
        let unit = match given {
            _ if !written.is_empty() => Some(find(written)?),
            Some(Value::String(name)) => Some(find(name)?),
            Some(other) => return Err(format!("{} is not a unit", shown(other))),
            None => self.from,
        };
        let unit = unit.ok_or_else(|| format!("{} has no unit", shown(value)))?;
        let converted = unit.convert(number, self.to).ok_or_else(|| {
            format!("{} measures {}, and {} is wanted", shown(value), unit.dimension(), self.to.dimension())
        })?;
        if !converted.is_finite() {
            return Err(OVERFLOW.to_owned());
        }
        Ok(Value::from(converted))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_conversions_hold() {
        for (quantity, from, to, expected) in [
            (1.0, "sq ft", "m2", 0.092_903_04),
            (1.0, "acre", "ha", 0.404_685_642_24),
            (26.2, "miles", "km", 42.164_812_8),
            (-40.0, "f", "c", -40.0),
            (100.0, "°C", "F", 212.0),
            (150.0, "lb", "kg", 68.038_855_5),
            (3.6, "km/h", "m/s", 1.0),
            (25.0, "bps", "percent", 0.25),
        ] {
            let found = Unit::find(from).unwrap().convert(quantity, Unit::find(to).unwrap()).unwrap();
            assert!(
                (found - expected).abs() < 1e-9 * f64::max(1.0, expected.abs()),
                "{quantity} {from} is {found} {to}"
            );
        }
        assert_eq!(Unit::find("m2").unwrap().convert(1.0, Unit::find("m").unwrap()), None);
        assert_eq!(Unit::find("furlong"), None);
    }

    #[test]
    fn no_name_means_two_units() {
        assert_eq!(BY_NAME.len(), UNITS.iter().map(|unit| unit.names.len()).sum::<usize>());
    }

    proptest! {
        /// There and back; the tolerance is for two roundings each way, beside the offset of temperatures.
        #[test]
        fn there_and_back_is_the_same(quantity in -1e6_f64..1e6, from in 0..UNITS.len(), to in 0..UNITS.len()) {
            let (from, to) = (Unit(&UNITS[from]), Unit(&UNITS[to]));
            let Some(there) = from.convert(quantity, to) else {
                prop_assert_ne!(from.dimension(), to.dimension());
                return Ok(());
            };
            let back = to.convert(there, from).unwrap();
            prop_assert!((back - quantity).abs() <= 1e-9 * quantity.abs().max(1_000.0), "{} {} {}", quantity, there, back);
        }
    }
}
