//! How much memory the cache takes: what was said, or a part of what this process may have.

use std::fs;
use std::path::{Path, PathBuf};

use crate::outcome::Complaint;

/// With less memory than this, a cache is of no use.
pub const BYTES_MIN: u64 = 16 << 20;

/// Where the system does not say how much there is.
const BYTES_DEFAULT: u64 = 512 << 20;

/// What `--memory` comes to where `machine_bytes` are all that this process may have; without it, a quarter of them.
///
/// # Errors
/// If that is less than [`BYTES_MIN`], or more than there is.
pub fn resolve(asked: Option<u64>, machine_bytes: Option<u64>) -> Result<u64, Complaint> {
    let Some(bytes) = asked else {
        return Ok(machine_bytes.map_or(BYTES_DEFAULT, |bytes| bytes / 4).max(BYTES_MIN));
    };
    if bytes < BYTES_MIN {
        let message = format!("--memory: {bytes} bytes are too few for a cache");
        return Err(Complaint::usage(message).hint(format!("give {}MiB or more", BYTES_MIN >> 20)));
    }
    match machine_bytes {
        Some(machine_bytes) if bytes > machine_bytes => {
            let message = format!("--memory: {bytes} bytes are more than this process may have ({machine_bytes})");
            Err(Complaint::usage(message).hint("without --memory, the cache takes a quarter of that"))
        }
        _ => Ok(bytes),
    }
}

/// How much memory this process may have at the most: that of the machine, or the least limit of its control groups.
/// `None`: the system does not say.
///
/// Source: proc(5), `/proc/meminfo`; cgroups(7); Linux, "Control Group v2", `memory.max`; "Memory Resource Controller",
/// `memory.limit_in_bytes`.
pub fn machine_bytes() -> Option<u64> {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let physical = read(Path::new("/proc/meminfo")).and_then(|text| physical_bytes(&text));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits = limit_files(&groups).into_iter();
    let limits = limits.filter_map(|path| limit_bytes(&read(&path)?));
    physical.into_iter().chain(limits).min()
}

/// `MemTotal` of `/proc/meminfo`.
fn physical_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Where the limits of the groups in `/proc/self/cgroup` stand, and those of the groups around them. In a container, the
/// outermost of these files that is there may be the container's own.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(group)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (root, name) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let group = Path::new(group.trim_start_matches('/'));
        files.extend(group.ancestors().map(|group| Path::new(root).join(group).join(name)));
    }
    files
}

/// A limit; `None` for `max`, which is none. Version 1 says a number that no machine reaches instead.
fn limit_bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_what_there_is_is_the_default() {
        assert_eq!(resolve(None, Some(8 << 30)).unwrap(), 2 << 30);
        assert_eq!(resolve(None, Some(32 << 20)).unwrap(), BYTES_MIN);
        assert_eq!(resolve(None, None).unwrap(), 512 << 20);
    }

    #[test]
    fn nonsense_is_refused_by_its_flag_and_with_a_way_out() {
        let error = resolve(Some((8 << 30) + 1), Some(8 << 30)).unwrap_err().to_string();
        assert!(error.contains("--memory") && error.contains("8589934592"), "{error}");
        assert!(resolve(Some(8 << 30), Some(8 << 30)).is_ok());
        assert!(resolve(Some(8 << 30), None).is_ok());
        for too_few in [0, BYTES_MIN - 1] {
            let error = resolve(Some(too_few), None).unwrap_err().to_string();
            assert!(error.starts_with("--memory"), "{error}");
        }
    }

    #[test]
    fn physical_memory_is_read_in_kib() {
        // proc(5): "MemTotal %lu", in kibibytes.
        let meminfo = "MemTotal:       16308812 kB\nMemFree:         1234 kB\n";
        assert_eq!(physical_bytes(meminfo), Some(16_308_812 * 1024));
        assert_eq!(physical_bytes("MemFree: 1234 kB\n"), None);
        assert_eq!(physical_bytes("MemTotal: lots\n"), None);
    }

    #[test]
    fn limits_of_both_versions_are_looked_for_up_to_the_root() {
        let paths = |groups: &str| -> Vec<String> {
            let files = limit_files(groups).into_iter();
            files.map(|path| path.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(
            paths("0::/system.slice/warmfront.service\n"),
            [
                "/sys/fs/cgroup/system.slice/warmfront.service/memory.max",
                "/sys/fs/cgroup/system.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
        assert_eq!(
            paths("5:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n0::/\n"),
            [
                "/sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory.max",
            ]
        );
        assert!(paths("nonsense\n").is_empty());
    }

    #[test]
    fn a_limit_is_a_number_or_max() {
        assert_eq!(limit_bytes("536870912\n"), Some(536_870_912));
        assert_eq!(limit_bytes("max\n"), None);
    }

    #[test]
    fn this_machine_has_some() {
        assert!(machine_bytes().is_some_and(|bytes| bytes > BYTES_MIN));
    }
}
