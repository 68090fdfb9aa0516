use gt_schemas::{AgencyCode, ChildMoved, MoveTimes, PlacementStarted, Plan};

use super::{Telling, code};
use crate::evidence::words::time;

/// What a move and a placement say alike.
fn along(
    plan: Plan,
    emergency: Option<bool>,
    (from, to): (&AgencyCode, &AgencyCode),
    times: Option<&MoveTimes>,
) -> String {
    let emergency = if emergency == Some(true) { ", in an emergency" } else { "" };
    let way = format!(", from the area of {} to that of {}{emergency}.", from.as_str(), to.as_str());
    let plan = match plan {
        Plan::None => String::new(),
        plan => format!(" The plan at the time: {}.", code!(plan)),
    };
    let told = times.and_then(|times| times.notified_at);
    let told = told.map_or_else(String::new, |at| format!(" The new authority was told {}.", time(at)));
    way + &plan + &told
}

pub(super) fn moved(event: &ChildMoved, telling: &Telling<'_>) -> String {
    let ways = (&event.from_la, &event.to_la);
    let along = along(event.plan, event.emergency, ways, event.times.as_ref());
    format!("{} recorded that {} moved{along}", telling.who, telling.child)
}

pub(super) fn placed(event: &PlacementStarted, telling: &Telling<'_>) -> String {
    let ways = (&event.from_la, &event.to_la);
    let along = along(event.plan, event.emergency, ways, event.times.as_ref());
    format!(
        "{} placed {} ({}; legal status: {}){along}",
        telling.who,
        telling.child,
        code!(event.placement),
        code!(event.legal_status)
    )
}
