//! What things take of memory, for the budget.

/// A shared buffer's own bookkeeping: `bytes` allocates it when the buffer is shared for the first time.
pub(crate) const SHARED_BYTES: u64 = 32;

/// What an allocation of `bytes` takes: the program's allocator, mimalloc, has four sizes between two powers of two.
pub(crate) fn allocated(bytes: usize) -> u64 {
    const SMALLEST: u64 = 16;
    const LINEAR_MAX: u64 = 64;
    let bytes = (bytes as u64).next_multiple_of(SMALLEST);
    if bytes <= LINEAR_MAX {
        return bytes;
    }
    let step = ((bytes - 1).next_power_of_two().max(bytes.next_power_of_two()) / 8).max(SMALLEST);
    bytes.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::allocated;

    #[test]
    fn allocations_are_rounded_up_as_mimalloc_does() {
        // mimalloc, src/page-queue.c, mi_bin: eight-byte words up to 8, then four bins between two powers of two.
        for (asked, taken) in [
            (0, 0),
            (1, 16),
            (17, 32),
            (64, 64),
            (65, 80),
            (128, 128),
            (129, 160),
            (161, 192),
            (257, 320),
            (1024, 1024),
            (1025, 1280),
            (262_145, 327_680),
        ] {
            assert_eq!(allocated(asked), taken, "{asked}");
        }
    }
}
