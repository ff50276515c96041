//! Amazon S3 and CloudFront, or whatever speaks their APIs, through AWS's SDK: credentials, profiles, regions and endpoints are found
//! exactly as the AWS CLI finds them.

mod cloudfront;
mod s3;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls;
use aws_types::service_config::ServiceConfigKey;

pub use cloudfront::CloudFront;
pub use s3::S3Bucket;

use super::{Fault, TargetError};

/// The region when neither environment nor profile names one: CloudFront's own.
const REGION_DEFAULT: &str = "us-east-1";

/// Where the two services are and who asks.
#[derive(Clone, Debug)]
pub struct Account(SdkConfig);

/// A server that is not AWS, with its credentials: found in the data folder of `warmfront serve`.
#[derive(Clone)]
pub struct Server {
    /// The CloudFront API: `http://HOST:PORT`.
    pub cloudfront: String,
    /// The S3 API.
    pub s3: String,
    /// The access key's Id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Server")
            .field("cloudfront", &self.cloudfront)
            .field("s3", &self.s3)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// The clients of the two services.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudFront.
    pub cloudfront: CloudFront,
    s3: aws_sdk_s3::Client,
}

impl Clients {
    /// The bucket with this name.
    pub fn bucket(&self, name: &str) -> S3Bucket {
        S3Bucket::new(self.s3.clone(), name)
    }
}

impl Account {
    /// As the AWS CLI would: environment, profile, SSO, web identity, container, instance. A profile that is named comes first, and
    /// has to be there.
    ///
    /// Source: AWS CLI User Guide, "Configuration and credential precedence".
    pub async fn from_environment(profile: Option<&str>) -> Account {
        let mut loader = loader();
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let mut config = loader.load().await;
        if let Some(profile) = profile {
            let providers = ProviderConfig::without_region().with_http_client(https());
            let providers = providers.with_region(config.region().cloned());
            let keys = ProfileFileCredentialsProvider::builder().configure(&providers);
            let keys = SharedCredentialsProvider::new(keys.profile_name(profile).build());
            config = config.into_builder().credentials_provider(keys).build();
        }
        if config.region().is_none() {
            config = config.into_builder().region(Region::new(REGION_DEFAULT)).build();
        }
        Account(config)
    }

    /// Where CloudFront's API is, if environment or profile say that it is not AWS's own.
    pub fn cloudfront_endpoint(&self) -> Option<String> {
        self.endpoint("CloudFront")
    }

    /// Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints": what is said of the service comes first.
    fn endpoint(&self, service_id: &str) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(service_id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url");
        let of_service = self.0.service_config().zip(key.build().ok());
        let of_service = of_service.and_then(|(config, key)| config.load_config(key));
        of_service.or_else(|| self.0.endpoint_url().map(str::to_owned))
    }

    /// The services of one server.
    pub async fn of_server(server: &Server) -> Clients {
        let keys = aws_sdk_s3::config::Credentials::new(
            server.access_key_id.clone(),
            server.secret_access_key.clone(),
            None,
            None,
            "warmfront",
        );
        let config = loader()
            .region(Region::new(REGION_DEFAULT))
            .credentials_provider(keys)
            .load()
            .await;
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .endpoint_url(&server.s3)
            .force_path_style(true);
        let cloudfront = aws_sdk_cloudfront::config::Builder::from(&config).endpoint_url(&server.cloudfront);
        Clients {
            cloudfront: CloudFront::new(aws_sdk_cloudfront::Client::from_conf(cloudfront.build())),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
        }
    }

    /// The clients. An S3 elsewhere is spoken to with the bucket in the path: its name may not resolve.
    pub fn clients(&self) -> Clients {
        let s3 = aws_sdk_s3::config::Builder::from(&self.0).force_path_style(self.endpoint("S3").is_some());
        Clients {
            cloudfront: CloudFront::new(aws_sdk_cloudfront::Client::new(&self.0)),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
        }
    }
}

fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https()
}

/// Retries are ours: they must be counted, explained and bounded by one deadline.
fn loader() -> aws_config::ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(std::time::Duration::from_secs(5))
        .read_timeout(std::time::Duration::from_secs(60))
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(https())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
}

/// What an error of the SDK means for us.
fn explain<E>(action: &'static str, resource: String, error: SdkError<E>) -> TargetError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().map(str::to_owned);
    let message = match error.message() {
        Some(message) => message.to_owned(),
        None => chain(&error),
    };
    let fault = match (&error, code.as_deref(), status) {
        (SdkError::DispatchFailure(_), ..) if lacks_credentials(&error) => Fault::Unidentified,
        (SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_), ..) => {
            Fault::Unavailable
        }
        (SdkError::ConstructionFailure(_), ..) => Fault::Refused,
        (_, code, status) => fault_of(code.unwrap_or_default(), status.unwrap_or(0)),
    };
    TargetError {
        fault,
        action,
        resource,
        code: code.unwrap_or_else(|| match (fault, status) {
            (Fault::Unidentified, None) => "NoCredentials".into(),
            (_, None) => "NoAnswer".into(),
            (_, Some(status)) => status.to_string(),
        }),
        message,
    }
}

/// Nobody was asked, since there are no credentials to ask with. What gives them may only have been slow, though.
fn lacks_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut of_credentials = causes.filter_map(|cause| cause.downcast_ref::<CredentialsError>());
    of_credentials.any(|error| !matches!(error, CredentialsError::ProviderTimedOut(_)))
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

/// Source: CloudFront API reference, "Common Errors" and CreateInvalidation; S3 API reference, "Error responses". S3 answers 409
/// ConditionalRequestConflict when two conditional writes meet.
fn fault_of(code: &str, status: u16) -> Fault {
    match code {
        "TooManyInvalidationsInProgress" => Fault::QuotaFull,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown" => Fault::Throttled,
        "PreconditionFailed" | "ConditionalRequestConflict" => Fault::ConditionFailed,
        "ServiceUnavailable" | "InternalFailure" | "InternalError" | "RequestTimeout" => Fault::Unavailable,
        "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" => Fault::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidToken"
        | "MissingAuthenticationToken"
        | "SignatureDoesNotMatch"
        | "TokenRefreshRequired"
        | "UnrecognizedClientException" => Fault::Unidentified,
        // The clock of this machine is wrong: no permission would help.
        "RequestTimeTooSkewed" | "RequestExpired" => Fault::Refused,
        "NoSuchKey" | "NotFound" | "NoSuchBucket" | "NoSuchDistribution" | "NoSuchInvalidation" => Fault::NotFound,
        _ => match status {
            403 => Fault::Denied,
            404 => Fault::NotFound,
            412 => Fault::ConditionFailed,
            429 => Fault::Throttled,
            500..=599 => Fault::Unavailable,
            _ => Fault::Refused,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_handled_as_it_deserves() {
        for (code, status, fault) in [
            ("TooManyInvalidationsInProgress", 400, Fault::QuotaFull),
            ("Throttling", 400, Fault::Throttled),
            ("ThrottlingException", 400, Fault::Throttled),
            ("SlowDown", 503, Fault::Throttled),
            ("ServiceUnavailable", 503, Fault::Unavailable),
            ("InternalFailure", 500, Fault::Unavailable),
            ("AccessDenied", 403, Fault::Denied),
            ("", 403, Fault::Denied),
            ("SignatureDoesNotMatch", 403, Fault::Unidentified),
            ("ExpiredToken", 400, Fault::Unidentified),
            ("ExpiredTokenException", 403, Fault::Unidentified),
            ("NoSuchDistribution", 404, Fault::NotFound),
            ("PreconditionFailed", 412, Fault::ConditionFailed),
            ("ConditionalRequestConflict", 409, Fault::ConditionFailed),
            ("InvalidArgument", 400, Fault::Refused),
            ("", 502, Fault::Unavailable),
        ] {
            assert_eq!(fault_of(code, status), fault, "{code} {status}");
        }
    }

    #[test]
    fn a_servers_secret_stays_out_of_messages() {
        let server = Server {
            cloudfront: "http://127.0.0.1:1".into(),
            s3: "http://127.0.0.1:2".into(),
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: "wJalrXUtnFEMI".into(),
        };
        assert!(!format!("{server:?}").contains("wJalrXUtnFEMI"));
    }
}
