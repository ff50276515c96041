//! Comma-separated lists, as RFC 9110 section 5.6.1 defines them.

/// `bytes` without spaces and tabs at both ends (OWS of RFC 9110 section 5.6.3).
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// The elements of a list, trimmed, empty ones left out. A comma within a quoted string separates nothing.
///
/// A quote that is never closed is taken for an ordinary character, so that what follows it is not lost.
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = value;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = element_end(rest);
            let element = trim(&rest[..end]);
            rest = rest.get(end + 1..).unwrap_or_default();
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    })
}

fn element_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    let mut quotes_close = true;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b',' => return at,
            b'"' if quotes_close => match quoted_string_len(&bytes[at..]) {
                Some(len) => at += len,
                None => {
                    quotes_close = false;
                    at += 1;
                }
            },
            _ => at += 1,
        }
    }
    bytes.len()
}

/// How many bytes the quoted string at the start of `bytes` takes, both quotes included.
fn quoted_string_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// What a quoted string says, or a token as it stands. `None` if the quotes are not one pair around everything.
///
/// A backslash pair gives `None` too: no argument that this crate reads needs one.
pub(crate) fn unquote(argument: &[u8]) -> Option<&[u8]> {
    let inner = match argument {
        [b'"', inner @ .., b'"'] => inner,
        _ => argument,
    };
    (!inner.contains(&b'"') && !inner.contains(&b'\\')).then_some(inner)
}

/// Splits `name=argument`, both trimmed; the argument is `None` without an equals sign.
pub(crate) fn name_and_argument(element: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match element.iter().position(|&byte| byte == separator) {
        Some(at) => (trim(&element[..at]), Some(trim(&element[at + 1..]))),
        None => (element, None),
    }
}
