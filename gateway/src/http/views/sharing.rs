use axum::response::Response;
use gt_projections::{SharingFilter, SharingSort};

use super::parameters::{agency, choice, time};
use super::{Asked, query};
use crate::problem::Problem;

query! {
    /// `GET /v1/sharing?from&to&since&until&sort`: from and to are agencies, since and until times.
    SharingQuery { from, to, since, until, sort }
}

const SORTS: [(&str, SharingSort); 4] = [
    ("agency", SharingSort::Agency),
    ("shares", SharingSort::Shares),
    ("median", SharingSort::Median),
    ("last", SharingSort::Last),
];

/// `GET /v1/sharing`: who shares with whom, how often and how fast.
pub(super) async fn ways(asked: Asked<SharingQuery>) -> Result<Response, Problem> {
    let (filter, sort) = wanted(&asked)?;
    asked.answer(move |views, page| views.sharing(&filter, sort, page)).await
}

/// `GET /v1/sharing/agencies`: the same for each agency, whomever it shares with.
pub(super) async fn agencies(asked: Asked<SharingQuery>) -> Result<Response, Problem> {
    let (filter, sort) = wanted(&asked)?;
    asked.answer(move |views, page| views.sharing_by_agency(&filter, sort, page)).await
}

fn wanted(asked: &Asked<SharingQuery>) -> Result<(SharingFilter, SharingSort), Problem> {
    let query = &asked.query;
    asked.counts_of_all(query.since.is_some() || query.until.is_some())?;
    let filter = SharingFilter {
        from: agency(query.from.as_deref())?,
        to: agency(query.to.as_deref())?,
        since: time(query.since.as_deref())?,
        until: time(query.until.as_deref())?,
    };
    Ok((filter, choice("sort", query.sort.as_deref(), &SORTS)?))
}
