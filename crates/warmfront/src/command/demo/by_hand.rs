use crate::command::serve::viewer_url;
use crate::server::Server;
use crate::shell::quote;
use crate::stdout;

use super::site::{BUCKET, FRONT_PAGE};

/// Says how to go on by hand, with the addresses of this very server.
pub fn explain(server: &Server, distribution: &str) -> std::io::Result<()> {
    let program = std::env::current_exe().map_or_else(|_| "warmfront".to_owned(), |path| path.display().to_string());
    let data = quote(&server.folder().display().to_string());
    let endpoints = server.endpoints();
    let url = viewer_url(&endpoints.edge, distribution);
    let https_url = viewer_url(&endpoints.edge_https, distribution).replacen("http:", "https:", 1);
    let ca = quote(&endpoints.ca.display().to_string());
    stdout::print(&format!(
        "\n\
         The server keeps running until Ctrl-C. In another shell, with the AWS CLI (1.29, 2.13 or newer):\n\n  \
         eval \"$({program} env --data {data})\"\n  \
         curl -sI {url} | grep -iE '^(x-cache|age)'\n  \
         curl -s --cacert {ca} {https_url}\n  \
         aws s3 cp s3://{BUCKET}/{FRONT_PAGE} page.html      # change it, then\n  \
         aws s3 cp page.html s3://{BUCKET}/{FRONT_PAGE} --cache-control max-age=60\n  \
         aws cloudfront create-invalidation --distribution-id {distribution} --paths /{FRONT_PAGE} /\n  \
         curl -sI {url} | grep -iE '^(x-cache|age)'\n\n\
         A browser shows it at {url}\n",
        program = quote(&program),
    ))
}
