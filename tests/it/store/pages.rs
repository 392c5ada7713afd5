//! A walk through a list meets each row once, whatever is added meanwhile.

use std::collections::BTreeSet;

use lahete_domain::access::Visibility;
use lahete_domain::codes::Priority;
use lahete_domain::ids::ReferralId;
use lahete_domain::referral::state::{QueuePlace, ReferralState};
use lahete_domain::time::Instant;
use lahete_persistence::PageRequest;
use lahete_persistence::repo::referrals::{ReferralFilter, ReferralOrder};

use super::{Stage, case, client, now, store_case, store_test};

/// A waitlisted referral that was written, moved and queued at one instant.
fn waiting(stage: &Stage, at: Instant) -> ReferralId {
    let about = client(&stage.own);
    let mut case = case(&stage.own, &about, ReferralState::Waitlisted);
    case.referral.created_at = at;
    case.referral.state_since = at;
    case.referral.queue = Some(QueuePlace { accepted_at: at, priority: Priority::Normal });
    let id = case.referral.id;
    stage.put(move |db| store_case(db, &about, &case));
    id
}

fn walk(stage: &Stage, order: ReferralOrder) {
    // Two and two at the same instant: only the id tells them apart.
    let present: Vec<(Instant, ReferralId)> =
        (0..23).map(|n| now().plus_minutes(-1000 + n / 2 * 10)).map(|at| (at, waiting(stage, at))).collect();
    let mut expected = present.clone();
    expected.sort();
    if order == ReferralOrder::Newest {
        expected.reverse();
    }
    let visibility = Visibility { programmes: vec![stage.own.programme], ..Visibility::default() };
    let filter = ReferralFilter { order, ..ReferralFilter::default() };
    let mut request = PageRequest::first(4);
    let mut met = Vec::new();
    let mut pages = 0;
    loop {
        let (visibility, filter, asked) = (visibility.clone(), filter.clone(), request.clone());
        let page = stage.read(move |db| db.referral_list(&visibility, &filter, now().helsinki_date(), &asked));
        pages += 1;
        assert!(page.items.len() <= 4 && pages < 50);
        met.extend(page.items.iter().map(|case| case.referral.id));
        let Some(next) = page.next else { break };
        // Before, behind, and just where the page ended.
        let last = page.items.last().unwrap();
        waiting(stage, now().plus_minutes(pages));
        waiting(stage, now().plus_minutes(-5000 - pages));
        waiting(stage, last.referral.created_at);
        request = PageRequest { after: Some(next), limit: 4 };
    }
    let each: BTreeSet<_> = met.iter().copied().collect();
    assert_eq!(each.len(), met.len(), "{order:?}: none is met twice");
    let wanted: BTreeSet<_> = present.iter().map(|(_, id)| *id).collect();
    let found: Vec<_> = met.into_iter().filter(|id| wanted.contains(id)).collect();
    assert_eq!(found, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), "{order:?}: each is met once, in order");
}

store_test! {
    fn the_newest_first(stage: Stage) {
        walk(stage, ReferralOrder::Newest);
    }
}

store_test! {
    fn the_longest_in_its_state_first(stage: Stage) {
        walk(stage, ReferralOrder::LongestInState);
    }
}

store_test! {
    fn the_longest_waiting_first(stage: Stage) {
        walk(stage, ReferralOrder::LongestWaiting);
    }
}
