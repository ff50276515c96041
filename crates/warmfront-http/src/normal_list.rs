use crate::list::{elements, name_and_argument};

/// The elements of a list field in one line, with nothing between them but a comma.
///
/// Source: RFC 9110 sections 5.3 and 5.6.1.
pub fn spaceless_list<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    lines.flat_map(elements).collect::<Vec<_>>().join(&b","[..])
}

/// The elements of a list of names with weights, in a form that is the same for lists that mean the same: names in lower
/// case, the heaviest first, then by name. A weight that cannot be read stays as it is written, after all others.
///
/// Source: RFC 9110 sections 12.4.2, 12.5.3 and 12.5.4 (the order of elements says nothing).
pub fn ranked_list<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut ranked: Vec<(Rank, Vec<u8>)> = lines
        .flat_map(elements)
        .map(|element| {
            let (name, weight) = name_and_argument(element, b';');
            let rank = weight.map_or(Rank::Weight(1000), Rank::of);
            (rank, name.to_ascii_lowercase())
        })
        .collect();
    ranked.sort();
    let mut normal = Vec::new();
    for (rank, name) in ranked {
        normal.extend_from_slice(&name);
        normal.push(b';');
        match rank {
            Rank::Weight(thousandths) => normal.extend_from_slice(thousandths.to_string().as_bytes()),
            Rank::Unread(weight) => normal.extend_from_slice(&weight),
        }
        normal.push(b',');
    }
    normal
}

#[derive(Debug, PartialEq, Eq)]
enum Rank {
    /// In thousandths.
    Weight(u16),
    Unread(Vec<u8>),
}

impl Rank {
    fn of(weight: &[u8]) -> Rank {
        let (name, value) = name_and_argument(weight, b'=');
        let value = value.filter(|_| name.eq_ignore_ascii_case(b"q"));
        value
            .and_then(thousandths)
            .map_or_else(|| Rank::Unread(weight.to_ascii_lowercase()), Rank::Weight)
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Rank) -> std::cmp::Ordering {
        match (self, other) {
            (Rank::Weight(one), Rank::Weight(other)) => other.cmp(one),
            (Rank::Weight(_), Rank::Unread(_)) => std::cmp::Ordering::Less,
            (Rank::Unread(_), Rank::Weight(_)) => std::cmp::Ordering::Greater,
            (Rank::Unread(one), Rank::Unread(other)) => one.cmp(other),
        }
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Rank) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// `0`, `1`, or either with up to three decimals; none above 1.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value {
        [whole @ (b'0' | b'1')] => (*whole, &b""[..]),
        [whole @ (b'0' | b'1'), b'.', decimals @ ..] if decimals.len() <= 3 => (*whole, decimals),
        _ => return None,
    };
    if !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = decimals.iter().chain(std::iter::repeat(&b'0')).take(3);
    let thousandths = padded.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')) + 1000 * u16::from(whole - b'0');
    (thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(list: &str) -> String {
        String::from_utf8(ranked_list(std::iter::once(list.as_bytes()))).unwrap()
    }

    #[test]
    fn the_heaviest_comes_first_and_then_the_name() {
        assert_eq!(ranked("fr;q=0.5, en, DE"), "de;1000,en;1000,fr;500,");
        assert_eq!(ranked("en ; q=0.050"), "en;50,");
        assert_eq!(ranked("en;q=1.000, *;q=0"), "en;1000,*;0,");
    }

    #[test]
    fn a_weight_that_cannot_be_read_stays_what_it_is() {
        for weight in ["q=1.1", "q=0.1234", "q=x", "Q=", "level=1"] {
            let expected = format!("de;1000,en;{},", weight.to_lowercase());
            assert_eq!(ranked(&format!("en;{weight}, de")), expected);
        }
    }

    #[test]
    fn elements_are_joined_without_blanks() {
        let lines = [&b" a ,b"[..], b"", b", \"c, d\" "];
        assert_eq!(spaceless_list(lines.into_iter()), b"a,b,\"c, d\"");
    }
}
