//! Bodies of requests.

/// A DistributionConfig like the guide's.
pub struct Config {
    reference: String,
    origin: String,
    aliases: Vec<String>,
    control: String,
    enabled: bool,
    behavior: String,
}

pub const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

impl Config {
    pub fn new(reference: &str) -> Config {
        Config {
            reference: reference.to_owned(),
            origin: "<DomainName>site.s3.amazonaws.com</DomainName><S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity>\
                     </S3OriginConfig>"
                .to_owned(),
            aliases: Vec::new(),
            control: String::new(),
            enabled: true,
            behavior: format!("<CachePolicyId>{CACHING_OPTIMIZED}</CachePolicyId>"),
        }
    }

    pub fn alias(mut self, alias: &str) -> Config {
        self.aliases.push(alias.to_owned());
        self
    }

    pub fn access_control(mut self, id: &str) -> Config {
        self.control = id.to_owned();
        self
    }

    pub fn disabled(mut self) -> Config {
        self.enabled = false;
        self
    }

    pub fn behavior(mut self, members: &str) -> Config {
        self.behavior = members.to_owned();
        self
    }

    pub fn custom_origin(mut self, domain_name: &str) -> Config {
        self.origin = format!(
            "<DomainName>{domain_name}</DomainName><CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort>\
             <OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig>"
        );
        self
    }

    /// As CreateDistribution takes it.
    pub fn build(&self) -> String {
        self.document("")
    }

    /// As UpdateDistribution takes it.
    pub fn build_update(&self) -> String {
        self.document("<CustomHeaders><Quantity>0</Quantity></CustomHeaders>")
    }

    fn document(&self, origin_members: &str) -> String {
        let Config {
            reference,
            origin,
            control,
            enabled,
            behavior,
            ..
        } = self;
        let cnames: String = self
            .aliases
            .iter()
            .map(|alias| format!("<CNAME>{alias}</CNAME>"))
            .collect();
        let aliases = if self.aliases.is_empty() {
            String::new()
        } else {
            format!(
                "<Aliases><Quantity>{}</Quantity><Items>{cnames}</Items></Aliases><ViewerCertificate>\
                 <IAMCertificateId>c</IAMCertificateId><SSLSupportMethod>sni-only</SSLSupportMethod>\
                 <MinimumProtocolVersion>TLSv1.2_2021</MinimumProtocolVersion></ViewerCertificate>",
                self.aliases.len()
            )
        };
        format!(
            "<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
             <CallerReference>{reference}</CallerReference>{aliases}<Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id>\
             {origin}{origin_members}<OriginAccessControlId>{control}</OriginAccessControlId></Origin></Items></Origins>\
             <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>\
             {behavior}</DefaultCacheBehavior><Comment></Comment><Enabled>{enabled}</Enabled></DistributionConfig>"
        )
    }
}

pub fn batch(reference: &str, paths: &[&str]) -> String {
    let items: String = paths.iter().map(|path| format!("<Path>{path}</Path>")).collect();
    format!(
        "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Paths><Quantity>{}</Quantity><Items>\
         {items}</Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>",
        paths.len()
    )
}

pub fn access_control(name: &str) -> String {
    format!(
        "<OriginAccessControlConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Name>{name}</Name>\
         <Description>d</Description><SigningProtocol>sigv4</SigningProtocol><SigningBehavior>always</SigningBehavior>\
         <OriginAccessControlOriginType>s3</OriginAccessControlOriginType></OriginAccessControlConfig>"
    )
}

pub fn tags(tags: &[(&str, &str)]) -> String {
    let items: String = tags
        .iter()
        .map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"))
        .collect();
    format!("<Tags xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Items>{items}</Items></Tags>")
}

pub fn cache_policy(name: &str) -> String {
    format!(
        "<CachePolicyConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Name>{name}</Name><MinTTL>1</MinTTL>\
         <ParametersInCacheKeyAndForwardedToOrigin><EnableAcceptEncodingGzip>true</EnableAcceptEncodingGzip>\
         <HeadersConfig><HeaderBehavior>whitelist</HeaderBehavior><Headers><Quantity>1</Quantity><Items>\
         <Name>Accept-Language</Name></Items></Headers></HeadersConfig><CookiesConfig><CookieBehavior>none</CookieBehavior>\
         </CookiesConfig><QueryStringsConfig><QueryStringBehavior>all</QueryStringBehavior></QueryStringsConfig>\
         </ParametersInCacheKeyAndForwardedToOrigin></CachePolicyConfig>"
    )
}

pub fn origin_request_policy(name: &str) -> String {
    format!(
        "<OriginRequestPolicyConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Comment>c</Comment>\
         <Name>{name}</Name><HeadersConfig><HeaderBehavior>whitelist</HeaderBehavior><Headers><Quantity>1</Quantity><Items>\
         <Name>Referer</Name></Items></Headers></HeadersConfig><CookiesConfig><CookieBehavior>none</CookieBehavior>\
         </CookiesConfig><QueryStringsConfig><QueryStringBehavior>all</QueryStringBehavior></QueryStringsConfig>\
         </OriginRequestPolicyConfig>"
    )
}

pub fn response_headers_policy(name: &str) -> String {
    format!(
        "<ResponseHeadersPolicyConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Name>{name}</Name>\
         <SecurityHeadersConfig><ContentSecurityPolicy><Override>true</Override><ContentSecurityPolicy>default-src 'self'\
         </ContentSecurityPolicy></ContentSecurityPolicy></SecurityHeadersConfig></ResponseHeadersPolicyConfig>"
    )
}
