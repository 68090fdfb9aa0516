use axum::response::Response;
use gt_projections::{AgreementFilter, AgreementSort};

use super::parameters::{agency, choice, context, time, truth};
use super::{Asked, query};
use crate::problem::Problem;

query! {
    /// `GET /v1/agreements?agreement&agency&review_before&overdue&sort`
    AgreementQuery { agreement, agency, review_before, overdue, sort }
}

/// `GET /v1/agreements`: information sharing agreements, the one whose review is due first first.
pub(super) async fn agreements(asked: Asked<AgreementQuery>) -> Result<Response, Problem> {
    let query = &asked.query;
    let filter = AgreementFilter {
        agreement: query.agreement.as_deref().map(context).transpose()?,
        agency: agency(query.agency.as_deref())?,
        review_before: time(query.review_before.as_deref())?,
        overdue: truth("overdue", query.overdue.as_deref())?,
    };
    asked.counts_of_all(filter.review_before.is_some())?;
    let sorts = [
        ("review", AgreementSort::Review),
        ("shares", AgreementSort::Shares),
        ("registered", AgreementSort::Registered),
    ];
    let sort = choice("sort", query.sort.as_deref(), &sorts)?;
    asked.answer(move |views, page| views.agreements(&filter, sort, page)).await
}
