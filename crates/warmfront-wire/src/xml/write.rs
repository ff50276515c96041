use std::fmt;

use quick_xml::escape::partial_escape;

use super::{Document, NAMESPACE, Value};

/// Writes a body: an XML declaration, then the root element in CloudFront's namespace.
pub fn to_xml<T: Document>(value: &T) -> Vec<u8> {
    let mut out = Writer::document(T::ROOT, NAMESPACE);
    value.write(&mut out);
    out.finish(T::ROOT)
}

/// A document that is being written.
pub(crate) struct Writer(String);

impl Writer {
    /// Begins a document with its root element.
    pub(crate) fn document(root: &str, namespace: &str) -> Writer {
        Writer(format!("<?xml version=\"1.0\"?>\n<{root} xmlns=\"{namespace}\">"))
    }

    /// Ends the root element and the document.
    pub(crate) fn finish(mut self, root: &str) -> Vec<u8> {
        self.close(root);
        self.0.into_bytes()
    }

    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Writer)) {
        self.open(name);
        content(self);
        self.close(name);
    }

    pub(crate) fn required<T: Value>(&mut self, name: &str, value: &T) {
        self.element(name, |out| value.write(out));
    }

    pub(crate) fn optional<T: Value>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.required(name, value);
        }
    }

    pub(crate) fn required_list<T: Value>(&mut self, name: &str, item: &str, values: &[T]) {
        self.element(name, |out| {
            for value in values {
                out.required(item, value);
            }
        });
    }

    pub(crate) fn optional_list<T: Value>(&mut self, name: &str, item: &str, values: &[T]) {
        if !values.is_empty() {
            self.required_list(name, item, values);
        }
    }

    /// Text, with what must be escaped in it escaped. Characters that XML cannot hold become U+FFFD, and a carriage
    /// return a reference, since readers would make a line feed of it.
    pub(crate) fn text(&mut self, text: &str) {
        for letter in partial_escape(text).chars() {
            match letter {
                '\r' => self.0.push_str("&#13;"),
                '\t' | '\n' => self.0.push(letter),
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.0.push('\u{fffd}'),
                _ => self.0.push(letter),
            }
        }
    }

    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }
}

/// Stands for a sensitive value in debugging output.
pub(crate) struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hidden)")
    }
}
