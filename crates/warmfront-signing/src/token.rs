use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;
use warmfront_model::{DistributionId, Epoch, Incarnation, Revision};
use zeroize::Zeroizing;

use crate::SecretKey;

/// Makes and reads tokens that say "nothing older than this invalidation": who has created one shows its token, and is
/// answered accordingly before all nodes have applied it.
///
/// A token is `INCARNATION-REVISION.MAC`: the epoch, and in hex an HMAC-SHA256 over it and the distribution. So it is good
/// for one distribution, cannot be made for an epoch that nobody has created, and says nothing that is secret.
#[derive(Clone)]
pub struct TokenKey(Zeroizing<[u8; 32]>);

/// Why a token is refused. Says nothing of what was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidToken {
    /// It does not have the form.
    #[error("it is no token that CreateInvalidation gave")]
    Form,
    /// Its code does not fit.
    #[error("it was not made by this server for this distribution")]
    Mac,
}

impl TokenKey {
    /// The key that belongs to a secret, which cannot be told from it. All who make and read tokens of one installation have
    /// the same.
    pub fn derive(secret: &SecretKey) -> TokenKey {
        let mac = mac(secret.expose().as_bytes(), &[b"warmfront read-your-purge key 1"]);
        TokenKey(Zeroizing::new(mac.finalize().into_bytes().into()))
    }

    /// The token of an invalidation.
    pub fn issue(&self, distribution: &DistributionId, epoch: Epoch) -> String {
        let mac = self.mac(distribution, &epoch.to_string());
        format!("{epoch}.{}", hex::encode(mac.finalize().into_bytes()))
    }

    /// The epoch of the invalidation that a token is of. Takes as long whatever is wrong with its code.
    ///
    /// # Errors
    /// [`InvalidToken`] if this key did not make it for this distribution.
    pub fn read(&self, distribution: &DistributionId, token: &[u8]) -> Result<Epoch, InvalidToken> {
        let token = std::str::from_utf8(token).map_err(|_| InvalidToken::Form)?;
        let (text, code) = token.split_once('.').ok_or(InvalidToken::Form)?;
        let epoch = epoch(text).ok_or(InvalidToken::Form)?;
        let code = hex::decode(code).map_err(|_| InvalidToken::Form)?;
        let mac = self.mac(distribution, text);
        mac.verify_slice(&code).map_err(|_| InvalidToken::Mac)?;
        Ok(epoch)
    }

    fn mac(&self, distribution: &DistributionId, epoch: &str) -> Hmac<Sha256> {
        mac(
            self.0.as_slice(),
            &[distribution.as_str().as_bytes(), b"\0", epoch.as_bytes()],
        )
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenKey")
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    // HMAC hashes or pads its key, so no length is refused.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

fn epoch(text: &str) -> Option<Epoch> {
    let (incarnation, revision) = text.split_once('-')?;
    Some(Epoch {
        incarnation: Incarnation(u64::from_str_radix(incarnation, 16).ok()?),
        revision: Revision(revision.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(id: &str) -> DistributionId {
        DistributionId::parse(id).unwrap()
    }

    const EPOCH: Epoch = Epoch {
        incarnation: Incarnation(0xab),
        revision: Revision(7),
    };

    #[test]
    fn a_token_is_good_for_its_key_its_distribution_and_its_epoch_alone() {
        let key = TokenKey::derive(&SecretKey::new("secret"));
        let id = site("E1U5RQF7T870K0");
        let token = key.issue(&id, EPOCH);
        assert_eq!(key.read(&id, token.as_bytes()), Ok(EPOCH));
        assert_eq!(
            key.read(&site("EDFDVBD632BHDS"), token.as_bytes()),
            Err(InvalidToken::Mac)
        );
        let other = TokenKey::derive(&SecretKey::new("secres"));
        assert_eq!(other.read(&id, token.as_bytes()), Err(InvalidToken::Mac));
        for (from, to) in [("-7.", "-8."), ("ab-", "ac-"), ("00", "")] {
            let forged = token.replacen(from, to, 1);
            assert_ne!(forged, token);
            assert_eq!(key.read(&id, forged.as_bytes()), Err(InvalidToken::Mac), "{forged}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let key = TokenKey::derive(&SecretKey::new("secret"));
        let id = site("E1U5RQF7T870K0");
        let token = key.issue(&id, EPOCH);
        let short = &token[..token.len() - 2];
        for wrong in [
            "", ".", "x", "1-1", "1-1.zz", "-.", "1-.", "g-1.00", "1--1.00", "\u{ff}",
        ] {
            assert_eq!(key.read(&id, wrong.as_bytes()), Err(InvalidToken::Form), "{wrong:?}");
        }
        for wrong in ["1-1.", "1-1.00", short] {
            assert_eq!(key.read(&id, wrong.as_bytes()), Err(InvalidToken::Mac), "{wrong:?}");
        }
        assert_eq!(key.read(&id, b"\xff"), Err(InvalidToken::Form));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", TokenKey::derive(&SecretKey::new("secret"))), "TokenKey");
    }
}
