use crate::program::{run, stderr, stdout};

#[test]
fn the_demo_shows_hit_invalidation_miss_and_ends_with_0() {
    let demo = run(&["demo", "--exit", "--rounds", "3"]);
    assert_eq!(demo.status.code(), Some(0), "{}", stderr(&demo));
    let story = stdout(&demo);
    let mut at = 0;
    for word in [
        "Miss from cloudfront, then Hit from cloudfront",
        "Edition 1",
        "is Completed",
        "Miss from cloudfront, age 0: Edition 2",
        "Edition 2\n",
        "until Completed",
        "until new bytes at the reader",
        "4 paths",
    ] {
        at += story[at..]
            .find(word)
            .unwrap_or_else(|| panic!("{word:?} is missing after {:?}", &story[at..]));
    }
}
