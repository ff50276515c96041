use futures_util::{StreamExt, TryStreamExt, stream};

use super::{S3Bucket, unquoted};
use crate::target::{Listed, TargetError};

/// Pieces that are listed at once.
const PIECES_AT_ONCE: usize = 16;

impl S3Bucket {
    /// A thousand keys come with each answer, one answer after the other: pieces that begin at known keys are listed side by side.
    pub(super) async fn list_pieces(&self, prefix: &str, cuts: &[String]) -> Result<Vec<Listed>, TargetError> {
        let pieces = (0..=cuts.len()).map(|at| {
            let begin = at.checked_sub(1).map(|before| cuts[before].clone());
            self.list_piece(prefix, begin, cuts.get(at).cloned())
        });
        let pieces = stream::iter(pieces.collect::<Vec<_>>());
        let pieces: Vec<Vec<Listed>> = pieces.buffered(PIECES_AT_ONCE).try_collect().await?;
        Ok(pieces.into_iter().flatten().collect())
    }

    /// The keys after `begin`, up to `end` itself.
    async fn list_piece(
        &self,
        prefix: &str,
        begin: Option<String>,
        end: Option<String>,
    ) -> Result<Vec<Listed>, TargetError> {
        let mut listed: Vec<Listed> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self.client().list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let request = match token {
                Some(token) => request.continuation_token(token),
                None => request.set_start_after(begin.clone()),
            };
            let answer = request.send().await;
            let answer = answer
                .map_err(|error| self.explain("s3:ListBucket", format!("arn:aws:s3:::{}", self.bucket), error))?;
            for object in answer.contents() {
                let Some(key) = object.key() else { continue };
                if end.as_deref().is_some_and(|end| key > end) {
                    return Ok(listed);
                }
                listed.push(Listed {
                    key: key.to_owned(),
                    size: u64::try_from(object.size().unwrap_or(0)).unwrap_or(0),
                    etag: unquoted(object.e_tag()),
                });
            }
            token = answer.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                return Ok(listed);
            }
        }
    }
}
