use warmfront_caching::Switches;

/// A set of defaults that the edge runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// What CloudFront documents.
    Aws,
    /// RFC 9110 and 9111 first.
    Edge,
}

impl Profile {
    /// Both.
    pub const ALL: [Profile; 2] = [Profile::Aws, Profile::Edge];

    /// The word, as the program's `--profile` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Profile::Aws => "aws",
            Profile::Edge => "edge",
        }
    }

    /// Its switches.
    pub fn switches(self) -> Switches {
        match self {
            Profile::Aws => Switches::AWS,
            Profile::Edge => Switches::EDGE,
        }
    }
}
