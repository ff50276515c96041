use anyhow::Result;

pub fn run(_arguments: &[String]) -> Result<()> {
    anyhow::bail!("not here yet")
}
