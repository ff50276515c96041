use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};

use super::XmlError;

/// The largest body that is read: 3,000 invalidation paths of 4,000 characters fit.
pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The deepest nesting that is read; CloudFront's own documents stay below 12.
pub const DEPTH_MAX: usize = 32;

/// The most elements that are read in one body, several times what the quotas of one request need.
pub const ELEMENTS_MAX: usize = 50_000;

/// An element without its attributes and without its namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// The local name.
    pub(crate) name: Box<str>,
    /// All text directly in it, references resolved.
    pub(crate) text: String,
    /// The elements directly in it, in their order.
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads one document. Comments and processing instructions are skipped; a document type is refused, and so is
    /// every entity but XML's own five.
    pub(crate) fn parse(body: &[u8]) -> Result<Element, XmlError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(XmlError::TooLarge {
                bytes: body.len(),
                max: BODY_BYTES_MAX,
            });
        }
        let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(XmlError::MissingBody);
        }
        if let Some(letter) = text.chars().find(|letter| !is_xml_character(*letter)) {
            return Err(malformed(&format!(
                "it contains {letter:?}, which is no character of XML"
            )));
        }
        let mut tree = Tree::default();
        let mut reader = Reader::from_str(text);
        loop {
            match reader.read_event().map_err(|error| malformed(&error.to_string()))? {
                Event::Start(start) => tree.open(start.local_name().into_inner())?,
                Event::Empty(start) => {
                    tree.open(start.local_name().into_inner())?;
                    tree.close()?;
                }
                Event::End(_) => tree.close()?,
                Event::Text(text) => tree.text(&text.xml10_content())?,
                Event::CData(text) => tree.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => tree.reference(&reference)?,
                Event::DocType(_) => return Err(malformed("a document type is not allowed")),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
                Event::Eof => return tree.finish(),
            }
        }
    }
}

/// The elements that are open, outermost first, and the root once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, name: &str) -> Result<(), XmlError> {
        self.elements += 1;
        if self.root.is_some() {
            return Err(malformed("there is more than one root element"));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(malformed(&format!("elements are nested more than {DEPTH_MAX} deep")));
        }
        if self.elements > ELEMENTS_MAX {
            return Err(malformed(&format!("there are more than {ELEMENTS_MAX} elements")));
        }
        self.open.push(Element {
            name: name.into(),
            ..Element::default()
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let closed = self
            .open
            .pop()
            .ok_or_else(|| malformed("an element is closed that was not opened"))?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.root = Some(closed),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(malformed("there is text outside the root element")),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), XmlError> {
        if let Some(predefined) = resolve_xml_entity(reference) {
            return self.text(predefined);
        }
        let letter = reference
            .resolve_char_ref()
            .ok()
            .flatten()
            .filter(|letter| is_xml_character(*letter));
        let letter = letter.ok_or_else(|| malformed(&format!("the reference &{};", brief(reference))))?;
        match self.open.last_mut() {
            Some(element) => element.text.push(letter),
            None => return Err(malformed("there is text outside the root element")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        if self.open.is_empty() {
            self.root.ok_or_else(|| malformed("there is no root element"))
        } else {
            Err(malformed("it ends inside an element"))
        }
    }
}

/// Source: XML 1.0, section 2.2, production 2.
fn is_xml_character(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..)
}

fn brief(text: &str) -> String {
    text.chars().take(64).collect()
}

fn malformed(reason: &str) -> XmlError {
    XmlError::Malformed(reason.to_owned())
}
