//! Followers are killed, made anew from nothing, and made from another's folder.

use std::time::Duration;

use super::ledger::Ledger;
use super::load::CHILDREN;
use super::turn;
use crate::partnership::copy_folder;

#[test]
fn followers_come_and_go() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    // So slow that views that begin anew come to the end while it goes on, on few cores and in a debug build.
    let load = ledger.load_about(CHILDREN, Duration::from_millis(60));
    for round in 0..2 {
        ledger.until_more(50);
        ledger.nodes[2].kill();
        if round == 1 {
            // What a kill left behind, and by the time it is served far behind.
            copy_folder(&ledger.nodes[2].data, &ledger.home.at("copied"));
        }
        ledger.until_more(20);
        ledger.nodes[2].start();
    }
    ledger.add_follower("copied");
    ledger.add_follower("new");
    ledger.until_more(20);
    load.finish();
    ledger.all_agree();
}
