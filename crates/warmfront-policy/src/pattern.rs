//! Texts with `*`, `?` and policy variables, and how they match.
//!
//! Source: IAM User Guide, "IAM policy elements: Variables and tags" and "IAM JSON policy elements: Resource".

use crate::{Context, PolicyError};

#[cfg(test)]
mod tests;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Char(char),
    AnyChar,
    AnyText,
    Variable { key: String, default: Option<String> },
}

/// Which signs mean something in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signs {
    /// `*` and `?`.
    pub wildcards: bool,
    /// `${…}`, which only version 2012-10-17 knows.
    pub variables: bool,
}

/// A text to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Piece>);

impl Pattern {
    pub(crate) fn parse(text: &str, signs: Signs) -> Result<Pattern, PolicyError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if signs.variables && rest.starts_with("${") {
                let (inner, after) = rest[2..]
                    .split_once('}')
                    .ok_or_else(|| PolicyError::InvalidVariable(text.to_owned()))?;
                pieces.push(variable(inner).ok_or_else(|| PolicyError::InvalidVariable(text.to_owned()))?);
                rest = after;
                continue;
            }
            pieces.push(match next {
                '*' if signs.wildcards => Piece::AnyText,
                '?' if signs.wildcards => Piece::AnyChar,
                other => Piece::Char(other),
            });
            rest = &rest[next.len_utf8()..];
        }
        Ok(Pattern(pieces))
    }

    /// Matches one text only, whoever asks.
    pub(crate) fn is_fixed(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Char(_)))
    }

    /// Whether all texts it matches are ARNs of one account: no sign before the fifth colon stands for others.
    pub(crate) fn has_fixed_account(&self) -> bool {
        let mut parts = self.0.split(|piece| *piece == Piece::Char(':'));
        let is_fixed =
            |part: Option<&[Piece]>| part.is_some_and(|part| part.iter().all(|piece| matches!(piece, Piece::Char(_))));
        let before_account = (0..4).all(|_| is_fixed(parts.next()));
        let account = parts.next();
        before_account && is_fixed(account) && account.is_some_and(|part| !part.is_empty()) && parts.next().is_some()
    }

    /// Compares the whole text. A variable that the request has no single value for matches nothing, and the value of
    /// one that it has is taken to the letter, wildcards included.
    pub(crate) fn matches(&self, text: &str, case: Case, context: &Context) -> bool {
        let Some(pieces) = self.resolve(context) else {
            return false;
        };
        let fold = |sign: char| match case {
            Case::Sensitive => sign,
            Case::Ignored => sign.to_lowercase().next().unwrap_or(sign),
        };
        let text: Vec<char> = text.chars().map(fold).collect();
        let pieces: Vec<Piece> = pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Char(sign) => Piece::Char(fold(sign)),
                other => other,
            })
            .collect();
        matches_pieces(&pieces, &text)
    }

    fn resolve(&self, context: &Context) -> Option<Vec<Piece>> {
        let mut resolved = Vec::with_capacity(self.0.len());
        for piece in &self.0 {
            let Piece::Variable { key, default } = piece else {
                resolved.push(piece.clone());
                continue;
            };
            let value = match context.get(key) {
                Some([single]) => single,
                Some(_) => return None,
                None => default.as_ref()?,
            };
            resolved.extend(value.chars().map(Piece::Char));
        }
        Some(resolved)
    }
}

/// Whether capitals differ from small letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    Ignored,
}

/// `*`, or an ARN whose six parts may have wildcards of their own; only in the last part does one reach over colons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    Any,
    Parts(Box<[Pattern; 6]>),
}

impl ArnPattern {
    /// `None` if the text is neither `*` nor has six parts.
    pub(crate) fn parse(text: &str, variables: bool) -> Result<Option<ArnPattern>, PolicyError> {
        if text == "*" {
            return Ok(Some(ArnPattern::Any));
        }
        let signs = Signs {
            wildcards: true,
            variables,
        };
        let parts: Result<Vec<Pattern>, PolicyError> = split_arn(text, variables)
            .into_iter()
            .map(|part| Pattern::parse(part, signs))
            .collect();
        Ok(<[Pattern; 6]>::try_from(parts?)
            .ok()
            .map(|parts| ArnPattern::Parts(Box::new(parts))))
    }

    pub(crate) fn matches(&self, arn: &str, context: &Context) -> bool {
        let parts = match self {
            ArnPattern::Any => return true,
            ArnPattern::Parts(parts) => parts,
        };
        let given: Vec<&str> = arn.splitn(6, ':').collect();
        given.len() == 6
            && parts
                .iter()
                .zip(given)
                .all(|(pattern, part)| pattern.matches(part, Case::Sensitive, context))
    }

    pub(crate) fn is_fixed(&self) -> bool {
        match self {
            ArnPattern::Any => false,
            ArnPattern::Parts(parts) => parts.iter().all(Pattern::is_fixed),
        }
    }

    /// Whether the account, the fifth part, is one account.
    pub(crate) fn has_fixed_account(&self) -> bool {
        match self {
            ArnPattern::Any => false,
            ArnPattern::Parts(parts) => !parts[4].0.is_empty() && parts[4].is_fixed(),
        }
    }
}

/// Splits at the first five colons that are not inside `${…}`.
fn split_arn(text: &str, variables: bool) -> Vec<&str> {
    let mut parts = Vec::with_capacity(6);
    let (mut start, mut in_variable) = (0, false);
    for (index, sign) in text.char_indices() {
        match sign {
            '$' if variables && text[index..].starts_with("${") => in_variable = true,
            '}' => in_variable = false,
            ':' if !in_variable && parts.len() < 5 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn variable(inner: &str) -> Option<Piece> {
    if let "*" | "?" | "$" = inner {
        return inner.chars().next().map(Piece::Char);
    }
    let (key, default) = match inner.split_once(',') {
        None => (inner, None),
        Some((key, quoted)) => {
            let default = quoted.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key, Some(default.to_owned()))
        }
    };
    let key = key.trim();
    (!key.is_empty() && !key.contains(['$', '{', '*', '?'])).then(|| Piece::Variable {
        key: key.to_owned(),
        default,
    })
}

/// Goes back only to the last `*` it met, so the steps are at most pieces times characters.
fn matches_pieces(pieces: &[Piece], text: &[char]) -> bool {
    let (mut at_piece, mut at_text) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pieces.get(at_piece) {
            Some(Piece::AnyText) => {
                last_star = Some((at_piece, at_text));
                at_piece += 1;
                continue;
            }
            Some(Piece::AnyChar) => {
                at_piece += 1;
                at_text += 1;
                continue;
            }
            Some(Piece::Char(sign)) if *sign == text[at_text] => {
                at_piece += 1;
                at_text += 1;
                continue;
            }
            _ => {}
        }
        let Some((star_piece, star_text)) = last_star else {
            return false;
        };
        last_star = Some((star_piece, star_text + 1));
        at_piece = star_piece + 1;
        at_text = star_text + 1;
    }
    pieces[at_piece..].iter().all(|piece| *piece == Piece::AnyText)
}
