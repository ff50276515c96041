use super::{Element, Place, Value, Writer, XmlError};

/// A finite decimal number, as shapes of the type `double` hold one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Double(f64);

impl Double {
    /// The number; `None` if it is not finite.
    pub fn new(number: f64) -> Option<Double> {
        // Adding zero turns a negative zero into zero, so that equal numbers are written alike.
        number.is_finite().then_some(Double(number + 0.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Double {
    fn eq(&self, other: &Double) -> bool {
        self.0.total_cmp(&other.0).is_eq()
    }
}

impl Eq for Double {}

impl Value for Double {
    fn read(element: &Element, at: &Place<'_>) -> Result<Self, XmlError> {
        let text = element.text.trim();
        let number = text.parse().ok().and_then(Double::new);
        number.ok_or_else(|| at.invalid(text, "Member must be a finite decimal number"))
    }

    fn write(&self, out: &mut Writer) {
        out.text(&self.0.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_written_in_decimal() {
        for (text, written) in [
            ("50", "50"),
            ("0.1", "0.1"),
            ("1e2", "100"),
            ("-0", "0"),
            (" 33.333 ", "33.333"),
        ] {
            let element = Element {
                text: text.to_owned(),
                ..Element::default()
            };
            let number = Double::read(&element, &Place::root("SamplingRate")).unwrap();
            let mut out = Writer::document("r", "");
            number.write(&mut out);
            let document = String::from_utf8(out.finish("r")).unwrap();
            assert!(document.ends_with(&format!(">{written}</r>")), "{document}");
        }
        for wrong in ["", "fifty", "NaN", "inf", "1e999", "0x10"] {
            let element = Element {
                text: wrong.to_owned(),
                ..Element::default()
            };
            assert!(Double::read(&element, &Place::root("SamplingRate")).is_err(), "{wrong}");
        }
    }
}
