use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::Sha256;

/// What the nodes of one deployment know each other by. It is drawn when they start, and is in no file.
#[derive(Clone)]
pub struct TierSecret([u8; 64]);

impl TierSecret {
    /// A new one.
    pub fn random() -> TierSecret {
        let mut secret = [0; 64];
        rand::rng().fill_bytes(&mut secret);
        TierSecret(secret)
    }

    /// A proof, in hex, that whoever sends these parts knows the secret. The secret cannot be told from it.
    pub(crate) fn seal(&self, parts: &[&[u8]]) -> String {
        hex::encode(self.mac(parts).finalize().into_bytes())
    }

    /// Whether `seal` is that of these parts. Takes as long whatever is wrong with it.
    pub(crate) fn is_seal_of(&self, seal: &[u8], parts: &[&[u8]]) -> bool {
        hex::decode(seal).is_ok_and(|seal| self.mac(parts).verify_slice(&seal).is_ok())
    }

    /// Each part with its length before it, so that no two lists of parts look alike.
    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.0.into());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for TierSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TierSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_holds_for_its_parts_and_its_secret_alone() {
        let (secret, other) = (TierSecret::random(), TierSecret::random());
        let seal = secret.seal(&[b"ab", b"c"]);
        assert!(secret.is_seal_of(seal.as_bytes(), &[b"ab", b"c"]));
        assert!(!secret.is_seal_of(seal.as_bytes(), &[b"a", b"bc"]));
        assert!(!secret.is_seal_of(seal.as_bytes(), &[b"ab"]));
        assert!(!other.is_seal_of(seal.as_bytes(), &[b"ab", b"c"]));
        for wrong in [&b""[..], b"zz", &seal.as_bytes()[..62]] {
            assert!(!secret.is_seal_of(wrong, &[b"ab", b"c"]));
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = TierSecret([0x41; 64]);
        assert_eq!(format!("{secret:?}"), "TierSecret");
    }
}
