//! Serves one folder as an S3, to be tried by hand: `serve DIR ADDRESS`, with the keys `root` / `root-secret` and
//! `edge` / `edge-secret`.

use std::path::PathBuf;

use tokio::net::TcpListener;
use warmfront_bucket::{Bucket, BucketOptions};
use warmfront_clock::Clock;
use warmfront_model::AccountId;
use warmfront_signing::{Credentials, SecretKey};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(dir), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("usage: serve DIR ADDRESS".into());
    };
    let options = BucketOptions {
        account: AccountId::parse("123456789012")?,
        region: "us-east-1".to_owned(),
        root: credentials("root"),
        edge: credentials("edge"),
        clock: Clock::system(),
    };
    let bucket = Bucket::open(&PathBuf::from(dir), options)?;
    let listener = TcpListener::bind(address).await?;
    eprintln!("listening on {}", listener.local_addr()?);
    let shutdown = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    bucket.serve(listener, shutdown).await?;
    Ok(())
}

fn credentials(name: &str) -> Credentials {
    Credentials {
        access_key_id: name.to_owned(),
        secret_access_key: SecretKey::new(format!("{name}-secret")),
        session_token: None,
    }
}
