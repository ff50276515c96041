use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use crate::CacheControl;

/// The directives of a targeted field such as CDN-Cache-Control, all its lines read as one structured dictionary.
///
/// `None` if there is no such field, if it is empty or no dictionary, and if a directive that this crate knows has a
/// value of the wrong type: then the response is judged as if the field were not there. Of two equal directives the
/// last counts, and parameters are ignored, as in every dictionary.
///
/// Source: RFC 9213 section 2.1; RFC 9651 section 4.2.2.
pub fn targeted_directives(response: &HeaderMap, name: &HeaderName) -> Option<CacheControl> {
    let mut lines = response.get_all(name).iter();
    let mut field = lines.next()?.as_bytes().to_vec();
    for line in lines {
        field.extend_from_slice(b", ");
        field.extend_from_slice(line.as_bytes());
    }
    let dictionary: Dictionary = Parser::new(&field).parse().ok()?;
    if dictionary.is_empty() {
        return None;
    }
    let mut directives = CacheControl {
        present: true,
        ..CacheControl::default()
    };
    for (name, member) in &dictionary {
        add(&mut directives, name.as_str(), member)?;
    }
    Some(directives)
}

/// `None`: the value's type is not the directive's.
fn add(directives: &mut CacheControl, name: &str, member: &ListEntry) -> Option<()> {
    let ListEntry::Item(item) = member else {
        return (!is_known(name)).then_some(());
    };
    let text;
    let argument = match &item.bare_item {
        // A directive that is said to be false is not there.
        BareItem::Boolean(false) => return Some(()),
        BareItem::Boolean(true) if !counts_seconds(name) => None,
        BareItem::Integer(seconds) if counts_seconds(name) => {
            text = i64::from(*seconds).to_string();
            Some(text.as_bytes())
        }
        BareItem::String(fields) if names_fields(name) => Some(fields.as_str().as_bytes()),
        _ => return (!is_known(name)).then_some(()),
    };
    directives.add(name.as_bytes(), argument);
    Some(())
}

fn counts_seconds(name: &str) -> bool {
    matches!(
        name,
        "max-age" | "s-maxage" | "stale-while-revalidate" | "stale-if-error"
    )
}

fn names_fields(name: &str) -> bool {
    matches!(name, "no-cache" | "private")
}

fn is_known(name: &str) -> bool {
    const FLAGS: [&str; 7] = [
        "no-store",
        "public",
        "must-revalidate",
        "proxy-revalidate",
        "must-understand",
        "no-transform",
        "immutable",
    ];
    counts_seconds(name) || names_fields(name) || FLAGS.contains(&name)
}

#[cfg(test)]
mod tests;
