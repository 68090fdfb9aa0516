use axum::response::Response;
use gt_projections::{RequestFilter, RequestsWanted};
use gt_schemas::Rating;

use super::parameters::{agency, choice, code, person, time};
use super::{Asked, query};
use crate::problem::Problem;

query! {
    /// `GET /v1/requests?agency&requester&child&state&rating&from&to`
    RequestQuery { agency, requester, child, state, rating, from, to }
}

/// `GET /v1/requests`: requests for information by when they are due; those that are open unless `state` says otherwise.
pub(super) async fn requests(mut asked: Asked<RequestQuery>) -> Result<Response, Problem> {
    let query = &mut asked.query;
    let states = [
        ("open", RequestsWanted::Open),
        ("overdue", RequestsWanted::Overdue),
        ("answered", RequestsWanted::Answered),
        ("all", RequestsWanted::All),
    ];
    let filter = RequestFilter {
        agency: agency(query.agency.as_deref())?,
        requester: agency(query.requester.as_deref())?,
        child: query.child.as_deref().map(person).transpose()?,
        state: choice("state", query.state.as_deref(), &states)?,
        rating: code("rating", query.rating.take(), Rating::CODES)?,
        from: time(query.from.as_deref())?,
        to: time(query.to.as_deref())?,
    };
    let child = filter.child;
    asked.about(child).answer(move |views, page| views.requests(&filter, page)).await
}
