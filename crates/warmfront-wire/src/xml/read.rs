use warmfront_model::Timestamp;

use super::{Document, Element, Place, Writer, XmlError};

/// Reads a body. Neither the order of elements nor their namespace matters, and unknown elements are ignored.
///
/// # Errors
/// [`XmlError`] says what is wrong and where.
pub fn from_xml<T: Document>(body: &[u8]) -> Result<T, XmlError> {
    let element = Element::parse(body)?;
    let at = Place::root(T::ROOT);
    if *element.name != *T::ROOT {
        return Err(at.missing());
    }
    T::read(&element, &at)
}

/// What an element can hold: a structure, or text.
pub(crate) trait Value: Sized {
    fn read(element: &Element, at: &Place<'_>) -> Result<Self, XmlError>;

    /// Writes what stands between the start and the end of the element.
    fn write(&self, out: &mut Writer);
}

/// A structure's element while its members are read.
pub(crate) struct Members<'a> {
    pub(crate) element: &'a Element,
    pub(crate) at: &'a Place<'a>,
}

impl Members<'_> {
    pub(crate) fn required<T: Value>(&self, name: &str) -> Result<T, XmlError> {
        self.optional(name)?.ok_or_else(|| self.at.member(name).missing())
    }

    pub(crate) fn optional<T: Value>(&self, name: &str) -> Result<Option<T>, XmlError> {
        let at = self.at.member(name);
        self.child(name)?.map(|child| T::read(child, &at)).transpose()
    }

    pub(crate) fn required_list<T: Value>(&self, name: &str, item: &str) -> Result<Vec<T>, XmlError> {
        if self.child(name)?.is_none() {
            return Err(self.at.member(name).missing());
        }
        self.optional_list(name, item)
    }

    pub(crate) fn optional_list<T: Value>(&self, name: &str, item: &str) -> Result<Vec<T>, XmlError> {
        let Some(list) = self.child(name)? else {
            return Ok(Vec::new());
        };
        let at = self.at.member(name);
        let items = list.children.iter().filter(|child| *child.name == *item);
        items
            .enumerate()
            .map(|(before, child)| T::read(child, &at.item(before + 1)))
            .collect()
    }

    /// Checks `Quantity` against the number of `Items`.
    pub(crate) fn counted(&self, quantity: i32, items: usize) -> Result<(), XmlError> {
        if usize::try_from(quantity) == Ok(items) {
            return Ok(());
        }
        Err(XmlError::InconsistentQuantities {
            at: self.at.to_string(),
            quantity,
            items,
        })
    }

    fn child(&self, name: &str) -> Result<Option<&Element>, XmlError> {
        let mut found = self.element.children.iter().filter(|child| *child.name == *name);
        let first = found.next();
        match found.next() {
            None => Ok(first),
            Some(_) => Err(XmlError::Malformed(format!(
                "'{}' is there more than once",
                self.at.member(name)
            ))),
        }
    }
}

impl Value for String {
    fn read(element: &Element, at: &Place<'_>) -> Result<Self, XmlError> {
        if element.children.is_empty() {
            return Ok(element.text.clone());
        }
        Err(at.invalid(element.text.trim(), "Member must be text without elements"))
    }

    fn write(&self, out: &mut Writer) {
        out.text(self);
    }
}

impl Value for i32 {
    fn read(element: &Element, at: &Place<'_>) -> Result<Self, XmlError> {
        let text = element.text.trim();
        text.parse()
            .map_err(|_| at.invalid(text, "Member must be an integer of 32 bits"))
    }

    fn write(&self, out: &mut Writer) {
        out.text(&self.to_string());
    }
}

impl Value for i64 {
    fn read(element: &Element, at: &Place<'_>) -> Result<Self, XmlError> {
        let text = element.text.trim();
        text.parse()
            .map_err(|_| at.invalid(text, "Member must be an integer of 64 bits"))
    }

    fn write(&self, out: &mut Writer) {
        out.text(&self.to_string());
    }
}

impl Value for bool {
    fn read(element: &Element, at: &Place<'_>) -> Result<Self, XmlError> {
        match element.text.trim() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(at.invalid(other, "Member must be true or false")),
        }
    }

    fn write(&self, out: &mut Writer) {
        out.text(if *self { "true" } else { "false" });
    }
}

impl Value for Timestamp {
    fn read(element: &Element, at: &Place<'_>) -> Result<Self, XmlError> {
        let text = element.text.trim();
        let moment: jiff::Timestamp = text
            .parse()
            .map_err(|_| at.invalid(text, "Member must be a time as in ISO 8601"))?;
        Ok(Timestamp(moment.as_millisecond()))
    }

    /// UTC with milliseconds and `Z`, as CloudFront writes times; a moment beyond the year 9999 becomes the last of it.
    fn write(&self, out: &mut Writer) {
        let end = if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        };
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(end);
        out.text(&format!("{moment:.3}"));
    }
}

/// A member whose value is one of a list.
pub(crate) trait Enumeration: Copy + 'static {
    const ALL: &'static [Self];

    fn text(self) -> &'static str;
}

/// Reads one of a list of values.
pub(crate) fn read_enumeration<T: Enumeration>(element: &Element, at: &Place<'_>) -> Result<T, XmlError> {
    let text = element.text.trim();
    T::ALL
        .iter()
        .copied()
        .find(|value| value.text() == text)
        .ok_or_else(|| {
            let allowed: Vec<&str> = T::ALL.iter().map(|value| value.text()).collect();
            at.invalid(
                text,
                format!("Member must satisfy enum value set: [{}]", allowed.join(", ")),
            )
        })
}

/// Makes an [`Enumeration`] a [`Value`].
macro_rules! enumeration_value {
    ($name:ident) => {
        impl Value for $name {
            fn read(element: &Element, at: &Place<'_>) -> Result<Self, XmlError> {
                crate::xml::read_enumeration(element, at)
            }

            fn write(&self, out: &mut Writer) {
                out.text(self.as_str());
            }
        }
    };
}
pub(crate) use enumeration_value;
