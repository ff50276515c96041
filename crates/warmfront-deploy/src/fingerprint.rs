//! Does a file name carry a content hash? Judged by shape alone, and rather too strictly than too loosely: a name that is
//! missed costs a revalidation, a name wrongly taken for a fingerprint costs a year of stale content.
//!
//! The shapes are those that webpack, Rollup, Vite, esbuild, Parcel, gulp-rev, Sprockets, Propshaft, Django and Phoenix
//! write: a separator `-`, `.` or `_`, then 8 to 64 characters of hexadecimal, base32, base36 or base64url.

#[cfg(test)]
mod tests;

/// The shortest hash taken for one.
const HASH_CHARS_MIN: usize = 8;

/// The longest: a SHA-256 in hexadecimal.
const HASH_CHARS_MAX: usize = 64;

/// A file name that is nothing but a hash needs this many hexadecimal digits.
const BARE_HASH_CHARS_MIN: usize = 16;

/// The part of the file's name that looks like a content hash; `None` if there is none.
pub fn fingerprint(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, _) = name.split_once('.').map(|_| split_extensions(name))?;
    if is_hex_hash(stem) && stem.len() >= BARE_HASH_CHARS_MIN {
        return Some(stem);
    }
    let first_end = stem.find(['-', '.', '_'])?;
    stem[first_end..]
        .split(['-', '.', '_'])
        .skip(1)
        .find(|token| looks_hashed(token))
        .or_else(|| base64url_tail(stem))
}

/// `name.min.js.map` is `name` and `min.js.map`, while `name.8f3a21bc.css` is `name.8f3a21bc` and `css`: an extension is
/// short and holds no hash.
fn split_extensions(name: &str) -> (&str, &str) {
    let end = name.rfind('.').unwrap_or(name.len());
    let mut stem = &name[..end];
    while let Some((rest, extension)) = stem.rsplit_once('.') {
        if extension.len() > 6 || extension.bytes().any(|byte| !byte.is_ascii_alphanumeric()) || rest.is_empty() {
            break;
        }
        stem = rest;
    }
    (stem, &name[stem.len()..])
}

/// Eight characters of base64url at the end of the stem, which may contain separators themselves (Rollup, Vite).
fn base64url_tail(stem: &str) -> Option<&str> {
    let start = stem.len().checked_sub(HASH_CHARS_MIN)?;
    let tail = stem.get(start..)?;
    let before = stem.get(..start)?;
    let separated = before.ends_with(['-', '.']) && before.len() > 1;
    let dense = tail.bytes().filter(u8::is_ascii_alphanumeric).count() >= HASH_CHARS_MIN - 2;
    let mixed = tail.bytes().any(|byte| byte.is_ascii_digit())
        && tail.bytes().any(|byte| byte.is_ascii_uppercase())
        && tail.bytes().any(|byte| byte.is_ascii_lowercase());
    (separated && dense && mixed && has_no_word(tail)).then_some(tail)
}

fn looks_hashed(token: &str) -> bool {
    if !(HASH_CHARS_MIN..=HASH_CHARS_MAX).contains(&token.len()) || !token.is_ascii() {
        return false;
    }
    is_hex_hash(token) || (token.bytes().all(|byte| byte.is_ascii_alphanumeric()) && is_dense_mixture(token))
}

/// Lower-case hexadecimal with at least one letter and one digit: a date or a number is none.
fn is_hex_hash(token: &str) -> bool {
    token.len() >= HASH_CHARS_MIN
        && token.len() <= HASH_CHARS_MAX
        && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && token.bytes().any(|byte| byte.is_ascii_digit())
        && token.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Base32, base36 or base64: kinds of characters change often, and no piece reads like a word.
fn is_dense_mixture(token: &str) -> bool {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        _ => 2,
    };
    let bytes = token.as_bytes();
    let n_changes = bytes.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    let has_digit = bytes.iter().any(u8::is_ascii_digit);
    let enough = if has_digit { 2 } else { 3 };
    n_changes >= enough && has_no_word(token)
}

/// Whether no hump of CamelCase and no run of letters is pronounceable: three or more letters with a vowel.
fn has_no_word(token: &str) -> bool {
    let mut hump = String::new();
    let mut humps = Vec::new();
    let mut previous = ' ';
    for letter in token.chars() {
        let begins = !letter.is_ascii_alphabetic()
            || (letter.is_ascii_uppercase() && previous.is_ascii_lowercase())
            || !previous.is_ascii_alphabetic();
        if begins && !hump.is_empty() {
            humps.push(std::mem::take(&mut hump));
        }
        if letter.is_ascii_alphabetic() {
            hump.push(letter.to_ascii_lowercase());
        }
        previous = letter;
    }
    humps.push(hump);
    !humps
        .iter()
        .any(|hump| hump.len() >= 4 && hump.contains(['a', 'e', 'i', 'o', 'u']))
}
